"""Replicas are made, held, released, arrive and are given up; each in a fixed number of statements."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from sancho.dids import service as dids
from sancho.kit.db import Connection
from sancho.kit.tasks import defer
from sancho.replicas import plan
from sancho.replicas.errors import ReplicaBeingDeleted, ReplicaExists, ReplicaNotFound
from sancho.replicas.model import DeclarationKind, DeclarationState, ReplicaKey, ReplicaState, Saying
from sancho.replicas.store import declarations, rows
from sancho.rses import service as rses

LIGHTER = (DeclarationKind.SUSPICIOUS, DeclarationKind.UNAVAILABLE)
"""What a replica that is bad need not be called any more."""
ALL_KINDS = tuple(DeclarationKind)


async def add(conn: Connection, vo: int, keys: Sequence[ReplicaKey], sizes: Sequence[int], state: ReplicaState) -> None:
    """Make replicas that nothing holds yet; raises `ReplicaExists` naming the first that exists."""
    await insert(conn, vo, keys, sizes, state)
    await rows.add_usage(conn, vo, plan.sums((key.rse_id, 1, size) for key, size in zip(keys, sizes, strict=True)))


async def insert(
    conn: Connection, vo: int, keys: Sequence[ReplicaKey], sizes: Sequence[int], state: ReplicaState
) -> None:
    """As `add`, but for the usage, which the caller adds."""
    made = await rows.insert(conn, vo, keys, sizes, state, [0] * len(keys))
    if len(made) < len(keys):
        there = set(keys).difference(made)
        first = next((key for key in keys if key in there), None) or _repeated(keys)
        raise ReplicaExists(**await named(conn, vo, first))


async def place(
    conn: Connection, vo: int, keys: Sequence[ReplicaKey], sizes: Sequence[int]
) -> dict[ReplicaKey, ReplicaState]:
    """Hold these replicas, once for each time they are given; make those that are missing, as copying.

    Returns their states as seen under the lock. Every other replica of these files is locked too: until the end of
    the transaction none of them, a possible source, can be claimed for deletion. Raises `ReplicaBeingDeleted` naming
    the first that is.
    """
    wanted, counts = plan.counted(keys)
    times = dict(zip(wanted, counts, strict=True))
    size_of = dict(zip(keys, sizes, strict=True))
    seen = await rows.lock_all(conn, vo, sorted({key.did_id for key in wanted}))
    states = {key: seen[key] for key in wanted if key in seen}
    await _refuse_deleting(conn, vo, states)
    missing = [key for key in wanted if key not in states]
    made: list[ReplicaKey] = []
    if missing:
        made = await rows.insert(
            conn, vo, missing, [size_of[k] for k in missing], ReplicaState.COPYING, [times[k] for k in missing]
        )
    if len(made) < len(missing):  # somebody made them since we looked
        states |= await rows.lock(conn, vo, sorted(set(missing).difference(made)))
        await _refuse_deleting(conn, vo, states)
    if states:
        held = sorted(states)
        await rows.add_holds(conn, vo, held, [times[key] for key in held])
    if made:
        await rows.add_usage(conn, vo, plan.sums((key.rse_id, 1, size_of[key]) for key in made))
    return states | dict.fromkeys(made, ReplicaState.COPYING)


async def hold(conn: Connection, vo: int, keys: Sequence[ReplicaKey]) -> dict[ReplicaKey, ReplicaState]:
    """Hold replicas, once for each time they are given; their tombstones go.

    Returns their states as seen under the lock. Raises `ReplicaNotFound` or `ReplicaBeingDeleted` naming the first.
    """
    wanted, counts = plan.counted(keys)
    states = await rows.lock(conn, vo, wanted)
    await _refuse_missing(conn, vo, wanted, states)
    await _refuse_deleting(conn, vo, states)
    await rows.add_holds(conn, vo, wanted, counts)
    return states


async def release(conn: Connection, vo: int, keys: Sequence[ReplicaKey], *, grace: timedelta = timedelta(0)) -> None:
    """Take a hold from replicas for each time they are given; one without any may be deleted after `grace`.

    Raises `ReplicaNotFound` naming the first that does not exist.
    """
    wanted, counts = plan.counted(keys)
    states = await rows.lock(conn, vo, wanted)
    await _refuse_missing(conn, vo, wanted, states)
    await rows.drop_holds(conn, vo, wanted, counts, grace)


async def arrive(conn: Connection, vo: int, keys: Sequence[ReplicaKey]) -> list[ReplicaKey]:
    """Make copying replicas available; return those that were copying, so a second report counts nothing."""
    await rows.lock(conn, vo, keys)
    arrived = await rows.set_available(conn, vo, keys)
    await declarations.end(conn, vo, arrived, ALL_KINDS, DeclarationState.RECOVERED)
    return arrived


async def lose(conn: Connection, vo: int, keys: Sequence[ReplicaKey]) -> list[ReplicaKey]:
    """Remove copying replicas that nothing holds and nobody brings any more; return those that were removed."""
    await rows.lock(conn, vo, keys)
    gone = await rows.remove_copying(conn, vo, keys)
    if gone:
        await declarations.end_gone(conn, [(vo, key.did_id, key.rse_id) for key, _ in gone])
        await rows.add_usage(conn, vo, plan.sums((key.rse_id, -1, -size) for key, size in gone))
    return [key for key, _ in gone]


async def mark_bad(
    conn: Connection, vo: int, keys: Sequence[ReplicaKey], *, reason: str | None = None, account_id: int | None = None
) -> list[ReplicaKey]:
    """Note that replicas are lost or wrong, and who says why; return those that were available, or would be later.

    A task of `rules` has those that are held brought anew; one that nothing holds may be deleted at once.
    """
    await rows.lock(conn, vo, keys)
    bad = await rows.set_bad(conn, vo, keys)
    if bad:
        await declarations.end(conn, vo, bad, LIGHTER, DeclarationState.REPLACED)
        await declarations.insert(conn, vo, bad, Saying(DeclarationKind.BAD, reason), account_id)
        await defer(conn, "rules:recopy", vo=vo, keys=[list(key) for key in bad])
    return bad


async def recopy(conn: Connection, vo: int, keys: Sequence[ReplicaKey]) -> list[ReplicaKey]:
    """Make bad replicas that something holds copying again; return those that were bad. The caller has them brought."""
    await rows.lock(conn, vo, keys)
    return await rows.set_copying(conn, vo, keys)


async def _refuse_missing(
    conn: Connection, vo: int, wanted: Iterable[ReplicaKey], states: Mapping[ReplicaKey, ReplicaState]
) -> None:
    for key in wanted:
        if key not in states:
            raise ReplicaNotFound(**await named(conn, vo, key))


async def _refuse_deleting(conn: Connection, vo: int, states: Mapping[ReplicaKey, ReplicaState]) -> None:
    deleting = [key for key, state in states.items() if state is ReplicaState.DELETING]
    if deleting:
        raise ReplicaBeingDeleted(**await named(conn, vo, min(deleting)))


async def named(conn: Connection, vo: int, key: ReplicaKey) -> dict[str, str]:
    """The file and the RSE of a replica by name, as errors say them."""
    did = (await dids.by_id(conn, vo, [key.did_id])).get(key.did_id)
    rse = (await rses.by_id(conn, [key.rse_id])).get(key.rse_id)
    return {
        "did": did.did if did else f"file {key.did_id}",
        "rse": rse.name if rse else f"RSE {key.rse_id}",
    }


def _repeated(keys: Sequence[ReplicaKey]) -> ReplicaKey:
    return next(key for n, key in enumerate(keys) if key in keys[:n])
