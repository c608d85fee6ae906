"""What one may do and why, and the audit log."""

from datetime import datetime

from sancho_client.models.base import Answer, Strings


class Explanation(Answer):
    """A decision that was asked about."""

    account: str
    permission: str
    on: str | None = None
    allowed: bool
    because: Strings = ()
    needed: Strings = ()
    """What would have to change; empty when it is allowed."""


class Decision(Answer):
    """A decision, as the audit log has it; `on` is the first of `items` things."""

    audit_id: int
    at: datetime
    account: str
    pilot_id: int | None = None
    permission: str
    on: str | None = None
    items: int = 1
    allowed: bool
    why: str
    route: str | None = None
    trace_id: str | None = None
    client: str | None = None


class Verdict(Answer):
    """What came of checking the audit log."""

    intact: bool
    batches: int
    rows: int
    dropped: int = 0
    """How many batches there were before, which were dropped."""
    head: str | None = None
    """The last batch that is right: keep it elsewhere, and check against it later."""
    broken: int | None = None
    why: str | None = None
