"""News of replicas is counted on the rules that hold them: each once, however often it comes."""

from collections.abc import Sequence

from sancho.kit.db import Connection
from sancho.replicas import service as replicas
from sancho.replicas.model import ReplicaKey, ReplicaState
from sancho.rules.store import locks, rows
from sancho.rules.store.rows import Shift
from sancho.transfers import service as transfers

HAS_ARRIVED = (ReplicaState.AVAILABLE, ReplicaState.UNAVAILABLE, ReplicaState.BAD)


async def settle(conn: Connection, vo: int, keys: Sequence[ReplicaKey]) -> None:
    """Settle the locks on replicas that have arrived: they count as ok from now on.

    Their requests are removed in the same commit; a replica without one was settled before, or had nothing to settle.
    One that was found bad since had arrived all the same.
    """
    seen = await locks.lock_replicas(conn, vo, sorted(set(keys)))
    arrived = [s.key for s in seen if s.state in HAS_ARRIVED]
    gone = await transfers.forget(conn, vo, arrived)
    shifts = [
        Shift(ReplicaKey(f.did_id, f.rse_id), 1, 0, -1) if f.stuck else Shift(ReplicaKey(f.did_id, f.rse_id), 1, -1, 0)
        for f in gone
    ]
    await _shift(conn, vo, shifts)


async def stick(conn: Connection, vo: int, keys: Sequence[ReplicaKey], reason: str) -> None:
    """Let the locks on replicas whose transfers have failed for good be stuck, and note why on their rules."""
    seen = await locks.lock_replicas(conn, vo, sorted(set(keys)))
    stuck = await transfers.stick(conn, vo, [s.key for s in seen])
    held = await _shift(conn, vo, [Shift(key, 0, -1, 1) for key in stuck])
    await replicas.note_lost(conn, vo, stuck)
    if held:
        await rows.mark_stuck(conn, vo, held, reason)


async def revive(conn: Connection, vo: int, keys: Sequence[ReplicaKey]) -> None:
    """Try the stuck transfers of replicas again; the locks on them are replicating from now on."""
    seen = await locks.lock_replicas(conn, vo, sorted(set(keys)))
    revived = await transfers.revive(conn, vo, [s.key for s in seen])
    await _shift(conn, vo, [Shift(key, 0, 1, -1) for key in revived])


async def recopy(conn: Connection, vo: int, keys: Sequence[ReplicaKey]) -> None:
    """Have bad replicas that rules hold brought anew; the locks on them are replicating until they arrive.

    An arrival that was not settled yet is settled before: its request must not stand in the way of the new one.
    """
    await settle(conn, vo, keys)
    again = await replicas.recopy(conn, vo, sorted(set(keys)))
    if again:
        await transfers.request(conn, vo, again, activity="repair")
        await _shift(conn, vo, [Shift(key, -1, 1, 0) for key in again])


async def _shift(conn: Connection, vo: int, shifts: Sequence[Shift]) -> list[int]:
    """Move counts under the locks of the rules that hold these replicas, whose rows are locked; return the rules."""
    if not shifts:
        return []
    held = await rows.lock_rules_over(conn, vo, [shift.key for shift in shifts])
    if held:
        await rows.shift(conn, vo, shifts)
    return held
