"""The words of the page's extensions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Place(StrEnum):
    """Where an extension shows itself."""

    PAGE = "page"
    JOB = "job"
    DID = "did"


@dataclass(frozen=True, kw_only=True)
class Extension:
    """A VO's own part of the page: what it declares, and all of its files."""

    name: str
    title: str
    places: tuple[Place, ...]
    entry: str
    asks: tuple[str, ...]
    """Paths that it may read by the page, as the API's document spells them: `/v1/jobs/{job_id}`."""
    height: int
    digest: str
    """Stands in the addresses of its files: it follows from what they hold, and nobody guesses it."""
    files: Mapping[str, bytes] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Unfit:
    """A folder that is no extension, and why."""

    name: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What of a VO's folder there is to show, and what is not fit to be."""

    extensions: tuple[Extension, ...] = ()
    unfit: tuple[Unfit, ...] = ()
