"""Decisions of rules: which RSEs to use, which rules can be paid for, how a charge falls on slots. Pure.

Equal arguments give equal answers, whatever their order.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sancho.rules.model import SLOTS, Bill, Candidate, Copy, OnTape, Pin, Quota, Slot, TapeRse

Demand = Mapping[tuple[int, int], int]
"""Bytes to be charged, by account and RSE."""


class Purse:
    """What is left in a set of quotas while a plan spends from it."""

    def __init__(self, quotas: Iterable[Quota], freed: Demand | None = None) -> None:
        """Begin with the rooms as they were read, and what is given back."""
        self._quotas = sorted(quotas, key=lambda q: q.quota_id)
        self._left = {q.quota_id: q.room - q.over + _part(q, freed or {}) for q in self._quotas}

    def left(self, quota: Quota) -> int:
        """Bytes left in a quota."""
        return self._left[quota.quota_id]

    def lacking(self, demand: Demand) -> tuple[Quota, int] | None:
        """The first quota that cannot pay its part of a demand, and that part; None when all can."""
        for quota in self._quotas:
            part = _part(quota, demand)
            if part > max(self._left[quota.quota_id], 0):
                return quota, part
        return None

    def take(self, demand: Demand) -> None:
        """Spend."""
        for quota in self._quotas:
            self._left[quota.quota_id] -= _part(quota, demand)


def _part(quota: Quota, demand: Demand) -> int:
    return sum(size for (account_id, rse_id), size in demand.items() if quota.covers(account_id, rse_id))


@dataclass(frozen=True, slots=True)
class Choice:
    """RSEs for a rule, or why there are too few."""

    rse_ids: tuple[int, ...]
    found: int
    """How many candidates could take the files, quota apart."""
    refused: tuple[Quota, int] | None = None
    """The quota that stands in the way, and the bytes asked of it."""


def choose(
    candidates: Iterable[Candidate],
    *,
    copies: int,
    files: tuple[int, int],
    account_id: int,
    quotas: Iterable[Quota] = (),
    freed: Demand | None = None,
) -> Choice:
    """Choose `copies` RSEs for files, given as (number, bytes): most bytes there first, then least used, then by name.

    An RSE that is not writable serves only if it has everything already. All bytes are charged, also those that are
    there; an RSE whose quota has no room, what is `freed` included, is passed over.
    """
    number, size = files
    able = [c for c in candidates if c.writable or (number > 0 and c.files >= number)]
    purse, taken, refused = Purse(quotas, freed), list[int](), None
    for candidate in sorted(able, key=lambda c: (-c.size, c.used, c.name)):
        if len(taken) == copies:
            break
        demand = {(account_id, candidate.rse_id): size}
        lacking = purse.lacking(demand)
        if lacking is None:
            purse.take(demand)
            taken.append(candidate.rse_id)
        elif refused is None:
            refused = (lacking[0], _needed(lacking[0], able, account_id, copies, size))
    if len(taken) == copies:
        return Choice(tuple(taken), len(able))
    return Choice((), len(able), refused if len(able) >= copies else None)


def _needed(quota: Quota, able: Sequence[Candidate], account_id: int, copies: int, size: int) -> int:
    """What a rule needs of a quota at the least: the copies that cannot lie elsewhere."""
    elsewhere = sum(not quota.covers(account_id, c.rse_id) for c in able)
    return size * max(copies - elsewhere, 1)


def affordable(
    demands: Mapping[int, Demand], quotas: Iterable[Quota], freed: Demand | None = None
) -> dict[int, tuple[Quota, int]]:
    """Which rules cannot be paid for, each with the quota that lacks room and what it was asked for.

    Rules are served by age; one that cannot be paid for takes nothing from those after it. `freed` is given back
    before.
    """
    purse = Purse(quotas, freed)
    over: dict[int, tuple[Quota, int]] = {}
    for rule_id in sorted(demands):
        lacking = purse.lacking(demands[rule_id])
        if lacking is None:
            purse.take(demands[rule_id])
        else:
            over[rule_id] = lacking
    return over


def room_lacking(
    quotas: Sequence[Quota], refused: Callable[[Sequence[Quota]], tuple[Quota, int] | None]
) -> list[tuple[Quota, int]]:
    """How many bytes more quotas would have to have for a decision not to be refused for their sake, by id.

    `refused` makes the decision with some quotas, and returns the one that stands in the way with what it is asked for.
    """
    more: dict[int, int] = {}
    now = list(quotas)
    for _ in range(2 * len(quotas)):
        found = refused(now)
        if found is None:
            break
        quota, part = found
        lacks = part - (quota.room - quota.over)
        more[quota.quota_id] = more.get(quota.quota_id, 0) + lacks
        now = [replace(q, room=q.room + lacks) if q.quota_id == quota.quota_id else q for q in now]
    return [(quota, more[quota.quota_id]) for quota in quotas if quota.quota_id in more]


def charge_own(slots: Iterable[Slot], bills: Iterable[Bill]) -> list[Slot] | None:
    """New rooms of one slot per quota; None when one has too little, or its quota is charged beyond its limit."""
    rooms = {s.quota_id: s for s in slots}
    after: list[Slot] = []
    for bill in bills:
        slot = rooms.get(bill.quota_id)
        if slot is None or bill.over or slot.room < bill.size:
            return None
        after.append(slot._replace(room=slot.room - bill.size))
    return after


def charge_all(
    slots: Iterable[Slot], overs: Mapping[int, int], bills: Iterable[Bill]
) -> tuple[list[Slot], list[tuple[int, int]]] | Bill:
    """New rooms of all slots of the billed quotas, evenly spread, and how far each is over; or a bill nobody can pay.

    What is given back first makes good what was charged beyond the limit.
    """
    rooms: dict[int, int] = {}
    for slot in slots:
        rooms[slot.quota_id] = rooms.get(slot.quota_id, 0) + slot.room
    after: list[Slot] = []
    over_after: list[tuple[int, int]] = []
    for bill in bills:
        net = rooms.get(bill.quota_id, 0) - overs.get(bill.quota_id, 0) - bill.size
        if net < 0 < bill.size:
            return bill
        after += spread(bill.quota_id, max(net, 0))
        over_after.append((bill.quota_id, max(-net, 0)))
    return after, over_after


def spread(quota_id: int, room: int) -> list[Slot]:
    """Divide room evenly among the slots of a quota."""
    each, rest = divmod(room, SLOTS)
    return [Slot(quota_id, slot, each + (slot < rest)) for slot in range(SLOTS)]


def pins(copies: Iterable[Copy]) -> list[Pin]:
    """Which replicas to hold so that each file that jobs want stays where most of what they want with it is.

    A file that is held for them already, and one whose best replica nobody may delete, need nothing. Of several DIDs
    by whose names a file is wanted, the first holds it. In the order of placing.
    """
    by_file: dict[tuple[int, int], list[Copy]] = {}
    sizes: dict[tuple[int, int], int] = {}
    for copy in copies:
        by_file.setdefault((copy.root, copy.did_id), []).append(copy)
        sizes[copy.root, copy.rse_id] = sizes.get((copy.root, copy.rse_id), 0) + copy.size
    found: dict[tuple[int, int], Pin] = {}
    for (root, did_id), some in sorted(by_file.items()):
        best = min(some, key=lambda copy: (-sizes[copy.root, copy.rse_id], copy.rse_id))
        if best.free and not any(copy.pinned for copy in some):
            found.setdefault((did_id, best.rse_id), Pin(did_id, best.rse_id, root, best.size))
    return sorted(found.values())


def recalls(files: Iterable[OnTape], tapes: Iterable[TapeRse], account_id: int, quotas: Iterable[Quota]) -> list[Pin]:
    """Which files to recall now, and to which disk, in the order in which they lie on their tapes.

    Each file is recalled once, however many DIDs it is wanted by and tapes it is on; no more at once than an RSE takes,
    and no more than quotas have room for: what does not fit on the best disk goes to the next, or waits.
    """
    known = {tape.rse_id: tape for tape in tapes}
    free = {tape.rse_id: tape.free for tape in known.values()}
    purse = Purse(quotas)
    found: dict[int, Pin] = {}
    for one in sorted(files, key=_on_tape):
        if one.did_id in found or free.get(one.rse_id, 0) <= 0:
            continue
        for disk_id in known[one.rse_id].disk_ids:
            if purse.lacking({(account_id, disk_id): one.size}) is None:
                purse.take({(account_id, disk_id): one.size})
                free[one.rse_id] -= 1
                found[one.did_id] = Pin(one.did_id, disk_id, one.root, one.size)
                break
    return list(found.values())


def _on_tape(one: OnTape) -> tuple[int, bool, str, int, int, int]:
    return one.rse_id, one.tape is None, one.tape or "", one.position or 0, one.n, one.did_id


def parted(ids: Sequence[int], weights: Mapping[int, int], most: int) -> Iterator[list[int]]:
    """Cut ids into parts whose weights together are at most so much; a heavier one is a part by itself."""
    part: list[int] = []
    weight = 0
    for one in ids:
        more = weights.get(one, 0)
        if part and weight + more > most:
            yield part
            part, weight = [], 0
        part.append(one)
        weight += more
    if part:
        yield part
