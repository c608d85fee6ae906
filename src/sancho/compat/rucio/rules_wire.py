"""Rucio's words for rules: what clients send. Where one value alone is allowed, we have nothing else to offer."""

from typing import Annotated, Literal

from pydantic import AliasChoices, BaseModel, Field

from sancho.compat.rucio.wire import LISTED_AT_ONCE, DidIn, Expression, Moment, Name
from sancho.kit.units import Duration

RULES_AT_ONCE = 100
"""DIDs that one call makes rules for."""
PRIORITY = 3
"""That of every rule."""
RuleId = Annotated[str, Field(max_length=100)]
Account = Annotated[str, Field(max_length=100)]
Printable = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]*$")]
Comment = Annotated[str | None, Field(max_length=1000)]
StateName = Literal["WAITING_APPROVAL", "INJECT", "REPLICATING", "OK", "STUCK", "W", "I", "R", "O", "S"]


class RuleIn(BaseModel, extra="forbid"):
    """What should exist where."""

    dids: Annotated[list[DidIn], Field(min_length=1, max_length=RULES_AT_ONCE)]
    copies: Annotated[int, Field(ge=1, le=100)]
    rse_expression: Annotated[Expression, Field(min_length=1)]
    lifetime: Duration | None = None
    activity: Printable | None = None
    comment: Comment = None
    account: Account | None = None
    grouping: Literal["ALL", "DATASET", "NONE"] | None = None
    """A rule of ours chooses its RSEs once, for all files: what is said of `DATASET` holds for each dataset too, and
    of `NONE` for a single file, or where there are no more RSEs than copies."""
    priority: Annotated[int, Field(ge=0, le=5)] | None = None
    purge_replicas: bool = False
    ignore_availability: bool = False
    asynchronous: bool = False
    """These four change nothing: see the notes in `endpoints.txt`."""
    weight: None = None
    source_replica_expression: None = None
    notify: Literal["N"] | None = None
    locked: Literal[False] = False
    ask_approval: bool = False
    split_container: Literal[False] = False
    delay_injection: None = None
    meta: None = None


class Override(BaseModel, extra="forbid"):
    """What the rule that takes another's place asks for instead."""

    activity: Printable = "default"
    copies: Annotated[int, Field(ge=1, le=100)] = 1
    lifetime: Duration | None = None
    comment: Annotated[Comment, Field(validation_alias=AliasChoices("comment", "comments"))] = None


class Options(BaseModel, extra="forbid"):
    """What to change of a rule."""

    lifetime: Duration | None = None
    comment: Comment = None
    account: Account | None = None
    activity: Printable | None = None
    locked: bool = False
    approve: bool | None = None
    """Decide about a rule that waits; nothing else is changed then, and a comment is the reason."""
    boost_rule: bool = False
    state: Literal["STUCK"] | None = None
    """These two mean that what is stuck is to be tried now."""
    priority: Annotated[int, Field(ge=0, le=5)] | None = None
    purge_replicas: bool = False
    """These two change nothing."""


class MoveIn(BaseModel, extra="forbid"):
    """Where the copies of a rule are to be instead."""

    rule_id: RuleId | None = None
    rse_expression: Annotated[Expression, Field(min_length=1)]
    override: Override | None = None


class ReduceIn(BaseModel, extra="forbid"):
    """How many copies of a rule are to stay, and where none."""

    copies: Annotated[int, Field(ge=1, le=100)]
    exclude_expression: Expression | None = None


class ChangeIn(BaseModel, extra="forbid"):
    """A change of a rule."""

    options: Options


class LeaveIn(BaseModel, extra="forbid"):
    """How a rule is to end: replicas that nothing else holds are deleted soon, whatever is said."""

    purge_replicas: bool | None = None


class RulesQuery(BaseModel, extra="forbid"):
    """Which rules to list."""

    scope: Name | None = None
    name: Name | None = None
    account: Account | None = None
    state: StateName | None = None
    rse_expression: Expression | None = None
    activity: Printable | None = None
    did_type: Literal["FILE", "DATASET", "CONTAINER", "F", "D", "C"] | None = None
    created_after: Moment | None = None
    created_before: Moment | None = None
    copies: Annotated[int, Field(ge=1, le=100)] | None = None
    locked: bool | None = None
    comments: Annotated[str | None, Field(max_length=1000, pattern=r"^[^\x00]*$")] = None
    grouping: Literal["ALL", "DATASET", "NONE", "A", "D", "N"] | None = None
    notification: Literal["YES", "NO", "CLOSE", "PROGRESS", "Y", "N", "C", "P"] | None = None
    priority: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    purge_replicas: bool | None = None
    ignore_availability: bool | None = None
    ignore_account_limit: bool | None = None
    split_container: bool | None = None
    subscription_id: RuleId | None = None

    @property
    def is_of_none(self) -> bool:
        """Whether it asks for what no rule of ours is; see `rules_translate.rule_of`, which says the same of all."""
        return (
            (self.grouping or "A")[0] != "A"
            or (self.notification or "N")[0] != "N"
            or self.priority not in (None, PRIORITY)
            or self.subscription_id is not None
            or any((self.purge_replicas, self.ignore_availability, self.ignore_account_limit, self.split_container))
        )


class Dids(BaseModel, extra="forbid"):
    """DIDs whose locks are asked for."""

    dids: Annotated[list[DidIn], Field(max_length=LISTED_AT_ONCE)]


class Datasets(BaseModel, extra="forbid"):
    """Says that locks of datasets are meant: of others there are none here."""

    did_type: Literal["dataset"]
