"""The words of the namespace: kinds, DIDs, names that are allowed. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, TypeAlias
from uuid import UUID

from sancho.kit.errors import Invalid

NAME_BYTES = 250
"""Longest name of a DID, in bytes of UTF-8."""
SCOPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,29}")
"""What a scope looks like: 1 to 30 characters."""
ARCHIVE = re.compile(r".+\.(zip|zipx|tar|tar\.(gz|bz2|xz|zst|z)|tgz|tbz2?|txz)(\.\d+)?", re.IGNORECASE)
"""What a file is called that others lie in."""
GUID = re.compile(r"[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}", re.IGNORECASE)
"""What a GUID looks like, with its hyphens or without."""
GRACE = timedelta(days=14)
"""How long what is to be erased can be restored, unless something else is said."""
FileKey: TypeAlias = int
"""A file within its VO: its `did_id`."""


class DidKind(StrEnum):
    """What a DID names; the value is its letter in the database."""

    FILE = "F"
    DATASET = "D"
    CONTAINER = "C"

    @property
    def word(self) -> str:
        """The kind as people and the API say it."""
        return self.name.lower()

    @property
    def holds(self) -> "tuple[DidKind, ...]":
        """Kinds that may be attached to one of this kind."""
        return {
            DidKind.FILE: (),
            DidKind.DATASET: (DidKind.FILE,),
            DidKind.CONTAINER: (DidKind.DATASET, DidKind.CONTAINER),
        }[self]


class DidMalformed(Invalid):
    """{did!r} is not a DID: {reason}."""

    code = "did_malformed"

    def __init__(self, *, did: str, reason: str, field: str = "did") -> None:
        """Say what is wrong with the text."""
        super().__init__(
            did=did[:300], reason=reason, field=field, hint="A DID is SCOPE:NAME, for example mc:run1/a.root."
        )


class PathMalformed(Invalid):
    """{path!r} is not a path: {reason}."""

    code = "path_malformed"

    def __init__(self, *, path: str, reason: str, field: str = "path") -> None:
        """Say what is wrong with the text."""
        super().__init__(
            path=path[:300],
            reason=reason,
            field=field,
            hint="A path is /VO/SCOPE/NAME, for example /belle/mc/run1/a.root.",
        )


@dataclass(frozen=True, slots=True)
class Scope:
    """A part of the namespace and the account it belongs to; `shared`: every account of the VO may make DIDs in it."""

    scope_id: int
    vo: int
    name: str
    account_id: int
    account: str
    shared: bool


@dataclass(frozen=True, slots=True)
class Did:
    """A file, dataset or container. `size`, `adler32` and `md5` are those of a file; a file is never open."""

    did_id: int
    vo: int
    scope: str
    name: str
    kind: DidKind
    open: bool
    size: int | None
    adler32: str | None
    account_id: int
    created_at: datetime
    account: str
    """Name of its owner."""
    scope_account_id: int
    """The owner of its scope, who may change it as well."""
    monotonic: bool = False
    """A collection that only grows: nothing is ever taken out of it."""
    ends_at: datetime | None = None
    """When it is to be erased."""
    held: str | None = None
    """Why it is still there though its time has come."""
    guid: UUID | None = None
    """A name that a file has elsewhere as well."""
    md5: str | None = None

    @property
    def did(self) -> str:
        """The DID as text, `scope:name`."""
        return f"{self.scope}:{self.name}"


class FileText(NamedTuple):
    """A file as a request spells it."""

    did: str
    size: int
    adler32: str | None
    path: str | None = None
    """Where it lies on its RSE: a path or a URL; None when that follows from its id."""
    copying: bool = False
    """It is only about to be put there."""
    guid: str | None = None
    on_tape: tuple[str, int] | None = None
    """On which tape of its RSE it is, and where."""
    md5: str | None = None


class NewFile(NamedTuple):
    """A file to be registered; `did_id` when it was drawn beforehand, `adler32` as 8 hex digits, `md5` as 32."""

    did_id: int | None
    scope_id: int
    name: str
    size: int
    adler32: str | None
    guid: UUID | None = None
    md5: str | None = None


class File(NamedTuple):
    """A file below a collection."""

    did_id: int
    size: int


class NamedFile(NamedTuple):
    """A file below a collection, with its name and checksum, and with its GUID where that is asked for."""

    did_id: int
    scope: str
    name: str
    size: int
    adler32: str | None
    guid: UUID | None = None

    @property
    def did(self) -> str:
        """The DID as text, `scope:name`."""
        return f"{self.scope}:{self.name}"


class Listed(NamedTuple):
    """A DID in a list of many; `size`, `adler32` and `md5` are those of a file."""

    did_id: int
    scope: str
    name: str
    kind: DidKind
    open: bool
    size: int | None
    adler32: str | None
    md5: str | None


class Branch(NamedTuple):
    """A DID in the collection `parent`, `level` steps below where one looks; at level 0 there is no parent."""

    parent: tuple[str, str] | None
    level: int
    child: Listed


class Detached(NamedTuple):
    """A DID that was in a collection, and when; `attached_at` is None when it came there before that was noted."""

    scope: str
    name: str
    kind: DidKind
    size: int | None
    adler32: str | None
    attached_at: datetime | None
    detached_at: datetime
    md5: str | None

    @property
    def did(self) -> str:
        """The DID as text, `scope:name`."""
        return f"{self.scope}:{self.name}"


class Ended(NamedTuple):
    """A DID whose time has come, as it is under the lock of its row."""

    did_id: int
    kind: DidKind
    account_id: int
    follows: bool
    """It ends since the only dataset that it was in has."""


class NewCollection(NamedTuple):
    """A dataset or container to make; it may only grow, and be erased after a `lifetime`."""

    did: str
    kind: DidKind
    monotonic: bool = False
    lifetime: timedelta | None = None


class Child(NamedTuple):
    """A DID to attach, and what somebody believes to be its size and checksums, for a file; None if nothing."""

    did: str
    size: int | None = None
    adler32: str | None = None
    md5: str | None = None


class Attachment(NamedTuple):
    """DIDs to put into a collection."""

    parent: str
    children: Sequence[Child]


class Member(NamedTuple):
    """A file that lies inside an archive. One that is not registered yet needs a size."""

    did: str
    size: int | None = None
    adler32: str | None = None
    guid: str | None = None
    md5: str | None = None


class Packed(NamedTuple):
    """An archive, and what lies inside it."""

    archive: str
    members: Sequence[Member]


class Nameable(StrEnum):
    """What a VO may ask for names of a certain form; the value is its letter in the database."""

    SCOPE = "S"
    FILE = "F"
    DATASET = "D"
    CONTAINER = "C"


class NameSchema(NamedTuple):
    """What a VO asks of new names."""

    pattern: str
    """A regular expression for the whole of a name."""
    example: str


class KnownDid(NamedTuple):
    """A DID that exists, and no more of it than what it is."""

    did_id: int
    kind: DidKind


class Tally(NamedTuple):
    """Files and bytes below a collection; a file that lies in two of its datasets counts twice."""

    files: int
    size: int


@dataclass(frozen=True, slots=True)
class Path:
    """A path taken apart: `/`, `/VO`, `/VO/SCOPE` or `/VO/SCOPE/NAME`; what it does not go down to is empty."""

    vo: str
    scope: str
    name: str
    is_directory: bool
    """It ends with `/`: the directory is meant, and no DID."""

    @property
    def text(self) -> str:
        """The path as people write it; that of a directory ends with `/`."""
        parts = "/".join(part for part in (self.vo, self.scope, self.name) if part)
        return f"/{parts}/" if parts and (self.is_directory or not self.name) else f"/{parts}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What lies in a directory: a DID, or with no `kind` a directory, with the files and bytes below it.

    `name` is the whole name within the scope. `size` is that of a file; of a collection, and its `files`, when they
    were asked for.
    """

    scope: str
    name: str
    kind: DidKind | None
    files: int | None = None
    size: int | None = None
    did_id: int | None = None
    open: bool | None = None
    adler32: str | None = None
    account: str | None = None
    created_at: datetime | None = None


