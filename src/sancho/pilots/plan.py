"""Pure decision: how many new pilots each CE gets."""

from collections import Counter
from collections.abc import Sequence

from sancho.pilots.model import CeLoad


def provision(loads: Sequence[CeLoad]) -> dict[int, int]:
    """New pilots by CE id: enough for the waiting jobs that fit, never more than a CE's limit.

    A queue that fits several CEs is shared among them, rounded up: a pilot too many ends by itself, one too few
    makes somebody wait. Pilots without a payload yet count as an answer to the demand.
    """
    fitting = Counter((vo, queue) for load in loads for vo, queue, _ in load.queues)
    wanted: dict[int, int] = {}
    for load in loads:
        demand = sum(-(-waiting // fitting[vo, queue]) for vo, queue, waiting in load.queues)
        new = min(demand - load.idle, load.max_pilots - load.busy - load.idle)
        if new > 0:
            wanted[load.ce_id] = new
    return wanted
