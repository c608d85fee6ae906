"""What every compute element plugin must pass.

    class TestMyComputeElement(ComputeElementConformance):
        @contextmanager
        def place(self):
            yield Place(element=lambda: MyComputeElement(...))

Needs pytest and nothing else. The pilots are real: they are the ones that the plugin starts, and report to a small
server within the test, which lets them in, has no work for them, and sees that they leave. So the CE must be able to
reach the test's machine. Each test opens a place of its own and runs in an event loop of its own.
"""

import asyncio
import json
import secrets
import threading
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import wraps
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

import pytest

from sancho_contract.compute import CEUnavailable, ComputeElement, PilotSpec, PilotState

S = TypeVar("S", bound="ComputeElementConformance")

SHORT, LONG = timedelta(0), timedelta(hours=1)
ENDED = {PilotState.DONE, PilotState.FAILED, PilotState.UNKNOWN}


@dataclass(frozen=True)
class Place:
    """A CE to be tested."""

    element: Callable[[], ComputeElement]
    """Makes the plugin anew, with the same settings each time, as another process would."""
    unreachable: Callable[[], ComputeElement] | None = None
    """Makes the plugin for a CE that cannot be reached; None when there cannot be one."""
    host: str = "127.0.0.1"
    """The address of the test's machine, as pilots see it."""
    within: float = 60.0
    """Seconds within which a pilot starts, or ends, here."""
    foreign_reference: str = "nobody"
    """A reference of the CE's kind that it never gave."""
    tags: tuple[str, ...] = ()


@dataclass
class Seen:
    """What the server of a test has seen of one pilot."""

    secret: str
    arrived: bool = False
    offer: dict[str, Any] = field(default_factory=dict[str, Any])
    retired: str | None = None


