"""Why a rule is not ok: what is known of it is gathered here."""

from sancho.explain.model import MOST_TOLD, Explanation
from sancho.explain.plan import rules as plan
from sancho.explain.plan.rules import RuleSeen
from sancho.explain.plan.transfers import Coming
from sancho.explain.store import data as store
from sancho.kit.access import Principal
from sancho.kit.db import Connection, in_time
from sancho.replicas.model import ReplicaKey
from sancho.rules import service as rules
from sancho.rules.model import RuleState
from sancho.transfers import service as transfers
from sancho.transfers.model import RequestState

LONGEST = 10
"""Seconds that looking at the locks of a rule may take."""


async def explain_rule(conn: Connection, caller: Principal, rule_id: int) -> Explanation:
    """Say why a rule of the caller's VO is not ok, and what would make it so.

    Raises `RuleNotFound`, or `TooSlow` for one of very many locks.
    """
    vo = caller.vo
    rule = await rules.get(conn, vo, rule_id)
    unsettled = list[store.Unsettled]()
    async with in_time(conn, LONGEST, hint=f"`sancho rule show {rule_id}` says less, and faster."):
        if rule.replicating or rule.stuck:
            unsettled = await store.unsettled(conn, vo, rule_id)
        lacks = not rule.complete and rule.state is not RuleState.WAITING
        prospect = await rules.foresee(conn, vo, rule_id) if lacks else None
    told = unsettled[: 2 * MOST_TOLD]
    keys = [ReplicaKey(each.did_id, each.rse_id) for each in told]
    foreseen = await transfers.foresee(conn, vo, keys) if keys else {}
    coming = [
        Coming(
            rse=each.rse, state=RequestState(each.state), files=each.files, size=each.size, tries=each.tries,
            not_before=each.not_before, error=each.error, did=each.did, foreseen=foreseen[key],
        )
        for each, key in zip(told, keys, strict=True)
    ]  # fmt: skip
    retry_at = await store.retry_at(conn, vo, rule_id)
    return plan.explain(RuleSeen(rule=rule, prospect=prospect, coming=coming, retry_at=retry_at))
