"""Rules and files part: locks go, replicas are released, quota is given back to the byte."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sancho.dids import service as dids
from sancho.dids.model import Did
from sancho.kit import faults, telemetry
from sancho.kit.access import Principal, require_owner
from sancho.kit.db import Collision, Connection, all_vos
from sancho.kit.deployment import Deployment
from sancho.kit.policy import did as thing
from sancho.kit.tasks import defer
from sancho.replicas import service as replicas
from sancho.replicas.model import ReplicaKey, ReplicaState
from sancho.rules.errors import RuleLocked
from sancho.rules.model import BATCH, LARGE, SPARED, Charge, Counted, EventKind, RuleState, Want, Withdrawal
from sancho.rules.service.changing import own
from sancho.rules.service.quotas import charge
from sancho.rules.store import demand, events, files, locks, rows
from sancho.transfers import service as transfers

EXPIRED_AT_ONCE = 50
"""Expired rules of each VO that one run removes."""
NAMED = 20
"""Rules that are named when they still hold what was given up."""
ROUNDS = 20
"""Batches of locks that one run removes of one rule."""

_removed = faults.point("rules.removed")
_log = telemetry.log(__name__)


async def delete(conn: Connection, caller: Principal, rule_id: int, *, grace: timedelta = timedelta(0)) -> None:
    """Delete a rule, for its account or whoever has `rules:manage`; with a grace, it ends only after that.

    Its replicas may be deleted once nothing else holds them. A rule with more than `LARGE` locks ends at once and
    is removed in the background. Raises `RuleNotFound`, `NotYours` or `RuleLocked`.
    """
    rule = await own(conn, caller, rule_id)
    if rule.locked:
        raise RuleLocked(rule_id=rule_id)
    if (grace and rule.state is not RuleState.WAITING) or rule.locks > LARGE or rule.state is RuleState.INJECTING:
        await events.record(conn, caller.vo, [rule_id], EventKind.WITHDRAWN, by_id=caller.account_id)
        await rows.end_now(conn, caller.vo, [rule_id], grace=grace)
        await defer(conn, "rules:expire")
        return
    await _remove(conn, caller.vo, rule_id, 2 * LARGE, by=caller)


async def withdraw(conn: Connection, caller: Principal, did: str) -> Withdrawal:
    """Give up a DID: the caller's rules on it go, and those that came with the caller's uploads on the files below.

    Says which went, and which rules still hold it or files of it, of which the first `LARGE` of each dataset are looked
    at. Replicas that nothing holds may be deleted. Many rules or locks go in the background; of many rules, the first
    are named. Raises `DidMalformed` or `DidNotFound`.
    """
    vo, account_id = caller.vo, caller.account_id
    found = await dids.get(conn, vo, did)
    root = found.did_id
    require_owner(caller, account_id, "rules:manage", what=did, owner=caller.account, on=thing(did))
    on = await files.dids_given_up(conn, vo, account_id, root, limit=LARGE)
    await locks.lock_collections(conn, vo, on)
    given_up = await files.rules_given_up(conn, vo, account_id, root, on)
    ids = [rule.rule_id for rule in given_up]
    await events.record(conn, vo, ids, EventKind.WITHDRAWN, by_id=account_id)
    if len(on) == LARGE or sum(rule.locks for rule in given_up) > LARGE or any(rule.injecting for rule in given_up):
        await rows.end_now(conn, vo, ids)
        await defer(conn, "rules:expire")
        until = datetime.now(UTC).isoformat()
        await defer(conn, "rules:give_up", vo=vo, account_id=account_id, did_id=root, until=until)
    else:
        await drop(conn, vo, dict.fromkeys(ids, account_id))
    held_by = await files.holders(conn, vo, root, account_id, NAMED, among=LARGE)
    return Withdrawal(ids, held_by, LARGE if await _has_larger(conn, found) else None)


async def _has_larger(conn: Connection, did: Did) -> bool:
    """Say whether a dataset, among or below this, has more files than are looked at for rules of others."""
    if (await dids.info(conn, did)).files <= LARGE:
        return False
    each = await dids.tallies(conn, did.vo, await dids.datasets(conn, did.vo, [did.did_id]))
    return any(tally.files > LARGE for tally in each.values())


async def give_up(deployment: Deployment, vo: int, account_id: int, did_id: int, until: datetime) -> None:
    """Remove the rules that an account gave up on the files below a DID, batch by batch. Safe to run twice."""
    on, after = [did_id], 0
    while on:
        async with deployment.database.transaction([vo]) as conn:
            on = await files.dids_given_up(conn, vo, account_id, did_id, after=after, limit=BATCH)
            few = [one for one in on if one != did_id]  # what was on the DID itself has ended, and may have many locks
            await locks.lock_collections(conn, vo, few)
            found = await files.rules_given_up(conn, vo, account_id, did_id, few, until=until)
            await drop(conn, vo, {rule.rule_id: account_id for rule in found})
        _removed()
        after = on[-1] if on else after


async def drop(conn: Connection, vo: int, rules: Mapping[int, int]) -> None:
    """Remove rules, given with their accounts, and all their locks at once; the DIDs below them are locked."""
    if not rules:
        return
    held = await files.locks_of_rules(conn, vo, list(rules))
    await let_go(conn, vo, held)
    await rows.lock_rules(conn, vo, sorted(rules))
    await files.delete_rules(conn, vo, list(rules))
    await charge(conn, vo, given_back((rules[lock.rule_id], lock) for lock in held))


async def expire(deployment: Deployment) -> int:
    """Remove rules that are past their time, the VOs in turn; say how many are gone. Safe to run twice, and at once."""
    vos = await all_vos(deployment.database)
    async with deployment.database.transaction(vos) as conn:
        due = await rows.expired(conn, vos, deployment.clock.now(), EXPIRED_AT_ONCE)
    gone = 0
    for vo, rule_id in due:
        try:
            gone += await _remove_in_batches(deployment, vo, rule_id)
        except Collision as e:
            _log.info("an expired rule is removed later", rule_id=rule_id, reason=str(e))
    return gone


async def _remove_in_batches(deployment: Deployment, vo: int, rule_id: int) -> bool:
    for _ in range(ROUNDS):
        async with deployment.database.transaction([vo]) as conn:
            gone = await _remove(conn, vo, rule_id, BATCH)
        _removed()
        if gone:
            return True
    return False


async def _remove(conn: Connection, vo: int, rule_id: int, limit: int, *, by: Principal | None = None) -> bool:
    """Remove up to `limit` locks of a rule, and then the rule; True when it is gone. `by`: who withdraws it."""
    rule = await rows.find_rule(conn, vo, rule_id)
    if rule is None:
        return True
    await locks.lock_collections(conn, vo, [rule.did_id])
    held = await locks.locks_of_rule(conn, vo, rule_id, limit)
    counted = await let_go(conn, vo, held)
    if not await rows.lock_rules(conn, vo, [rule_id]):
        return True
    if len(held) == limit:
        await rows.count_removed(conn, vo, counted, complete=False)
    else:
        kind, by_id = (EventKind.WITHDRAWN, by.account_id) if by else (EventKind.ENDED, None)
        await events.record(conn, vo, [rule_id], kind, by_id=by_id)
        await rows.delete_rule(conn, vo, rule_id)
    await charge(conn, vo, given_back((rule.account_id, lock) for lock in held))
    return len(held) < limit


async def retract(conn: Connection, vo: int, *, parent_ids: Sequence[int], file_ids: Sequence[int]) -> bool:
    """Let rules follow what has been detached from these collections: locks of `file_ids` without a reason go.

    The reason of a lock is that the DID of its rule is the file itself or above it, in whatever way. Say whether
    there is more to do, in another transaction. Safe to run twice, and after a file has come back.
    """
    above = await locks.targets_above(conn, vo, parent_ids, [])
    roots = {target.did_id for target in above} | {s.root for s in await locks.strays(conn, vo, file_ids, BATCH)}
    if not roots:
        return False
    concerned = sorted(roots.union(parent_ids))
    locked = await locks.lock_collections(conn, vo, concerned)
    if await locks.lock_collections(conn, vo, concerned) != locked:
        return True  # while we waited, more has come below them, whose own files we did not wait for
    found = await locks.strays(conn, vo, file_ids, BATCH)
    held = [stray for stray in found if stray.root in roots]
    if held:
        counted = await let_go(conn, vo, [stray.lock for stray in held])
        await rows.lock_rules(conn, vo, [gone.rule_id for gone in counted])
        await rows.count_removed(conn, vo, counted, complete=True)
        await charge(conn, vo, given_back((stray.account_id, stray.lock) for stray in held))
    return len(held) < len(found) or len(found) == BATCH


async def let_go(conn: Connection, vo: int, held: Sequence[Want]) -> list[Counted]:
    """Remove locks, release their replicas, and give up what nobody wants any more; say how they counted.

    What jobs want stays for a while, in which it is pinned.
    """
    if not held:
        return []
    times = Counter(ReplicaKey(lock.did_id, lock.rse_id) for lock in held)
    seen = await locks.lock_replicas(conn, vo, sorted(times))
    counted = await locks.tally(conn, vo, held)
    await locks.delete_locks(conn, vo, held)
    wanted = await demand.roots_over(conn, vo, sorted({key.did_id for key in times}))
    await replicas.release(conn, vo, sorted(key for key in times.elements() if key.did_id not in wanted))
    if wanted:
        spared = sorted(key for key in times.elements() if key.did_id in wanted)
        await replicas.release(conn, vo, spared, grace=SPARED)
        roots = sorted({root for each in wanted.values() for root in each})
        await defer(conn, "rules:pin", vo=vo, did_ids=roots)
    unwanted = [s.key for s in seen if s.lock_count == times[s.key] and s.state is ReplicaState.COPYING]
    await replicas.lose(conn, vo, await transfers.cancel(conn, vo, unwanted))
    return counted


def given_back(held: Iterable[tuple[int, Want]]) -> list[Charge]:
    """What accounts get back for locks, each given with its account."""
    sums: dict[tuple[int, int], tuple[int, int]] = {}
    for account_id, lock in held:
        pair = (account_id, lock.rse_id)
        number, size = sums.get(pair, (0, 0))
        sums[pair] = (number - 1, size - lock.size)
    return [Charge(*pair, number, size) for pair, (number, size) in sums.items()]