class PilotServer:
    """Lets in the pilots that it knows, has no work for any, and says good-bye."""

    def __init__(self, host: str) -> None:
        """Listen on a free port."""
        self.seen: dict[str, Seen] = {}
        self._tokens: dict[str, str] = {}
        self._server = ThreadingHTTPServer((host, 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.url = f"http://{host}:{self._server.server_address[1]}"

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, path: str, said: Any, token: str) -> tuple[int, Any]:
        """Answer a pilot."""
        if path.endswith("/login"):
            seen = self.seen.get(said["stamp"])
            if seen is None or seen.secret != said["secret"]:
                return 401, {"code": "pilot_unknown", "detail": "This pilot is not known."}
            seen.arrived = True
            seen.secret = secrets.token_urlsafe()
            self._tokens[given := secrets.token_urlsafe()] = said["stamp"]
            return 200, {"token": given, "expires_in": 3600, "next_secret": seen.secret, "beat_every": 1}
        seen = self.seen[self._tokens[token]]
        if path.endswith("/beat"):
            return 200, {"commands": [], "attempts": {}}
        if path.endswith("/match"):
            seen.offer = said
        elif path.endswith("/retire"):
            seen.retired = said["reason"]
        return 204, None


def _handler(server: PilotServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
            status, answer = server.answer(self.path, said, token)
            content = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Retry-After", "1")
            if content:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ARG002 - as its base has it
            return

    return Handler


class Bench:
    """A place, and a server for its pilots."""

    def __init__(self, place: Place, server: PilotServer) -> None:
        """Made for each test."""
        self.place = place
        self.server = server
        self.element = place.element()
        self.references: dict[str, str] = {}

    def spec(self, *, idle: timedelta = LONG, known: bool = True) -> PilotSpec:
        """Describe a pilot; one that is not known is sent away by the server."""
        stamp, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
        if known:
            self.server.seen[stamp] = Seen(secret)
        return PilotSpec(
            stamp=stamp, secret=secret, url=self.server.url, cores=1, memory=500_000_000,
            walltime=timedelta(hours=1), tags=self.place.tags, idle=idle, site="SITE-A",
        )  # fmt: skip

    async def submit(self, *pilots: PilotSpec) -> list[str]:
        """Submit pilots that must all be accepted; return their references in the same order."""
        given = dict(await self.element.submit(pilots))
        self.references |= given
        assert given.keys() == {pilot.stamp for pilot in pilots}
        return [given[pilot.stamp] for pilot in pilots]

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        """Wait for something that happens behind the CE."""
        deadline = time.monotonic() + self.place.within
        while not await condition():
            assert time.monotonic() < deadline, "it did not come true in time"
            await asyncio.sleep(0.05)

    async def until_state(self, reference: str, *wanted: PilotState) -> None:
        """Wait for a state."""

        async def reached() -> bool:
            return (await self.element.states([reference]))[reference] in wanted

        await self.until(reached)

    async def until_arrived(self, *pilots: PilotSpec) -> None:
        """Wait until pilots have asked for work."""

        async def arrived() -> bool:
            return all(self.server.seen[pilot.stamp].offer for pilot in pilots)

        await self.until(arrived)

    async def end(self) -> None:
        """Leave nothing behind."""
        await self.element.kill(list(self.references.values()))
        for reference in self.references.values():
            await self.until_state(reference, *ENDED)


def on_a_bench(test: Callable[[S, Bench], Awaitable[None]]) -> Callable[[S], None]:
    """Run an async test on a bench of its own, in an event loop of its own."""

    @wraps(test)
    def run(self: S) -> None:
        async def go(bench: Bench) -> None:
            try:
                await test(self, bench)
            finally:
                await bench.end()

        with self.place() as place, serving(place.host) as server:
            asyncio.run(go(Bench(place, server)))

    del run.__wrapped__  # pytest must not see a parameter
    return run


@contextmanager
def serving(host: str) -> Generator[PilotServer]:
    """A server for pilots, for the time of a test."""
    server = PilotServer(host)
    try:
        yield server
    finally:
        server.close()


class ComputeElementConformance:
    """Derive from it, and say where the CE is."""

    def place(self) -> AbstractContextManager[Place]:
        """Open a CE for one test, and close it afterwards."""
        raise NotImplementedError

    @on_a_bench
    async def test_a_pilot_arrives_with_its_secret_and_its_slot(self, bench: Bench) -> None:
        """It is running while it waits for work."""
        pilot = bench.spec()
        (reference,) = await bench.submit(pilot)
        assert (await bench.element.states([reference]))[reference] in {PilotState.SUBMITTED, PilotState.RUNNING}
        await bench.until_arrived(pilot)
        assert bench.server.seen[pilot.stamp].offer["memory"] == pilot.memory
        assert bench.server.seen[pilot.stamp].offer["cores"] == pilot.cores
        await bench.until_state(reference, PilotState.RUNNING)

    @on_a_bench
    async def test_a_pilot_that_has_no_work_leaves_and_is_done(self, bench: Bench) -> None:
        """Its end is its own."""
        pilot = bench.spec(idle=SHORT)
        (reference,) = await bench.submit(pilot)
        await bench.until_state(reference, PilotState.DONE)
        assert bench.server.seen[pilot.stamp].retired == "idle"

    @on_a_bench
    async def test_a_pilot_that_is_sent_away_has_failed(self, bench: Bench) -> None:
        """The CE tells a good end from a bad one."""
        (reference,) = await bench.submit(bench.spec(known=False))
        await bench.until_state(reference, PilotState.FAILED)

    @on_a_bench
    async def test_a_pilot_that_is_killed_ends(self, bench: Bench) -> None:
        """It has the time to say good-bye."""
        pilot = bench.spec()
        (reference,) = await bench.submit(pilot)
        await bench.until_arrived(pilot)
        await bench.element.kill([reference])
        await bench.until_state(reference, *ENDED)
        assert bench.server.seen[pilot.stamp].retired is not None

    @on_a_bench
    async def test_only_the_pilots_that_are_meant_are_killed(self, bench: Bench) -> None:
        """The others go on."""
        one, other = bench.spec(), bench.spec()
        references = await bench.submit(one, other)
        await bench.until_arrived(one, other)
        await bench.element.kill(references[:1])
        await bench.until_state(references[0], *ENDED)
        assert (await bench.element.states(references))[references[1]] is PilotState.RUNNING

    @on_a_bench
    async def test_killing_what_has_ended_is_not_an_error(self, bench: Bench) -> None:
        """Whoever kills does not know what has happened meanwhile."""
        (reference,) = await bench.submit(bench.spec(idle=SHORT))
        await bench.until_state(reference, PilotState.DONE)
        await bench.element.kill([reference, reference])
        assert (await bench.element.states([reference]))[reference] in {PilotState.DONE, PilotState.UNKNOWN}

    @on_a_bench
    async def test_another_process_finds_and_kills_the_pilots_of_the_first(self, bench: Bench) -> None:
        """The reference is all there is to know."""
        pilot = bench.spec()
        (reference,) = await bench.submit(pilot)
        await bench.until_arrived(pilot)
        bench.element = bench.place.element()
        assert (await bench.element.states([reference]))[reference] is PilotState.RUNNING
        await bench.element.kill([reference])
        await bench.until_state(reference, *ENDED)

    @on_a_bench
    async def test_a_reference_that_the_ce_never_gave_is_unknown_and_may_be_killed(self, bench: Bench) -> None:
        """It may be of a CE that was set up anew."""
        for reference in (bench.place.foreign_reference, "", "\0", "a:b:c:d", "ü" * 300):
            assert (await bench.element.states([reference]))[reference] is PilotState.UNKNOWN
            await bench.element.kill([reference])

    @on_a_bench
    async def test_nothing_is_nothing(self, bench: Bench) -> None:
        """Empty calls are no calls."""
        assert dict(await bench.element.submit([])) == {}
        assert dict(await bench.element.states([])) == {}
        await bench.element.kill([])

    @on_a_bench
    async def test_all_methods_may_be_called_at_once(self, bench: Bench) -> None:
        """Each pilot has a reference of its own."""
        pilots = [bench.spec(idle=SHORT) for _ in range(4)]
        found = await asyncio.gather(*(bench.submit(pilot) for pilot in pilots))
        references = [reference for (reference,) in found]
        assert len(set(references)) == len(pilots)
        await asyncio.gather(*(bench.until_state(reference, PilotState.DONE) for reference in references))
        assert (await bench.element.states(references)).keys() == set(references)

    @on_a_bench
    async def test_a_reference_holds_no_secret(self, bench: Bench) -> None:
        """References are kept, logged and shown."""
        pilot = bench.spec(idle=SHORT)
        (reference,) = await bench.submit(pilot)
        assert 0 < len(reference) < 256
        assert pilot.secret not in reference
        assert pilot.secret not in repr(pilot)

    @on_a_bench
    async def test_a_ce_that_cannot_be_reached_says_so(self, bench: Bench) -> None:
        """And it is the caller who tries again."""
        if bench.place.unreachable is None:
            pytest.skip("this kind of CE can always be reached")
        with pytest.raises(CEUnavailable):
            await bench.place.unreachable().submit([bench.spec()])
