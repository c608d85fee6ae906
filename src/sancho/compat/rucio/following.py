"""Who follows Rucio's DIDs: each account for itself."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from sancho.compat.rucio.body import body_as
from sancho.compat.rucio.caller import RucioCaller, RucioTransaction, gives, no_blanks
from sancho.compat.rucio.dids_wire import NamePath, ScopePath
from sancho.compat.rucio.errors import NotForOthers
from sancho.compat.rucio.streams import JSON_STREAM, stream_of
from sancho.dids import service as dids

router = APIRouter(prefix="/rucio/dids", include_in_schema=False, dependencies=[Depends(no_blanks)])


class FollowerIn(BaseModel, extra="forbid"):
    """Who is to follow a DID, or no more."""

    account: Annotated[str | None, Field(max_length=100)] = None

    def check(self, caller: RucioCaller) -> None:
        """Raise `NotForOthers` unless it is the caller."""
        if self.account not in (None, caller.account):
            raise NotForOthers(what="Following", account=self.account or "")


Who = Annotated[FollowerIn, Depends(body_as(FollowerIn))]


@router.post("/{scope}/{name:path}/follow")
async def follow(scope: ScopePath, name: NamePath, who: Who, caller: RucioCaller, conn: RucioTransaction) -> Response:
    """Follow a DID."""
    who.check(caller)
    await dids.start_following(conn, caller, [f"{scope}:{name}"])
    return Response("Created", 201)


@router.delete("/{scope}/{name:path}/follow")
async def unfollow(
    scope: ScopePath, name: NamePath, who: Who, caller: RucioCaller, conn: RucioTransaction
) -> Response:  # fmt: skip
    """Follow a DID no more."""
    who.check(caller)
    await dids.stop_following(conn, caller, [f"{scope}:{name}"])
    return Response(None, 200)


@router.get("/{scope}/{name:path}/follow", dependencies=[Depends(gives(JSON_STREAM))])
async def followers(
    scope: ScopePath, name: NamePath, caller: RucioCaller, conn: RucioTransaction
) -> StreamingResponse:  # fmt: skip
    """List the accounts that follow a DID."""
    found = await dids.followers(conn, caller.vo, f"{scope}:{name}")

    async def said() -> AsyncIterator[list[dict[str, Any]]]:
        yield [{"user": account} for account in found]

    return await stream_of(said())
