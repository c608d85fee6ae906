"""A small HTTP server that stands in for Sancho's, and for a storage, in the unit tests of the pilot and only there.

It speaks the pilot's protocol over real sockets, holds every request and every
answer of its own against `protocol.json`, remembers everything, and misbehaves
on demand. The journeys run pilots against the real server.
"""

import hashlib
import json
import re
import secrets
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.protocol import check_exchange, check_request

DEADLINE = 60.0


@dataclass
class Fault:
    """Something that goes wrong, so many times, with requests such as `POST .*/finish`."""

    request: str
    what: str | int
    """`drop`: close without a look; `lose`: do it and close without an answer; `half`: answer half; or a status, or
    the `code` of a 409."""
    times: int = 1

    def fits(self, method: str, path: str) -> bool:
        return self.times > 0 and re.fullmatch(self.request, f"{method} {path}") is not None


@dataclass
class Attempt:
    """What the server knows of an attempt."""

    assignment: dict[str, Any]
    state: str = "waiting"
    kill: bool = False
    beats: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    intents: dict[int, int] = field(default_factory=dict[int, int])
    reports: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """Those that were accepted; the same one again is not counted."""
    starts: int = 0

    @property
    def open(self) -> bool:
        return self.state in {"matched", "running"}

    @property
    def report(self) -> dict[str, Any]:
        assert len(self.reports) == 1, self.reports
        return self.reports[0]


