"""What an installation consists of: VOs, sites, CEs, RSEs, quotas, pilots."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sancho_client.models.base import Answer, Request, Strings


class Vo(Answer):
    """A virtual organisation."""

    name: str
    alias: str | None = None


class Site(Answer):
    """A place with CEs or RSEs, run by one team."""

    name: str
    attributes: Mapping[str, Any] = {}
    enabled: bool = True
    own: bool = False
    """Of the VO that asks, which may change it."""


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
    machine: Mapping[str, Any] = {}
    """What a slot is made of, as far as it is known: `architecture`, `gpus` and so on."""
    price: float | None = None
    """Of a core-hour, in the unit that operators and VOs agree on."""
    carbon: float | None = None
    """Grams of CO2 for a core-hour."""
    enabled: bool = True
    own: bool = False
    """Of the VO that asks, which may change it."""


class Protocol(Answer):
    """A way to reach an RSE; `domains` has its rank for each operation, by where one is (`lan`, `wan`)."""

    plugin: str
    prefix: str
    domains: Mapping[str, Mapping[str, int]]


class Rse(Answer):
    """One space on one storage; its plugin and prefix are those of its first protocol."""

    name: str
    site: str
    plugin: str
    prefix: str
    protocols: Sequence[Protocol] = ()
    audience: str
    attributes: Mapping[str, Any] = {}
    readable: bool = True
    writable: bool = True
    deletable: bool = True
    own: bool = False
    """Of the VO that asks, which may change it."""


class RseReport(Answer):
    """What a source has reported to be on a storage, of all VOs together, in bytes."""

    source: str
    used: int
    free: int | None = None
    files: int | None = None
    reported_at: datetime


class RseUsage(Answer):
    """What the VO has on an RSE, and the last report of each source."""

    rse: str
    files: int
    size: int
    reports: Sequence[RseReport] = ()


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


class Program(Answer):
    """A process of the installation, or a service of the VO, that is alive or was when it was last heard of."""

    name: str
    host: str
    pid: int
    thread: str = ""
    started_at: datetime
    seen_at: datetime
    detail: str | None = None


class Beat(Request):
    """A service of the VO is alive, and what it says of itself."""

    name: str
    host: str
    pid: int
    thread: str = ""
    detail: str | None = None


class RegisteredPilot(Answer):
    """A pilot that another factory manages, in that factory's words."""

    pilot_id: int
    stamp: str
    reference: str
    status: str
    status_reason: str | None = None
    destination_site: str
    grid_site: str
    grid_type: str
    queue: str | None = None
    benchmark: float | None = None
    current_job: int | None = None
    accounting_sent: bool
    created_at: datetime
    changed_at: datetime


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


class Downtime(Answer):
    """A period in which a site, CE or RSE is not to be used; without `ends_at`, until somebody ends it."""

    downtime_id: int
    kind: str
    name: str
    site: str
    begins_at: datetime
    ends_at: datetime | None = None
    reason: str
    own: bool = False
    """Of the VO that asks, which may end it."""
    begun: bool = False
    """Whether it has begun, by the server's clock."""


class CePilots(Answer):
    """How many pilots a CE has in each state, of those that ended only the latest."""

    ce: str
    site: str
    new: int
    submitted: int
    running: int
    done: int
    failed: int
    lost: int
    unfit: int
    max_pilots: int


class Link(Answer):
    """What goes on between two RSEs: attempts under way, those that failed of late, and why the last one did."""

    source: str
    rse: str
    active: int
    failed: int
    error: str | None = None


class Used(Answer):
    """What was used by all that have the named things in common; times are in seconds, sizes in bytes."""

    vo: str | None = None
    group: str | None = None
    account: str | None = None
    site: str | None = None
    rse: str | None = None
    kind: str | None = None
    day: datetime | None = None
    source: str | None = None
    entries: int
    files: int
    size: int
    wall: float
    cpu: float
