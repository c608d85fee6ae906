"""The SQL of demand: what jobs want, and the rules that pin it. Writes `demand`, and the rows of those rules."""

from collections.abc import Sequence
from datetime import timedelta

from sancho.kit.db import Connection, execute, fetch, fetch_rows, fetch_value, fetch_values
from sancho.rules.model import RECALL, Copy, Demand, OnTape, Wanted


async def alone(conn: Connection, vo: int) -> None:
    """Be the only one who sees to the demand of a VO, until the transaction ends."""
    await execute(conn, "SELECT pg_advisory_xact_lock(hashtext('sancho.demand'), %(vo)s::int)", {"vo": vo})


async def put(conn: Connection, vo: int, demands: Sequence[Demand]) -> list[int]:
    """Let this be all that jobs of a VO want; return the DIDs that nobody wanted before. Ask for it `alone`."""
    params = {
        "vo": vo, "dids": [d.did_id for d in demands], "waiting": [d.waiting for d in demands],
        "running": [d.running for d in demands], "files": [d.files for d in demands],
        "sizes": [d.size for d in demands],
    }  # fmt: skip
    await execute(conn, "DELETE FROM demand WHERE vo = %(vo)s AND did_id <> ALL(%(dids)s::bigint[])", params)
    return await fetch_values(
        conn,
        """
        WITH put AS (
            INSERT INTO demand AS d (vo, did_id, waiting, running, files, size)
            SELECT %(vo)s, w.did_id, w.waiting, w.running,
                   CASE d.kind WHEN 'F' THEN 1 ELSE w.files END, CASE d.kind WHEN 'F' THEN d.size ELSE w.size END
              FROM unnest(%(dids)s::bigint[], %(waiting)s::int[], %(running)s::int[], %(files)s::int[],
                          %(sizes)s::bigint[]) AS w (did_id, waiting, running, files, size)
              JOIN did d ON d.did_id = w.did_id AND d.vo = %(vo)s
             ORDER BY w.did_id
                ON CONFLICT (did_id, vo) DO UPDATE
               SET waiting = excluded.waiting, running = excluded.running, files = excluded.files, size = excluded.size
             WHERE (d.waiting, d.running, d.files, d.size)
                   <> (excluded.waiting, excluded.running, excluded.files, excluded.size)
            RETURNING did_id, looked_at)
        SELECT did_id FROM put WHERE looked_at = '-infinity' ORDER BY 1
        """,
        params,
    )


async def of_dids(conn: Connection, vo: int, did_ids: Sequence[int]) -> dict[int, Wanted]:
    """How many jobs want each of these DIDs by name, as far as any does, and the rule that pins what it has."""
    rows = await fetch_rows(
        conn,
        """
        SELECT d.did_id, d.waiting, d.running, d.since, (
               SELECT r.rule_id FROM rule r
                WHERE r.did_id = d.did_id AND r.vo = d.vo AND r.pin AND r.expires_at IS NULL
                ORDER BY r.rule_id DESC LIMIT 1)
          FROM demand d WHERE d.did_id = ANY(%(dids)s::bigint[]) AND d.vo = %(vo)s
        """,
        {"vo": vo, "dids": list(did_ids)},
    )
    return {did_id: Wanted(*rest) for did_id, *rest in rows}


async def roots_over(conn: Connection, vo: int, did_ids: Sequence[int]) -> dict[int, list[int]]:
    """Those of these DIDs that jobs want, each with the DIDs by whose names they want it: itself, or some above it."""
    if not await fetch_value(conn, "SELECT EXISTS (SELECT FROM demand WHERE vo = %(vo)s)", {"vo": vo}):
        return {}
    rows = await fetch_rows(
        conn,
        """
        WITH RECURSIVE above (file_id, did_id) AS (
            SELECT f, f FROM unnest(%(dids)s::bigint[]) AS f
             UNION
            SELECT above.file_id, holder.parent_id
              FROM above
             CROSS JOIN LATERAL (
                   SELECT a.parent_id FROM attachment a
                    WHERE a.child_id = above.did_id AND a.vo = %(vo)s OFFSET 0) AS holder)
        SELECT above.file_id, array_agg(d.did_id ORDER BY d.did_id)
          FROM above JOIN demand d ON d.did_id = above.did_id AND d.vo = %(vo)s
         GROUP BY 1
        """,
        {"vo": vo, "dids": list(did_ids)},
    )
    return dict(rows)


