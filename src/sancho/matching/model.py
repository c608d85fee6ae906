"""The words of matching: offers and candidates."""

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


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A task queue that fits an offer, with where its input bytes are.

    `here` bytes lie at the offer's site, `best` at the site that has most; `missing` files have no available replica
    at all. `waited` is how long its first job has waited.
    """

    vo: int
    task_queue_id: int
    has_inputs: bool
    here: int = 0
    best: int = 0
    missing: int = 0
    waited: timedelta = timedelta()
