"""The words of who follows DIDs. Pure."""

from dataclasses import dataclass
from datetime import datetime

from sancho.dids.model.catalogue import DidKind


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedDid:
    """A DID that somebody follows, as it is now."""

    did_id: int
    did: str
    kind: DidKind
    open: bool
    followed_at: datetime
    changed_at: datetime
    """When it was made, or something went into it or out of it, or it was closed: the last of these."""
    ends_at: datetime | None
    """When it is to be erased."""
    erased: bool
