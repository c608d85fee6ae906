"""Rucio's collections: made, filled and described, files registered where they lie, rules put over them, in one go."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Depends, Response
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError

from sancho.compat.rucio.body import body_as
from sancho.compat.rucio.caller import RucioCaller, RucioTransaction, no_blanks
from sancho.compat.rucio.dids_wire import (
    AT_ONCE,
    ATTACHED_AT_ONCE,
    AttachmentIn,
    AttachmentsIn,
    ChildIn,
    ChildrenIn,
    CollectionIn,
    NamePath,
    NewDidIn,
    ScopePath,
)
from sancho.compat.rucio.errors import BytesMissing, NotForOthers, PartNotServed
from sancho.compat.rucio.rules_wire import RuleIn
from sancho.dids import service as dids
from sancho.dids.model import Attachment, Child, DidKind, FileText, Member, NewCollection, Packed
from sancho.kit.db import Connection
from sancho.replicas import service as replicas
from sancho.rses import service as rses
from sancho.rules import service as rules
from sancho.rules.model import RuleRequest

RULES_AT_ONCE = 100
"""Rules that one request makes."""
RULES = TypeAdapter(list[RuleIn])
Wanted: TypeAlias = Sequence[tuple[str, CollectionIn]]

router = APIRouter(prefix="/rucio/dids", include_in_schema=False, dependencies=[Depends(no_blanks)])


@router.post("")
async def add_many(
    body: Annotated[list[NewDidIn], Depends(body_as(list[NewDidIn]))], caller: RucioCaller, conn: RucioTransaction
) -> Response:
    """Make many datasets and containers, all or none."""
    if len(body) > AT_ONCE:
        raise PartNotServed(part=f"more than {AT_ONCE} DIDs", what="one request")
    await _make(conn, caller, [(one.did, one) for one in body])
    return Response("Created", 201)


@router.post("/attachments")
async def attach_many(
    body: Annotated[AttachmentsIn, Depends(body_as(AttachmentsIn))], caller: RucioCaller, conn: RucioTransaction
) -> Response:
    """Attach DIDs to many collections, all or none."""
    await _attach(conn, caller, body.attachments, again=body.ignore_duplicate)
    return Response("Created", 201)


@router.post("/{scope}/{name:path}/dids")
async def attach(
    scope: ScopePath, name: NamePath, body: Annotated[ChildrenIn, Depends(body_as(ChildrenIn))], caller: RucioCaller,
    conn: RucioTransaction,
) -> Response:  # fmt: skip
    """Attach DIDs to a collection."""
    wanted = AttachmentIn(scope=scope, name=name, dids=body.dids, rse=body.rse)
    await _attach(conn, caller, [wanted])
    return Response("Created", 201)


async def _attach(conn: Connection, caller: RucioCaller, wanted: list[AttachmentIn], *, again: bool = False) -> None:
    """Attach DIDs; files that are said to lie on an RSE are entered there first. What goes to a file lies in it."""
    await _register(conn, caller, [(one.rse, one.dids) for one in wanted])
    known = await dids.find_all(conn, caller.vo, [one.did for one in wanted], field="parent")
    files = {did.did for did in known if did.kind is DidKind.FILE}
    filled = [Attachment(one.did, _children_of(one.dids)) for one in wanted if one.did not in files]
    packed = [Packed(one.did, _members_of(one.dids)) for one in wanted if one.did in files]
    if filled:
        await dids.attach_all(conn, caller, filled, again=again)
    if packed:
        await dids.pack(conn, caller, packed, field=lambda _, n: f"dids.{n}")


@router.post("/{scope}/{name:path}")
async def add(
    scope: ScopePath, name: NamePath, body: Annotated[CollectionIn, Depends(body_as(CollectionIn))],
    caller: RucioCaller, conn: RucioTransaction,
) -> Response:  # fmt: skip
    """Make a dataset or container, with what is to be in it."""
    await _make(conn, caller, [(f"{scope}:{name}", body)])
    return Response("Created", 201)


async def _make(conn: Connection, caller: RucioCaller, wanted: Wanted) -> None:
    """Make collections with all that is asked for them, or nothing; raises `PartNotServed` for what there is not."""
    _refuse_unserved(wanted, caller.account)
    asked = _rules(wanted, caller.account)
    await dids.create_all(conn, caller, [_collection(did, one) for did, one in wanted])
    await _register(conn, caller, [(one.rse, one.dids or ()) for _, one in wanted])
    filled = [Attachment(did, _children_of(one.dids)) for did, one in wanted if one.dids]
    if filled:
        await dids.attach_all(conn, caller, filled, again=False)
    places = [n for n, (_, one) in enumerate(wanted) if one.meta]
    if places:
        said = [(wanted[n][0], wanted[n][1].meta or {}) for n in places]
        await dids.describe(conn, caller, said, field=lambda n: f"dids.{places[n]}.meta")
    if asked:
        await rules.create_all(conn, caller, asked)


def _rules(wanted: Wanted, account: str) -> list[RuleRequest]:
    """Rules to make over new collections, each as one that is asked for by itself; raises `NotForOthers`."""
    said = [
        {**rule, "dids": [dict(zip(("scope", "name"), did.split(":", 1), strict=True))]}
        for did, one in wanted for rule in one.rules or ()
    ]  # fmt: skip
    try:
        read = RULES.validate_python(said)
    except ValidationError as e:
        faults = e.errors(include_url=False, include_input=False)
        raise RequestValidationError([{**fault, "loc": ("body", "rules", *fault["loc"])} for fault in faults]) from e
    for rule in read:
        if rule.account not in (None, account):
            raise NotForOthers(account=rule.account or "")
    return [
        RuleRequest(
            did=rule.dids[0].did, copies=rule.copies, rse_expression=rule.rse_expression, lifetime=rule.lifetime,
            activity=rule.activity or "default", comment=rule.comment,
        )
        for rule in read
    ]  # fmt: skip


def _collection(did: str, one: CollectionIn) -> NewCollection:
    lifetime = None if one.lifetime is None else timedelta(seconds=one.lifetime)
    return NewCollection(did, DidKind(one.type[0].upper()), bool(one.statuses and one.statuses.monotonic), lifetime)


def _refuse_unserved(wanted: Wanted, account: str) -> None:
    for did, one in wanted:
        if one.account not in (None, account):
            raise PartNotServed(part="account", what=did[:300])
    if sum(len(one.dids or ()) for _, one in wanted) > ATTACHED_AT_ONCE:
        raise PartNotServed(part=f"more than {ATTACHED_AT_ONCE} DIDs", what="one request")
    if sum(len(one.rules or ()) for _, one in wanted) > RULES_AT_ONCE:
        raise PartNotServed(part=f"more than {RULES_AT_ONCE} rules", what="one request")


def _children_of(children: Sequence[ChildIn]) -> list[Child]:
    """What is to be attached, and what is believed of it."""
    return [Child(one.did, one.bytes, one.adler32, one.md5_said) for one in children]


def _members_of(children: Sequence[ChildIn]) -> list[Member]:
    """What lies in an archive."""
    return [Member(one.did, one.bytes, one.adler32, one.guid, one.md5_said) for one in children]


async def _register(
    conn: Connection, caller: RucioCaller, placed: Sequence[tuple[str | None, Sequence[ChildIn]]]
) -> None:
    """Enter files that lie on an RSE, each given with the files said to be there; those that are known there stay.

    Raises `BytesMissing`, and what `replicas.register` does.
    """
    there: dict[str, dict[str, ChildIn]] = {}
    for rse, children in placed:
        if rse is not None:
            there.setdefault(rse, {}).update((child.did, child) for child in children)
    for name, files in there.items():
        rse = await rses.get(conn, name, field="rse")
        known = {did.did_id: did.did for did in await dids.find_all(conn, caller.vo, list(files))}
        copies = await replicas.list(conn, caller.vo, list(known))
        lies = {known[copy.did_id] for copy in copies if copy.rse_id == rse.rse_id}
        new: list[FileText] = []
        for did, file in files.items():
            if did not in lies:
                if file.bytes is None:
                    raise BytesMissing(did=did)
                new.append(FileText(did, file.bytes, file.adler32, guid=file.guid, md5=file.md5_said))
        if new:
            await replicas.register(conn, caller, name, new, known=True)
