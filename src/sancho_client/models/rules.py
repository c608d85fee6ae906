"""Rules, their locks, quotas and usage, transfers."""

from datetime import date, datetime

from sancho_client.models.base import Answer, Strings


class Rule(Answer):
    """A standing request for copies, and how far it is carried out: how many locks are ok, replicating and stuck."""

    rule_id: int
    did: str
    account: str
    state: str
    copies: int
    rse_expression: str
    rses: Strings = ()
    ok: int
    replicating: int
    stuck: int
    created_at: datetime
    expires_at: datetime | None = None
    activity: str = "default"
    comment: str | None = None
    error: str | None = None
    locked: bool = False
    replaces: int | None = None
    replaced_by: int | None = None


class PreviewPlace(Answer):
    """What a rule would do on an RSE: what is there or on its way, and what is to be copied; `seconds` if known."""

    rse: str
    files: int
    size: int
    to_copy: int
    seconds: float | None = None


class PreviewQuota(Answer):
    """A quota that would be charged `needed` bytes, has `room` and `lacks` so many."""

    name: str
    account: str | None = None
    rse_expression: str
    room: int
    needed: int
    lacks: int


class Preview(Answer):
    """What would come of a rule now; `reason` says why it would be refused, if it would."""

    verdict: str
    files: int
    size: int
    charged: int
    to_copy: int
    seconds: float | None = None
    places: tuple[PreviewPlace, ...] = ()
    quotas: tuple[PreviewQuota, ...] = ()
    reason: str | None = None
    fewer_copies: int | None = None
    unwritable: Strings = ()
    looked_at: int | None = None


class Held(Answer):
    """What a rule holds of a dataset on an RSE: how many files, their bytes, and how they are."""

    dataset: str
    rule_id: int
    account: str
    files: int
    size: int
    state: str


class RuleEvent(Answer):
    """What was done to a rule, by whom (None: it happened by itself), and what the rule was then."""

    event_id: int
    kind: str
    at: datetime
    by: str | None = None
    rule_id: int
    did: str
    account: str
    state: str
    copies: int
    rse_expression: str
    detail: str | None = None


class Holder(Answer):
    """A rule that holds something, whose it is, and the DID it is on."""

    rule_id: int
    account: str
    did: str


class Withdrawn(Answer):
    """Rules that are gone, and the first that still hold the DID or files in it.

    `looked_at`: so many files of each dataset were looked at for these, and one has more; None: all were.
    """

    withdrawn: list[int]
    held_by: list[Holder]
    looked_at: int | None = None


class Lock(Answer):
    """One rule's hold on one replica."""

    did: str
    rse: str
    state: str
    size: int
    error: str | None = None


class Usage(Answer):
    """What an account locks on an RSE, and what is held for its uploads under way."""

    account: str
    rse: str
    files: int
    size: int
    held: int


class UsageOn(Answer):
    """What an account locked on an RSE at the end of a day on which that changed."""

    day: date
    files: int
    size: int


class TransferRequest(Answer):
    """One wish to bring a file to an RSE. `not_before`: when it is tried next; `source`: of the newest attempt."""

    request_id: int
    did: str
    size: int
    rse: str
    source: str | None = None
    state: str
    tries: int
    activity: str
    created_at: datetime
    not_before: datetime | None = None
    error: str | None = None
