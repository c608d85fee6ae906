"""The erasure of DIDs whose time has come: nothing ends that a rule of somebody else, or a locked one, is over.

The rules of the account that a DID belongs to go with it. A worker may be killed anywhere: each transaction leaves
every DID as it was, or a step further, and another worker goes on when the claim ends.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sancho.dids import service as dids
from sancho.dids.model import DidKind, Ended
from sancho.kit import faults, telemetry
from sancho.kit.db import Collision, Connection, all_vos
from sancho.kit.deployment import Deployment
from sancho.kit.tasks import defer
from sancho.replicas import service as replicas
from sancho.rules import plan
from sancho.rules.model import LARGE, RuleOn
from sancho.rules.service.leaving import drop
from sancho.rules.store import demand, erasing, rows

AT_ONCE = 1000
"""DIDs of each VO that one claim takes."""
ROUNDS = 20
"""Claims that one run makes at most."""
LEASE = timedelta(minutes=2)
"""How long claimed DIDs are one worker's."""
UNPACKED_AT_ONCE = 5000
"""Files in archives that one transaction ends with them, or takes out of one that has more."""
UNPACKINGS = 400
"""Batches that one run takes out of such an archive; the next run goes on."""
HELD = timedelta(minutes=10)
"""When what something holds is looked at again."""
LEAVING = timedelta(seconds=15)
"""The same, while large rules are being removed."""

_claimed = faults.point("rules.ending-claimed")
_ended = faults.point("rules.ended")
_unpacked = faults.point("rules.unpacked")
_log = telemetry.log(__name__)


async def erase(deployment: Deployment) -> int:
    """Erase DIDs whose time has come, the VOs beside each other; say how many are gone.

    Safe to run twice, at once, and to be killed.
    """
    vos = await all_vos(deployment.database)
    gone = 0
    for _ in range(ROUNDS):
        now = deployment.clock.now()
        async with deployment.database.transaction(vos) as conn:
            due = await dids.claim_ended(conn, vos, now=now, until=now + LEASE, each=AT_ONCE)
        _claimed()
        if not due:
            break
        for vo, did_ids in due.items():
            gone += await _end_all(deployment, vo, did_ids, now)
    return gone


async def _end_all(deployment: Deployment, vo: int, did_ids: Sequence[int], now: datetime) -> int:
    """End these DIDs of a VO, in transactions that have so many files in archives as one may have."""
    async with deployment.database.transaction([vo]) as conn:
        inside = await dids.count_inside(conn, vo, did_ids, most=UNPACKED_AT_ONCE + 1)
    gone = 0
    for part in plan.parted(did_ids, inside, UNPACKED_AT_ONCE):
        try:
            if inside.get(part[0], 0) <= UNPACKED_AT_ONCE or await _unpack(deployment, vo, part[0]):
                async with deployment.database.transaction([vo]) as conn:
                    gone += await end(conn, vo, part, now)
        except Collision as e:
            _log.info("DIDs are erased later", vo=vo, reason=str(e))
        _ended()
    return gone


async def _unpack(deployment: Deployment, vo: int, archive_id: int) -> bool:
    """Take out of a large archive what lies in it, batch by batch, if nobody wants any of it; say if nothing is left.

    All of it is looked at before anything goes, and each batch again when it does.
    """
    after, looked = 0, True
    while looked:
        now = deployment.clock.now()
        async with deployment.database.transaction([vo]) as conn:
            ids = await dids.inside(conn, vo, archive_id, after=after, limit=UNPACKED_AT_ONCE)
            if reasons := await _wanted_inside(conn, vo, [archive_id], now, among=ids):
                await dids.put_off(conn, vo, reasons, until=now + HELD)
                return False
        looked = len(ids) == UNPACKED_AT_ONCE
        after = ids[-1] if ids else after
    more: bool | None = True
    for _ in range(UNPACKINGS):
        async with deployment.database.transaction([vo]) as conn:
            more = await unpack_some(conn, vo, archive_id, deployment.clock.now())
        _unpacked()
        if not more:
            break
    return more is False


