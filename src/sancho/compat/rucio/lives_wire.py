"""Rucio's words for the lives of DIDs."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from sancho.compat.rucio.dids_wire import ATTACHED_AT_ONCE, Lifetime, NameText, ScopeText

MOST_SAMPLED = ATTACHED_AT_ONCE
Count = Annotated[int, Field(ge=1, le=MOST_SAMPLED)]


class LifetimeIn(BaseModel, extra="forbid"):
    """How long a DID lives from now on; None: for ever."""

    value: Lifetime | None
    recursive: Literal[False] = False


class SampleIn(BaseModel, extra="forbid"):
    """A dataset to make of some of the files below a DID; the number comes as a text."""

    input_scope: ScopeText
    input_name: NameText
    output_scope: ScopeText
    output_name: NameText
    nbfiles: Count

    @property
    def source(self) -> str:
        """The DID whose files are taken."""
        return f"{self.input_scope}:{self.input_name}"

    @property
    def sample(self) -> str:
        """The dataset to make."""
        return f"{self.output_scope}:{self.output_name}"
