"""Rucio's replicas: registered, listed, found by URL."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from sancho.compat.rucio import replicas_translate as say
from sancho.compat.rucio.caller import RucioCaller, RucioSnapshot, RucioTransaction, gives, refuse_unserved
from sancho.compat.rucio.errors import MetaNotKept, NothingToFollow, PfnUnfit
from sancho.compat.rucio.replicas_wire import Choice, DidsIn, FileIn, ListIn, PfnsIn, ReplicasIn
from sancho.compat.rucio.streams import JSON_STREAM, stream_of
from sancho.dids import service as dids
from sancho.dids.model import Did, FileText
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.kit.web import Branch
from sancho.replicas import service
from sancho.replicas.model import FileCopies, ReplicaState, Wanted
from sancho.rses import service as rses
from sancho.rses.model import Rse

METALINK = "application/metalink4+xml"
MEANT = [Depends(refuse_unserved)]
KEPT_NOT = {"guid"}
"""What clients say of every file, and what is not kept."""
FOLLOWED = {"http": "http", "https": "https", "davs": "https", "dav": "http"}
"""Schemes that a browser can be sent to, and as what."""
router = Branch(prefix="/rucio/replicas", include_in_schema=False, strict_content_type=False)
redirects = Branch(prefix="/rucio/redirect", include_in_schema=False)
Streams = Depends(gives(JSON_STREAM))


@router.post("", status_code=201)
@router.post("/", status_code=201)
async def register(body: ReplicasIn, caller: RucioCaller, conn: RucioTransaction) -> Response:
    """Enter files that are on an RSE already, or further replicas of files that are known: all or none."""
    await enter(conn, caller, body.rse, body.files)
    return Response("Created", 201)


async def enter(conn: Connection, caller: Principal, rse_name: str, files: Sequence[FileIn]) -> list[int]:
    """Register files as one RSE's; raises what `replicas.service.register` does, and what of them is not had here."""
    for file in files:
        unkept = sorted(set(file.meta or {}) - KEPT_NOT)
        if unkept:
            raise MetaNotKept(did=file.did, key=unkept[0][:100])
    if not files:
        await rses.get(conn, rse_name)
        return []
    texts = [FileText(file.did, file.bytes, file.adler32.lower() if file.adler32 else None) for file in files]
    ids = await service.register(conn, caller, rse_name, texts, known=True)
    if any(file.pfn for file in files):
        rse = await rses.get(conn, rse_name)
        for file, did_id in zip(files, ids, strict=True):
            url = rses.place(rse, caller.vo_name, file.scope, did_id, file.name).url
            if file.pfn and file.pfn != url:
                raise PfnUnfit(did=file.did, pfn=file.pfn[:500], rse=rse_name)
    return ids


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
    known = {i: rse for i, rse in (await _chosen(conn, choice)).items() if rse.readable}
    wanted = Wanted([i for i, rse in known.items() if say.scheme_of(rse) in FOLLOWED], bare=False)
    urls = [
        one.url
        async for some in service.copies(conn, caller.vo, [did], wanted)
        for file in some
        for one in say.find(file, caller.vo_name, known, choice)
    ] if did.size is not None else []  # fmt: skip
    if not urls:
        raise NothingToFollow(did=did.did)
    scheme, _, rest = urls[0].partition(":")
    return RedirectResponse(f"{FOLLOWED[scheme]}:{rest}", 303)


def _takes_metalink(request: Request) -> bool:
    return METALINK in request.headers.get("accept", "")


async def _chosen(conn: Connection, choice: Choice) -> dict[int, Rse]:
    some = await (rses.resolve(conn, choice.rse_expression) if choice.rse_expression else rses.rses(conn))
    return {rse.rse_id: rse for rse in some if say.fits(rse, choice)}


async def _listed(
    conn: Connection, caller: Principal, found: Sequence[Did], choice: Choice, *, metalink: bool
) -> StreamingResponse:
    known = await _chosen(conn, choice)
    states = list(ReplicaState) if choice.all_states else [ReplicaState.AVAILABLE]
    wanted = Wanted(list(known), states, bare=not choice.rse_expression, parents=choice.resolve_parents)
    files = service.copies(conn, caller.vo, found, wanted)
    if metalink:
        return StreamingResponse(_metalinks(files, caller, known, choice), media_type=METALINK)
    return await stream_of(_files(files, caller, known, choice))


async def _files(
    files: AsyncIterator[list[FileCopies]], caller: Principal, known: Mapping[int, Rse], choice: Choice
) -> AsyncIterator[Iterable[Any]]:
    async for some in files:
        yield [say.replicas_of(file, say.find(file, caller.vo_name, known, choice), choice) for file in some]


async def _metalinks(
    files: AsyncIterator[list[FileCopies]], caller: Principal, known: Mapping[int, Rse], choice: Choice
) -> AsyncIterator[bytes]:
    yield say.METALINK_BEGINS
    async for some in files:
        found = [(file, say.find(file, caller.vo_name, known, choice)) for file in some]
        yield "".join(say.metalink_of(file, there, choice) for file, there in found).encode()
    yield say.METALINK_ENDS


async def _datasets(
    conn: Connection, caller: Principal, found: Sequence[Did] | None, known: Mapping[int, str]
) -> AsyncIterator[Iterable[Any]]:
    async for some in service.dataset_copies(conn, caller.vo, found, list(known)):
        yield [say.dataset_of(copy, known[copy.rse_id]) for copy in some]


async def _once(documents: Iterable[Any]) -> AsyncIterator[Iterable[Any]]:
    yield documents
