"""Rules and locks in Rucio's words: pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from sancho.compat.rucio.rules_wire import PRIORITY
from sancho.compat.rucio.translate import date_of, id_of
from sancho.rules.model import DatasetLock, Lock, LockState, Rule, RuleEvent, RuleState
from sancho.transfers.model import Tried

STATES: Mapping[RuleState, str] = {
    RuleState.WAITING: "WAITING_APPROVAL", RuleState.INJECTING: "INJECT",
    RuleState.REPLICATING: "REPLICATING", RuleState.OK: "OK", RuleState.STUCK: "STUCK",
}  # fmt: skip
LOCK_STATES: Mapping[LockState, str] = {
    LockState.OK: "OK", LockState.REPLICATING: "REPLICATING", LockState.STUCK: "STUCK",
}  # fmt: skip


def state_of(name: str | None) -> RuleState | None:
    """The state that Rucio calls so, by its name or its letter; None for none."""
    return next((state for state, said in STATES.items() if name in (said, said[0])), None)


def rule_of(rule: Rule) -> dict[str, Any]:
    """A rule. What Rucio knows of it and we do not is as it is in a rule that asked for nothing special."""
    scope, _, name = rule.did.partition(":")
    made = date_of(rule.created_at)
    return {
        "id": id_of(rule.rule_id), "subscription_id": None, "account": rule.account, "scope": scope, "name": name,
        "did_type": rule.kind.name, "state": STATES[rule.state], "rse_expression": rule.rse_expression,
        "copies": rule.copies, "expires_at": date_of(rule.expires_at) if rule.expires_at else None, "weight": None,
        "locked": rule.locked, "locks_ok_cnt": rule.ok, "locks_replicating_cnt": rule.replicating,
        "locks_stuck_cnt": rule.stuck, "source_replica_expression": None, "activity": rule.activity,
        "grouping": "ALL", "notification": "NO", "stuck_at": None, "purge_replicas": False,
        "ignore_availability": False, "ignore_account_limit": False, "priority": PRIORITY, "comments": rule.comment,
        "child_rule_id": id_of(rule.replaced_by) if rule.replaced_by else None, "error": rule.error, "eol_at": None,
        "split_container": False, "meta": None, "created_at": made, "updated_at": made, "bytes": None,
    }  # fmt: skip


def lock_of(lock: Lock, rule_id: int) -> dict[str, Any]:
    """A lock on a replica."""
    scope, _, name = lock.did.partition(":")
    return {
        "scope": scope, "name": name, "rse_id": id_of(lock.rse_id), "rse": lock.rse,
        "state": LOCK_STATES[lock.state], "rule_id": id_of(rule_id), "bytes": lock.size,
    }  # fmt: skip


def trouble_of(lock: Lock, tried: Tried | None, sources: Sequence[str]) -> dict[str, Any]:
    """A lock whose file does not come, how often it was tried, and the RSEs that have the file."""
    scope, _, name = lock.did.partition(":")
    return {
        "scope": scope, "name": name, "rse_id": id_of(lock.rse_id), "rse": lock.rse,
        "attempts": tried.tries if tried else None, "last_error": lock.error,
        "last_source": tried.source if tried else None,
        "last_time": date_of(tried.ended_at) if tried and tried.ended_at else None,
        "sources": [[rse, True] for rse in sources],
    }  # fmt: skip


def event_of(event: RuleEvent) -> dict[str, Any]:
    """What a rule was when something was done to it."""
    return {
        "rule_id": id_of(event.rule_id), "created_at": date_of(event.made_at), "updated_at": date_of(event.at),
        "rse_expression": event.rse_expression, "state": STATES[event.state], "account": event.account,
        "locks_ok_cnt": event.ok, "locks_replicating_cnt": event.replicating, "locks_stuck_cnt": event.stuck,
    }  # fmt: skip


def dataset_lock_of(lock: DatasetLock) -> dict[str, Any]:
    """What a rule holds of a dataset on an RSE."""
    return {
        "scope": lock.scope, "name": lock.name, "rse_id": id_of(lock.rse_id), "rse": lock.rse,
        "rule_id": id_of(lock.rule_id), "account": lock.account, "state": LOCK_STATES[lock.state],
        "length": lock.files, "bytes": lock.size, "accessed_at": None,
    }  # fmt: skip