async def unpack_some(conn: Connection, vo: int, archive_id: int, now: datetime) -> bool | None:
    """Take a batch of files out of an archive whose time has come; say whether there may be more, None if it stays."""
    ids = await dids.inside(conn, vo, archive_id, limit=UNPACKED_AT_ONCE)
    if not await dids.lock_ended(conn, vo, [archive_id], now=now, inside=ids):
        return None
    reasons = await _protected(conn, vo, [archive_id], now, among=ids)
    if reasons:
        await dids.put_off(conn, vo, reasons, until=now + HELD)
        return None
    alone = await erasing.lying_only_in(conn, vo, [archive_id], now=now, among=ids)
    await dids.unpack_ended(conn, vo, archive_id, ids, orphans=[did_id for _, did_id, _, _ in alone])
    await dids.put_off(conn, vo, {archive_id: None}, until=now + LEASE, begun=True)
    return len(ids) == UNPACKED_AT_ONCE


async def end(conn: Connection, vo: int, did_ids: Sequence[int], now: datetime) -> int:
    """Bring those of these DIDs of a VO whose time has come a step nearer to their end; say how many have ended."""
    due = {one.did_id: one for one in await dids.lock_ended(conn, vo, did_ids, now=now)}
    reasons = await _protected(conn, vo, list(due), now)
    await dids.put_off(conn, vo, reasons, until=now + HELD)
    free = [one for did_id, one in due.items() if did_id not in reasons]
    if not free:
        return 0
    found = await erasing.on(conn, vo, [one.did_id for one in free])
    large = await _end_large(conn, vo, found)
    await dids.put_off(conn, vo, dict.fromkeys(large), until=now + LEAVING, begun=True)
    ready = [one for one in free if one.did_id not in large]
    files = [one.did_id for one in ready if one.kind is DidKind.FILE]
    await replicas.abandon(conn, vo, files)
    await drop(conn, vo, {rule.rule_id: rule.account_id for rule in found if rule.did_id not in large})
    return await _finish(conn, vo, ready, now)


async def _wanted_inside(
    conn: Connection, vo: int, did_ids: Sequence[int], now: datetime, *, among: Sequence[int] | None
) -> dict[int, str]:
    inside = await erasing.lying_only_in(conn, vo, did_ids, now=now, among=among)
    return {archive_id: f"{name} lies in it, and nowhere else" for archive_id, _, name, wanted in inside if wanted}


async def _protected(
    conn: Connection, vo: int, did_ids: Sequence[int], now: datetime, *, among: Sequence[int] | None = None
) -> Mapping[int, str]:
    """Why those of these DIDs cannot end that cannot; of what lies in archives `among` alone is looked at, if said."""
    by_files = await _wanted_inside(conn, vo, did_ids, now, among=among)
    found = await erasing.that_hold(conn, vo, did_ids)
    by_rules = {n: f"rule {rule.rule_id} of {rule.account} on {rule.did} holds it" for n, rule in found.items()}
    by_jobs = dict.fromkeys(await demand.roots_over(conn, vo, did_ids), "jobs that wait or run want it")
    return {**by_files, **by_jobs, **await dids.held_firmly(conn, vo, did_ids), **by_rules}


async def _end_large(conn: Connection, vo: int, found: Sequence[RuleOn]) -> set[int]:
    """Let rules end that are too large to be removed here, or still being placed; say on which DIDs they are."""
    total, large = 0, set[int]()
    for rule in found:
        total += rule.locks
        if total > LARGE or rule.injecting:
            large.add(rule.did_id)
    if large:
        await rows.end_now(conn, vo, [rule.rule_id for rule in found if rule.did_id in large])
        await defer(conn, "rules:expire")
    return large


async def _finish(conn: Connection, vo: int, ready: Sequence[Ended], now: datetime) -> int:
    """End DIDs over which no rule is any more: files at once, a collection when it has been emptied, batch by batch."""
    collections = [one for one in ready if one.kind is not DidKind.FILE]
    files = [one for one in ready if one.kind is DidKind.FILE]
    if collections and not await dids.empty(conn, vo, collections):
        await dids.put_off(conn, vo, dict.fromkeys(one.did_id for one in collections), until=now, begun=True)
        collections = []
    inside = await erasing.lying_only_in(conn, vo, [one.did_id for one in files], now=now)
    await dids.end(conn, vo, [*files, *collections], orphans=sorted({did_id for _, did_id, _, _ in inside}))
    return len(files) + len(collections)
