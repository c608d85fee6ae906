"""Rucio's words for DIDs."""

from typing import Annotated, Any, Literal, TypeAlias, cast

from fastapi import Path
from pydantic import BaseModel, Field, model_validator

from sancho.compat.rucio.wire import Meta
from sancho.kit.units import LONGEST

AT_ONCE = 1000
"""Items that one list of a request may have."""
ATTACHED_AT_ONCE = 10_000
"""DIDs that may be attached by one request, to however many collections."""

NEWEST = 1000
"""DIDs that a list of the newest has."""
Lifetime = Annotated[float, Field(ge=0, le=LONGEST.total_seconds(), allow_inf_nan=False)]
"""Seconds from now on."""
ScopeText = Annotated[str, Field(max_length=100, pattern=r"^[^:]+$")]
NameText = Annotated[str, Field(max_length=300)]
ScopePath = Annotated[str, Path(max_length=100, pattern=r"^[^:]+$")]
NamePath = Annotated[str, Path(max_length=300)]
Nothing: TypeAlias = Annotated[dict[str, Any] | list[Any] | None, Field(max_length=0)]


class DidIn(BaseModel, extra="forbid"):
    """A DID that a request names."""

    scope: ScopeText
    name: NameText

    @property
    def did(self) -> str:
        """The DID as text, `scope:name`."""
        return f"{self.scope}:{self.name}"


class ChildIn(DidIn):
    """A DID to attach; what lists say of one may stand here as well."""

    type: str | None = None
    bytes: Annotated[int, Field(ge=0)] | None = None
    adler32: str | None = None
    md5: Annotated[str | None, Field(max_length=64)] = None
    guid: Annotated[str | None, Field(max_length=100)] = None
    events: None = None
    lumiblocknr: None = None
    meta: Nothing = None

    @property
    def md5_said(self) -> str | None:
        """Its MD5 in small letters; an empty one is none."""
        return self.md5.lower() if self.md5 else None


class DidsIn(BaseModel, extra="forbid"):
    """DIDs that a request is about."""

    dids: Annotated[list[DidIn], Field(max_length=AT_ONCE)]


class ChildrenIn(BaseModel, extra="forbid"):
    """DIDs that go into a collection."""

    dids: Annotated[list[ChildIn], Field(max_length=AT_ONCE)]
    rse: str | None = None


class GoneIn(BaseModel, extra="forbid"):
    """DIDs that go out of a collection."""

    dids: Annotated[list[ChildIn], Field(max_length=AT_ONCE)]


class AttachmentIn(ChildrenIn, DidIn):
    """DIDs that go into this collection."""


class AttachmentsIn(BaseModel, extra="forbid"):
    """DIDs that go into several collections; a list alone means that none may be there already."""

    attachments: Annotated[list[AttachmentIn], Field(max_length=AT_ONCE)]
    ignore_duplicate: bool = False

    @model_validator(mode="before")
    @classmethod
    def _list_alone(cls, said: object) -> object:
        return {"attachments": cast(list[object], said)} if isinstance(said, list) else said

    @model_validator(mode="after")
    def _few_enough(self) -> "AttachmentsIn":
        if sum(len(one.dids) for one in self.attachments) > ATTACHED_AT_ONCE:
            raise ValueError(f"more than {ATTACHED_AT_ONCE} DIDs in all")
        return self


class Statuses(BaseModel, extra="forbid"):
    """How a collection is to be; every one begins open."""

    monotonic: bool = False
    open: Literal[True] = True


class StatusesIn(BaseModel, extra="forbid"):
    """What is to change of a DID's statuses."""

    open: Annotated[bool | None, Field(strict=True)] = None
    monotonic: Literal[True] | None = None
    lifetime: Lifetime | None = None


class CollectionIn(BaseModel, extra="forbid"):
    """A dataset or container to make, and what is to be in it at once."""

    type: Literal["DATASET", "CONTAINER", "dataset", "container", "D", "C"]
    statuses: Statuses | None = None
    meta: Meta | None = None
    rules: list[dict[str, Any]] | None = None
    lifetime: Lifetime | None = None
    dids: Annotated[list[ChildIn], Field(max_length=AT_ONCE)] | None = None
    rse: str | None = None
    account: str | None = None


class NewDidIn(CollectionIn, DidIn):
    """One of several collections to make."""


class MetaIn(DidsIn):
    """DIDs whose metadata is asked for."""

    inherit: bool = False
    plugin: str = "DID_COLUMN"


class NewQuery(BaseModel, extra="forbid"):
    """Of which kind DIDs are to be that were made last."""

    type: Literal["FILE", "DATASET", "CONTAINER", "file", "dataset", "container"] | None = None


class SearchQuery(BaseModel, extra="allow"):
    """What a search is told; without `filters`, everything that is not named here is one."""

    type: Literal["all", "collection", "dataset", "container", "file"] = "collection"
    filters: str | None = None
    long: bool = False
    recursive: bool = False
    limit: Annotated[int, Field(ge=1, lt=2**31)] | None = None


# ---- lives


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
    nbfiles: Annotated[int, Field(ge=1, le=ATTACHED_AT_ONCE)]

    @property
    def source(self) -> str:
        """The DID whose files are taken."""
        return f"{self.input_scope}:{self.input_name}"

    @property
    def sample(self) -> str:
        """The dataset to make."""
        return f"{self.output_scope}:{self.output_name}"


# ---- metadata


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