async def due(conn: Connection, vo: int, every: timedelta, *, most: int, files: int) -> list[int]:
    """DIDs whose replicas have not been seen to for so long: at most so many, with so many files, and at least one."""
    return await fetch_values(
        conn,
        """
        SELECT did_id
          FROM (SELECT did_id, sum(files) OVER (ORDER BY looked_at, did_id) - files AS before
                  FROM (SELECT did_id, files, looked_at FROM demand
                         WHERE vo = %(vo)s AND looked_at <= now() - %(every)s::interval
                         ORDER BY looked_at, did_id LIMIT %(most)s) AS oldest) AS first
         WHERE before < %(files)s ORDER BY did_id
        """,
        {"vo": vo, "every": every, "most": most, "files": files},
    )


async def note_looked(conn: Connection, vo: int, did_ids: Sequence[int]) -> None:
    """Say that the replicas of these DIDs have been seen to."""
    await execute(
        conn,
        "UPDATE demand SET looked_at = now() WHERE did_id = ANY(%(dids)s::bigint[]) AND vo = %(vo)s",
        {"vo": vo, "dids": list(did_ids)},
    )


async def copies(conn: Connection, vo: int, roots: Sequence[int]) -> list[Copy]:
    """Every replica that a job could read, of the files that jobs want by the names of these DIDs."""
    return await fetch(
        conn,
        Copy,
        """
        WITH RECURSIVE below (root, did_id) AS (
            SELECT d.did_id, d.did_id FROM demand d WHERE d.did_id = ANY(%(roots)s::bigint[]) AND d.vo = %(vo)s
             UNION
            SELECT below.root, inside.child_id
              FROM below
             CROSS JOIN LATERAL (
                   SELECT a.child_id FROM attachment a
                    WHERE a.parent_id = below.did_id AND a.vo = %(vo)s OFFSET 0) AS inside)
        SELECT below.root, r.did_id, r.rse_id, r.size, r.lock_count = 0 AND r.tombstone_at IS NOT NULL AS free,
               EXISTS (SELECT FROM rule p JOIN lock l ON l.rule_id = p.rule_id AND l.vo = p.vo
                        WHERE p.did_id = below.root AND p.vo = %(vo)s AND p.pin AND p.expires_at IS NULL
                          AND l.did_id = r.did_id AND l.rse_id = r.rse_id) AS pinned
          FROM below
         CROSS JOIN LATERAL (
               SELECT * FROM replica r WHERE r.did_id = below.did_id AND r.vo = %(vo)s AND r.state = 'A' OFFSET 0) AS r
          JOIN rse ON rse.rse_id = r.rse_id AND rse.readable AND NOT rse.tape
         ORDER BY below.root, r.did_id, r.rse_id
        """,
        {"vo": vo, "roots": list(roots)},
    )


async def pins(conn: Connection, vo: int, roots: Sequence[int]) -> dict[int, int]:
    """The rules that pin for these DIDs, as far as they have one that goes on, by the DID."""
    return dict(
        await fetch_rows(
            conn,
            """
            SELECT did_id, max(rule_id) FROM rule
             WHERE did_id = ANY(%(roots)s::bigint[]) AND vo = %(vo)s AND pin AND expires_at IS NULL GROUP BY 1
            """,
            {"vo": vo, "roots": list(roots)},
        )
    )


async def insert_pins(
    conn: Connection, vo: int, account_id: int, roots: Sequence[int], *, activity: str, version: int | None
) -> dict[int, int]:
    """Make rules that pin for these DIDs and hold nothing yet; return them by the DID."""
    return dict(
        await fetch_rows(
            conn,
            """
            WITH made AS (
                INSERT INTO rule (vo, account_id, did_id, copies, pin)
                SELECT %(vo)s, %(account_id)s, root, 1, true FROM unnest(%(roots)s::bigint[]) AS root ORDER BY root
                RETURNING rule_id, did_id),
            described AS (
                INSERT INTO rule_detail (vo, implicit, rule_id, version, rse_expression, activity)
                SELECT %(vo)s, true, rule_id, %(version)s, '*', %(activity)s FROM made)
            SELECT did_id, rule_id FROM made
            """,
            {"vo": vo, "account_id": account_id, "roots": list(roots), "activity": activity, "version": version},
        )
    )


async def lock_changing(conn: Connection, vo: int) -> list[int]:
    """Lock, in order, the pins that go on though nobody wants their DIDs, or end though somebody does."""
    return await fetch_values(
        conn,
        """
        SELECT r.rule_id FROM rule r
         WHERE r.vo = %(vo)s AND r.pin AND (r.expires_at IS NULL OR r.expires_at > now())
           AND (r.expires_at IS NULL) <> EXISTS (SELECT FROM demand d WHERE d.did_id = r.did_id AND d.vo = r.vo)
         ORDER BY r.rule_id FOR NO KEY UPDATE
        """,
        {"vo": vo},
    )


