"""The lives of Rucio's DIDs: how long they are there, brought back, what was in them, and samples of them."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response
from fastapi.responses import StreamingResponse

from sancho.compat.rucio import dids_translate as translate
from sancho.compat.rucio.body import body_as
from sancho.compat.rucio.caller import RucioCaller, RucioSnapshot, RucioTransaction, gives, no_blanks
from sancho.compat.rucio.dids_wire import AT_ONCE, ATTACHED_AT_ONCE, DidIn, LifetimeIn, NamePath, SampleIn, ScopePath
from sancho.compat.rucio.errors import PartNotServed
from sancho.compat.rucio.streams import JSON_STREAM, stream_of
from sancho.dids import service as dids

router = APIRouter(prefix="/rucio/dids", include_in_schema=False, dependencies=[Depends(no_blanks)])


@router.post("/resurrect")
async def resurrect(
    body: Annotated[list[DidIn], Depends(body_as(list[DidIn]))], caller: RucioCaller, conn: RucioTransaction
) -> Response:
    """Let DIDs live on that were to be erased: all or none."""
    if len(body) > AT_ONCE:
        raise PartNotServed(part=f"more than {AT_ONCE} DIDs", what="one request")
    await dids.restore(conn, caller, [one.did for one in body])
    return Response("Created", 201)


@router.post("/{scope}/{name:path}/meta/lifetime")
async def set_lifetime(
    scope: ScopePath, name: NamePath, body: Annotated[LifetimeIn, Depends(body_as(LifetimeIn))], caller: RucioCaller,
    conn: RucioTransaction,
) -> Response:  # fmt: skip
    """Say how long a DID lives from now on; null: for ever."""
    lifetime = None if body.value is None else timedelta(seconds=body.value)
    await dids.set_lifetime(conn, caller, f"{scope}:{name}", lifetime)
    return Response("Created", 201)


@router.get(
    "/{scope}/{name:path}/dids/history", response_class=StreamingResponse, dependencies=[Depends(gives(JSON_STREAM))]
)
async def list_history(scope: ScopePath, name: NamePath, caller: RucioCaller, conn: RucioSnapshot) -> StreamingResponse:
    """List what was taken out of a collection, and when."""
    found = await dids.get(conn, caller.vo, f"{scope}:{name}")

    async def said() -> AsyncIterator[list[dict[str, Any]]]:
        async for part in dids.stream_detached(conn, found):
            yield [translate.detached_of(one) for one in part]

    return await stream_of(said())


@router.post("/sample")
async def sample(
    body: Annotated[SampleIn, Depends(body_as(SampleIn))], caller: RucioCaller, conn: RucioTransaction
) -> Response:
    """Make a dataset of some of the files below a DID."""
    await dids.sample(conn, caller, body.source, body.sample, number=body.nbfiles)
    return Response("Created", 201)


def _said_by_path(
    input_scope: ScopePath, input_name: NamePath, output_scope: ScopePath, output_name: NamePath,
    nbfiles: Annotated[int, Path(ge=1, le=ATTACHED_AT_ONCE)],
) -> SampleIn:  # fmt: skip
    return SampleIn(
        input_scope=input_scope, input_name=input_name, output_scope=output_scope, output_name=output_name,
        nbfiles=nbfiles,
    )  # fmt: skip


@router.post("/{input_scope}/{input_name}/{output_scope}/{output_name}/{nbfiles}/sample")
async def sample_by_path(
    body: Annotated[SampleIn, Depends(_said_by_path)], caller: RucioCaller, conn: RucioTransaction
) -> Response:
    """Do the same, as old clients say it: of names with slashes nobody could tell where they end."""
    return await sample(body, caller, conn)
