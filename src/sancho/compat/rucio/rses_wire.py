"""Rucio's words for RSEs: what clients send to make or change one."""

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field

from sancho.compat.rucio.wire import Bytes

LOCATED_AT_ONCE = 1000
Word = Annotated[str, Field(max_length=1000)]
Rank = Annotated[int | None, Field(ge=0, lt=2**15)]
PLACES = ("city", "region_code", "country_name", "continent", "time_zone", "ISP", "latitude", "longitude", "ASN")
"""What Rucio says of where an RSE is: attributes of ours, of the same names."""


def _upper(said: object) -> object:
    return said.upper() if isinstance(said, str) else said


Size = Annotated[int, Field(ge=0, lt=2**62)]


class AttributeIn(BaseModel, extra="forbid"):
    """What an attribute shall be."""

    value: bool | int | float | Word


class RseChange(BaseModel, extra="forbid"):
    """What is to change about an RSE, or what it is to be: what is not said stays, or is as it is with any RSE."""

    availability_read: bool | None = None
    availability_write: bool | None = None
    availability_delete: bool | None = None
    deterministic: Literal[True] | None = None
    volatile: Literal[False] | None = None
    staging_area: Literal[False] | None = None
    rse_type: Annotated[Literal["DISK", "TAPE"], BeforeValidator(_upper)] | None = None
    qos_class: Word | None = None
    city: Word | None = None
    region_code: Word | None = None
    country_name: Word | None = None
    continent: Word | None = None
    time_zone: Word | None = None
    ISP: Word | None = None
    latitude: float | None = None
    longitude: float | None = None
    ASN: Word | None = None

    @property
    def switches(self) -> dict[str, bool]:
        """What may be done there, in our words, as far as it is said."""
        said = {
            "readable": self.availability_read, "writable": self.availability_write,
            "deletable": self.availability_delete,
        }  # fmt: skip
        return {word: value for word, value in said.items() if value is not None}

    @property
    def attributes(self) -> dict[str, Any]:
        """What expressions may ask of it, as far as it is said."""
        said = {name: getattr(self, name) for name in PLACES} | {"qos": self.qos_class}
        if self.rse_type is not None:
            said["istape"] = self.rse_type == "TAPE"
        return {name: value for name, value in said.items() if value is not None}


class RseIn(RseChange):
    """An RSE to be: at a site, or else at one of its own name."""

    site: Word | None = None


class LanIn(BaseModel, extra="forbid"):
    """How good a protocol is for each operation: 1 before 2, 0 or nothing at all for not."""

    read: Rank = None
    write: Rank = None
    delete: Rank = None


class WanIn(LanIn):
    """The same from elsewhere, and for transfers between RSEs."""

    third_party_copy_read: Rank = None
    third_party_copy_write: Rank = None


class DomainsIn(BaseModel, extra="forbid"):
    """What a protocol is for."""

    lan: LanIn = LanIn()
    wan: WanIn = WanIn()

    @property
    def ranks(self) -> dict[str, dict[str, int]]:
        """The same as a document says it."""
        return {name: each.model_dump(exclude_none=True) for name, each in (("lan", self.lan), ("wan", self.wan))}

    @property
    def said(self) -> dict[str, dict[str, int | None]]:
        """What was said of it, and no more."""
        return self.model_dump(exclude_unset=True)


class ProtocolSaid(BaseModel, extra="forbid"):
    """What is said of a protocol; which module of a client speaks it, its scheme says."""

    hostname: Annotated[str, Field(max_length=255, pattern=r"^[^\s/?#@:]*$")] | None = None
    port: Annotated[int, Field(ge=0, lt=65536)] | None = None
    prefix: Annotated[str, Field(max_length=700, pattern=r"^[^\s?#]*$")] | None = None
    impl: Word | None = None
    domains: DomainsIn | None = None
    extended_attributes: Annotated[dict[str, Any], Field(max_length=0)] | Literal["None", ""] | None = None


class ProtocolChange(ProtocolSaid):
    """What is to change about a protocol."""

    scheme: Annotated[str, Field(max_length=20)] | None = None


class DistanceIn(BaseModel, extra="forbid"):
    """What transfers between two RSEs shall cost; `ranking` is an old word for the same."""

    distance: Annotated[int, Field(ge=0, lt=2**15)]
    ranking: None = None
    bidirectional: bool = False


class UsageIn(BaseModel, extra="forbid"):
    """What a source says is on a storage."""

    source: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
    used: Size
    free: Size | None = None
    files: Size | None = None


class LfnsAsked(BaseModel, extra="forbid"):
    """Which files to say the places of, and for whom."""

    lfn: Annotated[list[Annotated[str, Field(max_length=700)]], Field(max_length=LOCATED_AT_ONCE)]
    scheme: Word | None = None
    domain: Literal["lan", "wan"] = "wan"
    operation: Literal["read", "write", "delete"] = "write"


class RseLimitNamed(BaseModel, extra="forbid"):
    """Which limit of an RSE; of Rucio's, one is here."""

    name: Literal["MaxSpaceAvailable"]


class RseLimitIn(RseLimitNamed):
    """How many bytes the VO may have there."""

    value: Bytes

    @property
    def size(self) -> int | None:
        """The bytes; None: as many as there are."""
        return None if self.value in (-1, math.inf) else int(self.value)
