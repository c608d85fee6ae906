"""What could not be placed at once is placed later: large rules in the background, stuck ones when it is time."""

from sancho.kit import telemetry
from sancho.kit.db import Collision, Connection, all_vos
from sancho.kit.deployment import Deployment
from sancho.rules.model import BATCH, RuleState, Target
from sancho.rules.service.counting import revive
from sancho.rules.service.placing import choose_all, place_affordable
from sancho.rules.store import facts, locks, rows

END = -1
RETRIED_AT_ONCE = 100
"""Stuck rules of each VO that one run looks at."""
_log = telemetry.log(__name__)


async def place(deployment: Deployment, vo: int, rule_id: int) -> None:
    """Place what a rule lacks, batch by batch, until every file has its locks, or it gets stuck. Safe to run twice."""
    after: int | None = 0
    while after is not None:
        async with deployment.database.transaction([vo]) as conn:
            after = await _place_batch(conn, vo, rule_id, after)
        if after == END:
            async with deployment.database.transaction([vo]) as conn:
                after = await _finish(conn, vo, rule_id)


async def _place_batch(conn: Connection, vo: int, rule_id: int, after: int) -> int | None:
    """Place locks for the next files; return the last of them, END after the last, None when there is nothing to do."""
    target = await _hold_target(conn, vo, rule_id)
    if target is None:
        return None
    files = await facts.files_lacking(conn, vo, target, after, BATCH)
    if not files:
        return END
    file_ids = [file.did_id for file in files]
    ready, lacking = await choose_all(conn, vo, [target], file_ids)
    wants = await locks.wants_above(conn, vo, ready, file_ids) if ready else []
    incomplete = await place_affordable(conn, vo, ready, wants, lacking=lacking)
    return None if incomplete else file_ids[-1]


async def _hold_target(conn: Connection, vo: int, rule_id: int) -> Target | None:
    """A rule in force, kept from being deleted while its DID is locked; None when it is gone."""
    target = await locks.target(conn, vo, rule_id)
    if target is None:
        return None
    await locks.share_parents(conn, vo, [target.did_id], [])
    return await locks.target(conn, vo, rule_id)


async def _finish(conn: Connection, vo: int, rule_id: int) -> int | None:
    """Say that a rule is complete, which nobody attaching below its DID can change meanwhile; or begin again."""
    target = await locks.target(conn, vo, rule_id)
    if target is None:
        return None
    await locks.lock_collections(conn, vo, [target.did_id])
    if await facts.files_lacking(conn, vo, target, 0, 1):
        return 0
    await rows.lock_rules(conn, vo, [rule_id])
    await rows.mark_complete(conn, vo, rule_id)
    return None


async def repair(deployment: Deployment) -> int:
    """Try again the stuck rules that are due, the VOs in turn; return how many. Safe to run twice, and at once."""
    vos = await all_vos(deployment.database)
    async with deployment.database.transaction(vos) as conn:
        due = await rows.claim_retries(conn, vos, deployment.clock.now(), RETRIED_AT_ONCE)
    for vo, rule_id in due:
        try:
            await _repair_one(deployment, vo, rule_id)
        except Collision as e:
            _log.info("a stuck rule is tried again later", rule_id=rule_id, reason=str(e))
    return len(due)


async def _repair_one(deployment: Deployment, vo: int, rule_id: int) -> None:
    async with deployment.database.transaction([vo]) as conn:
        rule = await rows.find_rule(conn, vo, rule_id)
        if rule is not None and rule.stuck:
            await revive(conn, vo, await locks.stuck_replicas(conn, vo, rule_id, BATCH))
    if rule is not None and rule.state is RuleState.STUCK and not rule.complete:
        await place(deployment, vo, rule_id)
