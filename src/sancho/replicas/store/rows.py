"""Replicas and usage: lock, insert, count, change, remove."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sancho.kit.db import Connection, execute, fetch, fetch_rows
from sancho.replicas.model import COPYING_GRACE, Replica, ReplicaKey, ReplicaState, Usage

SLOTS = 16
"""Slots of usage: one for each connection, modulo this."""


async def lock(conn: Connection, vo: int, keys: Sequence[ReplicaKey]) -> dict[ReplicaKey, ReplicaState]:
    """Lock those of these replicas that exist, in order; say their states as they are under the lock."""
    rows = await fetch_rows(
        conn,
        """
        SELECT r.did_id, r.rse_id, r.state
          FROM unnest(%(did_ids)s::bigint[], %(rse_ids)s::int[]) AS wanted (did_id, rse_id)
          JOIN replica r ON r.did_id = wanted.did_id AND r.vo = %(vo)s AND r.rse_id = wanted.rse_id
         ORDER BY r.did_id, r.rse_id
           FOR NO KEY UPDATE OF r
        """,
        {"vo": vo, "did_ids": [k.did_id for k in keys], "rse_ids": [k.rse_id for k in keys]},
    )
    return {ReplicaKey(did_id, rse_id): ReplicaState(state) for did_id, rse_id, state in rows}


async def lock_all(conn: Connection, vo: int, did_ids: Sequence[int]) -> dict[ReplicaKey, ReplicaState]:
    """Lock every replica of these files, in order; say their states as they are under the lock."""
    rows = await fetch_rows(
        conn,
        """
        SELECT did_id, rse_id, state FROM replica
         WHERE did_id = ANY(%(did_ids)s::bigint[]) AND vo = %(vo)s
         ORDER BY did_id, rse_id
           FOR NO KEY UPDATE
        """,
        {"vo": vo, "did_ids": list(did_ids)},
    )
    return {ReplicaKey(did_id, rse_id): ReplicaState(state) for did_id, rse_id, state in rows}


async def insert(
    conn: Connection,
    vo: int,
    keys: Sequence[ReplicaKey],
    sizes: Sequence[int],
    state: ReplicaState,
    lock_counts: Sequence[int],
) -> list[ReplicaKey]:
    """Make replicas; return the keys of those that did not exist."""
    rows = await fetch_rows(
        conn,
        """
        INSERT INTO replica (vo, state, rse_id, did_id, size, lock_count)
        SELECT %(vo)s, %(state)s, made.rse_id, made.did_id, made.size, made.lock_count
          FROM unnest(%(did_ids)s::bigint[], %(rse_ids)s::int[], %(sizes)s::bigint[], %(lock_counts)s::int[])
               AS made (did_id, rse_id, size, lock_count)
         ORDER BY made.did_id, made.rse_id
            ON CONFLICT DO NOTHING
        RETURNING did_id, rse_id
        """,
        {
            "vo": vo,
            "state": state,
            "did_ids": [k.did_id for k in keys],
            "rse_ids": [k.rse_id for k in keys],
            "sizes": list(sizes),
            "lock_counts": list(lock_counts),
        },
    )
    return [ReplicaKey(*row) for row in rows]


async def insert_paths(conn: Connection, vo: int, keys: Sequence[ReplicaKey], paths: Sequence[str]) -> list[ReplicaKey]:
    """Say where replicas lie; return those at whose path no other does."""
    rows = await fetch_rows(
        conn,
        """
        INSERT INTO replica_path (vo, rse_id, did_id, path)
        SELECT %(vo)s, said.rse_id, said.did_id, said.path
          FROM unnest(%(did_ids)s::bigint[], %(rse_ids)s::int[], %(paths)s::text[]) AS said (did_id, rse_id, path)
         ORDER BY said.did_id, said.rse_id
            ON CONFLICT (rse_id, vo, path) DO NOTHING
        RETURNING did_id, rse_id
        """,
        {
            "vo": vo, "did_ids": [k.did_id for k in keys], "rse_ids": [k.rse_id for k in keys], "paths": list(paths),
        },
    )  # fmt: skip
    return [ReplicaKey(*row) for row in rows]


async def insert_tape_places(conn: Connection, vo: int, places: Mapping[ReplicaKey, tuple[str, int]]) -> None:
    """Keep on which tapes replicas are, and where."""
    await execute(
        conn,
        """
        INSERT INTO tape_place (vo, did_id, rse_id, tape, position)
        SELECT %(vo)s, p.* FROM unnest(%(dids)s::bigint[], %(rses)s::int[], %(tapes)s::text[], %(positions)s::bigint[])
               AS p (did_id) ORDER BY p.did_id
            ON CONFLICT (did_id, vo, rse_id) DO UPDATE SET tape = excluded.tape, position = excluded.position
        """,
        {
            "vo": vo, "dids": [key.did_id for key in places], "rses": [key.rse_id for key in places],
            "tapes": [tape for tape, _ in places.values()], "positions": [n for _, n in places.values()],
        },
    )  # fmt: skip


async def insert_on(conn: Connection, vo: int, rse_id: int, did_ids: Sequence[int], sizes: Sequence[int]) -> int:
    """Make available replicas of new files on one RSE; return how many."""
    return await execute(
        conn,
        """
        INSERT INTO replica (vo, state, rse_id, did_id, size)
        SELECT %(vo)s, 'A', %(rse_id)s, made.did_id, made.size
          FROM unnest(%(did_ids)s::bigint[], %(sizes)s::bigint[]) AS made (did_id, size)
        """,
        {"vo": vo, "rse_id": rse_id, "did_ids": list(did_ids), "sizes": list(sizes)},
    )


async def add_holds(conn: Connection, vo: int, keys: Sequence[ReplicaKey], counts: Sequence[int]) -> None:
    """Add holds to locked replicas; their tombstones go."""
    await execute(
        conn,
        """
        UPDATE replica r
           SET lock_count = r.lock_count + held.n, tombstone_at = NULL
          FROM unnest(%(did_ids)s::bigint[], %(rse_ids)s::int[], %(counts)s::int[]) AS held (did_id, rse_id, n)
         WHERE r.did_id = held.did_id AND r.vo = %(vo)s AND r.rse_id = held.rse_id
        """,
        {
            "vo": vo,
            "did_ids": [k.did_id for k in keys],
            "rse_ids": [k.rse_id for k in keys],
            "counts": list(counts),
        },
    )


async def drop_holds(
    conn: Connection, vo: int, keys: Sequence[ReplicaKey], counts: Sequence[int], grace: timedelta
) -> None:
    """Take holds from locked replicas; those without any get a tombstone after `grace`, copying ones a little later."""
    await execute(
        conn,
        """
        UPDATE replica r
           SET lock_count = r.lock_count - freed.n,
               tombstone_at = CASE WHEN r.lock_count > freed.n THEN r.tombstone_at
                                   WHEN r.state = 'C' THEN now() + %(grace)s + %(copying_grace)s
                                   ELSE now() + %(grace)s END
          FROM unnest(%(did_ids)s::bigint[], %(rse_ids)s::int[], %(counts)s::int[]) AS freed (did_id, rse_id, n)
         WHERE r.did_id = freed.did_id AND r.vo = %(vo)s AND r.rse_id = freed.rse_id
        """,
        {
            "vo": vo,
            "did_ids": [k.did_id for k in keys],
            "rse_ids": [k.rse_id for k in keys],
            "counts": list(counts),
            "grace": grace,
            "copying_grace": COPYING_GRACE,
        },
    )


async def expire(conn: Connection, vo: int, keys: Sequence[ReplicaKey]) -> list[ReplicaKey]:
    """Let those of these locked replicas that nothing holds be deleted from now on; return them, in order."""
    rows = await fetch_rows(
        conn,
        """
        UPDATE replica r SET tombstone_at = least(r.tombstone_at, now())
          FROM unnest(%(did_ids)s::bigint[], %(rse_ids)s::int[]) AS ended (did_id, rse_id)
         WHERE r.did_id = ended.did_id AND r.vo = %(vo)s AND r.rse_id = ended.rse_id AND r.lock_count = 0
        RETURNING r.did_id, r.rse_id
        """,
        {"vo": vo, "did_ids": [k.did_id for k in keys], "rse_ids": [k.rse_id for k in keys]},
    )
    return sorted(ReplicaKey(*row) for row in rows)


async def set_tombstones(conn: Connection, vo: int, keys: Sequence[ReplicaKey], wait: timedelta) -> None:
    """Let those of these replicas that nothing holds be deleted after a time."""
    await execute(
        conn,
        """
        UPDATE replica r SET tombstone_at = now() + %(wait)s
          FROM unnest(%(did_ids)s::bigint[], %(rse_ids)s::int[]) AS ended (did_id, rse_id)
         WHERE r.did_id = ended.did_id AND r.vo = %(vo)s AND r.rse_id = ended.rse_id AND r.lock_count = 0
        """,
        {"vo": vo, "did_ids": [k.did_id for k in keys], "rse_ids": [k.rse_id for k in keys], "wait": wait},
    )


async def keep(conn: Connection, vo: int, keys: Sequence[ReplicaKey]) -> None:
    """Let locked available replicas stay until somebody says otherwise."""
    await execute(
        conn,
        """
        UPDATE replica r SET tombstone_at = NULL
          FROM unnest(%(did_ids)s::bigint[], %(rse_ids)s::int[]) AS kept (did_id, rse_id)
         WHERE r.did_id = kept.did_id AND r.vo = %(vo)s AND r.rse_id = kept.rse_id AND r.state = 'A'
           AND r.tombstone_at IS NOT NULL
        """,
        {"vo": vo, "did_ids": [k.did_id for k in keys], "rse_ids": [k.rse_id for k in keys]},
    )


async def set_available(conn: Connection, vo: int, keys: Sequence[ReplicaKey]) -> list[ReplicaKey]:
    """Make locked copying replicas available; return the keys of those that were copying, in order.

    One that nothing holds any more may be deleted at once.
    """
    rows = await fetch_rows(
        conn,
        """
        UPDATE replica r
           SET state = 'A', tombstone_at = CASE WHEN r.tombstone_at IS NOT NULL THEN least(r.tombstone_at, now()) END
          FROM unnest(%(did_ids)s::bigint[], %(rse_ids)s::int[]) AS arrived (did_id, rse_id)
         WHERE r.did_id = arrived.did_id AND r.vo = %(vo)s AND r.rse_id = arrived.rse_id AND r.state = 'C'
        RETURNING r.did_id, r.rse_id
        """,
        {"vo": vo, "did_ids": [k.did_id for k in keys], "rse_ids": [k.rse_id for k in keys]},
    )
    return sorted(ReplicaKey(*row) for row in rows)


async def set_bad(conn: Connection, vo: int, keys: Sequence[ReplicaKey]) -> list[ReplicaKey]:
    """Make locked replicas bad that are available, or would be later; return them, in order.

    Those that nothing holds may be deleted at once.
    """
    rows = await fetch_rows(
        conn,
        """
        UPDATE replica r
           SET state = 'B', tombstone_at = CASE WHEN r.lock_count = 0 THEN now() END
          FROM unnest(%(did_ids)s::bigint[], %(rse_ids)s::int[]) AS bad (did_id, rse_id)
         WHERE r.did_id = bad.did_id AND r.vo = %(vo)s AND r.rse_id = bad.rse_id AND r.state IN ('A', 'T')
        RETURNING r.did_id, r.rse_id
        """,
        {"vo": vo, "did_ids": [k.did_id for k in keys], "rse_ids": [k.rse_id for k in keys]},
    )
    return sorted(ReplicaKey(*row) for row in rows)


async def swap(
    conn: Connection, vo: int, keys: Sequence[ReplicaKey], before: ReplicaState, after: ReplicaState
) -> list[ReplicaKey]:
    """Let locked replicas that are in one state be in another; return those that were, in order."""
    rows = await fetch_rows(
        conn,
        """
        UPDATE replica r SET state = %(after)s
          FROM unnest(%(did_ids)s::bigint[], %(rse_ids)s::int[]) AS k (did_id, rse_id)
         WHERE r.did_id = k.did_id AND r.vo = %(vo)s AND r.rse_id = k.rse_id AND r.state = %(before)s
        RETURNING r.did_id, r.rse_id
        """,
        {
            "vo": vo, "before": before, "after": after, "did_ids": [k.did_id for k in keys],
            "rse_ids": [k.rse_id for k in keys],
        },
    )  # fmt: skip
    return sorted(ReplicaKey(*row) for row in rows)


async def set_copying(conn: Connection, vo: int, keys: Sequence[ReplicaKey]) -> list[ReplicaKey]:
    """Make locked bad replicas that something holds copying; return those that were bad, in order."""
    rows = await fetch_rows(
        conn,
        """
        UPDATE replica r SET state = 'C'
          FROM unnest(%(did_ids)s::bigint[], %(rse_ids)s::int[]) AS again (did_id, rse_id)
         WHERE r.did_id = again.did_id AND r.vo = %(vo)s AND r.rse_id = again.rse_id AND r.state = 'B'
           AND r.lock_count > 0
        RETURNING r.did_id, r.rse_id
        """,
        {"vo": vo, "did_ids": [k.did_id for k in keys], "rse_ids": [k.rse_id for k in keys]},
    )
    return sorted(ReplicaKey(*row) for row in rows)


async def remove_copying(conn: Connection, vo: int, keys: Sequence[ReplicaKey]) -> list[tuple[ReplicaKey, int]]:
    """Remove locked copying replicas that nothing holds; return their keys and sizes, in order.

    Each is looked up by its key: who estimates that hardly any is held by nothing reads the whole table for them.
    """
    rows = await fetch_rows(
        conn,
        """
        DELETE FROM replica r
         WHERE r.vo = %(vo)s
           AND r.ctid = ANY(ARRAY(
               SELECT there.ctid
                 FROM unnest(%(did_ids)s::bigint[], %(rse_ids)s::int[]) AS lost (did_id, rse_id)
                CROSS JOIN LATERAL (
                      SELECT c.ctid FROM replica c
                       WHERE c.did_id = lost.did_id AND c.vo = %(vo)s AND c.rse_id = lost.rse_id
                         AND c.state = 'C' AND c.lock_count = 0 OFFSET 0) AS there))
        RETURNING r.did_id, r.rse_id, r.size
        """,
        {"vo": vo, "did_ids": [k.did_id for k in keys], "rse_ids": [k.rse_id for k in keys]},
    )
    return sorted((ReplicaKey(did_id, rse_id), size) for did_id, rse_id, size in rows)


async def add_usage(conn: Connection, vo: int, changes: Sequence[Usage]) -> None:
    """Count files and bytes (negative to take away) in this connection's slots."""
    await execute(
        conn,
        """
        INSERT INTO rse_usage_slot AS slot (vo, slot, rse_id, files, size)
        SELECT %(vo)s, pg_backend_pid() %% %(slots)s, change.rse_id, change.files, change.size
          FROM unnest(%(rse_ids)s::int[], %(files)s::bigint[], %(sizes)s::bigint[]) AS change (rse_id, files, size)
         ORDER BY change.rse_id
            ON CONFLICT (rse_id, vo, slot)
            DO UPDATE SET files = slot.files + EXCLUDED.files, size = slot.size + EXCLUDED.size
        """,
        {
            "vo": vo,
            "slots": SLOTS,
            "rse_ids": [change.rse_id for change in changes],
            "files": [change.files for change in changes],
            "sizes": [change.size for change in changes],
        },
    )


async def usage(conn: Connection, vo: int) -> list[Usage]:
    """What a VO has on each RSE."""
    rows = await fetch_rows(
        conn,
        """
        SELECT rse_id, sum(files)::bigint, sum(size)::bigint
          FROM rse_usage_slot WHERE vo = %(vo)s
         GROUP BY rse_id ORDER BY rse_id
        """,
        {"vo": vo},
    )
    return [Usage(*row) for row in rows]


async def list_replicas(conn: Connection, vo: int, did_ids: Sequence[int]) -> list[Replica]:
    """All replicas of these files, in order."""
    return await fetch(
        conn,
        Replica,
        """
        SELECT r.did_id, r.vo, r.rse_id, r.state, r.size, r.lock_count, r.accessed_on, r.tombstone_at, p.path
          FROM replica r
          LEFT JOIN replica_path p ON p.did_id = r.did_id AND p.vo = r.vo AND p.rse_id = r.rse_id
         WHERE r.did_id = ANY(%(did_ids)s::bigint[]) AND r.vo = %(vo)s
         ORDER BY r.did_id, r.rse_id
        """,
        {"vo": vo, "did_ids": sorted(set(did_ids))},
    )
