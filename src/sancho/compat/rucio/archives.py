"""Rucio's archives: what lies in one."""

from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse

from sancho.compat.rucio import dids_translate as translate
from sancho.compat.rucio.caller import RucioCaller, RucioSnapshot, gives, no_blanks
from sancho.compat.rucio.dids_wire import NamePath, ScopePath
from sancho.compat.rucio.streams import JSON_STREAM, stream_of
from sancho.dids import service as dids

router = APIRouter(
    prefix="/rucio/archives", include_in_schema=False, dependencies=[Depends(gives(JSON_STREAM)), Depends(no_blanks)]
)


@router.get("/{scope}/{name:path}/files", response_class=StreamingResponse)
async def list_content(scope: ScopePath, name: NamePath, caller: RucioCaller, conn: RucioSnapshot) -> StreamingResponse:
    """List the files that lie in an archive."""
    found = await dids.get(conn, caller.vo, f"{scope}:{name}")

    async def said() -> AsyncIterator[list[dict[str, Any]]]:
        async for part in dids.stream_members(conn, found):
            yield [translate.member_of(did) for did in part]

    return await stream_of(said())
