"""Why a rule is not ok, and what would make it so. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sancho.explain.model import Blocker, Cause, Change, Explanation, Fact, Would, few, in_bytes, would
from sancho.explain.plan.transfers import Coming, blockers, would_come
from sancho.rules.model import Prospect, Rule, RuleState


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleSeen:
    """What is known of a rule, at a moment."""

    rule: Rule
    prospect: Prospect | None
    coming: Sequence[Coming]
    retry_at: datetime | None


def explain(seen: RuleSeen) -> Explanation:
    """Say why a rule is not ok, and what would make it so."""
    rule = seen.rule
    found = tuple(_blockers(seen))
    says = found[0].says if found else {
        RuleState.OK: "It is ok: all its copies are there.",
        RuleState.INJECTING: "Its locks are being placed.",
    }.get(rule.state, f"It is {rule.state.word}, and nothing is in its way.")  # fmt: skip
    return Explanation(
        kind="rule", name=str(rule.rule_id), state=rule.state.word, says=says, blockers=found,
        would=tuple(_would(seen)), facts=_facts(seen),
    )  # fmt: skip


def _blockers(seen: RuleSeen) -> list[Blocker]:
    rule, prospect = seen.rule, seen.prospect
    if rule.state is RuleState.WAITING:
        hint = f"Somebody who may approves it: `sancho rule approve {rule.rule_id}`."
        return [Blocker(cause=Cause.APPROVAL, says="It waits for approval, and holds nothing yet.", hint=hint)]
    found: list[Blocker] = []
    if prospect is not None and prospect.reason is not None:
        cause = Cause.QUOTA if prospect.lacking else Cause.PLACEMENT
        more = [f"quota {quota.name} lacks {in_bytes(size)}" for quota, size in prospect.lacking]
        hint = "It is tried again every minute." if seen.retry_at else None
        found.append(Blocker(cause=cause, says=prospect.reason, things=few(more), hint=hint))
    elif prospect is not None and rule.state is not RuleState.INJECTING:
        says = f"{prospect.files} files of {in_bytes(prospect.size)} have not all their locks yet: {rule.error or ''}"
        hint = f"They could be placed now: `sancho rule retry {rule.rule_id}`."
        found.append(Blocker(cause=Cause.PLACEMENT, says=says.rstrip(": ") + ".", hint=hint))
    return found + blockers(seen.coming)


def _would(seen: RuleSeen) -> list[Would]:
    found: list[Would] = []
    prospect = seen.prospect
    if prospect is not None and prospect.reason is not None:
        what = f"Locks for {in_bytes(prospect.size)} would be placed"
        if prospect.lacking:
            changes = tuple(
                Change(part="quota", says=f"quota {quota.name} had {in_bytes(size)} more")
                for quota, size in prospect.lacking
            )
            found.append(would(what, changes))
        found += [
            would(what, (Change(part="destination", says=f"{rse} could be written"),)) for rse in prospect.unwritable
        ]
        if prospect.copies is not None:
            copies = "one copy" if prospect.copies == 1 else f"{prospect.copies} copies"
            found.append(would(what, (Change(part="copies", says=f"it asked for {copies}"),)))
    return found + would_come(seen.coming, "Files would come")


def _facts(seen: RuleSeen) -> dict[str, Fact]:
    rule = seen.rule
    left = sum(each.size for each in seen.coming)
    facts: dict[str, Fact] = {
        "did": rule.did, "account": rule.account, "on": rule.rse_expression, "copies": rule.copies,
        "RSEs": rule.rses, "locks": f"{rule.ok} ok, {rule.replicating} replicating, {rule.stuck} stuck",
        "bytes to come": in_bytes(left) if left else None,
        "last error": rule.error,
        "tried again": None if seen.retry_at is None else f"{seen.retry_at:%Y-%m-%d %H:%M:%S} UTC",
        "ends": None if rule.expires_at is None else f"{rule.expires_at:%Y-%m-%d %H:%M:%S} UTC",
    }  # fmt: skip
    return {title: value for title, value in facts.items() if value not in (None, ())}
