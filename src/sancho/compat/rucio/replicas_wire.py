"""Rucio's words for replicas: what clients send."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from sancho.compat.rucio.wire import LISTED_AT_ONCE, DidIn, Expression, Meta, Moment, Name
from sancho.kit.units import FileSize
from sancho.replicas.model import REGISTERED_AT_ONCE

RseName = Annotated[str, Field(max_length=128)]
Pfn = Annotated[str, Field(max_length=2000)]
Domain = Literal["wan", "lan", "all"]
REPLICAS_AT_ONCE = 10_000
"""DIDs whose replicas one call lists: ten times as many as with Rucio."""
Reason = Annotated[str | None, Field(max_length=1000, pattern=r"^[^\x00]*$")]
TroubleState = Literal["BAD", "DELETED", "LOST", "RECOVERED", "SUSPICIOUS", "TEMPORARY_UNAVAILABLE"]
UNKNOWN = "unknown"
"""Under which name URLs are told that are on no RSE."""
Count = Annotated[int, Field(ge=1, lt=2**31)]


class FileIn(DidIn):
    """A file that is on a storage."""

    bytes: FileSize
    adler32: Annotated[str | None, Field(max_length=40)] = None
    md5: Annotated[str | None, Field(max_length=64)] = None
    meta: Meta | None = None
    pfn: Pfn | None = None
    state: Literal["A", "AVAILABLE", "C", "COPYING"] = "A"


class ReplicasIn(BaseModel, extra="forbid"):
    """Files that are on an RSE already."""

    rse: RseName
    files: Annotated[list[FileIn], Field(max_length=REGISTERED_AT_ONCE)]
    ignore_availability: bool = True


class KeysIn(BaseModel, extra="forbid"):
    """Replicas on one RSE."""

    rse: RseName
    files: Annotated[list[DidIn], Field(max_length=REGISTERED_AT_ONCE)]
    ignore_availability: bool = True


class StateIn(DidIn, extra="ignore"):
    """What became of a file that a client puts on a storage by itself: there, or it will not come.

    Clients send with it all that they know of the file.
    """

    state: Literal["A", "AVAILABLE", "U", "UNAVAILABLE"]


class StatesIn(BaseModel, extra="forbid"):
    """What became of files on one RSE."""

    rse: RseName
    files: Annotated[list[StateIn], Field(max_length=REGISTERED_AT_ONCE)]


class Choice(BaseModel, extra="forbid"):
    """Which replicas to list, and in which order."""

    schemes: Annotated[list[Annotated[str, Field(max_length=20)]] | None, Field(max_length=50)] = None
    rse_expression: Expression | None = None
    domain: Domain | None = None
    sort: Literal["geoip", "closeness", "dynamic", "custom_table", "distance", "ranking", "random"] | None = None
    nrandom: Count | None = None
    limit: Count | None = None
    all_states: bool = False
    ignore_availability: bool = True
    resolve_parents: bool = False
    resolve_archives: bool = True
    signature_lifetime: Count | None = None
    client_location: dict[str, Any] | None = None
    updated_after: Annotated[str, Field(max_length=100)] | float | None = None
    """Refused: when a replica changed last is not kept."""


class ListIn(Choice):
    """Of which DIDs to list the replicas."""

    dids: Annotated[list[DidIn], Field(max_length=REPLICAS_AT_ONCE)]


class PfnsIn(BaseModel, extra="forbid"):
    """URLs whose files are asked for."""

    rse: RseName | None = None
    pfns: Annotated[list[Pfn], Field(max_length=LISTED_AT_ONCE)]


class DidsIn(BaseModel, extra="forbid"):
    """DIDs that something is asked about."""

    dids: Annotated[list[DidIn], Field(max_length=LISTED_AT_ONCE)]


class ReplicaIn(DidIn):
    """A replica by name."""

    rse: RseName


class TombstonesIn(BaseModel, extra="forbid"):
    """Replicas that are not needed any more."""

    replicas: Annotated[list[ReplicaIn], Field(max_length=REGISTERED_AT_ONCE)]


class BadIn(BaseModel, extra="forbid"):
    """Replicas that are lost or wrong, all by URL or all by name; those that are not available stay what they are."""

    replicas: Annotated[list[Pfn] | list[ReplicaIn], Field(max_length=REGISTERED_AT_ONCE)]
    reason: Reason = None
    force: bool = False


class BadDidsIn(BaseModel, extra="forbid"):
    """Files whose replicas on an RSE are lost or wrong."""

    rse: RseName
    dids: Annotated[list[DidIn], Field(max_length=REGISTERED_AT_ONCE)]
    reason: Reason = None


class BadPfnsIn(BaseModel, extra="forbid"):
    """URLs of replicas, and what is said of them."""

    pfns: Annotated[list[Pfn], Field(max_length=REGISTERED_AT_ONCE)]
    reason: Reason = None
    state: Literal["BAD", "SUSPICIOUS", "TEMPORARY_UNAVAILABLE", "AVAILABLE"]
    expires_at: Moment | None = None


class SuspiciousIn(BaseModel, extra="forbid"):
    """URLs of replicas that somebody could not use."""

    pfns: Annotated[list[Pfn], Field(max_length=REGISTERED_AT_ONCE)]
    reason: Reason = None


class SuspiciousQuery(BaseModel, extra="forbid"):
    """Which suspicious replicas to list."""

    rse_expression: Expression | None = None
    younger_than: Moment | None = None
    nattempts: Annotated[int, Field(ge=0, lt=2**31)] = 0


class StatesQuery(BaseModel, extra="forbid"):
    """Which declarations to list."""

    state: TroubleState | None = None
    rse: RseName | None = None
    younger_than: Moment | None = None
    older_than: Moment | None = None
    limit: Count | None = None
    list_pfns: bool = False


class SummaryQuery(BaseModel, extra="forbid"):
    """Which declarations to count."""

    rse_expression: Expression | None = None
    from_date: Moment | None = None
    to_date: Moment | None = None


class DarkReplica(BaseModel, extra="forbid"):
    """A file that nobody knows; of which DID it may be is not asked."""

    path: Pfn
    scope: Name | None = None
    name: Name | None = None


class DarkIn(BaseModel, extra="forbid"):
    """Files on an RSE that nobody knows; the RSE by name or by id."""

    rse: RseName | None = None
    rse_id: Annotated[str | None, Field(pattern=r"^[0-9a-f]{32}$")] = None
    replicas: Annotated[list[DarkReplica], Field(max_length=REGISTERED_AT_ONCE)]
