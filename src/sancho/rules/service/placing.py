"""Locks are placed: RSEs chosen, replicas held or begun, transfers asked for, quota charged; in one transaction."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta

from sancho.kit import faults
from sancho.kit.db import Connection
from sancho.kit.tasks import defer
from sancho.replicas import service as replicas
from sancho.replicas.errors import ReplicaBeingDeleted
from sancho.replicas.model import ReplicaKey, ReplicaState
from sancho.rses import service as rses
from sancho.rses.errors import RseExpressionEmpty
from sancho.rules import plan
from sancho.rules.errors import QuotaExceeded, TooFewRses
from sancho.rules.model import BEING_DELETED, SHORT_OF_ROOM, Candidate, Charge, Hold, Quota, Target, Want
from sancho.rules.service.quotas import charge, exceeded
from sancho.rules.store import facts, locks, quotas, rows
from sancho.transfers import service as transfers

Lacking = dict[int, tuple[str, timedelta]]
"""Rules whose files cannot all have locks now, each with the reason and when to try again."""
FREED = "the file's replica is being deleted at this moment"
LOOKED_AGAIN = timedelta(seconds=20)
"""When rules above a container are looked at once more: what comes by many tasks is looked at together."""
RACES = 10
"""How often placing begins again because others took the room, or began to delete, between the look and the deed."""

_placed = faults.point("rules.placed")


# ---- which RSEs


async def choose(
    conn: Connection, vo: int, target: Target, files: tuple[int, int], file_ids: Sequence[int],
    freed: Sequence[Hold] = (),
) -> tuple[int, ...]:  # fmt: skip
    """RSEs for the copies of a rule over files, given as (number, bytes) and ids, of which there may be fewer.

    Raises `TooFewRses`, `QuotaExceeded`, and what `rses.service.resolve` does.
    """
    candidates, over = await options(conn, vo, target, file_ids)
    choice = plan.choose(
        candidates, copies=target.copies, files=files, account_id=target.account_id, quotas=over, freed=_sizes(freed)
    )  # fmt: skip
    if choice.refused is not None:
        raise exceeded(*choice.refused)
    if not choice.rse_ids:
        raise TooFewRses(copies=target.copies, found=choice.found, rse_expression=target.rse_expression)
    return choice.rse_ids


async def options(
    conn: Connection, vo: int, target: Target, file_ids: Sequence[int]
) -> tuple[list[Candidate], list[Quota]]:
    """The RSEs that a rule could use for files, and the quotas that apply to it there.

    Raises what `rses.service.resolve` does.
    """
    matching = await rses.resolve(conn, target.rse_expression, vo=vo)
    ids = [rse.rse_id for rse in matching]
    here = {f.rse_id: f for f in await facts.rse_facts(conn, vo, ids, file_ids)}
    candidates = [
        Candidate(rse.rse_id, rse.name, rse.writable, there.files, there.size, there.used)
        for rse in matching
        for there in [here[rse.rse_id]]
    ]
    return candidates, await quotas.quotas_over(conn, vo, [target.account_id], ids)


async def choose_all(
    conn: Connection, vo: int, targets: Sequence[Target], file_ids: Sequence[int], freed: Sequence[Hold] = ()
) -> tuple[list[Target], Lacking]:
    """The targets that have RSEs, chosen now if they were not before, and why others have none.

    Rules choose once: two that place locks for one rule agree, because the first keeps the second waiting.
    """
    undecided = [t for t in targets if not t.rse_ids]
    if not undecided:
        return list(targets), {}
    decided = await rows.lock_unchosen(conn, vo, [t.rule_id for t in undecided])
    size = await facts.size_of_files(conn, vo, file_ids)
    ready: list[Target] = []
    lacking: Lacking = {}
    for target in targets:  # choosing is rare: once in the life of a rule that was made over nothing
        chosen = target.rse_ids or decided.get(target.rule_id, ())
        if not chosen:
            try:
                chosen = await choose(conn, vo, target, size, file_ids, freed)
            except (TooFewRses, QuotaExceeded, RseExpressionEmpty) as e:
                lacking[target.rule_id] = (str(e), SHORT_OF_ROOM)
                continue
            await rows.set_chosen(conn, vo, target.rule_id, chosen)
        ready.append(target._replace(rse_ids=tuple(chosen)))
    return ready, lacking


# ---- the locks


async def extend(
    conn: Connection, vo: int, *, parent_ids: Sequence[int], file_ids: Sequence[int], freed: Sequence[Hold] = ()
) -> None:
    """Let the rules above these collections follow what has been attached: locks for `file_ids` that have none yet.

    Every rule on `parent_ids`, above them or on the files themselves gets its locks, or gets stuck with the reason
    and is tried again later; nothing is raised for it. `freed` quota, held for these files, is given back in the same
    go. Safe to run twice.

    Of what was attached to a container, files may come and go at this moment: the rules above are looked at once more
    in the background.
    """
    targets: list[Target] = []
    deep = False
    if file_ids or parent_ids:
        deep = await locks.share_parents(conn, vo, parent_ids, file_ids)
        targets = await locks.targets_above(conn, vo, parent_ids, file_ids)
    if not targets:
        await charge(conn, vo, _returned(freed))
        return
    ready, lacking = await choose_all(conn, vo, targets, file_ids, freed)
    wants = await locks.wants_above(conn, vo, ready, file_ids) if ready else []
    await place_affordable(conn, vo, ready, wants, lacking=lacking, freed=freed)
    alone = set(file_ids)
    for target in targets if deep else ():
        if target.did_id not in alone:  # a rule on a file by itself is over nothing else
            once = f"rules:place:{vo}:{target.rule_id}"
            await defer(conn, "rules:place", after=LOOKED_AGAIN, once=once, vo=vo, rule_id=target.rule_id)


async def place_affordable(
    conn: Connection, vo: int, targets: Sequence[Target], wants: Sequence[Want], *, lacking: Lacking,
    freed: Sequence[Hold] = (),
) -> Lacking:  # fmt: skip
    """Place the locks of those rules that can pay for them; mark the others, and those `lacking`, as incomplete.

    Returns all that are incomplete now. Wants are in the order of placing.
    """
    by_id = {t.rule_id: t for t in targets}
    incomplete: Lacking = dict(lacking)
    left: list[Want] = list(wants)
    for _ in range(RACES):
        demands = demands_of(by_id, left)
        pairs = {pair for demand in demands.values() for pair in demand}
        rooms = await quotas.quotas_over(conn, vo, [p[0] for p in pairs], [p[1] for p in pairs]) if pairs else []
        for rule_id, refused in plan.affordable(demands, rooms, _sizes(freed)).items():
            incomplete[rule_id] = (str(exceeded(*refused)), SHORT_OF_ROOM)
        left = [w for w in left if w.rule_id not in incomplete or incomplete[w.rule_id][0] == FREED]
        try:
            async with conn.transaction():
                await place_wants(conn, vo, by_id, left, incomplete=incomplete, freed=freed)
            return incomplete
        except QuotaExceeded:
            continue  # others were faster: look again
        except ReplicaBeingDeleted:
            going = set(await locks.deleting(conn, vo, [ReplicaKey(w.did_id, w.rse_id) for w in left]))
            for want in left:
                if ReplicaKey(want.did_id, want.rse_id) in going:
                    incomplete.setdefault(want.rule_id, (FREED, BEING_DELETED))
            left = [w for w in left if ReplicaKey(w.did_id, w.rse_id) not in going]
    late = {w.rule_id: ("others keep taking the room that it needs", SHORT_OF_ROOM) for w in left}
    incomplete = late | incomplete
    await place_wants(conn, vo, by_id, [], incomplete=incomplete, freed=freed)
    return incomplete


async def place_wants(
    conn: Connection, vo: int, targets: Mapping[int, Target], wants: Sequence[Want], *,
    incomplete: Lacking | None = None, freed: Sequence[Hold] = (),
) -> None:  # fmt: skip
    """Place locks: a fixed number of statements for any number of them, in the one order of locking.

    Raises `QuotaExceeded` or `ReplicaBeingDeleted`; then roll back.
    """
    inserted = list(wants)
    if wants:
        await _hold_replicas(conn, vo, targets, wants)
        inserted = await locks.insert_locks(conn, vo, wants)
        if len(inserted) < len(wants):  # somebody placed the same locks at the same time
            twice = sorted(set(wants).difference(inserted))
            await replicas.release(conn, vo, [ReplicaKey(w.did_id, w.rse_id) for w in twice])
    lacking = incomplete or {}
    await rows.lock_rules(conn, vo, sorted({w.rule_id for w in inserted} | lacking.keys()))
    if inserted:
        await rows.count_placed(conn, vo, inserted)
    if lacking:
        await rows.mark_incomplete(conn, vo, [(rule_id, *lacking[rule_id]) for rule_id in sorted(lacking)])
    await charge(conn, vo, [*_charges(targets, inserted), *_returned(freed)])
    _placed()


async def _hold_replicas(conn: Connection, vo: int, targets: Mapping[int, Target], wants: Sequence[Want]) -> None:
    """Hold the replicas of wants, make those that are missing, and ask for their transfers."""
    keys = [ReplicaKey(w.did_id, w.rse_id) for w in wants]
    states = await replicas.place(conn, vo, keys, [w.size for w in wants])
    asked: dict[str, dict[ReplicaKey, None]] = {}
    for want, key in zip(wants, keys, strict=True):
        if states[key] is ReplicaState.COPYING:
            asked.setdefault(targets[want.rule_id].activity, {})[key] = None
    in_turn = {did_id: n for target in targets.values() for n, did_id in enumerate(target.in_turn)}
    for activity in sorted(asked):
        ordered = sorted(asked[activity], key=lambda key: in_turn.get(key.did_id, 0))
        await transfers.request(conn, vo, ordered, activity=activity)
    bad = sorted(key for key, state in states.items() if state is ReplicaState.BAD)
    if bad:
        await defer(conn, "rules:recopy", vo=vo, keys=[list(key) for key in bad])


def demands_of(targets: Mapping[int, Target], wants: Iterable[Want]) -> dict[int, dict[tuple[int, int], int]]:
    """Bytes that each rule needs, by account and RSE."""
    demands: dict[int, dict[tuple[int, int], int]] = {}
    for want in wants:
        demand = demands.setdefault(want.rule_id, {})
        pair = (targets[want.rule_id].account_id, want.rse_id)
        demand[pair] = demand.get(pair, 0) + want.size
    return demands


def _charges(targets: Mapping[int, Target], inserted: Collection[Want]) -> list[Charge]:
    sums: dict[tuple[int, int], tuple[int, int]] = {}
    for want in inserted:
        pair = (targets[want.rule_id].account_id, want.rse_id)
        files, size = sums.get(pair, (0, 0))
        sums[pair] = (files + 1, size + want.size)
    return [Charge(*pair, files, size) for pair, (files, size) in sums.items()]


def _sizes(holds: Iterable[Hold]) -> dict[tuple[int, int], int]:
    sums: dict[tuple[int, int], int] = {}
    for hold in holds:
        pair = (hold.account_id, hold.rse_id)
        sums[pair] = sums.get(pair, 0) + hold.size
    return sums


def _returned(freed: Iterable[Hold]) -> list[Charge]:
    return [Charge(h.account_id, h.rse_id, 0, 0, -h.size) for h in freed]
