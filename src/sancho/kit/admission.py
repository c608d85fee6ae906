"""Who gets in: limits on what somebody may ask in a second, and turns between VOs for being worked on.

`Limited` stands before everything that costs: it knows the caller by the token, counts the request for account and
VO, or, without a token that is good, for the address it came from, and answers 429 when there were too many.
`InTurn` stands before the routes: only so many requests are worked on at once, and VOs take turns. A request has its
place from when its body has been read until its answer begins, so that slow clients keep nobody out. Those without a
token are one party beside the VOs; among themselves their addresses take turns.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv6Address, IPv6Network
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sancho.kit import telemetry
from sancho.kit.access import Authenticator, Principal
from sancho.kit.errors import Forbidden, SanchoError, TooMany, Unauthorized, Unavailable
from sancho.kit.fair import Crowded, Limiter, Party, Pilots, Shares, Turns, after, asking
from sancho.kit.problem import Dialect, Dialects, say
from sancho.kit.proxied import Network, client_address

PARTY, VO, ADDRESS = "sancho.party", "sancho.vo", "sancho.address"
STRANGERS, MACHINES = "strangers", "machines"
"""Parties of requests without a token: anybody's, and those on paths of machines."""
MOST_ANSWERS = 1000
"""Refusals that are kept ready."""


class RateExceeded(TooMany):
    """{who} may send {limit:g} requests a second, and has sent more."""

    code = "rate_exceeded"

    def __init__(self, *, who: str, limit: float, retry_after: int) -> None:
        """Say whose limit it is, and when to come back."""
        hint = f"Wait for {retry_after} s; ask for many things in one call rather than for each in its own."
        super().__init__(retry_after=retry_after, who=who, limit=limit, hint=hint)


class ServerBusy(Unavailable):
    """This server has more to do than it can."""

    code = "server_busy"

    def __init__(self) -> None:
        """Ask to come back in a moment."""
        super().__init__(retry_after=2)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Requests a second, and for how many seconds' worth of them at once."""

    account: float
    vo: float
    pilots: float
    address: float
    logins: float
    burst: float

    def limiter(self, rate: float) -> Limiter:
        """A limiter of one of these rates."""
        return Limiter(rate, max(1, round(rate * self.burst)))


@dataclass(frozen=True, kw_only=True)
class Ways:
    """Beginnings of paths that are not like others, and proxies on the way."""

    free: tuple[str, ...]
    """Never limited: how the process is."""
    logins: tuple[str, ...]
    """Where tokens are asked for: some work is done for whoever asks."""
    machines: tuple[str, ...]
    """Asked without a token by programs, of which many may have the same address."""
    proxies: Sequence[Network] = ()
    """Who may say in whose name a request comes."""
    dialects: Dialects = field(default_factory=dict[str, Dialect])
    """How refusals are said on some of them."""


