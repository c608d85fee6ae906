"""Files that clients put by themselves, where the RSE's naming says: announced first, then looked at.

Clients of Rucio do so. An intent, of ours, draws the path of a file; here the client computes it from the name.
"""

import asyncio
from collections.abc import Mapping, Sequence

from sancho.accounting import service as accounting
from sancho.accounting.model import Entry, EntryKind
from sancho.dids import service as dids
from sancho.dids.model import Did, FileText, parse_did
from sancho.kit.access import Principal, require
from sancho.kit.db import Connection
from sancho.kit.deployment import Deployment
from sancho.kit.extensions import Extensions
from sancho.kit.policy import did as thing
from sancho.replicas import service as replicas
from sancho.replicas.model import ReplicaKey
from sancho.rses import service as rses
from sancho.rses.model import Operation, Rse
from sancho.rules import service as rules
from sancho.uploads.errors import NoRseForUpload
from sancho.uploads.model import Announced, Put
from sancho.uploads.service.looking import look

LOOKED_AT_ONCE = 8


async def announce(
    conn: Connection, caller: Principal, extensions: Extensions, rse_name: str, files: Sequence[FileText]
) -> list[int]:
    """Enter files that lie on an RSE, or are about to, known ones too; return their ids in order.

    Who has `replicas:create` says where they lie, and that they are there. Others need `uploads:create`: what they
    announce is still to come, lies where the RSE's naming puts it, and fits into their quotas now; it is held, and
    charged, by the rules that are made on it, and given up after a day without. Raises what
    `replicas.service.register` does, `QuotaExceeded`, and `NoRseForUpload` when the RSE is not writable.
    """
    rse = await rses.get(conn, rse_name)
    things = [*(thing(file.did) for file in files), f"site:{rse.site}"]
    if caller.may("replicas:create", things) or not all(_to_come(caller, extensions, rse, file) for file in files):
        return await replicas.register(conn, caller, rse_name, files, known=True)
    if not rse.writable:
        raise NoRseForUpload
    size = sum(file.size for file in files)
    await rules.hold_quota(conn, caller.vo, caller.account_id, rse.rse_id, size)
    await rules.free_quota(conn, caller.vo, caller.account_id, rse.rse_id, size)
    return await replicas.expect(conn, caller, rse, files)


def _to_come(caller: Principal, extensions: Extensions, rse: Rse, file: FileText) -> bool:
    """Say whether a file is about to be put where its name alone leads."""
    if not file.copying or file.path is None:
        return False
    scope, name = parse_did(file.did)
    return rses.path_below(rse, file.path) == rses.named_path(extensions, rse, caller.vo_name, scope, name)


async def settle(deployment: Deployment, caller: Principal, rse_name: str, said: Mapping[str, bool]) -> None:
    """Note of files, by DID, that clients have put on an RSE, whether they have come: all of them or none.

    Who has `replicas:create` is believed. Others say it of their own files, with `uploads:create`, and the storage is
    asked. Raises `RseNotFound`, `DidNotFound`, `PermissionMissing`, `ReplicaNotFound`, `ReplicaNotCopying`,
    `UploadIncomplete` or `StorageAway`. No transaction may be open: it opens its own.
    """
    async with deployment.database.transaction(caller.vos) as conn:
        rse = await rses.get(conn, rse_name)
        found = await dids.resolve(conn, caller.vo, list(said))
        own = _own(caller, found)
        door = rses.reached([rse], Operation.READ).get(rse.rse_id, rse)
        puts = await _puts(conn, caller, door, [did for did in found if said[did.did]]) if own else []
    limit = asyncio.Semaphore(LOOKED_AT_ONCE)

    async def seen(put: Put) -> None:
        async with limit:
            await look(deployment, door, put.place, put.announced)

    await asyncio.gather(*map(seen, puts))
    async with deployment.database.transaction(caller.vos) as conn:
        for arrived in (True, False):
            names = {ReplicaKey(did.did_id, rse.rse_id): did.did for did in found if said[did.did] is arrived}
            came = await replicas.settle_put(conn, caller.vo, names, arrived=arrived) if names else []
            if own and came:
                await accounting.record(conn, [_entry(caller, rse, found, came)])


def _own(caller: Principal, found: Sequence[Did]) -> bool:
    """Whether the caller says it of its own files and is not believed as who has `replicas:create` is.

    Raises what is wrong for who has neither that nor files of its own alone.
    """
    things = [thing(did.did) for did in found]
    if all(did.account_id == caller.account_id for did in found) and not caller.may("replicas:create", things):
        require(caller, "uploads:create", on=things)
        return True
    require(caller, "replicas:create", on=things)
    return False


async def _puts(conn: Connection, caller: Principal, door: Rse, found: Sequence[Did]) -> list[Put]:
    """Where files are to be looked for; those that have no replica there are refused later."""
    there = await replicas.list(conn, caller.vo, [did.did_id for did in found])
    paths = {one.did_id: one.path for one in there if one.rse_id == door.rse_id}
    return [
        Put(
            Announced(did.did, did.size or 0, did.adler32),
            rses.place(door, caller.vo_name, did.scope, did.did_id, did.name, paths[did.did_id]),
        )
        for did in found
        if did.did_id in paths
    ]


def _entry(caller: Principal, rse: Rse, found: Sequence[Did], came: Sequence[ReplicaKey]) -> Entry:
    ids = {key.did_id for key in came}
    return Entry(
        vo=caller.vo, kind=EntryKind.UPLOAD, account_id=caller.account_id, rse_id=rse.rse_id, files=len(came),
        size=sum(did.size or 0 for did in found if did.did_id in ids),
    )  # fmt: skip
