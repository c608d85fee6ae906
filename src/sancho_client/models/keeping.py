"""Lifetime exceptions: DIDs that are to be kept longer than they would be."""

from datetime import datetime

from sancho_client.models.base import Answer


class LifetimeException(Answer):
    """A wish that DIDs, `number` of them, be kept until a time, and what was decided about it."""

    exception_id: int
    account: str
    state: str
    until: datetime
    reason: str | None = None
    created_at: datetime
    decided_at: datetime | None = None
    decided_by: str | None = None
    answer: str | None = None
    number: int


class Kept(Answer):
    """A DID, and when it is to be erased as things are."""

    did: str
    kind: str
    ends_at: datetime | None = None
    erased: bool


class LifetimeExceptionDetail(LifetimeException):
    """A lifetime exception with its DIDs."""

    dids: list[Kept]
