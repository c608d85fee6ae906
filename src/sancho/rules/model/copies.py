"""The words of copies that are made for jobs, so that they can run."""

from datetime import timedelta
from typing import NamedTuple

PLACEMENT_ACCOUNT = "sancho.placement"
"""The service account whose rules copy what jobs want to where they can run; quotas of the VO bound it, too."""
PLACEMENT = "placement"
"""The activity of the transfers."""
COPY_GRACE = timedelta(hours=1)
"""So long after the last job that wanted it a copy stays, for those who submit again."""


class Copying(NamedTuple):
    """A rule that copies a DID for jobs to an RSE, and how many of its bytes are there."""

    rule_id: int
    did_id: int
    rse: str
    there: int
    size: int
