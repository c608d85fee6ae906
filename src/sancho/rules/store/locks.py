"""The SQL of locks: place, remove, list; and the locks on other features' rows that keep the counting exact.

Writes `lock`. "Lock" is our word for a rule's hold on a replica; where a row is locked, it says so.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sancho.dids.model import DidKind
from sancho.kit.db import Connection, execute, fetch, fetch_rows, fetch_value, fetch_values
from sancho.replicas.model import ReplicaKey, ReplicaState
from sancho.rules.model import Counted, Lock, Target, Want


class SeenReplica(NamedTuple):
    """A replica as seen when its row was locked."""

    key: ReplicaKey
    state: ReplicaState
    lock_count: int


class Stray(NamedTuple):
    """A lock without a reason: the DID of its rule, `root`, is neither the file nor above it."""

    lock: Want
    account_id: int
    root: int


async def lock_collections(conn: Connection, vo: int, did_ids: Sequence[int]) -> list[int]:
    """Lock the rows of DIDs and of all collections below them, so that nothing is attached below them meanwhile.

    Returns them in order.
    """
    return await fetch_values(
        conn,
        """
        SELECT did_id
          FROM did
         WHERE vo = %(vo)s AND NOT erased
           AND did_id = ANY(ARRAY(
               WITH RECURSIVE below (did_id, kind) AS (
                   SELECT wanted.did_id, (SELECT d.kind FROM did d WHERE d.did_id = wanted.did_id AND d.vo = %(vo)s)
                     FROM unnest(%(did_ids)s::bigint[]) AS wanted (did_id)
                    UNION
                   SELECT inside.child_id, (SELECT d.kind FROM did d WHERE d.did_id = inside.child_id AND d.vo = %(vo)s)
                     FROM below
                    CROSS JOIN LATERAL (
                          SELECT a.child_id FROM attachment a
                           WHERE a.parent_id = below.did_id AND a.vo = %(vo)s OFFSET 0) AS inside
                    WHERE below.kind = 'C')
               SELECT below.did_id FROM below))
         ORDER BY did_id
           FOR NO KEY UPDATE
        """,
        {"vo": vo, "did_ids": list(did_ids)},
    )


async def share_parents(conn: Connection, vo: int, parent_ids: Sequence[int], file_ids: Sequence[int]) -> bool:
    """Lock, shared, the rows of these collections and of those of the files that have rules of their own.

    Say whether any of them is a container.
    """
    kinds = await fetch_values(
        conn,
        """
        SELECT kind
          FROM did
         WHERE vo = %(vo)s
           AND did_id = ANY(ARRAY(
               SELECT unnest(%(parent_ids)s::bigint[])
                UNION
               SELECT rule.did_id FROM rule WHERE rule.did_id = ANY(%(file_ids)s::bigint[]) AND rule.vo = %(vo)s))
         ORDER BY did_id
           FOR SHARE
        """,
        {"vo": vo, "parent_ids": list(parent_ids), "file_ids": list(file_ids)},
    )
    return DidKind.CONTAINER.value in kinds


async def targets_above(conn: Connection, vo: int, parent_ids: Sequence[int], file_ids: Sequence[int]) -> list[Target]:
    """Rules in force on these collections, on anything above them, or on the files themselves, but for pins; by id."""
    return await fetch(
        conn,
        Target,
        """
        WITH RECURSIVE above (did_id) AS (
            SELECT unnest(%(parent_ids)s::bigint[])
             UNION
            SELECT holder.parent_id
              FROM above
             CROSS JOIN LATERAL (
                   SELECT a.parent_id FROM attachment a
                    WHERE a.child_id = above.did_id AND a.vo = %(vo)s OFFSET 0) AS holder)
        SELECT r.rule_id, r.account_id, r.did_id, r.copies, x.rse_expression, x.rse_ids, x.activity
          FROM rule r JOIN rule_detail x ON x.rule_id = r.rule_id AND x.vo = r.vo
         WHERE r.vo = %(vo)s
           AND r.did_id = ANY(ARRAY(SELECT did_id FROM above UNION SELECT unnest(%(file_ids)s::bigint[])))
           AND NOT r.waiting AND NOT r.pin AND (r.expires_at IS NULL OR r.expires_at > now())
         ORDER BY r.rule_id
        """,
        {"vo": vo, "parent_ids": list(parent_ids), "file_ids": list(file_ids)},
    )


async def target(conn: Connection, vo: int, rule_id: int) -> Target | None:
    """One rule in force, for placement; None for a pin, which holds what it is told to."""
    rows = await fetch(
        conn,
        Target,
        """
        SELECT r.rule_id, r.account_id, r.did_id, r.copies, x.rse_expression, x.rse_ids, x.activity
          FROM rule r JOIN rule_detail x ON x.rule_id = r.rule_id AND x.vo = r.vo
         WHERE r.rule_id = %(rule_id)s AND r.vo = %(vo)s AND NOT r.waiting AND NOT r.pin
           AND (r.expires_at IS NULL OR r.expires_at > now())
        """,
        {"vo": vo, "rule_id": rule_id},
    )
    return rows[0] if rows else None


async def wants_above(conn: Connection, vo: int, targets: Sequence[Target], file_ids: Sequence[int]) -> list[Want]:
    """Locks that these rules lack for those of the files that are below their DIDs, in the order of placing.

    What is above a file is held against the rules with `IN`, which is hashed: a join is planned for ten rules once its
    plan is kept, and compares each with each. Before it is kept, a join with a table is planned as a walk through all
    of it: nobody can estimate how many ways lead up from a file, so each is looked up.
    """
    below = await fetch_rows(
        conn,
        """
        WITH RECURSIVE above (file_id, did_id) AS (
            SELECT f, f FROM unnest(%(file_ids)s::bigint[]) AS f
             UNION
            SELECT above.file_id, holder.parent_id
              FROM above
             CROSS JOIN LATERAL (
                   SELECT a.parent_id FROM attachment a
                    WHERE a.child_id = above.did_id AND a.vo = %(vo)s OFFSET 0) AS holder)
        SELECT above.did_id, file.did_id, file.size
          FROM above
         CROSS JOIN LATERAL (
               SELECT d.did_id, d.size FROM did d
                WHERE d.did_id = above.file_id AND d.vo = %(vo)s AND d.kind = 'F' OFFSET 0) AS file
         WHERE (above.did_id IN (SELECT unnest(%(did_ids)s::bigint[]))) IS TRUE
        """,
        {"vo": vo, "file_ids": list(file_ids), "did_ids": sorted({t.did_id for t in targets})},
    )
    held = await fetch_rows(
        conn,
        """
        SELECT rule_id, rse_id, did_id FROM lock
         WHERE did_id = ANY(%(file_ids)s::bigint[]) AND vo = %(vo)s
           AND (rule_id IN (SELECT unnest(%(rule_ids)s::bigint[]))) IS TRUE
        """,
        {"vo": vo, "file_ids": list(file_ids), "rule_ids": [t.rule_id for t in targets]},
    )
    there, rules = set(held), dict[int, list[Target]]()
    for one in targets:
        rules.setdefault(one.did_id, []).append(one)
    return sorted(
        Want(file_id, rse_id, rule.rule_id, size)
        for did_id, file_id, size in below for rule in rules[did_id] for rse_id in rule.rse_ids
        if (rule.rule_id, rse_id, file_id) not in there
    )  # fmt: skip


async def insert_locks(conn: Connection, vo: int, wants: Sequence[Want]) -> list[Want]:
    """Insert locks that are not there yet; return those that were inserted."""
    rows = await fetch_rows(
        conn,
        """
        INSERT INTO lock (vo, did_id, rse_id, rule_id, size)
        SELECT %(vo)s, * FROM unnest(%(did_ids)s::bigint[], %(rse_ids)s::int[], %(rule_ids)s::bigint[],
                                     %(sizes)s::bigint[])
            ON CONFLICT DO NOTHING
        RETURNING did_id, rse_id, rule_id, size
        """,
        {
            "vo": vo, "did_ids": [w.did_id for w in wants], "rse_ids": [w.rse_id for w in wants],
            "rule_ids": [w.rule_id for w in wants], "sizes": [w.size for w in wants],
        },
    )  # fmt: skip
    return [Want(*row) for row in rows]


async def locks_of_rule(conn: Connection, vo: int, rule_id: int, limit: int) -> list[Want]:
    """Some locks of a rule, in the order of their replicas; which, the index says, so that few are read for few."""
    rows = await fetch_rows(
        conn,
        """
        SELECT *
          FROM (SELECT did_id, rse_id, rule_id, size FROM lock
                 WHERE rule_id = %(rule_id)s AND vo = %(vo)s
                 ORDER BY rse_id, did_id
                 LIMIT %(limit)s) AS first
         ORDER BY did_id, rse_id
        """,
        {"vo": vo, "rule_id": rule_id, "limit": limit},
    )
    return [Want(*row) for row in rows]


async def locks_elsewhere(conn: Connection, vo: int, rule_id: int, rse_ids: Sequence[int], limit: int) -> list[Want]:
    """Some locks of a rule on other RSEs than these, in the order of their replicas."""
    rows = await fetch_rows(
        conn,
        """
        SELECT *
          FROM (SELECT did_id, rse_id, rule_id, size FROM lock
                 WHERE rule_id = %(rule_id)s AND vo = %(vo)s AND rse_id <> ALL (%(rse_ids)s::int[])
                 ORDER BY rse_id, did_id
                 LIMIT %(limit)s) AS first
         ORDER BY did_id, rse_id
        """,
        {"vo": vo, "rule_id": rule_id, "rse_ids": list(rse_ids), "limit": limit},
    )
    return [Want(*row) for row in rows]


async def strays(conn: Connection, vo: int, file_ids: Sequence[int], limit: int) -> list[Stray]:
    """The first locks on these files that have no reason any more, in the order of their replicas.

    Pairs of file and root are compared as sets: nobody can estimate how many ways lead up from a file, and a plan
    that tries compares each lock with each of them. Locks are looked up by file: a rule may have a million.
    """
    rows = await fetch_rows(
        conn,
        """
        WITH RECURSIVE above (file_id, did_id) AS (
            SELECT f, f FROM unnest(%(file_ids)s::bigint[]) AS f
             UNION
            SELECT above.file_id, holder.parent_id
              FROM above
             CROSS JOIN LATERAL (
                   SELECT a.parent_id FROM attachment a
                    WHERE a.child_id = above.did_id AND a.vo = %(vo)s OFFSET 0) AS holder),
        astray (file_id, root) AS (
            SELECT l.did_id, r.did_id
              FROM lock l
             CROSS JOIN LATERAL (
                   SELECT rule.did_id FROM rule WHERE rule.rule_id = l.rule_id AND rule.vo = %(vo)s OFFSET 0) AS r
             WHERE l.did_id = ANY(%(file_ids)s::bigint[]) AND l.vo = %(vo)s
            EXCEPT
            SELECT file_id, did_id FROM above)
        SELECT l.did_id, l.rse_id, l.rule_id, l.size, r.account_id, r.did_id
          FROM astray
         CROSS JOIN LATERAL (
               SELECT k.did_id, k.rse_id, k.rule_id, k.size FROM lock k
                WHERE k.did_id = astray.file_id AND k.vo = %(vo)s OFFSET 0) AS l
         CROSS JOIN LATERAL (
               SELECT rule.did_id, rule.account_id FROM rule
                WHERE rule.rule_id = l.rule_id AND rule.vo = %(vo)s OFFSET 0) AS r
         WHERE r.did_id = astray.root
         ORDER BY l.did_id, l.rse_id, l.rule_id
         LIMIT %(limit)s
        """,
        {"vo": vo, "file_ids": list(file_ids), "limit": limit},
    )
    return [Stray(Want(*row[:4]), *row[4:]) for row in rows]


async def delete_locks(conn: Connection, vo: int, locks: Sequence[Want]) -> None:
    """Remove locks."""
    await execute(
        conn,
        """
        DELETE FROM lock
         USING unnest(%(rule_ids)s::bigint[], %(did_ids)s::bigint[], %(rse_ids)s::int[])
               AS gone (rule_id, did_id, rse_id)
         WHERE lock.rule_id = gone.rule_id AND lock.vo = %(vo)s AND lock.rse_id = gone.rse_id
           AND lock.did_id = gone.did_id
        """,
        {
            "vo": vo, "rule_ids": [w.rule_id for w in locks], "did_ids": [w.did_id for w in locks],
            "rse_ids": [w.rse_id for w in locks],
        },
    )  # fmt: skip


async def lock_replicas(conn: Connection, vo: int, keys: Sequence[ReplicaKey]) -> list[SeenReplica]:
    """Lock the rows of replicas in key order; return those that exist as seen under the lock."""
    rows = await fetch_rows(
        conn,
        """
        SELECT r.did_id, r.rse_id, r.state, r.lock_count
          FROM unnest(%(did_ids)s::bigint[], %(rse_ids)s::int[]) AS k (did_id, rse_id)
          JOIN replica r ON r.did_id = k.did_id AND r.vo = %(vo)s AND r.rse_id = k.rse_id
         ORDER BY r.did_id, r.rse_id
           FOR NO KEY UPDATE OF r
        """,
        {"vo": vo, "did_ids": [k.did_id for k in keys], "rse_ids": [k.rse_id for k in keys]},
    )
    return [SeenReplica(ReplicaKey(row[0], row[1]), ReplicaState(row[2]), row[3]) for row in rows]


async def list_locks(conn: Connection, vo: int, rule_id: int, after: tuple[int, int], limit: int) -> list[Lock]:
    """Locks of a rule by RSE and file, those after a pair of ids, each with the state that its replica gives it."""
    return await fetch(
        conn,
        Lock,
        """
        SELECT l.did_id, l.rse_id, s.name || ':' || d.name AS did, e.name AS rse, l.size,
               CASE WHEN q.state IS NULL THEN 'ok' WHEN q.state = 'S' THEN 'stuck' ELSE 'replicating' END AS state,
               q.error
          FROM lock l
          JOIN did d ON d.did_id = l.did_id AND d.vo = l.vo
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = d.vo
          JOIN rse e ON e.rse_id = l.rse_id
          LEFT JOIN transfer_request q ON q.did_id = l.did_id AND q.vo = l.vo AND q.rse_id = l.rse_id
         WHERE l.rule_id = %(rule_id)s AND l.vo = %(vo)s AND (l.rse_id, l.did_id) > (%(rse_id)s, %(did_id)s)
         ORDER BY l.rse_id, l.did_id
         LIMIT %(limit)s
        """,
        {"vo": vo, "rule_id": rule_id, "rse_id": after[0], "did_id": after[1], "limit": limit},
    )


async def first_error(conn: Connection, vo: int, rule_id: int) -> str | None:
    """What one of the transfers that a rule waits for last ran into; None when none has run into anything."""
    return await fetch_value(
        conn,
        """
        SELECT q.error
          FROM lock l JOIN transfer_request q ON q.did_id = l.did_id AND q.vo = l.vo AND q.rse_id = l.rse_id
         WHERE l.rule_id = %(rule_id)s AND l.vo = %(vo)s AND q.error IS NOT NULL
         LIMIT 1
        """,
        {"vo": vo, "rule_id": rule_id},
    )


async def deleting(conn: Connection, vo: int, keys: Sequence[ReplicaKey]) -> list[ReplicaKey]:
    """Those of these replicas that are being deleted now.

    Few are at any time, so a join would be planned as a walk through all replicas that compares each with each.
    """
    rows = await fetch_rows(
        conn,
        """
        SELECT did_id, rse_id FROM replica
         WHERE did_id = ANY(%(did_ids)s::bigint[]) AND vo = %(vo)s AND state = 'D'
        """,
        {"vo": vo, "did_ids": sorted({k.did_id for k in keys})},
    )
    return sorted({ReplicaKey(*row) for row in rows}.intersection(keys))


async def stuck_replicas(conn: Connection, vo: int, rule_id: int, limit: int) -> list[ReplicaKey]:
    """Replicas that a rule holds and whose transfers are stuck, in order."""
    rows = await fetch_rows(
        conn,
        """
        SELECT l.did_id, l.rse_id
          FROM lock l
          JOIN transfer_request q ON q.did_id = l.did_id AND q.vo = l.vo AND q.rse_id = l.rse_id AND q.state = 'S'
         WHERE l.rule_id = %(rule_id)s AND l.vo = %(vo)s
         ORDER BY l.did_id, l.rse_id
         LIMIT %(limit)s
        """,
        {"vo": vo, "rule_id": rule_id, "limit": limit},
    )
    return [ReplicaKey(*row) for row in rows]


async def tally(conn: Connection, vo: int, locks: Sequence[Want]) -> list[Counted]:
    """How these locks count on their rules, as ok, replicating and stuck; their replicas are locked."""
    rows = await fetch_rows(
        conn,
        """
        SELECT w.rule_id, count(*) FILTER (WHERE q.state IS NULL), count(*) FILTER (WHERE q.state <> 'S'),
               count(*) FILTER (WHERE q.state = 'S')
          FROM unnest(%(rule_ids)s::bigint[], %(did_ids)s::bigint[], %(rse_ids)s::int[]) AS w (rule_id, did_id, rse_id)
          LEFT JOIN transfer_request q ON q.did_id = w.did_id AND q.vo = %(vo)s AND q.rse_id = w.rse_id
         GROUP BY w.rule_id
         ORDER BY w.rule_id
        """,
        {
            "vo": vo, "rule_ids": [w.rule_id for w in locks], "did_ids": [w.did_id for w in locks],
            "rse_ids": [w.rse_id for w in locks],
        },
    )  # fmt: skip
    return [Counted(*row) for row in rows]
