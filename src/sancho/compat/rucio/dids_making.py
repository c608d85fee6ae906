"""Rucio's new collections: made, filled, registered where their files lie, and put under rules, all in one go."""

from collections.abc import Sequence
from datetime import timedelta

from sancho.compat.rucio.caller import RucioCaller
from sancho.compat.rucio.dids_wire import ATTACHED_AT_ONCE, ChildIn, CollectionIn
from sancho.compat.rucio.errors import BytesMissing, NotForOthers, PartNotServed
from sancho.dids import service as dids
from sancho.dids.model import Attachment, Child, DidKind, FileText, NewCollection
from sancho.kit.db import Connection
from sancho.replicas import service as replicas
from sancho.rses import service as rses
from sancho.rules import service as rules
from sancho.rules.model import RuleRequest

RULES_AT_ONCE = 100
"""Rules that one request makes."""
Wanted = Sequence[tuple[str, CollectionIn]]


async def make(conn: Connection, caller: RucioCaller, wanted: Wanted) -> None:
    """Make collections with all that is asked for them, or nothing; raises `PartNotServed` for what there is not."""
    _refuse_unserved(wanted, caller.account)
    await dids.create_all(conn, caller, [_collection(did, one) for did, one in wanted])
    await register(conn, caller, [(one.rse, one.dids or ()) for _, one in wanted])
    filled = [Attachment(did, children_of(one.dids)) for did, one in wanted if one.dids]
    if filled:
        await dids.attach_all(conn, caller, filled, again=False)
    asked = [
        RuleRequest(
            did=did, copies=rule.copies, rse_expression=rule.rse_expression, lifetime=rule.lifetime,
            activity=rule.activity or "default", comment=rule.comment,
        )
        for did, one in wanted for rule in one.rules or ()
    ]  # fmt: skip
    if asked:
        await rules.create_all(conn, caller, asked)


def _collection(did: str, one: CollectionIn) -> NewCollection:
    lifetime = None if one.lifetime is None else timedelta(seconds=one.lifetime)
    return NewCollection(did, DidKind(one.type[0].upper()), bool(one.statuses and one.statuses.monotonic), lifetime)


def _refuse_unserved(wanted: Wanted, account: str) -> None:
    for did, one in wanted:
        asked = {"meta": one.meta, "account": one.account not in (None, account)}
        refused = next((part for part, value in asked.items() if value), None)
        if refused is not None:
            raise PartNotServed(part=refused, what=did[:300])
        for rule in one.rules or ():
            if rule.account not in (None, account):
                raise NotForOthers(account=rule.account or "")
    if sum(len(one.dids or ()) for _, one in wanted) > ATTACHED_AT_ONCE:
        raise PartNotServed(part=f"more than {ATTACHED_AT_ONCE} DIDs", what="one request")
    if sum(len(one.rules or ()) for _, one in wanted) > RULES_AT_ONCE:
        raise PartNotServed(part=f"more than {RULES_AT_ONCE} rules", what="one request")


def children_of(children: Sequence[ChildIn]) -> list[Child]:
    """What is to be attached, and what is believed of it."""
    return [Child(one.did, one.bytes, one.adler32) for one in children]


async def register(
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
                new.append(FileText(did, file.bytes, file.adler32))
        if new:
            await replicas.register(conn, caller, name, new, known=True)
