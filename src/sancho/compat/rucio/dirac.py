"""DIRAC's way of registering: files by their paths, with the directories above them as datasets and containers."""

from collections.abc import Iterable, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from sancho.compat.rucio import lfns_translate as lfns
from sancho.compat.rucio.body import body_as
from sancho.compat.rucio.caller import RucioCaller, RucioTransaction, check_vo
from sancho.compat.rucio.dids_wire import ATTACHED_AT_ONCE
from sancho.compat.rucio.dirac_wire import LfnIn, LfnsIn
from sancho.compat.rucio.errors import FileReplicaExists, PartNotServed
from sancho.compat.rucio.replicas_body import enter
from sancho.compat.rucio.replicas_wire import FileIn
from sancho.dids import service as dids
from sancho.dids.errors import DidMalformed
from sancho.dids.model import Attachment, Child, DidKind, NewCollection
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.kit.web import Deployed
from sancho.replicas.errors import ReplicaExists

RSES_AT_ONCE = 50
"""RSEs that the files of one request may lie on."""
router = APIRouter(prefix="/rucio/dirac", include_in_schema=False)


@router.post("/addfiles")
@router.post("/addfiles/")
async def add_files(
    request: Request, caller: RucioCaller, body: Annotated[LfnsIn, Depends(body_as(LfnsIn))], conn: RucioTransaction,
    deployment: Deployed,
) -> Response:  # fmt: skip
    """Enter files with their replicas and the directories above them: all of them or none."""
    spelling = lfns.Spelling()
    files = [_file(spelling, one) for one in body.lfns]
    parents = [(_did(spelling, path), said) for path, said in (body.parents_metadata or {}).items()]
    await check_vo(request, caller, tuple(spelling.vos))
    by_rse: dict[str, list[FileIn]] = {}
    for one, file in zip(body.lfns, files, strict=True):
        by_rse.setdefault(one.rse, []).append(file)
    if len(by_rse) > RSES_AT_ONCE:
        raise PartNotServed(part=f"more than {RSES_AT_ONCE} RSEs", what="one request")
    try:
        for rse in sorted(by_rse):
            await enter(
                conn, caller, deployment.extensions, rse, by_rse[rse], ignore_availability=body.ignore_availability
            )
    except ReplicaExists as e:
        raise FileReplicaExists(did=str(e.facts["did"]), rse=str(e.facts["rse"])) from e
    await _put_into_directories(conn, caller, [file.did for file in files])
    if parents:
        await dids.describe(conn, caller, parents, field="parents_metadata.{}".format)
    return Response("Created", 201)


def _file(spelling: lfns.Spelling, said: LfnIn) -> FileIn:
    """A file as `add_replicas` says it; raises `DidMalformed` for what is no path of a file."""
    scope, _, name = _did(spelling, said.lfn).partition(":")
    meta = {**(said.meta or {}), **({"guid": said.guid} if said.guid else {})}
    return FileIn(scope=scope, name=name, bytes=said.bytes, adler32=said.adler32, pfn=said.pfn, meta=meta or None)


def _did(spelling: lfns.Spelling, path: str) -> str:
    scope = path.split("/", 3)[2] if path.count("/") >= 3 else ""
    name = spelling.plain(scope, path)
    if name == path:
        raise DidMalformed(did=path, reason="it is no path of a file or directory, /VO/SCOPE/NAME", field="lfns")
    return f"{scope}:{name}"


async def _put_into_directories(conn: Connection, caller: Principal, files: Sequence[str]) -> None:
    """Put files into the datasets that are their directories, and those into containers; make what is missing.

    The directories of a scope and of the VO are no DIDs.
    """
    into: dict[str, dict[str, None]] = {}
    kinds: dict[str, DidKind] = {}
    for file in files:
        child, kind = file, DidKind.DATASET
        for parent in _above(file):
            kinds.setdefault(parent, kind)
            into.setdefault(parent, {})[child] = None
            child, kind = parent, DidKind.CONTAINER
    if sum(map(len, into.values())) > ATTACHED_AT_ONCE:
        raise PartNotServed(part=f"more than {ATTACHED_AT_ONCE} directories and files", what="one request")
    known = {did.did for did in await dids.find_all(conn, caller.vo, list(into))} if into else set[str]()
    missing = [NewCollection(did, kinds[did]) for did in into if did not in known]
    if missing:
        await dids.create_all(conn, caller, missing)
    if into:
        attachments = [Attachment(parent, [Child(one) for one in children]) for parent, children in into.items()]
        await dids.attach_all(conn, caller, attachments)


def _above(did: str) -> Iterable[str]:
    """The directories that a DID is in, the nearest first."""
    scope, _, name = did.partition(":")
    while "/" in name:
        name = name.rpartition("/")[0]
        yield f"{scope}:{name}"
