"""What an installation consists of: VOs, sites, CEs, RSEs, quotas, pilots."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sancho_client.models.base import Answer, Strings


class Vo(Answer):
    """A virtual organisation."""

    name: str
    alias: str | None = None


class Site(Answer):
    """A place with CEs or RSEs, run by one team."""

    name: str
    attributes: Mapping[str, Any] = {}
    enabled: bool = True


class ComputeElement(Answer):
    """The door to one batch system; cores, memory (bytes) and wall time are those of one slot."""

    name: str
    site: str
    plugin: str
    cores: int
    memory: int
    walltime: timedelta
    max_pilots: int
    tags: Strings = ()
    enabled: bool = True


class Rse(Answer):
    """One space on one storage."""

    name: str
    site: str
    plugin: str
    prefix: str
    audience: str
    attributes: Mapping[str, Any] = {}
    readable: bool = True
    writable: bool = True
    deletable: bool = True


class RseWithDistances(Rse):
    """An RSE, and what transfers from it to others cost."""

    distances: Mapping[str, int] = {}


class Quota(Answer):
    """Bytes that an account, or without one all of the VO together, may lock; `room` is what is left of them."""

    name: str
    account: str | None = None
    rse_expression: str
    size: int
    used: int
    room: int


class Pilot(Answer):
    """Our process in a slot."""

    pilot_id: int
    stamp: str
    state: str
    ce: str
    site: str | None = None
    created_at: datetime | None = None
    ended_at: datetime | None = None
    last_beat: datetime | None = None
    reference: str | None = None
    detail: str | None = None
