"""The words of replicas: keys, states, usage. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum, StrEnum
from typing import NamedTuple

REGISTERED_AT_ONCE = 1000
"""Files that one call may register."""
LISTED_AT_ONCE = 10_000
"""DIDs whose replicas one call lists."""
ACCESSED_AT_ONCE = 200
"""Files on one page of sources."""
SIGNED_AT_ONCE = 100
"""URLs that one call signs."""
COPYING_GRACE = timedelta(minutes=10)
"""How much longer than others a copying replica is kept once nothing holds it: the copy may be under way."""
PUT_TIME = timedelta(days=1)
"""How long a file may take that a client puts on a storage by itself, when nothing holds its replica."""
LEASE = timedelta(minutes=10)
"""How long a claimed deletion belongs to one worker."""
DELETION_TIME = timedelta(minutes=5)
"""How long after its claim a worker may still delete: well below the lease, after which the path may be in use anew."""


class ReplicaKey(NamedTuple):
    """A file on an RSE; the order of keys is the order in which replicas are locked."""

    did_id: int
    rse_id: int


class ReplicaState(StrEnum):
    """Where a replica is in its life; the value is its letter in the database."""

    COPYING = "C"
    AVAILABLE = "A"
    UNAVAILABLE = "T"
    """For a time: it is kept, and not read from."""
    BAD = "B"
    DELETING = "D"

    @property
    def word(self) -> str:
        """The state as people and the API say it."""
        return self.name.lower()


TRANSITIONS: Mapping[ReplicaState, frozenset[ReplicaState]] = {
    ReplicaState.COPYING: frozenset({ReplicaState.AVAILABLE, ReplicaState.DELETING}),
    ReplicaState.AVAILABLE: frozenset({ReplicaState.UNAVAILABLE, ReplicaState.BAD, ReplicaState.DELETING}),
    ReplicaState.UNAVAILABLE: frozenset({ReplicaState.AVAILABLE, ReplicaState.BAD, ReplicaState.DELETING}),
    ReplicaState.BAD: frozenset({ReplicaState.AVAILABLE, ReplicaState.COPYING, ReplicaState.DELETING}),
    ReplicaState.DELETING: frozenset(),
}
"""Which state may follow which; a copying replica that is given up and a deleted one are removed."""


class DeclarationKind(Enum):
    """What is said of a replica; the value is its letter in the database."""

    BAD = "B"
    """Lost or wrong: it is brought anew, or deleted when nothing holds it."""
    SUSPICIOUS = "S"
    """It was in the way of somebody: this is counted, and nothing changes."""
    UNAVAILABLE = "T"
    """It is not read from until a time, or until somebody says that it is available."""

    @property
    def word(self) -> str:
        """The kind as people and the API say it."""
        return self.name.lower()


class DeclarationState(Enum):
    """What came of what was said of a replica; the value is its letter in the database."""

    STANDING = "S"
    RECOVERED = "R"
    LOST = "L"
    DELETED = "D"
    AVAILABLE = "A"
    REPLACED = "P"

    @property
    def word(self) -> str:
        """The state as people and the API say it."""
        return self.name.lower()


DECLARATION_TRANSITIONS: Mapping[DeclarationState, frozenset[DeclarationState]] = {
    DeclarationState.STANDING: frozenset(DeclarationState) - {DeclarationState.STANDING},
    DeclarationState.LOST: frozenset({DeclarationState.RECOVERED, DeclarationState.DELETED}),
    DeclarationState.RECOVERED: frozenset(),
    DeclarationState.DELETED: frozenset(),
    DeclarationState.AVAILABLE: frozenset(),
    DeclarationState.REPLACED: frozenset(),
}
"""Which state may follow which. It ends as recovered when the replica has been brought anew, as deleted or lost when
it is gone and others are left or none, as available when its time has passed, as replaced by a graver declaration. A
file that is lost may come back."""


class Saying(NamedTuple):
    """What is said of replicas, why, and until when; kind None: that they are available again."""

    kind: DeclarationKind | None
    reason: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Declaration:
    """What was said of a replica, by whom (None: by a transfer that found it so), and what came of it."""

    declaration_id: int
    kind: DeclarationKind
    state: DeclarationState
    did_id: int
    scope: str
    name: str
    rse_id: int
    rse: str
    account: str | None
    reason: str | None
    declared_at: datetime
    until: datetime | None
    ended_at: datetime | None
    path: str | None
    """Where the replica lies, when that does not follow from the file's id."""

    @property
    def did(self) -> str:
        """The file as text, `scope:name`."""
        return f"{self.scope}:{self.name}"


