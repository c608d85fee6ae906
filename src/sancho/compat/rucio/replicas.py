"""Rucio's replicas: registered, listed, found by URL."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from sancho.compat.rucio import replicas_translate as say
from sancho.compat.rucio.caller import RucioCaller, RucioSnapshot, RucioTransaction, gives, refuse_unserved
from sancho.compat.rucio.errors import NothingToFollow, PartNotServed
from sancho.compat.rucio.replicas_body import enter
from sancho.compat.rucio.replicas_wire import Choice, DidsIn, ListIn, PfnsIn, ReplicasIn, StatesIn
from sancho.compat.rucio.streams import JSON_STREAM, stream_of
from sancho.dids import service as dids
from sancho.dids.model import Did, KnownDid
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.kit.web import Deployed
from sancho.replicas import service
from sancho.replicas.model import FileCopies, ReplicaState, Wanted
from sancho.rses import service as rses
from sancho.uploads import service as uploads

METALINK = "application/metalink4+xml"
MEANT = [Depends(refuse_unserved)]
FOLLOWED = {"http": "http", "https": "https", "davs": "https", "dav": "http"}
"""Schemes that a browser can be sent to, and as what."""
FOLLOWED_FOR = timedelta(minutes=1)
router = APIRouter(prefix="/rucio/replicas", include_in_schema=False, strict_content_type=False)
redirects = APIRouter(prefix="/rucio/redirect", include_in_schema=False)
Streams = Depends(gives(JSON_STREAM))


@dataclass(frozen=True)
class Reader:
    """Who reads lists of replicas, from which snapshot, and what signs URLs for them."""

    conn: RucioSnapshot
    caller: RucioCaller
    deployment: Deployed

    def signed(self, one: say.Found, lifetime: timedelta) -> say.Found:
        """A replica at a URL that needs no token, if its RSE knows such."""
        if not rses.signs(self.deployment.extensions, one.rse):
            return one
        return one._replace(url=rses.signed_url(self.deployment, self.caller, one.rse, one.path, lifetime))


Reading = Annotated[Reader, Depends()]


@router.post("", status_code=201)
@router.post("/", status_code=201)
async def register(
    body: ReplicasIn, caller: RucioCaller, conn: RucioTransaction, deployment: Deployed
) -> Response:  # fmt: skip
    """Enter files that are on an RSE already, or further replicas of files that are known: all or none."""
    await enter(
        conn, caller, deployment.extensions, body.rse, body.files, ignore_availability=body.ignore_availability
    )  # fmt: skip
    return Response("Created", 201)


@router.put("")
@router.put("/")
async def settle_put(body: StatesIn, caller: RucioCaller, deployment: Deployed) -> Response:
    """Note that files which clients have put on an RSE by themselves are there, or will not come: all or none."""
    said = {file.did: file.state.startswith("A") for file in body.files}
    await uploads.settle(deployment, caller, body.rse, said)
    return Response(None, 200)


@router.post("/list")
@router.post("/list/")
async def list_replicas(
    request: Request, body: ListIn, caller: RucioCaller, conn: RucioSnapshot, deployment: Deployed
) -> StreamingResponse:
    """Stream the files among and below some DIDs, with their replicas; as Metalink when that is accepted."""
    found = await dids.identify(conn, caller.vo, [did.did for did in body.dids])
    return await _listed(Reader(conn, caller, deployment), found, body, metalink=_takes_metalink(request))


@router.post("/dids", dependencies=[Streams])
@router.post("/dids/", dependencies=[Streams])
async def files_at(body: PfnsIn, caller: RucioCaller, conn: RucioSnapshot) -> StreamingResponse:
    """Say which files lie at some URLs; URLs of nothing are left out."""
    found = await service.located(conn, caller, body.pfns, rse=body.rse)
    return await stream_of(_once({url: {"scope": at.scope, "name": at.name}} for url, at in found.items()))


@router.post("/datasets_bulk", dependencies=[Streams])
@router.post("/datasets_bulk/", dependencies=[Streams])
async def datasets_bulk(body: DidsIn, caller: RucioCaller, conn: RucioSnapshot) -> StreamingResponse:
    """Stream what each RSE has of some datasets, or of those in some containers."""
    found = await dids.resolve(conn, caller.vo, [did.did for did in body.dids])
    known = {rse.rse_id: rse.name for rse in await rses.rses(conn)}
    return await stream_of(_datasets(conn, caller, found, known))


@router.get("/rse/{rse}", dependencies=[Streams])
@router.get("/rse/{rse}/", dependencies=[Streams])
async def datasets_on(rse: str, caller: RucioCaller, conn: RucioSnapshot) -> StreamingResponse:
    """Stream what an RSE has of every dataset of which it has something."""
    one = await rses.get(conn, rse)
    return await stream_of(_datasets(conn, caller, None, {one.rse_id: one.name}))


@router.get("/{scope}/{name:path}/datasets_vp", dependencies=[Streams])
@router.get("/{scope}/{name:path}/datasets", dependencies=[Streams])
async def datasets_of(
    scope: str,
    name: str,
    caller: RucioCaller,
    conn: RucioSnapshot,
    deep: bool = False,  # noqa: ARG001 - clients send it
) -> StreamingResponse:
    """Stream what each RSE has of a dataset or of those in a container: always counted anew, so always `deep`."""
    found = [await dids.get(conn, caller.vo, f"{scope}:{name}")]
    known = {rse.rse_id: rse.name for rse in await rses.rses(conn)}
    return await stream_of(_datasets(conn, caller, found, known))


@router.get("/{scope}/{name:path}", dependencies=MEANT)
async def list_one(
    request: Request, scope: str, name: str, reader: Reading, choice: Annotated[Choice, Query()]
) -> StreamingResponse:
    """Stream the files that are or lie below a DID, with their replicas; as Metalink when that is accepted."""
    found = [await dids.get(reader.conn, reader.caller.vo, f"{scope}:{name.removesuffix('/')}")]
    return await _listed(reader, found, choice, metalink=_takes_metalink(request))


@redirects.get("/{scope}/{name:path}/metalink")
async def metalink(scope: str, name: str, reader: Reading) -> StreamingResponse:
    """Stream the replicas of a file as Metalink."""
    found = [await dids.get(reader.conn, reader.caller.vo, f"{scope}:{name}")]
    return await _listed(reader, found, Choice(), metalink=True)


@redirects.get("/{scope}/{name:path}")
async def follow(scope: str, name: str, reader: Reading, choice: Annotated[Choice, Query()]) -> Response:
    """Lead to a replica of a file that a browser can read, for a minute where URLs are signed.

    Raises `NothingToFollow`.
    """
    conn, caller = reader.conn, reader.caller
    did = await dids.get(conn, caller.vo, f"{scope}:{name.removesuffix('/')}")
    schemes = [one for one in FOLLOWED if one in (choice.schemes or FOLLOWED)]
    choice = choice.model_copy(update={"schemes": schemes})
    there = await _chosen(conn, choice)
    wanted = Wanted([i for i, rse in there.known.items() if rse.readable], bare=False)
    found = [
        one
        async for some in service.copies(conn, caller.vo, [did], wanted)
        for file in some
        for one in say.find(file, caller.vo_name, there)
    ] if did.size is not None else []  # fmt: skip
    if not found:
        raise NothingToFollow(did=did.did)
    scheme, _, rest = reader.signed(found[0], FOLLOWED_FOR).url.partition(":")
    return RedirectResponse(f"{FOLLOWED[scheme]}:{rest}", 303, headers={"Cache-Control": "no-store"})


def _takes_metalink(request: Request) -> bool:
    return METALINK in request.headers.get("accept", "")


async def _chosen(conn: Connection, choice: Choice) -> say.There:
    some = await (rses.resolve(conn, choice.rse_expression) if choice.rse_expression else rses.rses(conn))
    known = {rse.rse_id: rse for rse in some if say.fits(rse, choice)}
    at = str((choice.client_location or {}).get("site"))
    site_id = next((rse.site_id for rse in known.values() if rse.site == at), None)
    rank = {} if site_id is None else await rses.nearness(conn, known.values(), site_id)
    return say.There(known, rank, choice)


async def _listed(
    reader: Reader, found: Sequence[Did | KnownDid], choice: Choice, *, metalink: bool
) -> StreamingResponse:
    """A list of replicas. URLs are signed where they are to be used: in Metalink, or when a lifetime is said."""
    if choice.updated_after is not None:
        raise PartNotServed(part="updated_after", what="a list of replicas")
    there = await _chosen(reader.conn, choice)
    states = list(ReplicaState) if choice.all_states else [ReplicaState.AVAILABLE]
    wanted = Wanted(
        list(there.known), states, bare=not choice.rse_expression, parents=choice.resolve_parents,
        archives=choice.resolve_archives,
    )  # fmt: skip
    copies = service.copies(reader.conn, reader.caller.vo, found, wanted)
    lasts = timedelta(seconds=choice.signature_lifetime) if choice.signature_lifetime else None
    if metalink:
        files = _found(reader, copies, there, lasts or rses.SIGNED_FOR_MOST)
        return StreamingResponse(_metalinks(files, choice), media_type=METALINK)
    files = _found(reader, copies, there, lasts)
    return await stream_of([say.line_of(*one, choice) for one in some] async for some in files)


async def _found(
    reader: Reader, copies: AsyncIterator[list[FileCopies]], there: say.There, lasts: timedelta | None
) -> AsyncIterator[list[tuple[FileCopies, list[say.Found]]]]:
    """Files with their replicas, some at a time; with `lasts` at signed URLs, made aside: it takes long."""
    async for some in copies:
        found = [(file, say.find(file, reader.caller.vo_name, there)) for file in some]
        if lasts is not None:
            found = await asyncio.to_thread(_signed, reader, found, lasts)
        yield found


def _signed(
    reader: Reader, found: Sequence[tuple[FileCopies, list[say.Found]]], lasts: timedelta
) -> list[tuple[FileCopies, list[say.Found]]]:
    return [(file, [reader.signed(one, lasts) for one in there]) for file, there in found]


async def _metalinks(
    files: AsyncIterator[list[tuple[FileCopies, list[say.Found]]]], choice: Choice
) -> AsyncIterator[bytes]:
    yield say.METALINK_BEGINS
    async for some in files:
        yield "".join(say.metalink_of(file, found, choice) for file, found in some).encode()
    yield say.METALINK_ENDS


async def _datasets(
    conn: Connection, caller: Principal, found: Sequence[Did] | None, known: Mapping[int, str]
) -> AsyncIterator[Iterable[Any]]:
    async for some in service.dataset_copies(conn, caller.vo, found, list(known)):
        yield [say.dataset_of(copy, known[copy.rse_id]) for copy in some]


async def _once(documents: Iterable[Any]) -> AsyncIterator[Iterable[Any]]:
    yield documents
