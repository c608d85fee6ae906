"""A rule moves to other RSEs, or asks for fewer copies; what it holds stays held until that is done."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sancho.dids import service as dids
from sancho.kit import telemetry
from sancho.kit.access import Principal
from sancho.kit.db import Connection, all_vos
from sancho.kit.deployment import Deployment
from sancho.kit.tasks import defer
from sancho.rses import service as rses
from sancho.rules.errors import NotFewerCopies, RuleLocked, RuleMoving, RuleNotInForce, TooFewRses
from sancho.rules.model import BATCH, LARGE, Change, EventKind, Rule, RuleState
from sancho.rules.service.asking import get, lock, make
from sancho.rules.service.changing import own
from sancho.rules.service.leaving import given_back, let_go
from sancho.rules.service.quotas import charge
from sancho.rules.store import events, locks, rows, terms
from sancho.vos import service as vos

AS_BEFORE = Change(frozenset())
REPLACED_AT_ONCE = 50
"""Rules of each VO that one run lets go because others have taken their place."""


async def move(
    conn: Connection, caller: Principal, rule_id: int, rse_expression: str, instead: Change = AS_BEFORE
) -> Rule:
    """Have the copies of a rule on other RSEs, for its account: return the new rule that the old one goes for.

    The old one stays until the new one is ok, whatever state it is in itself; the new one asks for what the old one
    did, but for what is said `instead`. Raises
    `RuleNotFound`, `NotYours`, `RuleLocked`, `RuleNotInForce`, `RuleMoving`, and what making a rule raises.
    """
    old = await _free(conn, caller, rule_id)
    did = (await dids.by_id(conn, caller.vo, [old.did_id]))[old.did_id]
    await lock(conn, [did])
    old = await get(conn, caller.vo, rule_id)
    if old.replaced_by is not None:
        raise RuleMoving(rule_id=rule_id, to=old.replaced_by)
    left, said = old.expires_at - datetime.now(UTC) if old.expires_at else None, instead.fields
    new = rows.NewRule(
        account_id=old.account_id, did_id=old.did_id, copies=instead.copies if "copies" in said else old.copies,
        rse_expression=rse_expression, rse_ids=(), lifetime=instead.lifetime if "lifetime" in said else left,
        activity=instead.activity if "activity" in said else old.activity,
        comment=instead.comment if "comment" in said else old.comment, injecting=False,
        version=await vos.current_version(conn), traceparent=telemetry.traceparent(), replaces=rule_id,
    )  # fmt: skip
    [made] = await make(conn, caller, [(did, new)])
    said = f"to rule {made.rule_id}, on {rse_expression}"
    await events.record(conn, caller.vo, [rule_id], EventKind.MOVED, by_id=caller.account_id, detail=said)
    return made


async def _free(conn: Connection, caller: Principal, rule_id: int) -> Rule:
    rule = await own(conn, caller, rule_id)
    if rule.locked:
        raise RuleLocked(rule_id=rule_id)
    if rule.state in (RuleState.WAITING, RuleState.INJECTING):
        raise RuleNotInForce(rule_id=rule_id, state=rule.state.word)
    if rule.expires_at is not None and rule.expires_at <= datetime.now(UTC):
        raise RuleNotInForce(rule_id=rule_id, state="at its end")
    return rule


async def replace_moved(deployment: Deployment) -> int:
    """Let rules end whose place others have taken, now that those are ok; return how many. Safe to run twice."""
    served = await all_vos(deployment.database)
    async with deployment.database.transaction(served) as conn:
        found = await terms.settled_moves(conn, served, REPLACED_AT_ONCE)
    replaced = 0
    for vo in sorted({vo for vo, _, _ in found}):
        async with deployment.database.transaction([vo]) as conn:
            replaced += await _replace(conn, vo, [(new, old) for of, new, old in found if of == vo])
    return replaced


async def _replace(conn: Connection, vo: int, pairs: list[tuple[int, int]]) -> int:
    await rows.lock_rules(conn, vo, sorted({rule_id for pair in pairs for rule_id in pair}))
    pairs = await terms.replaceable(conn, vo, pairs)
    old = [rule_id for _, rule_id in pairs]
    await events.record(conn, vo, old, EventKind.REPLACED, by_id=None)
    await rows.end_now(conn, vo, old)
    await terms.forget_moves(conn, vo, [rule_id for rule_id, _ in pairs])
    return len(pairs)


async def reduce(conn: Connection, caller: Principal, rule_id: int, copies: int, *, exclude: str | None = None) -> Rule:
    """Let a rule ask for fewer copies, or for none on the RSEs that `exclude` matches, for its account.

    It keeps those RSEs where most is already; what it held on others is let go, much of it in the background. Raises
    `RuleNotFound`, `NotYours`, `RuleLocked`, `RuleNotInForce`, `NotFewerCopies`, `TooFewRses` when too few of its RSEs
    are left, and what is wrong with the expression.
    """
    vo = caller.vo
    await _free(conn, caller, rule_id)
    rule = await get(conn, vo, rule_id)
    await locks.lock_collections(conn, vo, [rule.did_id])
    rule = await _free(conn, caller, rule_id)
    if copies > rule.copies or (copies == rule.copies and exclude is None):
        raise NotFewerCopies(rule_id=rule_id, copies=rule.copies)
    excluded = await rses.resolve(conn, exclude, field="exclude", vo=vo) if exclude else []
    without = {rse.rse_id for rse in excluded}
    expression = f"({rule.rse_expression})\\({exclude})" if exclude else rule.rse_expression
    await rses.resolve(conn, expression, field="exclude", vo=vo)
    target = await locks.target(conn, vo, rule_id)
    chosen = target.rse_ids if target else ()
    held = {one.rse_id: one for one in await terms.holdings(conn, vo, rule_id)}
    left = [rse_id for rse_id in chosen if rse_id not in without]
    left.sort(key=lambda rse_id: (-(held[rse_id].ok if rse_id in held else 0), rse_id))
    if chosen and len(left) < copies:
        raise TooFewRses(copies=copies, found=len(left), rse_expression=expression)
    kept = left[:copies]
    if sum(one.files for one in held.values() if one.rse_id not in kept) > LARGE:
        await defer(conn, "rules:trim", vo=vo, rule_id=rule_id)
    else:
        await _trim(conn, vo, rule, kept, LARGE + 1)
    await terms.reduce(conn, vo, rule_id, copies=copies, rse_expression=expression, rse_ids=kept)
    await events.record(conn, vo, [rule_id], EventKind.REDUCED, by_id=caller.account_id)
    return await get(conn, vo, rule_id)


async def trim(deployment: Deployment, vo: int, rule_id: int) -> None:
    """Let go, batch by batch, what a rule holds on RSEs that it does not ask for any more. Safe to run twice."""
    more = True
    while more:
        async with deployment.database.transaction([vo]) as conn:
            rule = await rows.find_rule(conn, vo, rule_id)
            if rule is None:
                return
            await locks.lock_collections(conn, vo, [rule.did_id])
            target = await locks.target(conn, vo, rule_id)
            more = target is not None and await _trim(conn, vo, rule, target.rse_ids, BATCH)


async def _trim(conn: Connection, vo: int, rule: Rule, kept: Sequence[int], limit: int) -> bool:
    """Let go some of what it holds elsewhere than on these RSEs; say whether there may be more.

    What it lacks where it stays is placed in the background.
    """
    held = await locks.locks_elsewhere(conn, vo, rule.rule_id, kept, limit)
    counted = await let_go(conn, vo, held)
    if not await rows.lock_rules(conn, vo, [rule.rule_id]):
        return False
    await rows.count_removed(conn, vo, counted, complete=True)
    await charge(conn, vo, given_back((rule.account_id, lock) for lock in held))
    if len(held) < limit and not rule.complete:
        await defer(conn, "rules:place", vo=vo, rule_id=rule.rule_id)
    return len(held) == limit
