"""Rucio's words for metadata and its conventions."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from sancho.compat.rucio.dids_wire import AT_ONCE, DidIn

Meta = Annotated[dict[str, Any], Field(max_length=100)]


class ValueIn(BaseModel, extra="forbid"):
    """What a DID is to say by one key."""

    value: Any
    recursive: bool = False


class MetaOfOneIn(BaseModel, extra="forbid"):
    """What a DID is to say."""

    meta: Meta
    recursive: bool = False


class DidMetaIn(DidIn):
    """A DID, and what it is to say."""

    meta: Meta


class MetaOfManyIn(BaseModel, extra="forbid"):
    """What many DIDs are to say."""

    dids: Annotated[list[DidMetaIn], Field(max_length=AT_ONCE)]
    recursive: bool = False


class ConventionIn(BaseModel, extra="forbid"):
    """A key to be made; or, with `value`, a value that a key may say from now on."""

    key_type: Annotated[str, Field(max_length=100)] | None = None
    value_type: Annotated[str, Field(max_length=100)] | None = None
    value_regexp: Annotated[str, Field(max_length=500)] | None = None
    value: Annotated[str, Field(max_length=1000)] | None = None
