"""The words of accounting: entries of the ledger and sums over them. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class EntryKind(StrEnum):
    """What used something; the value is its letter in the database."""

    ATTEMPT = "J"
    UPLOAD = "U"
    TRANSFER = "T"

    @property
    def word(self) -> str:
        """The kind as people and the API say it."""
        return self.name.lower()


class By(StrEnum):
    """What a summary can be split by."""

    VO = "vo"
    """All VOs, for whoever administers the installation; of others their own."""
    GROUP = "group"
    """The group in whose name the account acts unless it says another, as it is now."""
    ACCOUNT = "account"
    SITE = "site"
    RSE = "rse"
    KIND = "kind"
    DAY = "day"
    SOURCE = "source"
    """The RSE that a transferred file came from."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """What one attempt, upload or transfer used: files and bytes moved, wall and CPU time spent."""

    vo: int
    kind: EntryKind
    account_id: int
    site_id: int | None = None
    rse_id: int | None = None
    source_rse_id: int | None = None
    """Of a transfer: where the file came from."""
    job_id: int | None = None
    files: int = 0
    size: int = 0
    wall: timedelta | None = None
    cpu: timedelta | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Sum:
    """What was used by all entries that have the named things in common; what was not asked for is None."""

    vo: str | None
    group: str | None
    account: str | None
    site: str | None
    rse: str | None
    kind: EntryKind | None
    day: datetime | None
    source: str | None
    entries: int
    files: int
    size: int
    wall: timedelta
    cpu: timedelta
