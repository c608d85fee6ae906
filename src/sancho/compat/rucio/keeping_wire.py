"""Rucio's words for lifetime exceptions: what clients send."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from sancho.compat.rucio.wire import LISTED_AT_ONCE, DidIn, Moment


class LifetimeExceptionIn(BaseModel, extra="forbid"):
    """What is to be kept, until when, and why."""

    dids: Annotated[list[DidIn], Field(min_length=1, max_length=LISTED_AT_ONCE)]
    account: Annotated[str | None, Field(max_length=100)] = None
    pattern: Annotated[str | None, Field(max_length=1000)] = None
    """The command sends an empty one; another is refused."""
    comments: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00]*$")]
    expires_at: Moment


class LifetimeExceptionsQuery(BaseModel, extra="forbid"):
    """Which exceptions to list."""

    exception_id: Annotated[str | None, Field(max_length=100)] = None
    states: Annotated[str | None, Field(max_length=100)] = None
    """Names or letters with commas; the client says the exception's id here, or None, which means nothing."""


class DecisionIn(BaseModel, extra="forbid"):
    """What becomes of an exception."""

    state: Literal["APPROVED", "REJECTED", "A", "R"]

    @property
    def approves(self) -> bool:
        """Whether it is approved."""
        return self.state.startswith("A")
