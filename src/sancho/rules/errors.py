"""What can go wrong with a rule; each class is one `code` of the native API."""

from sancho.kit.errors import Conflict, Invalid, NotFound


class RuleNotFound(NotFound):
    """Rule {rule_id} does not exist."""

    code = "rule_not_found"

    def __init__(self, *, rule_id: int) -> None:
        """Name the rule."""
        super().__init__(rule_id=rule_id, field="rule_id")


class RuleLocked(Conflict):
    """Rule {rule_id} is locked."""

    code = "rule_locked"

    def __init__(self, *, rule_id: int) -> None:
        """Name the rule."""
        super().__init__(rule_id=rule_id, field="rule_id", hint="Unlock it first: `sancho rule change RULE --unlock`.")


class RuleNotWaiting(Conflict):
    """Rule {rule_id} does not wait for approval; it is {state}."""

    code = "rule_not_waiting"

    def __init__(self, *, rule_id: int, state: str) -> None:
        """Name the rule and its state."""
        super().__init__(rule_id=rule_id, state=state, field="rule_id")


class RuleNotInForce(Conflict):
    """Rule {rule_id} is {state}: it can be moved or reduced once it is in force and has been placed."""

    code = "rule_not_in_force"

    def __init__(self, *, rule_id: int, state: str) -> None:
        """Name the rule and its state."""
        super().__init__(rule_id=rule_id, state=state, field="rule_id")


class RuleMoving(Conflict):
    """Rule {rule_id} is being moved already: rule {to} takes its place once it is ok."""

    code = "rule_moving"

    def __init__(self, *, rule_id: int, to: int) -> None:
        """Name both rules."""
        super().__init__(rule_id=rule_id, to=to, field="rule_id")


class NotFewerCopies(Invalid):
    """Rule {rule_id} asks for {copies} copies already; reducing it means fewer, or leaving out RSEs."""

    code = "not_fewer_copies"

    def __init__(self, *, rule_id: int, copies: int) -> None:
        """Name what it asks for."""
        super().__init__(rule_id=rule_id, copies=copies, field="copies")


class TooFewRses(Invalid):
    """The rule wants {copies} copies, but of the RSEs that match {rse_expression!r} only {found} can take them."""

    code = "too_few_rses"

    def __init__(self, *, copies: int, found: int, rse_expression: str) -> None:
        """Name both numbers."""
        super().__init__(
            copies=copies, found=found, rse_expression=rse_expression, field="copies",
            hint="Ask for fewer copies or widen rse_expression; an RSE must be granted to your VO and writable.",
        )  # fmt: skip


class QuotaExceeded(Conflict):
    """{owner} has {free} B left on {rse_expression} (quota {quota}), {needed} B are needed."""

    code = "quota_exceeded"

    def __init__(self, *, owner: str, quota: str, rse_expression: str, free: int, needed: int) -> None:
        """Name whose quota it is, what is left and what was asked for."""
        super().__init__(
            owner=owner, quota=quota, rse_expression=rse_expression, free=free, needed=needed,
            hint="Delete rules that are not needed any more, or ask an administrator of your VO for a larger quota.",
        )  # fmt: skip
