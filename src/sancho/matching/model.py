"""The words of matching."""

from dataclasses import dataclass
from datetime import timedelta

PATIENCE = timedelta(minutes=10)
"""How long a job waits for the site that has most of its bytes, before any site with a copy will do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """What a pilot says it can run, and for whom. `memory` in bytes; `walltime` is what its slot has left."""

    pilot_id: int
    site_id: int
    vos: tuple[int, ...]
    cores: int
    memory: int
    walltime: timedelta
    tags: tuple[str, ...]
