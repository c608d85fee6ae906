"""What a VO sends beyond its share is refused, and what it sends within waits its turn; others do not notice."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network

import httpx2
import pytest
from anyio.lowlevel import checkpoint
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from sancho.kit import telemetry
from sancho.kit.access import Principal
from sancho.kit.admission import InTurn, Limited, Limits, Ways, address_of, token_of
from sancho.kit.errors import Unauthorized
from sancho.kit.fair import Shares, Turns
from tests.conftest import eventually

WAYS = Ways(free=("/v1/health/",), logins=("/v1/auth/",), machines=("/v1/pilot/",))
VOS = {"instance": 0, "belle": 1, "gridpp": 2}


class Tokens:
    """Knows who `VO:ACCOUNT` is, and `pilot:VO`."""

    async def authenticate(self, token: str) -> Principal:
        first, _, second = token.partition(":")
        pilot = first == "pilot"
        vo = second if pilot else first
        if vo not in VOS:
            raise Unauthorized(reason="no such token")
        return Principal(
            vo=VOS[vo],
            vo_name=vo,
            account=second,
            account_id=hash(second),
            vos=(VOS[vo],),
            pilot_id=7 if pilot else None,
        )


@dataclass
class Place:
    """Routes that answer when they are told to, behind limits and turns; the time is what a test says."""

    at_once: int = 2
    now: float = 1000.0
    shares: Shares = field(default_factory=Shares)
    began: list[str] = field(default_factory=list[str])
    go: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.go.set()
        limits = Limits(account=5, vo=10, pilots=100, address=2, logins=1, burst=2)
        places, strangers = (Turns(self.at_once, room=4) for _ in range(2))
        turns = InTurn(self._route, turns=places, strangers=strangers, streamed=("/v1/objects/",), patience=0.2)
        self.app = Limited(
            turns, limits=limits, ways=WAYS, authenticator=Tokens(), shares=self.shares, clock=lambda: self.now
        )

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.began.append(scope["path"])
        await self.go.wait()
        await PlainTextResponse("done")(scope, receive, send)

    async def ask(
        self, token: str = "", path: str = "/v1/jobs", *, times: int = 1, address: str = "192.0.2.1"
    ) -> list[int]:
        """Statuses of so many requests, sent at once."""
        transport = httpx2.ASGITransport(app=self.app, client=(address, 1))
        headers = {"authorization": f"Bearer {token}"} if token else {}
        async with httpx2.AsyncClient(transport=transport, base_url="http://x") as client:
            answers = await asyncio.gather(*(client.get(path, headers=headers) for _ in range(times)))
        for answer in answers:
            if answer.status_code == 429:
                assert int(answer.headers["retry-after"]) >= 1
                assert answer.headers["content-type"] == "application/problem+json"
        return [answer.status_code for answer in answers]

    async def one_by_one(self, token: str, times: int, path: str = "/v1/jobs", address: str = "192.0.2.1") -> list[int]:
        return [status for _ in range(times) for status in await self.ask(token, path, address=address)]


def refused(vo: str, limit: str) -> float:
    return telemetry.REFUSED.labels(vo, limit)._value.get()


async def test_an_account_is_refused_beyond_its_limit_and_let_in_when_it_has_waited() -> None:
    place, before = Place(), refused("belle", "account")

    assert await place.one_by_one("belle:alice", 12) == [200] * 10 + [429] * 2
    assert await place.ask("belle:bob") == [200]
    assert refused("belle", "account") - before == 2
    place.now += 1
    assert await place.one_by_one("belle:alice", 6) == [200] * 5 + [429]


async def test_a_vo_is_refused_beyond_its_limit_and_another_is_not() -> None:
    place = Place()
    accounts = [f"belle:user{n}" for n in range(5)]

    statuses = [status for account in accounts for status in await place.one_by_one(account, 5)]

    assert statuses == [200] * 20 + [429] * 5
    assert await place.ask("gridpp:alice") == [200]


async def test_the_share_of_a_vo_multiplies_its_limits() -> None:
    place = Place()
    place.shares.set({VOS["belle"]: 2.0})

    assert await place.one_by_one("belle:alice", 21) == [200] * 20 + [429]
    assert await place.one_by_one("gridpp:alice", 11) == [200] * 10 + [429]


async def test_pilots_have_a_limit_of_their_own() -> None:
    place = Place()

    assert await place.one_by_one("pilot:belle", 40) == [200] * 40
    assert await place.ask("belle:alice") == [200]


@pytest.mark.parametrize("token", ["", "nonsense"])
async def test_whoever_has_no_good_token_counts_for_the_address(token: str) -> None:
    place = Place()

    assert await place.one_by_one(token, 5) == [200] * 4 + [429]
    assert await place.ask(token, address="192.0.2.2") == [200]
    assert await place.ask("belle:alice") == [200]


async def test_logins_are_fewer_machines_more_and_health_is_never_refused() -> None:
    place = Place()

    assert await place.one_by_one("", 3, "/v1/auth/token") == [200] * 2 + [429]
    assert await place.one_by_one("", 20, "/v1/pilot/login") == [200] * 20
    assert await place.one_by_one("", 20, "/v1/health/live") == [200] * 20


async def test_requests_wait_their_turn_and_the_fewest_go_first() -> None:
    place = Place(at_once=1)
    place.go.clear()
    first = [asyncio.create_task(place.ask("belle:alice", f"/belle/{n}")) for n in range(3)]
    await waiting(place, 1)
    other = asyncio.create_task(place.ask("gridpp:alice", "/gridpp"))
    await checkpoint()

    place.go.set()
    await asyncio.gather(*first, other)

    assert place.began.index("/gridpp") == 1


async def test_strangers_are_one_party_and_their_addresses_take_turns() -> None:
    place = Place(at_once=1)
    place.go.clear()
    many = [asyncio.create_task(place.ask(path=f"/many/{n}", address="192.0.2.1")) for n in range(4)]
    await waiting(place, 1)
    others = [asyncio.create_task(place.ask(path=f"/one/{n}", address=f"192.0.2.{n}")) for n in (2, 3)]
    known = asyncio.create_task(place.ask("belle:alice", "/belle"))
    await checkpoint()

    place.go.set()
    await asyncio.gather(*many, *others, known)

    assert place.began[1] == "/belle"
    assert sorted(place.began[2:4]) == ["/one/2", "/one/3"]


async def test_what_cannot_wait_is_refused_and_never_an_error_of_the_server() -> None:
    place, before = Place(), refused("belle", "waiting")
    place.go.clear()
    asking = asyncio.create_task(place.ask("belle:alice", times=9))
    await waiting(place, 2)
    place.go.set()

    assert sorted(await asking) == [200] * 6 + [429] * 3
    assert refused("belle", "waiting") - before == 3


async def test_whoever_waits_too_long_is_told_that_the_server_is_busy() -> None:
    place = Place(at_once=1)
    place.go.clear()
    first = asyncio.create_task(place.ask("belle:alice"))
    await waiting(place, 1)

    assert await place.ask("gridpp:alice") == [503]
    place.go.set()
    assert await first == [200]


async def waiting(place: Place, number: int) -> None:
    await eventually(lambda: len(place.began) >= number)


@pytest.mark.parametrize(
    ("host", "party"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("no:address", ""),
    ],
)
def test_an_address_is_what_one_party_is_given(host: str, party: str) -> None:
    assert address_of({"type": "http", "client": (host, 1), "headers": []}) == party
    assert address_of({"type": "http", "client": None, "headers": []}) == ""


def test_an_address_that_a_proxy_of_ours_names_is_believed_and_no_other() -> None:
    scope = {"type": "http", "client": ("10.0.0.1", 1), "headers": [(b"x-forwarded-for", b"2001:db8:1:2::9")]}

    assert address_of(scope, [ip_network("10.0.0.0/8")]) == "2001:db8:1:2::/64"
    assert address_of(scope) == "10.0.0.1"


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ([], None),
        ([(b"authorization", b"Bearer abc")], "abc"),
        ([(b"authorization", b"bearer  abc ")], "abc"),
        ([(b"authorization", b"Basic abc")], None),
        ([(b"authorization", b"Bearer")], None),
        ([(b"x-rucio-auth-token", b"abc")], "abc"),
        ([(b"accept", b"*/*"), (b"authorization", b"Bearer \xff")], "\xff"),
    ],
)
def test_a_token_comes_in_our_form_or_in_rucios(headers: Sequence[tuple[bytes, bytes]], token: str | None) -> None:
    assert token_of({"type": "http", "headers": headers}) == token
