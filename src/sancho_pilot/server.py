"""The server, as the pilot knows it: a login that renews itself, and calls that fail in one way, `CallFailed`.

The credential is a chain of one-time secrets. Each login answers with the
next one, which is on disk before the token is used: a pilot may die anywhere,
and the newest secret on its disk works.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from email.message import Message
from typing import Any, Callable, Dict, Optional, cast

from sancho_pilot.http import Client, Unreachable, Unspeakable
from sancho_pilot.model import CallFailed, Failure, Trouble
from sancho_pilot.wire import Fields, ProtocolError

PREFIX = "/v1/pilot"
LATER = (408, 425, 429)
COLLISION = "collision"
"""Another request was in the way: nothing was changed, and the same again may pass."""
GIVEN_UP = ("attempt_ended", "attempt_not_found")
LARGEST = 64 * 1024 * 1024
MARGIN = 0.1
"""A token is renewed when this part of its life is left."""


class Reply:
    """What the server answered to a call that worked."""

    def __init__(self, status: int, body: Any, headers: Message) -> None:
        """`body` is None when there is none."""
        self.status = status
        self.body = body
        self.headers = headers

    def retry_after(self, default: float) -> float:
        """Return how long the server asks us to wait."""
        return _seconds(self.headers) or default


class Server:
    """The API for pilots; may be called by several threads at once."""

    def __init__(
        self, client: Client, url: str, stamp: str, secret: Callable[[], str], keep: Callable[[str], None]
    ) -> None:
        """`secret` returns the newest secret; `keep` stores a newer one durably."""
        self._client = client
        self._url = url + PREFIX
        self._stamp = stamp
        self._secret = secret
        self._keep = keep
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at = 0.0
        self.beat_every = 30.0

    def login(self, unlike: Optional[str] = None) -> str:
        """Return a token: the one at hand if it is good and not `unlike`, otherwise a new one."""
        with self._lock:
            if self._token and self._token != unlike and time.monotonic() < self._renew_at:
                return self._token
            status, body, headers = self._ask("POST", "/login", {"stamp": self._stamp, "secret": self._secret()}, "")
            if status != 200:
                raise CallFailed(_failure(status, body, headers, login=True))
            try:
                fields = Fields(body, "login")
                token, expires_in = fields.text("token"), fields.number("expires_in")
                secret, self.beat_every = fields.text("next_secret"), max(0.05, fields.number("beat_every"))
            except ProtocolError as problem:
                raise CallFailed(Failure(Trouble.AWAY, str(problem), "protocol")) from problem
            self._keep(secret)
            self._token = token
            self._renew_at = time.monotonic() + expires_in * (1 - MARGIN)
            return token

    def call(self, method: str, path: str, body: Any = None, again: Any = None) -> Reply:
        """Call the API, logging in when need be; raises `CallFailed`.

        `again` is the body in place of `body` when it is sent a second time,
        and nobody knows whether the first was heard.
        """
        token = self.login()
        status, answer, headers = self._ask(method, path, body, token, again)
        if status == 401:
            status, answer, headers = self._ask(method, path, body, self.login(unlike=token), again)
        if status not in (200, 201, 202, 204):
            raise CallFailed(_failure(status, answer, headers))
        return Reply(status, answer, headers)

    def _ask(self, method: str, path: str, body: Any, token: str, again: Any = None) -> "tuple[int, Any, Message]":
        headers: Dict[str, str] = {"Accept": "application/json", "User-Agent": "sancho-pilot"}
        data = None
        if method != "GET":
            data = json.dumps({} if body is None else body).encode()
            headers["Content-Type"] = "application/json"
            headers["Content-Length"] = str(len(data))
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            once_more = None if again is None else json.dumps(again).encode()
            with self._client.ask(method, self._url + path, headers, data, again=once_more) as answer:
                text = answer.read(LARGEST) if answer.status != 204 else b""
                answer.read()
                return answer.status, _json(text), answer.headers
        except (Unreachable, Unspeakable, http.client.HTTPException) as problem:
            raise CallFailed(Failure(Trouble.AWAY, str(problem))) from problem


def _json(text: bytes) -> Any:
    try:
        return json.loads(text.decode()) if text else None
    except ValueError:
        return None


def _failure(status: int, body: Any, headers: Message, *, login: bool = False) -> Failure:
    """Say what a status means. A `no` is final only if it is a problem of the server's own, with a code.

    A proxy in between that has lost its server says 404 as well; that is an outage.
    """
    problem = cast("Dict[str, Any]", body) if isinstance(body, dict) else {}
    code = str(problem.get("code") or "")
    detail = str(problem.get("detail") or problem.get("title") or f"status {status}")
    if login and status in (401, 403) and code:
        trouble = Trouble.REFUSED
    elif code in GIVEN_UP and 400 <= status < 500:
        trouble = Trouble.ENDED
    elif status >= 500 or status in LATER or code in ("", COLLISION):
        trouble = Trouble.AWAY
    elif status == 401:
        trouble = Trouble.REFUSED
    else:
        trouble = Trouble.REJECTED
    return Failure(trouble, detail, code, _seconds(headers))


def _seconds(headers: Message) -> Optional[float]:
    try:
        return max(0.0, float(headers.get("Retry-After") or ""))
    except ValueError:
        return None