class Problem(Exception):
    """An answer that is a problem."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.said = {
            "type": f"urn:sancho:problem:{code}", "title": code.replace("_", " "), "status": status, "code": code,
            "detail": "as the test wants it",
        }  # fmt: skip


class StandIn:
    """The server, its storage and what they have seen. Change it and ask it under `self.changed`, or by `wait`."""

    def __init__(self) -> None:
        self.stamp = secrets.token_hex(8)
        self.changed = threading.Condition(threading.RLock())
        self.first_secret = secrets.token_urlsafe(16)
        self.accepted = {self.first_secret}
        self.successor = ""
        self.tokens: set[str] = set()
        self.issued: list[str] = [self.first_secret]
        """Every secret, token and signature there ever was: none may appear in a log."""
        self.attempts: dict[int, Attempt] = {}
        self.files: dict[str, bytes] = {}
        self.writable: dict[str, str] = {}
        self.puts: list[str] = []
        self.requests: list[str] = []
        self.calls: set[str] = set()
        """The calls of the protocol that were made."""
        self.errors: list[str] = []
        self.faults: list[Fault] = []
        self.offers: list[dict[str, Any]] = []
        self.beats = 0
        self.beat_every = 0.1
        self.watched_every: float | None = None
        self.logins = 0
        self.retired: str | None = None
        self.away = False
        self.ranges = True
        self.nonsense = False
        """A test lets it say what the protocol does not know."""
        self.start()

    # ---- the process

    def start(self, port: int = 0) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", port), type("HandlerOfThisWorld", (Handler,), {"world": self}))
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def stop(self) -> None:
        """Close the port: connections are refused until `start(port)`."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait(self, condition: Callable[[], object], within: float = DEADLINE) -> None:
        """Wait until something holds; it is looked at whenever a request has been answered."""
        with self.changed:
            assert self.changed.wait_for(condition, within), f"not in time; requests: {self.requests[-20:]}"

    # ---- what tests give

    def job(self, *command: str, **more: Any) -> Attempt:
        """Let a job wait for a pilot."""
        attempt_id = len(self.attempts) + 1
        assignment: dict[str, Any] = {"vo": "belle"} | {
            "attempt_id": attempt_id,
            "job_id": 100 + attempt_id,
            "number": 1,
            "command": list(command),
            "environment": {},
            "environments": [],
            "cores": 1,
            "walltime": 300,
            "memory": 2_000_000_000,
            "input_sandbox": None,
            "inputs": [],
            "outputs": [],
            "output_sandbox": [],
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "token": f"token-of-{attempt_id}",
            **more,
        }
        with self.changed:
            self.attempts[attempt_id] = Attempt(assignment)
        return self.attempts[attempt_id]

    def shell(self, script: str, **more: Any) -> Attempt:
        return self.job("sh", "-c", script, **more)

    def input(self, name: str, content: bytes, *sources: bytes | None) -> dict[str, Any]:
        """Store an input; `sources` are what each source really has, None for nothing at all."""
        places: list[dict[str, str]] = []
        for number, there in enumerate(sources or (content,)):
            path = f"/storage/{number}/{name}"
            if there is not None:
                self.files[path] = there
            places.append({"rse": f"RSE-{number}", "url": self.url + path, "token": self.issue("read")})
        adler32 = f"{zlib.adler32(content):08x}"
        return {"did": f"mc:{name}", "name": name, "size": len(content), "adler32": adler32, "sources": places}

    def sandbox(self, content: bytes) -> dict[str, Any]:
        """Store an input sandbox, behind a presigned URL."""
        sha256 = hashlib.sha256(content).hexdigest()
        self.files[f"/objects/{sha256}"] = content
        url = f"{self.url}/objects/{sha256}?signature={self.issue('signature')}"
        return {"url": url, "sha256": sha256, "size": len(content)}

    def issue(self, kind: str) -> str:
        token = f"{kind}-{secrets.token_urlsafe(16)}"
        self.issued.append(token)
        return token

    def fail(self, request: str, what: str | int, times: int = 1) -> Fault:
        fault = Fault(request, what, times)
        with self.changed:
            self.faults.append(fault)
        return fault

    # ---- what pilots say

    def answer(self, method: str, path: str, body: bytes, token: str) -> tuple[int, Any]:
        said = json.loads(body) if body else None
        self.calls.add(check_request(method, path, said))
        try:
            status, answer = self.decide(path.removeprefix("/v1/pilot/").split("/"), said, token)
        except Problem as problem:
            status, answer = problem.status, problem.said
        if not self.nonsense:
            check_exchange(method, path, said, status, answer)
        return status, answer

    def decide(self, parts: list[str], said: Any, token: str) -> tuple[int, Any]:
        if parts == ["login"]:
            return 200, self.login(said)
        if token not in self.tokens:
            raise Problem(401, "token_invalid")
        self.accepted = {self.successor}
        if parts[0] == "attempts":
            attempt = self.attempts[int(parts[1])]
            return self.about(attempt, parts[2] if len(parts) > 2 else "", said)
        answers: dict[str, Callable[[Any], tuple[int, Any]]] = {
            "match": self.match,
            "beat": self.beat,
            "retire": self.retire,
        }
        return answers[parts[0]](said)

    def login(self, said: Any) -> Any:
        self.logins += 1
        if said["stamp"] != self.stamp or said["secret"] not in self.accepted:
            raise Problem(401, "pilot_unknown")
        self.successor = self.issue("secret")
        self.accepted = {said["secret"], self.successor}
        token = self.issue("token")
        self.tokens = {token}
        return {"token": token, "expires_in": 1800, "next_secret": self.successor, "beat_every": self.beat_every}

    def match(self, said: Any) -> tuple[int, Any]:
        self.offers.append(said)
        for attempt_id, attempt in self.attempts.items():
            if attempt.state == "matched" and attempt_id not in said["held"]:
                return 200, attempt.assignment
            assert attempt.state != "running" or attempt_id in said["held"], "a pilot has forgotten an attempt"
        for attempt in self.attempts.values():
            if attempt.state == "waiting" and all(attempt.assignment[x] <= said[x] for x in ("cores", "memory")):
                attempt.state = "matched"
                return 200, attempt.assignment
        return 204, None

    def beat(self, said: Any) -> tuple[int, Any]:
        self.beats += 1
        for beat in said["beats"]:
            self.attempts[beat["attempt_id"]].beats.append(beat)
        about = {beat["attempt_id"]: self.attempts[beat["attempt_id"]] for beat in said["beats"]}
        kill = [n for n, one in about.items() if one.kill and one.open]
        return 200, {
            "commands": [{"attempt_id": n, "command": "kill", "command_id": n} for n in kill],
            "attempts": {str(n): "known" if one.open else "ended" for n, one in about.items()},
            "beat_every": self.watched_every,
        }

    def retire(self, said: Any) -> tuple[int, Any]:
        self.retired = said["reason"]
        return 204, None

    def about(self, attempt: Attempt, what: str, said: Any) -> tuple[int, Any]:
        if what == "finish" and attempt.reports and attempt.reports[-1] == said:
            return 200, {"state": attempt.state}
        if not attempt.open:
            raise Problem(409, "attempt_ended")
        if what == "start":
            attempt.state, attempt.starts = "running", attempt.starts + 1
            return 204, None
        answers: dict[str, Callable[[Attempt, Any], Any]] = {
            "": lambda attempt, _: attempt.assignment,
            "outputs": self.outputs,
            "sandbox": self.announce,
            "finish": self.finish,
        }
        return 200, answers[what](attempt, said)

    def outputs(self, attempt: Attempt, said: Any) -> Any:
        uploads: list[dict[str, Any]] = []
        for one in said["outputs"]:
            number = one["number"]
            intent = attempt.intents.setdefault(number, 5000 + len(attempt.intents))
            path = f"/storage/outputs/{attempt.assignment['attempt_id']}/{number}"
            token = self.issue("write")
            self.writable[path] = token
            where = {"number": number, "intent_id": intent, "rse": "RSE-0", "url": self.url + path, "token": token}
            uploads.append(where)
        return {"uploads": uploads}

    def announce(self, _attempt: Attempt, said: Any) -> Any:
        path = f"/objects/{said['sha256']}"
        if path in self.files:
            return {"url": None}
        signature = self.issue("signature")
        self.writable[path] = signature
        return {"url": f"{self.url}{path}?signature={signature}"}

    def finish(self, attempt: Attempt, said: Any) -> Any:
        if said["outcome"] == "done":
            assert sorted(said["intents"]) == sorted(attempt.intents.values())
            for number in attempt.intents:
                assert f"/storage/outputs/{attempt.assignment['attempt_id']}/{number}" in self.files
        attempt.reports.append(said)
        attempt.state = said["outcome"]
        return {"state": attempt.state}

    # ---- the storage

    def get(self, path: str, wanted: str) -> tuple[int, bytes]:
        if path not in self.files:
            return 404, b""
        content = self.files[path]
        if wanted.startswith("bytes=") and self.ranges:
            return 206, content[int(wanted[6:-1]) :]
        return 200, content

    def put(self, path: str, content: bytes, token: str, *, only_new: bool) -> int:
        self.puts.append(path)
        if self.writable.get(path) != token:
            return 403
        if path in self.files and only_new:
            return 412
        self.files[path] = content
        return 201

    def output(self, attempt: Attempt, number: int) -> bytes:
        return self.files[f"/storage/outputs/{attempt.assignment['attempt_id']}/{number}"]

    def output_sandbox(self, attempt: Attempt) -> bytes:
        return self.files[f"/objects/{attempt.report['sandbox']}"]


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    world: StandIn

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ARG002 - as its base has it
        return

    def serve(self) -> None:
        path = urlsplit(self.path).path
        api = path.startswith("/v1/")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.world.changed:
            self.world.requests.append(f"{self.command} {path}")
            fault = next((one for one in self.world.faults if one.fits(self.command, path)), None)
            if fault is not None:
                fault.times -= 1
            try:
                self.respond(path, body, "drop" if self.world.away and api else fault and fault.what)
            except OSError:
                self.close_connection = True
            finally:
                self.world.changed.notify_all()

    do_GET = do_POST = do_PUT = do_HEAD = serve  # noqa: N815

    def respond(self, path: str, body: bytes, trouble: str | int | None) -> None:
        if trouble == "drop":
            self.close_connection = True
            return
        if trouble not in {None, "lose", "half"}:
            made_up = Problem(trouble, "made_up") if isinstance(trouble, int) else Problem(409, str(trouble))
            self.send(made_up.status, json.dumps(made_up.said).encode())
            return
        status, content, headers = self.of_api(path, body) if path.startswith("/v1/") else self.of_storage(path, body)
        if trouble == "lose":
            self.close_connection = True
        elif trouble == "half":
            self.close_connection = True
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2])
        else:
            self.send(status, content, **headers)

    def of_api(self, path: str, body: bytes) -> tuple[int, bytes, dict[str, str]]:
        try:
            status, said = self.world.answer(self.command, path, body, self.token())
        except (AssertionError, KeyError, ValueError) as problem:
            self.world.errors.append(f"{self.command} {path}: {problem}")
            return 422, json.dumps({"code": "invalid", "detail": "see the errors of the test"}).encode(), {}
        return status, b"" if said is None else json.dumps(said).encode(), {"Retry-After": "0.1"}

    def of_storage(self, path: str, body: bytes) -> tuple[int, bytes, dict[str, str]]:
        if self.command == "PUT":
            signature = urlsplit(self.path).query.removeprefix("signature=")
            only_new = self.headers.get("If-None-Match") == "*"
            return self.world.put(path, body, signature or self.token(), only_new=only_new), b"", {}
        status, content = self.world.get(path, self.headers.get("Range") or "")
        digest = {"Digest": f"adler32={zlib.adler32(content):08x}"} if self.headers.get("Want-Digest") else {}
        return status, content, digest

    def token(self) -> str:
        return (self.headers.get("Authorization") or "").removeprefix("Bearer ")

    def send(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD" and status != 204:
            self.wfile.write(content)
