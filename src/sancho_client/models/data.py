"""Data: DIDs, replicas, uploads."""

from datetime import datetime
from uuid import UUID

from sancho_client.models.base import Answer, Duration, Request


class Content(Answer):
    """A DID as it lies in a collection; `size` and `adler32` of files."""

    did: str
    kind: str
    open: bool
    size: int | None = None
    adler32: str | None = None


class Did(Content):
    """A file, dataset or container."""

    account: str
    created_at: datetime
    monotonic: bool = False
    ends_at: datetime | None = None
    """When it is to be erased."""
    held: str | None = None
    """Why it is still there though its time has come."""
    guid: UUID | None = None
    """A file's name elsewhere."""
    md5: str | None = None


class DidInfo(Did):
    """A DID with the files and bytes below it; a file that lies in two datasets of a container counts twice."""

    files: int
    total_size: int


class Entry(Answer):
    """What lies in a directory: a DID, or another directory, whose path ends with `/`.

    `files` and `size` are what is below a directory, at any depth; `size` is that of a file as well.
    """

    path: str
    kind: str
    did: str | None = None
    open: bool | None = None
    files: int | None = None
    size: int | None = None
    adler32: str | None = None
    account: str | None = None
    created_at: datetime | None = None


class Below(Answer):
    """Files and bytes below a directory, at any depth."""

    files: int
    size: int


class AtPath(Answer):
    """What is at a path: a DID, a directory, or both."""

    path: str
    did: DidInfo | None = None
    directory: Below | None = None


class Scope(Answer):
    """A namespace of DIDs; in a shared one, every account of the VO may make them."""

    name: str
    account: str
    shared: bool


class Replica(Answer):
    """One file on one RSE."""

    rse: str
    state: str
    path: str | None = None


class ArchiveReplicas(Answer):
    """An archive that a file lies in, and where it is."""

    did: str
    path: str
    replicas: tuple[Replica, ...] = ()


class FileReplicas(Answer):
    """A file and where it is; a replica's URL is its RSE's prefix and `path`, its own or else the file's."""

    did: str
    size: int
    adler32: str | None = None
    md5: str | None = None
    path: str
    replicas: tuple[Replica, ...] = ()
    archives: tuple[ArchiveReplicas, ...] = ()


class Source(Answer):
    """A place to read a file from, with a token for it."""

    rse: str
    site: str | None = None
    url: str
    token: str


class ArchiveAccess(Answer):
    """An archive that a file lies in, called there by its name, and the places to read the archive from."""

    did: str
    size: int
    sources: tuple[Source, ...] = ()


class SharedAccess(Answer):
    """A file, and the places to read it from, best first."""

    did: str
    name: str
    size: int
    adler32: str | None = None
    sources: tuple[Source, ...] = ()


class Access(SharedAccess):
    """A file of one's own VO, which may be taken out of archives too."""

    archives: tuple[ArchiveAccess, ...] = ()


class Shared(Answer):
    """A dataset that another VO lets one's own read."""

    vo: str
    did: str


class Registered(Answer):
    """How many files were entered, and their bytes."""

    files: int
    size: int


class PlacedFile(Request):
    """A file that is on a storage already; `path`, or a URL, where it lies, when that does not follow from its id."""

    did: str
    size: int
    adler32: str | None = None
    path: str | None = None
    guid: str | None = None
    tape: str | None = None
    """On which tape it is, and where: jobs that want many files have them recalled in that order."""
    position: int = 0
    md5: str | None = None
    """Kept, and compared where it is said again; what is read is verified by `adler32`."""


class NewFile(Request):
    """A file that is about to be uploaded."""

    did: str
    size: int
    adler32: str
    dataset: str | None = None
    rse: str | None = None


class UploadRule(Request):
    """The rule that is to hold what is uploaded."""

    copies: int = 1
    rse_expression: str
    lifetime: Duration | None = None


class Upload(Answer):
    """An intent: where to PUT one file, with a token for exactly that path."""

    intent_id: int
    did: str
    rse: str
    url: str
    token: str


class Uploads(Answer):
    """The intents of one call, in the order of the files."""

    uploads: tuple[Upload, ...]


class Committed(Answer):
    """A file that is in the catalogue now."""

    intent_id: int
    did: str
    size: int


class Commit(Answer):
    """The files of one commit."""

    files: tuple[Committed, ...]


class LeftReplica(Answer):
    """A replica of which nothing was noted, because it is in this state."""

    replica: str
    state: str


class Signed(Answer):
    """URLs that need no token, in the order that was asked, until then."""

    urls: tuple[str, ...]
    expires_at: datetime


class Said(Answer):
    """Of how many replicas something was noted, and of which not."""

    noted: int
    left: tuple[LeftReplica, ...] = ()


class Declaration(Answer):
    """What was said of a replica, by whom (None: by a transfer), and what came of it."""

    declaration_id: int
    kind: str
    state: str
    did: str
    rse: str
    account: str | None = None
    reason: str | None = None
    declared_at: datetime
    until: datetime | None = None
    ended_at: datetime | None = None


class Quarantined(Answer):
    """How many files were noted that had not been before."""

    noted: int