async def end_or_keep(conn: Connection, vo: int, rule_ids: Sequence[int], grace: timedelta) -> None:
    """Let those of these locked pins that nobody wants any more end after a grace, and others go on."""
    await execute(
        conn,
        """
        UPDATE rule r
           SET expires_at = CASE
                   WHEN EXISTS (SELECT FROM demand d WHERE d.did_id = r.did_id AND d.vo = r.vo) THEN NULL
                   ELSE coalesce(r.expires_at, now() + %(grace)s::interval) END
         WHERE r.rule_id = ANY(%(ids)s::bigint[]) AND r.vo = %(vo)s
           AND (r.expires_at IS NULL OR r.expires_at > now())
        """,
        {"vo": vo, "ids": list(rule_ids), "grace": grace},
    )


async def mark_pinned(conn: Connection, vo: int, rule_ids: Sequence[int]) -> None:
    """Say of locked pins that all they are to hold is held, and where."""
    await execute(
        conn,
        """
        WITH marked AS (
            UPDATE rule SET complete = true WHERE rule_id = ANY(%(ids)s::bigint[]) AND vo = %(vo)s
            RETURNING vo, rule_id, stuck)
        UPDATE rule_detail x
           SET error = CASE WHEN marked.stuck > 0 THEN x.error END,
               retry_at = CASE WHEN marked.stuck > 0 THEN x.retry_at END,
               rse_ids = ARRAY(SELECT DISTINCT l.rse_id FROM lock l
                                WHERE l.rule_id = x.rule_id AND l.vo = x.vo ORDER BY 1)
          FROM marked WHERE x.rule_id = marked.rule_id AND x.vo = marked.vo
        """,
        {"vo": vo, "ids": list(rule_ids)},
    )


async def tapes(conn: Connection, vo: int) -> dict[int, int]:
    """RSEs with tapes that can be read, and how many recalls of a VO are under way from each, or from its copies."""
    return dict(
        await fetch_rows(
            conn,
            """
            SELECT t.rse_id, (
                   SELECT count(*) FROM transfer_request q
                     JOIN replica r ON r.did_id = q.did_id AND r.vo = q.vo AND r.rse_id = t.rse_id
                    WHERE q.vo = %(vo)s AND q.activity = %(recall)s AND q.state IN ('W', 'A', 'F'))
              FROM rse t WHERE t.tape AND t.readable ORDER BY 1
            """,
            {"vo": vo, "recall": RECALL},
        )
    )


async def on_tape(conn: Connection, vo: int, rse_ids: Sequence[int], most: int) -> list[OnTape]:
    """The first files on each of these tape RSEs that jobs want and that are on no disk, nor on their way to one."""
    return await fetch(
        conn,
        OnTape,
        """
        WITH RECURSIVE below (root, did_id) AS (
            SELECT d.did_id, d.did_id FROM demand d WHERE d.vo = %(vo)s
             UNION
            SELECT below.root, inside.child_id
              FROM below
             CROSS JOIN LATERAL (
                   SELECT a.child_id FROM attachment a
                    WHERE a.parent_id = below.did_id AND a.vo = %(vo)s OFFSET 0) AS inside),
        lacking AS (
            SELECT below.root, r.did_id, r.rse_id, r.size, p.tape, p.position,
                   row_number() OVER (PARTITION BY r.rse_id ORDER BY p.tape NULLS LAST, p.position, below.root, d.name)
                       AS n
              FROM below
              JOIN replica r ON r.did_id = below.did_id AND r.vo = %(vo)s AND r.state = 'A'
                            AND r.rse_id = ANY(%(rse_ids)s::int[])
              JOIN did d ON d.did_id = r.did_id AND d.vo = r.vo
              LEFT JOIN tape_place p ON p.did_id = r.did_id AND p.vo = r.vo AND p.rse_id = r.rse_id
             WHERE NOT EXISTS (
                   SELECT FROM replica o JOIN rse e ON e.rse_id = o.rse_id AND NOT e.tape
                    WHERE o.did_id = r.did_id AND o.vo = r.vo AND o.state IN ('A', 'C', 'T')))
        SELECT root, did_id, rse_id, size, tape, position, n FROM lacking WHERE n <= %(most)s ORDER BY rse_id, n
        """,
        {"vo": vo, "rse_ids": list(rse_ids), "most": most},
    )
