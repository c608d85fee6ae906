"""Rucio's replicas: registered, listed, found by URL."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from sancho.compat.rucio import replicas_translate as say
from sancho.compat.rucio.caller import RucioCaller, RucioSnapshot, RucioTransaction, gives, refuse_unserved
from sancho.compat.rucio.errors import NothingToFollow
from sancho.compat.rucio.replicas_body import enter
from sancho.compat.rucio.replicas_wire import Choice, DidsIn, ListIn, PfnsIn, ReplicasIn, StatesIn
from sancho.compat.rucio.streams import JSON_STREAM, stream_of
from sancho.dids import service as dids
from sancho.dids.model import Did
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.kit.web import Branch, Deployed
from sancho.replicas import service
from sancho.replicas.model import FileCopies, ReplicaKey, ReplicaState, Wanted
from sancho.rses import service as rses

METALINK = "application/metalink4+xml"
MEANT = [Depends(refuse_unserved)]
FOLLOWED = {"http": "http", "https": "https", "davs": "https", "dav": "http"}
"""Schemes that a browser can be sent to, and as what."""
router = Branch(prefix="/rucio/replicas", include_in_schema=False, strict_content_type=False)
redirects = Branch(prefix="/rucio/redirect", include_in_schema=False)
Streams = Depends(gives(JSON_STREAM))


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
async def settle_put(body: StatesIn, caller: RucioCaller, conn: RucioTransaction) -> Response:
    """Note that files which clients have put on an RSE by themselves are there, or will not come: all or none."""
    rse = await rses.get(conn, body.rse)
    found = await dids.resolve(conn, caller.vo, [file.did for file in body.files])
    for arrived in (True, False):
        said = {
            ReplicaKey(did.did_id, rse.rse_id): did.did
            for did, file in zip(found, body.files, strict=True) if file.state.startswith("A") is arrived
        }  # fmt: skip
        if said:
            await service.settle_put(conn, caller, said, arrived=arrived)
    return Response(None, 200)


@router.post("/list")
@router.post("/list/")
async def list_replicas(request: Request, body: ListIn, caller: RucioCaller, conn: RucioSnapshot) -> StreamingResponse:
    """Stream the files among and below some DIDs, with their replicas; as Metalink when that is accepted."""
    found = await dids.resolve(conn, caller.vo, [did.did for did in body.dids])
    return await _listed(conn, caller, found, body, metalink=_takes_metalink(request))


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
    request: Request, scope: str, name: str, caller: RucioCaller, conn: RucioSnapshot,
    choice: Annotated[Choice, Query()],
) -> StreamingResponse:  # fmt: skip
    """Stream the files that are or lie below a DID, with their replicas; as Metalink when that is accepted."""
    found = [await dids.get(conn, caller.vo, f"{scope}:{name.removesuffix('/')}")]
    return await _listed(conn, caller, found, choice, metalink=_takes_metalink(request))


@redirects.get("/{scope}/{name:path}/metalink")
async def metalink(scope: str, name: str, caller: RucioCaller, conn: RucioSnapshot) -> StreamingResponse:
    """Stream the replicas of a file as Metalink."""
    found = [await dids.get(conn, caller.vo, f"{scope}:{name}")]
    return await _listed(conn, caller, found, Choice(), metalink=True)


@redirects.get("/{scope}/{name:path}")
async def follow(
    scope: str, name: str, caller: RucioCaller, conn: RucioTransaction, choice: Annotated[Choice, Query()]
) -> Response:
    """Lead to a replica of a file that a browser can read; raises `NothingToFollow`."""
    did = await dids.get(conn, caller.vo, f"{scope}:{name.removesuffix('/')}")
    schemes = [one for one in FOLLOWED if one in (choice.schemes or FOLLOWED)]
    choice = choice.model_copy(update={"schemes": schemes})
    there = await _chosen(conn, choice)
    wanted = Wanted([i for i, rse in there.known.items() if rse.readable], bare=False)
    urls = [
        one.url
        async for some in service.copies(conn, caller.vo, [did], wanted)
        for file in some
        for one in say.find(file, caller.vo_name, there, choice)
    ] if did.size is not None else []  # fmt: skip
    if not urls:
        raise NothingToFollow(did=did.did)
    scheme, _, rest = urls[0].partition(":")
    return RedirectResponse(f"{FOLLOWED[scheme]}:{rest}", 303)


def _takes_metalink(request: Request) -> bool:
    return METALINK in request.headers.get("accept", "")


async def _chosen(conn: Connection, choice: Choice) -> say.There:
    some = await (rses.resolve(conn, choice.rse_expression) if choice.rse_expression else rses.rses(conn))
    known = {rse.rse_id: rse for rse in some if say.fits(rse, choice)}
    at = str((choice.client_location or {}).get("site"))
    site_id = next((rse.site_id for rse in known.values() if rse.site == at), None)
    return say.There(known, {} if site_id is None else await rses.nearness(conn, known.values(), site_id))


async def _listed(
    conn: Connection, caller: Principal, found: Sequence[Did], choice: Choice, *, metalink: bool
) -> StreamingResponse:
    there = await _chosen(conn, choice)
    states = list(ReplicaState) if choice.all_states else [ReplicaState.AVAILABLE]
    wanted = Wanted(
        list(there.known), states, bare=not choice.rse_expression, parents=choice.resolve_parents,
        archives=choice.resolve_archives,
    )  # fmt: skip
    files = service.copies(conn, caller.vo, found, wanted)
    if metalink:
        return StreamingResponse(_metalinks(files, caller, there, choice), media_type=METALINK)
    return await stream_of(_files(files, caller, there, choice))


async def _files(
    files: AsyncIterator[list[FileCopies]], caller: Principal, there: say.There, choice: Choice
) -> AsyncIterator[Iterable[Any]]:
    async for some in files:
        yield [say.replicas_of(file, say.find(file, caller.vo_name, there, choice), choice) for file in some]


async def _metalinks(
    files: AsyncIterator[list[FileCopies]], caller: Principal, there: say.There, choice: Choice
) -> AsyncIterator[bytes]:
    yield say.METALINK_BEGINS
    async for some in files:
        found = [(file, say.find(file, caller.vo_name, there, choice)) for file in some]
        yield "".join(say.metalink_of(file, there, choice) for file, there in found).encode()
    yield say.METALINK_ENDS


async def _datasets(
    conn: Connection, caller: Principal, found: Sequence[Did] | None, known: Mapping[int, str]
) -> AsyncIterator[Iterable[Any]]:
    async for some in service.dataset_copies(conn, caller.vo, found, list(known)):
        yield [say.dataset_of(copy, known[copy.rse_id]) for copy in some]


async def _once(documents: Iterable[Any]) -> AsyncIterator[Iterable[Any]]:
    yield documents
