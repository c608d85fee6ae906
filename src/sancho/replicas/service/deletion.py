"""The reaper: claims what nothing holds, deletes it on its storage, then removes it here.

A worker may be killed between any two steps: another takes the claim over when its lease ends, and finds the file
deleted or not. A worker acts only on claims that are still its own, and deletes only well within its lease, with
tokens that end before it, so that a worker that slept cannot delete a file that has since come back.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

from sancho.kit import faults, telemetry
from sancho.kit.access import INSTANCE
from sancho.kit.db import all_vos
from sancho.kit.deployment import Deployment
from sancho.replicas import plan
from sancho.replicas.model import DELETION_TIME, LEASE, Doomed, Fate, Usage
from sancho.replicas.store import declarations, deletion, rows
from sancho.rses import service as rses
from sancho.rses.model import Operation, Rse
from sancho_contract.storage import ObjectMissing, StorageRefused, StorageUnavailable

CLAIM = 400
"""Deletions that one claim takes."""
ROUNDS = 20
"""Claims that one run of the task makes at most."""
AT_ONCE = 8
"""Deletions that one worker asks of storages at once."""
ONE_DELETION = 60.0
"""Seconds after which a storage that does not answer is away."""

CLAIMED = faults.point("replicas.deletion-claimed")
DELETED = faults.point("replicas.deleted-on-storage")
REMOVED = faults.point("replicas.deletion-removed")
_log = telemetry.log(__name__)


async def reap(deployment: Deployment) -> int:
    """Delete replicas that nothing holds and whose tombstone has passed; return how many are gone.

    Opens its own transactions and none while it talks to storages. Safe to run twice, at once, and to be killed.
    """
    vos = await all_vos(deployment.database)
    gone = 0
    for _ in range(ROUNDS):
        lease = deployment.clock.now() + LEASE
        doomed, tries, known = await _claim(deployment, vos, lease)
        if not doomed:
            break
        CLAIMED()
        fates = await _delete(deployment, doomed, known)
        DELETED()
        gone += await _record(deployment, fates, dict(zip(doomed, tries, strict=True)), lease)
        REMOVED()
    return gone


async def _claim(
    deployment: Deployment, vos: Sequence[int], lease: datetime
) -> tuple[list[Doomed], list[int], dict[int, Rse]]:
    now = deployment.clock.now()
    async with deployment.database.transaction(vos) as conn:
        known = rses.reached(await rses.rses(conn), Operation.DELETE)
        places = [
            (rse_id, vo)
            for rse_id, vo in await deletion.doomed_places(conn)
            if rse_id in known and known[rse_id].deletable
        ]
        found = await deletion.lock_doomed(conn, places, now=now, each=plan.share(CLAIM, len(places)))
        doomed = await deletion.mark_deleting(conn, found) if found else []
        tries = await deletion.claim(conn, doomed, until=lease) if doomed else []
    return doomed, tries, known


async def _delete(deployment: Deployment, doomed: Sequence[Doomed], known: Mapping[int, Rse]) -> list[Fate]:
    limit = asyncio.Semaphore(AT_ONCE)
    until = deployment.clock.now() + DELETION_TIME
    away: dict[int, str] = {}

    async def one(replica: Doomed) -> Fate:
        async with limit:
            if replica.rse_id in away:
                return Fate(replica, away[replica.rse_id])
            if deployment.clock.now() >= until:
                return Fate(replica, "there was no time left for it")
            try:
                await _delete_one(deployment, replica, known[replica.rse_id])
            except (StorageUnavailable, TimeoutError) as e:
                away[replica.rse_id] = str(e) or "the storage does not answer"
                return Fate(replica, away[replica.rse_id])
            except StorageRefused as e:
                return Fate(replica, str(e))
            return Fate(replica, None)

    return await asyncio.gather(*(one(replica) for replica in doomed))


async def _delete_one(deployment: Deployment, replica: Doomed, rse: Rse) -> None:
    place = rses.place(rse, replica.vo_name, replica.scope, replica.did_id, replica.name, replica.path)
    token = rses.token(  # to read as well: XRootD looks at a file before it deletes it
        deployment.signer, rse, subject="reaper", lifetime=DELETION_TIME, read=[place.path], modify=[place.path]
    )
    try:
        async with asyncio.timeout(ONE_DELETION):
            await rses.storage(deployment.extensions, rse).delete(place.url, token)
    except ObjectMissing:
        return


async def _record(deployment: Deployment, fates: Sequence[Fate], tries: Mapping[Doomed, int], lease: datetime) -> int:
    done = [fate.doomed for fate in fates if fate.failure is None]
    failed = [fate for fate in fates if fate.failure is not None]
    now = deployment.clock.now()
    async with deployment.database.transaction(sorted({INSTANCE, *(fate.doomed.vo for fate in fates)})) as conn:
        own = await deletion.lock_deleting(conn, done, lease=lease) if done else []
        if own:
            removed = await deletion.remove(conn, own)
            await declarations.end_gone(conn, [(one.vo, one.did_id, one.rse_id) for one in own])
            await deletion.forget(conn, own)
            for vo in sorted({vo for vo, _, _ in removed}):
                changes: list[Usage] = plan.sums((rse_id, -1, -size) for of, rse_id, size in removed if of == vo)
                await rows.add_usage(conn, vo, changes)
        if failed:
            late = [now + plan.wait_after(tries[fate.doomed] + 1) for fate in failed]
            await deletion.postpone(conn, [fate.doomed for fate in failed], late, lease=lease)
    for rse_id, failure in sorted({(fate.doomed.rse_id, fate.failure or "") for fate in failed}):
        _log.warning("deletion failed", rse_id=rse_id, reason=failure)
    return len(own)
