"""DiracX's words for the status of resources."""

from typing import Literal

from pydantic import BaseModel


class Allowed(BaseModel):
    """It may be used."""

    allowed: Literal[True] = True
    warnings: str | None = None


class Banned(BaseModel):
    """It must not be used."""

    allowed: Literal[False] = False
    reason: str


Status = Allowed | Banned


class Whole(BaseModel):
    """The status of a site, a CE or a service for transfers."""

    all: Status


class Storage(BaseModel):
    """The status of a storage element, by what one wants of it."""

    read: Status
    write: Status
    check: Status
    remove: Status
