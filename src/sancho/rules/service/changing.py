"""What a rule asks for is changed by whom it belongs to; rules that wait are approved or denied by who may."""

from sancho.identity import service as identity
from sancho.kit.access import Principal, require, require_owner
from sancho.kit.db import Connection
from sancho.kit.policy import did as thing
from sancho.kit.tasks import defer
from sancho.rules.errors import RuleNotWaiting
from sancho.rules.model import BATCH, Change, Charge, EventKind, Rule, RuleState
from sancho.rules.service.asking import get
from sancho.rules.service.counting import revive
from sancho.rules.service.quotas import charge
from sancho.rules.store import events, locks, rows, terms


async def own(conn: Connection, caller: Principal, rule_id: int) -> Rule:
    """A rule, for its account or whoever has `rules:manage`; raises `RuleNotFound` or `NotYours`."""
    rule = await get(conn, caller.vo, rule_id)
    require_owner(
        caller, rule.account_id, "rules:manage", what=f"Rule {rule_id}", owner=rule.account, on=thing(rule.did)
    )
    return rule


async def change(conn: Connection, caller: Principal, rule_id: int, change: Change) -> Rule:
    """Change what is named of a rule, for its account; only who has `rules:manage` may give it to another account.

    Raises `RuleNotFound`, `NotYours`, `AccountNotFound` or, when the other account has no room, `QuotaExceeded`.
    """
    rule = await own(conn, caller, rule_id)
    await terms.change(conn, caller.vo, rule_id, change)
    if "account" in change.fields and change.account not in (None, rule.account):
        require(caller, "rules:manage", on=thing(rule.did))
        await _give(conn, caller.vo, rule, change.account or "")
    said = ", ".join(sorted(change.fields))
    await events.record(conn, caller.vo, [rule_id], EventKind.CHANGED, by_id=caller.account_id, detail=said or None)
    return await get(conn, caller.vo, rule_id)


async def _give(conn: Connection, vo: int, rule: Rule, account: str) -> None:
    """Let a rule be another account's, who is charged for it from now on."""
    to = (await identity.get_account(conn, vo, account)).account_id
    await locks.lock_collections(conn, vo, [rule.did_id])  # so that nobody adds or removes locks meanwhile
    await rows.lock_rules(conn, vo, [rule.rule_id])
    held = await terms.holdings(conn, vo, rule.rule_id)
    await terms.give(conn, vo, rule.rule_id, to)
    back = [Charge(rule.account_id, one.rse_id, -one.files, -one.size) for one in held]
    await charge(conn, vo, [*back, *(Charge(to, one.rse_id, one.files, one.size) for one in held)])


async def approve(conn: Connection, caller: Principal, rule_id: int) -> Rule:
    """Let a rule that waits be in force, for who has `rules:approve`: it is placed in the background.

    Raises `RuleNotFound`, or `RuleNotWaiting` when somebody has decided before.
    """
    await _decide(conn, caller, rule_id)
    await terms.approve(conn, caller.vo, rule_id)
    await events.record(conn, caller.vo, [rule_id], EventKind.APPROVED, by_id=caller.account_id)
    await defer(conn, "rules:place", vo=caller.vo, rule_id=rule_id)
    return await get(conn, caller.vo, rule_id)


async def deny(conn: Connection, caller: Principal, rule_id: int, reason: str | None) -> None:
    """Remove a rule that waits; its history says why. As `approve`."""
    await _decide(conn, caller, rule_id)
    await events.record(conn, caller.vo, [rule_id], EventKind.DENIED, by_id=caller.account_id, detail=reason)
    await rows.delete_rule(conn, caller.vo, rule_id)


async def _decide(conn: Connection, caller: Principal, rule_id: int) -> None:
    """Be the only one who decides about a rule, and see that it waits."""
    rule = await get(conn, caller.vo, rule_id)
    require(caller, "rules:approve", on=thing(rule.did))
    await rows.lock_rules(conn, caller.vo, [rule_id])
    rule = await get(conn, caller.vo, rule_id)
    if rule.state is not RuleState.WAITING:
        raise RuleNotWaiting(rule_id=rule_id, state=rule.state.word)


async def retry(conn: Connection, caller: Principal, rule_id: int) -> Rule:
    """Try now what of a rule is stuck, for its account; raises `RuleNotFound` or `NotYours`."""
    rule = await own(conn, caller, rule_id)
    if rule.stuck:
        await revive(conn, caller.vo, await locks.stuck_replicas(conn, caller.vo, rule_id, BATCH))
    if rule.state is RuleState.STUCK and not rule.complete:
        await defer(conn, "rules:place", vo=caller.vo, rule_id=rule_id)
    return await get(conn, caller.vo, rule_id)
