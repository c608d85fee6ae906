"""What would come of a rule that nobody has made yet."""

from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from sancho.rules.model.quotas import Prospect, Quota


class PreviewOn(NamedTuple):
    """What a rule would do on one RSE: what of its files is there already, or on its way, and what is to be copied."""

    rse: str
    files: int
    size: int
    to_copy: int
    time: timedelta | None
    """How long the copying takes at the speed of late; None when nothing to speak of has come there of late."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What would come of a rule now; `prospect` says why it could not be carried out, if it could not."""

    prospect: Prospect
    places: tuple[PreviewOn, ...]
    """Where its copies would be; none when it could not be carried out."""
    quotas: tuple[tuple[Quota, int], ...]
    """Quotas that would be charged, and the bytes."""
    looked_at: int | None
    """So many files were looked at for what is there already, for there are more; None: all."""
