"""Pure decisions: how many new pilots each CE gets, and which pilot gets no more jobs."""

from collections import Counter
from collections.abc import Sequence

from sancho.jobs.model import FAULTS, Fault, Reason
from sancho.pilots.model import LAST, QUICKLY, CeLoad, Ended

ILL = 0.5
"""Health below which a CE gets one pilot at a time, to see whether it is well again."""
OF_PILOTS = frozenset({Reason.PILOT_LOST, Reason.PILOT_STOPPED})
"""What says nothing of the place: a batch system ends pilots as it likes."""


def provision(loads: Sequence[CeLoad]) -> dict[int, int]:
    """New pilots by CE id: enough for the waiting jobs that fit, never more than a CE's limit.

    A queue that fits several CEs is shared among them, rounded up: a pilot too many ends by itself, one too few
    makes somebody wait. Pilots without a payload yet count as an answer to the demand. A CE whose pilots turn out
    unfit gets one at a time until one does well.
    """
    fitting = Counter((fit.vo, fit.task_queue_id) for load in loads for fit in load.queues)
    wanted: dict[int, int] = {}
    for load in loads:
        demand = sum(-(-fit.jobs // (fitting[fit.vo, fit.task_queue_id] * fit.at_once)) for fit in load.queues)
        new = min(demand - load.idle, load.max_pilots - load.busy - load.idle)
        if load.health < ILL:
            new = min(new, 1 - load.idle)
        if new > 0:
            wanted[load.ce_id] = new
    return wanted


def unfit(last: Sequence[Ended]) -> bool:
    """Say whether a pilot would only let further jobs fail, by its last attempts, the newest first.

    It would when as many as `LAST` failed in a row by the fault of the place; or when all failed quickly, by their own
    fault as it seems, and were of several owners: one with broken jobs makes no pilot unfit.
    """
    if len(last) < LAST or any(one.reason is None or one.reason in OF_PILOTS for one in last):
        return False
    faults = {FAULTS[one.reason] for one in last if one.reason is not None}
    if faults == {Fault.SITE}:
        return True
    quick = all(one.seconds <= QUICKLY.total_seconds() for one in last)
    return faults <= {Fault.SITE, Fault.JOB} and quick and len({one.account_id for one in last}) > 1
