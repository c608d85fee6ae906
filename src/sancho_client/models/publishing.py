"""Publications: DIDs of which everybody may read what they say."""

from datetime import datetime
from typing import Any

from sancho_client.models.base import Answer


class Publication(Answer):
    """A DID that is published, or is to be; `size` and `adler32` are those of a file."""

    did: str
    kind: str
    size: int | None = None
    adler32: str | None = None
    state: str
    doi: str | None = None
    record_id: int | None = None
    about: dict[str, Any]
    created_at: datetime
    changed_at: datetime


class Published(Publication):
    """What everybody may read of a DID; `files` and `total_size` are what is below it."""

    metadata: dict[str, Any]
    files: int
    total_size: int


class PublishedFile(Answer):
    """A file below a DID that everybody may read."""

    did: str
    size: int
    adler32: str | None = None