class Troubles(NamedTuple):
    """Which declarations to list; None: whatever."""

    kinds: Sequence[DeclarationKind] = tuple(DeclarationKind)
    states: Sequence[DeclarationState] = tuple(DeclarationState)
    rse_ids: Sequence[int] | None = None
    did_id: int | None = None
    since: datetime | None = None
    before: datetime | None = None


class Suspicion(NamedTuple):
    """A replica, and how often, and first when, it was called suspicious or bad in the time that is asked about."""

    scope: str
    name: str
    rse_id: int
    rse: str
    times: int
    first_at: datetime


class TroubleSum(NamedTuple):
    """Declarations that were made at once, for one reason, on an RSE: how many of each kind are in which state now."""

    rse_id: int
    rse: str
    declared_at: datetime
    reason: str | None
    counts: tuple[tuple[DeclarationKind, DeclarationState, int], ...]


@dataclass(frozen=True, slots=True)
class Replica:
    """One file on one RSE. `lock_count` holds keep it; it may be deleted after `tombstone_at`."""

    did_id: int
    vo: int
    rse_id: int
    state: ReplicaState
    size: int
    lock_count: int
    accessed_on: date | None
    tombstone_at: datetime | None
    path: str | None = None
    """Where it lies, when that does not follow from the file's id."""

    @property
    def key(self) -> ReplicaKey:
        """The file and the RSE."""
        return ReplicaKey(self.did_id, self.rse_id)


class Usage(NamedTuple):
    """Replicas and their bytes of one VO on one RSE, those that are still being copied included."""

    rse_id: int
    files: int
    size: int


class Source(NamedTuple):
    """A place to read a file from, and the token for it."""

    rse: str
    site: str
    url: str
    token: str


class Readable(NamedTuple):
    """A file and where it can be read."""

    did_id: int
    did: str
    size: int
    adler32: str | None
    sources: tuple[Source, ...]


class Located(NamedTuple):
    """What lies, or would lie, at a URL: the file, as `scope` and `name`, and the RSE."""

    url: str
    key: ReplicaKey
    rse: str
    scope: str
    name: str

    @property
    def did(self) -> str:
        """The file as text, `scope:name`."""
        return f"{self.scope}:{self.name}"


class FileCopies(NamedTuple):
    """A file and those of its replicas that were asked for: RSE, state, and path where it does not follow from the id.

    `parents` as `scope:name`, when asked for.
    """

    did_id: int
    scope: str
    name: str
    size: int
    adler32: str | None
    copies: tuple[tuple[int, ReplicaState, str | None], ...]
    parents: tuple[str, ...]
    archives: "tuple[ArchiveCopies, ...]" = ()
    """The archives that it lies in, when asked for."""
    md5: str | None = None


class ArchiveCopies(NamedTuple):
    """An archive, and those of its replicas that were asked for, as with `FileCopies`."""

    did_id: int
    scope: str
    name: str
    copies: tuple[tuple[int, ReplicaState, str | None], ...]


class Wanted(NamedTuple):
    """Which replicas to list: on these RSEs, in these states."""

    rse_ids: Sequence[int]
    states: Sequence[ReplicaState] = (ReplicaState.AVAILABLE,)
    bare: bool = True
    """Files without any of them too."""
    parents: bool = False
    """With what each file is directly in."""
    archives: bool = False
    """With the archives that each file lies in, and their replicas."""


class DatasetCopy(NamedTuple):
    """What an RSE has of a dataset: `files` and `size` of it are available there, of `total_files` and `total_size`."""

    did_id: int
    scope: str
    name: str
    rse_id: int
    files: int
    size: int
    total_files: int
    total_size: int


class DarkFinding(NamedTuple):
    """Who has found files that nobody knows, why they are to go, and how long they are left alone before."""

    account_id: int
    reason: str | None
    grace: timedelta


class DarkFile(NamedTuple):
    """A file on an RSE that nobody knows, and how often its deletion has been tried."""

    dark_file_id: int
    rse_id: int
    path: str
    tries: int


class Doomed(NamedTuple):
    """A replica that a worker has claimed for deletion, with what its path is made of."""

    vo: int
    rse_id: int
    did_id: int
    vo_name: str
    scope: str
    name: str
    path: str | None = None


class Fate(NamedTuple):
    """How the deletion of a file on its storage went: `failure` says why it is still there."""

    doomed: Doomed
    failure: str | None
