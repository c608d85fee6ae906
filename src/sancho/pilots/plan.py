"""Pure decisions: how many new pilots each CE gets, and which pilot gets no more jobs."""

from collections import Counter
from collections.abc import Mapping, Sequence

from sancho.jobs.model import FAULTS, Fault, Reason
from sancho.matching.model import ALIKE
from sancho.pilots.model import LAST, QUICKLY, CeLoad, Ended, Fit

ILL = 0.5
"""Health below which a CE gets one pilot at a time, to see whether it is well again."""
OF_PILOTS = frozenset({Reason.PILOT_LOST, Reason.PILOT_STOPPED})
"""What says nothing of the place: a batch system ends pilots as it likes."""


def provision(loads: Sequence[CeLoad]) -> dict[int, int]:
    """New pilots by CE id: enough for the waiting jobs that fit, never more than a CE's limit.

    A queue that fits several CEs is shared among them, rounded up: a pilot too many ends by itself, one too few
    makes somebody wait. Pilots without a payload yet count as an answer to the demand. A CE whose pilots turn out
    unfit gets one at a time until one does well. A queue whose VO weighs places goes to the best of them, and to the
    next best only what those have no room for; places that are nearly alike share it.
    """
    fitting = Counter(fit.key for load in loads for fit in load.queues)
    demands = {
        load.ce_id: sum(-(-fit.jobs // (fitting[fit.key] * fit.at_once)) for fit in load.queues if fit.rank is None)
        for load in loads
    }
    demands |= _ranked(loads, demands)
    wanted: dict[int, int] = {}
    for load in loads:
        new = min(demands[load.ce_id] - load.idle, load.max_pilots - load.busy - load.idle)
        if load.health < ILL:
            new = min(new, 1 - load.idle)
        if new > 0:
            wanted[load.ce_id] = new
    return wanted


def _ranked(loads: Sequence[CeLoad], demands: Mapping[int, int]) -> dict[int, int]:
    """Pilots that each CE should have, together with those demanded already, when ranked queues go where they are best.

    Queues that would lose most by going to their second best are placed first.
    """
    total = dict(demands)
    rooms = {load.ce_id: _room(load) - demands[load.ce_id] for load in loads}
    queues: dict[tuple[int, int], list[tuple[float, int, Fit]]] = {}
    for load in loads:
        for fit in load.queues:
            if fit.rank is not None:
                queues.setdefault(fit.key, []).append((fit.rank, load.ce_id, fit))
    for places in queues.values():
        places.sort(key=lambda place: place[:2])
    for key in sorted(queues, key=lambda key: (-_regret(queues[key]), key)):
        places = queues[key]
        left = max(fit.jobs for _, _, fit in places)
        while places and left > 0:
            tier = [place for place in places if place[0] <= places[0][0] * (1 + ALIKE)]
            places = places[len(tier) :]
            tier.sort(key=lambda place: (rooms[place[1]], place[1]))
            for n, (_, ce_id, fit) in enumerate(tier):
                share = -(-max(0, left) // ((len(tier) - n) * fit.at_once))
                given = max(0, min(share, rooms[ce_id], -(-fit.jobs // fit.at_once)))
                rooms[ce_id] -= given
                total[ce_id] += given
                left -= given * fit.at_once
    return total


def _room(load: CeLoad) -> int:
    """How many pilots without a payload a CE may have."""
    most = load.max_pilots - load.busy
    return min(most, max(1, load.idle)) if load.health < ILL else most


def _regret(places: Sequence[tuple[float, int, Fit]]) -> float:
    return places[1][0] - places[0][0] if len(places) > 1 else float("inf")


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