class Limited:
    """Lets in as much as each may send; answers 429 to the rest."""

    def __init__(
        self, app: ASGIApp, *, limits: Limits, ways: Ways, authenticator: Authenticator, shares: Shares,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """Know callers by `authenticator`; `shares` multiply the limits of VOs."""
        self._app, self._limits, self._ways = app, limits, ways
        self._authenticator, self._shares, self._clock = authenticator, shares, clock
        self._accounts, self._vos = limits.limiter(limits.account), limits.limiter(limits.vo)
        self._pilots, self._machines = limits.limiter(limits.pilots), limits.limiter(limits.pilots)
        self._addresses, self._logins = limits.limiter(limits.address), limits.limiter(limits.logins)
        self._answers: dict[tuple[_Over, str], Response] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its party in the scope, or answer 429."""
        if scope["type"] == "http" and not scope["path"].startswith(self._ways.free):
            try:
                over = await self._admit(scope)
            except SanchoError as e:
                await say(e, scope["path"], self._ways.dialects)(scope, receive, send)
                return
            if over is not None:
                await self._answer(over, scope["path"])(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _answer(self, over: "_Over", path: str) -> Response:
        """The same answer for the same refusal, made once: a flood must not cost more than it has to."""
        below = next((prefix for prefix in self._ways.dialects if path.startswith(prefix)), "")
        if (over, below) not in self._answers:
            if len(self._answers) >= MOST_ANSWERS:
                self._answers.clear()
            refusal = RateExceeded(who=over.who, limit=over.limit, retry_after=over.retry_after)
            self._answers[over, below] = say(refusal, below, self._ways.dialects)
        return self._answers[over, below]

    async def _admit(self, scope: Scope) -> "_Over | None":
        """Note whose request it is; say what limit it is over."""
        path: str = scope["path"]
        if path.startswith(self._ways.logins):
            address = address_of(scope, self._ways.proxies)
            asking.set(address)
            if over := self._count(self._logins, self._limits.logins, address, limit="logins"):
                return over
        caller = await self._caller(scope)
        if caller is None:
            machine = path.startswith(self._ways.machines)
            limiter, rate = (
                (self._machines, self._limits.pilots) if machine else (self._addresses, self._limits.address)
            )
            address = address_of(scope, self._ways.proxies)
            scope[PARTY], scope[VO], scope[ADDRESS] = (MACHINES if machine else STRANGERS), "", address
            return self._count(limiter, rate, address, limit="machines" if machine else "address")
        if caller.is_machine:
            scope[PARTY], scope[VO] = Pilots(caller.vo), caller.vo_name
            return self._count(self._pilots, self._limits.pilots, caller.vo, limit="pilots", caller=caller)
        scope[PARTY], scope[VO] = caller.vo, caller.vo_name
        key = caller.vo, caller.account_id
        return self._count(self._accounts, self._limits.account, key, limit="account", caller=caller) or self._count(
            self._vos, self._limits.vo, caller.vo, limit="vo", caller=caller
        )

    def _count(
        self, limiter: Limiter, rate: float, key: object, *, limit: str, caller: Principal | None = None
    ) -> "_Over | None":
        weight = 1.0 if caller is None else 1.0 if caller.is_machine else self._shares(caller.vo)
        early = limiter.ask(key, self._clock(), weight=weight)
        if not early:
            return None
        telemetry.REFUSED.labels("" if caller is None else caller.vo_name, limit).inc()
        return _Over(_who(limit, caller), rate * weight, after(early))

    async def _caller(self, scope: Scope) -> Principal | None:
        """Who sent a token that is good; of any other token the route says what is wrong with it."""
        token = token_of(scope)
        if token is None:
            return None
        try:
            return await self._authenticator.authenticate(token)
        except (Unauthorized, Forbidden):
            return None


class _Over(NamedTuple):
    """Somebody is over a limit."""

    who: str
    limit: float
    retry_after: int


def _who(limit: str, caller: Principal | None) -> str:
    if caller is None:
        return "Your address"
    return {"account": f"Account {caller.account} of VO {caller.vo_name}", "vo": f"VO {caller.vo_name}"}.get(
        limit, f"All pilots of the CEs of {caller.vo_name} together"
    )


def token_of(scope: Scope) -> str | None:
    """The token of a request, in our form or in Rucio's."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, token = value.decode("latin-1").partition(" ")
            if scheme.lower() == "bearer" and token.strip():
                return token.strip()
        elif name == b"x-rucio-auth-token":
            return value.decode("latin-1")
    return None


def address_of(scope: Scope, trusted: Sequence[Network] = ()) -> str:
    """Where a request came from, as proxies in `trusted` say; of IPv6 the first half, which is what one party has."""
    host = client_address(Request(scope), trusted)
    if ":" not in host:
        return host
    address = IPv6Address(host.partition("%")[0])
    return str(address.ipv4_mapped or IPv6Network((int(address) >> 64 << 64, 64)))


class InTurn:
    """Has requests worked on in turns: of those that wait, the next is of the VO that has the fewest under way."""

    def __init__(
        self, app: ASGIApp, *, turns: Turns, strangers: Turns, streamed: tuple[str, ...], patience: float = 10.0,
        dialects: Dialects | None = None,
    ) -> None:  # fmt: skip
        """Give `turns` to parties, and those of the `strangers` to addresses first.

        Paths that begin with `streamed` take none: their bodies come while they are worked on.
        """
        self._dialects = dialects or {}
        self._app, self._turns, self._strangers, self._streamed = app, turns, strangers, streamed
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on when it is its turn; answer 429 or 503 when that does not come."""
        party: Party | None = scope.get(PARTY)
        if party is None or scope["path"].startswith(self._streamed):
            await self._app(scope, receive, send)
            return
        address = scope[ADDRESS] if party == STRANGERS else None
        try:
            await self._take(party, address)
        except (Crowded, TimeoutError) as e:
            telemetry.REFUSED.labels(scope[VO], "waiting").inc()
            refusal = e if isinstance(e, Crowded) else ServerBusy()
            await say(refusal, scope["path"], self._dialects)(scope, receive, send)
            return
        holds = True

        def give_back() -> None:
            nonlocal holds
            if holds:
                holds = False
                self._give_back(party, address)

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                give_back()
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            give_back()

    async def _take(self, party: Party, address: str | None) -> None:
        if address is not None:
            await self._strangers.take(address, timeout=self._patience)
        try:
            await self._turns.take(party, timeout=self._patience)
        except BaseException:
            if address is not None:
                self._strangers.give_back(address)
            raise

    def _give_back(self, party: Party, address: str | None) -> None:
        self._turns.give_back(party)
        if address is not None:
            self._strangers.give_back(address)
