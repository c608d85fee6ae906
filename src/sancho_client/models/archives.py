"""Files that lie inside archives."""

from pydantic import Field

from sancho_client.models.base import Answer, Request


class Member(Request):
    """A file that lies in an archive, called there by its name; one that is not known yet needs a size."""

    did: str
    size: int | None = None
    adler32: str | None = None
    guid: str | None = None
    md5: str | None = None


class Archive(Request):
    """An archive, and files that lie in it."""

    archive: str
    files: list[Member] = Field(default_factory=list[Member])


class Packings(Answer):
    """Of how many files it was noted that they lie in an archive, or no more."""

    files: int
