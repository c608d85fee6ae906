"""Who calls, and what a call may ask for: Rucio's counterparts of those in `kit.web`."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated

from fastapi import Depends, Request

from sancho.compat.rucio.endpoints import meaning
from sancho.compat.rucio.errors import NotAcceptable, NotServed, TokenMissing
from sancho.dids.errors import DidMalformed
from sancho.kit.access import Principal, refuse_machines
from sancho.kit.db import Connection
from sancho.kit.web import Deployed, principal_of


def token_of(request: Request) -> str:
    """The token that came with a request; raises `TokenMissing`."""
    token = request.headers.get("x-rucio-auth-token", "").strip()
    if not token:
        raise TokenMissing
    return token


async def rucio_caller(request: Request) -> Principal:
    """The account behind `X-Rucio-Auth-Token`; `Authorization` is not looked at."""
    principal = await principal_of(request, token_of(request))
    refuse_machines(principal)
    return principal


RucioCaller = Annotated[Principal, Depends(rucio_caller)]


async def _transaction(caller: RucioCaller, deployment: Deployed) -> AsyncIterator[Connection]:
    async with deployment.database.transaction(caller.vos) as conn:
        yield conn


async def _snapshot(caller: RucioCaller, deployment: Deployed) -> AsyncIterator[Connection]:
    async with deployment.database.snapshot(caller.vos) as conn:
        yield conn


RucioTransaction = Annotated[Connection, Depends(_transaction, scope="function")]
RucioSnapshot = Annotated[Connection, Depends(_snapshot, scope="request")]
"""For streamed answers: it lives as long as the answer."""


async def refuse_unserved(request: Request, caller: RucioCaller) -> None:  # noqa: ARG001 - it needs a token
    """Raise `NotServed` where the endpoint that a path means is not served, though a route of ours fits it too."""
    path = request.url.path.removeprefix("/rucio")
    meant = meaning(request.method, path)
    if meant is not None and meant.state == "refused":
        raise NotServed(method=request.method, path=path[:200])


def gives(media_type: str) -> Callable[[Request], None]:
    """A dependency that raises `NotAcceptable` when a client says what it accepts and this is not among it."""
    kind = media_type.partition("/")[0]

    def check(request: Request) -> None:
        said = request.headers.get("accept", "*/*")
        accepted = {part.partition(";")[0].strip() for part in said.split(",")}
        if not accepted & {media_type, f"{kind}/*", "*/*"}:
            raise NotAcceptable(media_type=media_type)

    return check


def no_blanks(request: Request, _caller: RucioCaller) -> None:
    """Raise `DidMalformed` for a plus sign in a path: so Rucio's clients write a blank, and %2B for the sign."""
    path: bytes = request.scope.get("raw_path") or b""
    if b"+" in path.partition(b"?")[0]:
        raise DidMalformed(did=request.url.path, reason="a '+' in a path is a blank, which no name may have")