def fault_of_name(name: str) -> str | None:
    """Say why this cannot be the name of a DID; None when it can.

    A name is a relative path in plain spelling, so that it can be a path on any storage as it is.
    """
    parts = name.split("/")
    if not name:
        return "its name is empty"
    if not name.isprintable() or " " in name:
        return "its name holds white space or characters that cannot be printed"
    if len(name.encode()) > NAME_BYTES:
        return f"its name is longer than {NAME_BYTES} bytes"
    if "" in parts:
        return "its name begins or ends with '/', or has '//' in it"
    if "." in parts or ".." in parts:
        return "its name has a part that is '.' or '..'"
    return None


def is_archive(name: str) -> bool:
    """Say whether a file of this name can hold others."""
    return ARCHIVE.fullmatch(name) is not None


def read_guid(text: str) -> UUID | None:
    """A GUID, with its hyphens or without; None for what is none."""
    return UUID(text) if GUID.fullmatch(text) else None


def is_scope(name: str) -> bool:
    """Say whether this can be the name of a scope."""
    return SCOPE.fullmatch(name) is not None


def scope_of(account: str) -> str:
    """The scope that is made with an account, for what it makes for itself."""
    return f"user.{account}"


def parse_did(did: str, *, field: str = "did") -> tuple[str, str]:
    """Take `scope:name` apart; raises `DidMalformed` that blames `field`."""
    scope, colon, name = did.partition(":")
    if not colon:
        raise DidMalformed(did=did, reason="there is no ':' in it", field=field)
    if SCOPE.fullmatch(scope) is None:
        raise DidMalformed(did=did, reason="its scope is not 1 to 30 of A-Z, a-z, 0-9, '.', '_' and '-'", field=field)
    if (reason := fault_of_name(name)) is not None:
        raise DidMalformed(did=did, reason=reason, field=field)
    return scope, name


def parse_path(path: str) -> Path:
    """Take a path apart; raises `PathMalformed`. Whether there is such a VO, scope or name does not matter."""
    if "//" in path:
        raise PathMalformed(path=path, reason="it has '//' in it")
    vo, _, rest = path.removeprefix("/").partition("/")
    scope, _, name = rest.partition("/")
    is_directory = path.endswith("/")
    if scope and SCOPE.fullmatch(scope) is None:
        raise PathMalformed(path=path, reason="its second part cannot be the name of a scope")
    name = name.removesuffix("/")
    if name and (reason := fault_of_name(name)) is not None:
        raise PathMalformed(path=path, reason=reason)
    return Path(vo, scope, name, is_directory)


def batches(ids: list[int], size: int) -> Iterator[list[int]]:
    """Cut a list into parts of at most `size`."""
    return (ids[at : at + size] for at in range(0, len(ids), size))
