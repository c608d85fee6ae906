"""Collections and the lives of DIDs: what is made at once, what held what, and when."""

from datetime import datetime

from pydantic import Field

from sancho_client.models.base import Answer, Duration, Request
from sancho_client.models.data import Content


class NewCollection(Request):
    """A dataset or container to make, and what is to be in it at once."""

    did: str
    kind: str
    monotonic: bool = False
    lifetime: Duration | None = None
    children: list[str] = Field(default_factory=list[str])


class NewAttachment(Request):
    """DIDs to put into a dataset or container."""

    parent: str
    children: list[str]


class Attached(Answer):
    """How many DIDs were put into something that they were not in."""

    attached: int


class Tally(Answer):
    """Files and bytes below a DID."""

    did: str
    files: int
    total_size: int


class File(Answer):
    """A file below a DID."""

    did: str
    size: int
    adler32: str | None = None
    md5: str | None = None


class Below(Content):
    """A DID below a collection: `level` steps down, in `parent`."""

    parent: str
    level: int


class Detached(Answer):
    """A DID that was in a collection, and when; `attached_at` None: nobody knows."""

    did: str
    kind: str
    size: int | None = None
    adler32: str | None = None
    attached_at: datetime | None = None
    detached_at: datetime


class Followed(Answer):
    """A DID that one follows; `changed_at` is when it was made, filled, emptied or closed, whichever was last."""

    did: str
    kind: str
    open: bool
    followed_at: datetime
    changed_at: datetime
    ends_at: datetime | None = None
    """When it is to be erased."""
    erased: bool
