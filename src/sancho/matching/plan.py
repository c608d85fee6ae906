"""Pure decision: in which order a pilot should try the task queues that fit it."""

from collections.abc import Sequence
from datetime import timedelta

from sancho.matching.model import PATIENCE, Candidate


def order(candidates: Sequence[Candidate], *, patience: timedelta = PATIENCE) -> list[Candidate]:
    """The candidates worth trying, in the order of their lottery tickets.

    A queue whose inputs are not all available is left out; one whose inputs lie better elsewhere is left out until
    its first job has waited for `patience`.
    """
    return [
        c for c in candidates if not c.has_inputs or (c.missing == 0 and (c.here >= c.best or c.waited >= patience))
    ]
