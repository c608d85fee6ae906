"""SQL that readies inputs: an input set is complete when its collections are closed and every file is somewhere."""

from collections.abc import Sequence
from typing import LiteralString

from sancho.jobs.model import InputFile
from sancho.kit.db import Connection, execute, fetch, fetch_rows, fetch_value, fetch_values


async def make_input_set(
    conn: Connection, vo: int, digest: bytes, roots: Sequence[int], start_with: str | None
) -> tuple[int, bool]:
    """Find or make the set of these DIDs; say whether it is ready, and keep that so until we commit."""
    params = {"vo": vo, "digest": digest, "roots": sorted(set(roots)), "start_with": start_with}
    await execute(
        conn,
        """
        INSERT INTO input_set (vo, digest, roots, start_with)
        VALUES (%(vo)s, %(digest)s, %(roots)s, %(start_with)s) ON CONFLICT DO NOTHING
        """,
        params,
    )
    rows = await fetch_rows(
        conn,
        "SELECT input_set_id, ready FROM input_set WHERE digest = %(digest)s AND vo = %(vo)s FOR KEY SHARE",
        params,
    )
    return rows[0][0], rows[0][1]


async def list_unready(conn: Connection, vo: int) -> list[int]:
    """Input sets that pending jobs wait for."""
    return await fetch_values(
        conn,
        """
        SELECT s.input_set_id FROM input_set s
         WHERE s.vo = %(vo)s AND NOT s.ready
           AND EXISTS (SELECT FROM pending_job p WHERE p.input_set_id = s.input_set_id AND p.vo = s.vo)
         ORDER BY 1
        """,
        {"vo": vo},
    )


async def lock_input_set(conn: Connection, vo: int, input_set_id: int) -> tuple[list[int], str | None] | None:
    """Lock a set that is not ready yet; its roots and what it starts with, or None when others readied it, or are."""
    rows = await fetch_rows(
        conn,
        """
        SELECT roots, start_with FROM input_set
         WHERE input_set_id = %(id)s AND vo = %(vo)s AND NOT ready FOR UPDATE SKIP LOCKED
        """,
        {"vo": vo, "id": input_set_id},
    )
    return (rows[0][0], rows[0][1]) if rows else None


async def count_there(conn: Connection, vo: int, roots: Sequence[int]) -> tuple[int, int]:
    """How many files there are among and below these DIDs, and how many of them are available."""
    rows = await fetch_rows(
        conn,
        """
        WITH RECURSIVE below (did_id) AS (
            SELECT unnest(%(roots)s::bigint[])
            UNION
            SELECT a.child_id FROM below JOIN attachment a ON a.parent_id = below.did_id AND a.vo = %(vo)s)
        SELECT count(*), count(*) FILTER (WHERE EXISTS (
               SELECT FROM replica r WHERE r.did_id = d.did_id AND r.vo = d.vo AND r.state = 'A'
               AND r.rse_id <> ALL (ARRAY(SELECT t.rse_id FROM rse t WHERE t.tape))))
          FROM below JOIN did d ON d.did_id = below.did_id AND d.vo = %(vo)s AND d.kind = 'F'
        """,
        {"vo": vo, "roots": list(roots)},
    )
    return rows[0][0], rows[0][1]


async def first_obstacle(conn: Connection, vo: int, roots: Sequence[int]) -> tuple[str, str] | None:
    """The first DID below `roots` that is not complete, and why: `open`, or without replica.

    `tape` is such a file that is on a tape, `packed` one that lies in an archive, `nowhere` any other.
    """
    rows = await fetch_rows(
        conn,
        """
        WITH RECURSIVE below (did_id) AS (
            SELECT unnest(%(roots)s::bigint[])
            UNION
            SELECT a.child_id FROM below JOIN attachment a ON a.parent_id = below.did_id AND a.vo = %(vo)s)
        SELECT s.name || ':' || d.name, CASE WHEN d.open THEN 'open'
                    WHEN EXISTS (SELECT FROM replica p JOIN rse t ON t.rse_id = p.rse_id AND t.tape
                                  WHERE p.did_id = d.did_id AND p.vo = d.vo AND p.state = 'A') THEN 'tape'
                    WHEN EXISTS (SELECT FROM constituent c WHERE c.did_id = d.did_id AND c.vo = d.vo) THEN 'packed'
                    ELSE 'nowhere' END
          FROM below JOIN did d ON d.did_id = below.did_id AND d.vo = %(vo)s
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = d.vo
         WHERE d.open OR (d.kind = 'F' AND NOT EXISTS (
               SELECT FROM replica r WHERE r.did_id = d.did_id AND r.vo = d.vo AND r.state = 'A'
               AND r.rse_id <> ALL (ARRAY(SELECT t.rse_id FROM rse t WHERE t.tape))))
         ORDER BY d.open DESC, d.did_id LIMIT 1
        """,
        {"vo": vo, "roots": list(roots)},
    )
    return (rows[0][0], rows[0][1]) if rows else None


async def note_obstacle(
    conn: Connection, vo: int, input_set_id: int, detail: str | None, least: int | None = None
) -> None:
    """Say what keeps the jobs of a set from running, for whoever asks; None: nothing does. `least` would be enough."""
    await execute(
        conn,
        """
        UPDATE input_set SET detail = %(detail)s, least = coalesce(%(least)s, least)
         WHERE input_set_id = %(id)s AND vo = %(vo)s AND detail IS DISTINCT FROM %(detail)s
        """,
        {"vo": vo, "id": input_set_id, "detail": detail, "least": least},
    )


async def freeze(conn: Connection, vo: int, input_set_id: int, roots: Sequence[int]) -> None:
    """Expand a set to its files."""
    await execute(
        conn,
        """
        WITH RECURSIVE below (did_id) AS (
            SELECT unnest(%(roots)s::bigint[])
            UNION
            SELECT a.child_id FROM below JOIN attachment a ON a.parent_id = below.did_id AND a.vo = %(vo)s)
        INSERT INTO input_set_did (vo, input_set_id, did_id)
        SELECT %(vo)s, %(id)s, d.did_id FROM below JOIN did d ON d.did_id = below.did_id AND d.vo = %(vo)s
         WHERE d.kind = 'F' ORDER BY d.did_id
        ON CONFLICT DO NOTHING
        """,
        {"vo": vo, "id": input_set_id, "roots": list(roots)},
    )


async def mark_ready(conn: Connection, vo: int, input_set_id: int, least: int | None) -> None:
    """Declare a set ready, with its number of files and bytes; jobs start with `least` of them, None: with all."""
    await execute(
        conn,
        """
        UPDATE input_set SET ready = true, detail = NULL, least = %(least)s, files = f.files, size = f.size
          FROM (SELECT count(*)::int AS files, coalesce(sum(d.size), 0)::bigint AS size
                  FROM input_set_did i JOIN did d ON d.did_id = i.did_id AND d.vo = i.vo
                 WHERE i.input_set_id = %(id)s AND i.vo = %(vo)s) f
         WHERE input_set_id = %(id)s AND vo = %(vo)s
        """,
        {"vo": vo, "id": input_set_id, "least": least},
    )


async def fix(conn: Connection, vo: int, attempt_id: int) -> bool:
    """Note which of its inputs an attempt was given: those that are available now; say whether these are enough."""
    return await fetch_value(
        conn,
        """
        WITH given AS (
            INSERT INTO attempt_input (vo, attempt_id, did_id)
            SELECT a.vo, a.attempt_id, i.did_id
              FROM attempt a
              JOIN job j ON j.job_id = a.job_id AND j.vo = a.vo
              JOIN task_queue q ON q.task_queue_id = j.task_queue_id AND q.vo = j.vo
              JOIN input_set_did i ON i.input_set_id = q.input_set_id AND i.vo = q.vo
             WHERE a.attempt_id = %(id)s AND a.vo = %(vo)s AND EXISTS (
                   SELECT FROM replica r WHERE r.did_id = i.did_id AND r.vo = i.vo AND r.state = 'A'
               AND r.rse_id <> ALL (ARRAY(SELECT t.rse_id FROM rse t WHERE t.tape)))
             ORDER BY i.did_id
            RETURNING did_id)
        SELECT (SELECT count(*) FROM given) >= coalesce(s.least, s.files)
          FROM attempt a
          JOIN job j ON j.job_id = a.job_id AND j.vo = a.vo
          JOIN task_queue q ON q.task_queue_id = j.task_queue_id AND q.vo = j.vo
          JOIN input_set s ON s.input_set_id = q.input_set_id AND s.vo = q.vo
         WHERE a.attempt_id = %(id)s AND a.vo = %(vo)s
        """,
        {"vo": vo, "id": attempt_id},
    )


async def take_pending(conn: Connection, vo: int, input_set_id: int) -> list[int]:
    """Remove and return the jobs that wait for a set."""
    return await fetch_values(
        conn,
        "DELETE FROM pending_job WHERE input_set_id = %(id)s AND vo = %(vo)s RETURNING job_id",
        {"vo": vo, "id": input_set_id},
    )


async def list_closable(conn: Connection, vo: int, dataset_ids: Sequence[int] | None = None) -> list[int]:
    """Datasets that want to close themselves and miss no promised output any more."""
    return await fetch_values(
        conn,
        """
        SELECT c.dataset_id FROM closing_dataset c
         WHERE c.vo = %(vo)s AND (%(ids)s::bigint[] IS NULL OR c.dataset_id = ANY (%(ids)s::bigint[]))
           AND NOT EXISTS (SELECT FROM job_output o
                            WHERE o.dataset_id = c.dataset_id AND o.vo = c.vo AND o.did_id IS NULL)
         ORDER BY 1
        """,
        {"vo": vo, "ids": None if dataset_ids is None else list(dataset_ids)},
    )


async def lock_closing(conn: Connection, vo: int, dataset_id: int) -> bool:
    """Lock a dataset's wish to close; False when it was granted or withdrawn already."""
    found = await fetch_value(
        conn,
        "SELECT 1 FROM closing_dataset WHERE dataset_id = %(id)s AND vo = %(vo)s FOR UPDATE",
        {"vo": vo, "id": dataset_id},
    )
    return found is not None


async def forget_closing(conn: Connection, vo: int, dataset_id: int) -> None:
    """Drop a dataset's wish to close, once it is granted."""
    await execute(
        conn,
        "DELETE FROM closing_dataset WHERE dataset_id = %(id)s AND vo = %(vo)s",
        {"vo": vo, "id": dataset_id},
    )


NEAREST: LiteralString = """
    SELECT d.did_id, s.name AS scope, d.name, d.size, d.adler32,
           coalesce(nearest.rse_ids, '{}') AS rse_ids, coalesce(nearest.paths, '{}') AS paths
"""
"""How files (`d`, with their scopes `s`) are told to a job at a site: its RSEs first, then by link distance."""
WHERE: LiteralString = """
         CROSS JOIN LATERAL (
               SELECT array_agg(near.rse_id ORDER BY near.n) AS rse_ids, array_agg(near.path ORDER BY near.n) AS paths
                 FROM (SELECT r.rse_id, p.path, row_number() OVER (ORDER BY rse.site_id <> %(site_id)s, (
                              SELECT min(link.distance)
                                FROM distance link JOIN rse close ON close.rse_id = link.destination_rse_id
                               WHERE link.source_rse_id = r.rse_id AND close.site_id = %(site_id)s), r.rse_id) AS n
                         FROM replica r
                         JOIN rse ON rse.rse_id = r.rse_id
                         LEFT JOIN replica_path p ON p.did_id = r.did_id AND p.vo = r.vo AND p.rse_id = r.rse_id
                        WHERE r.did_id = d.did_id AND r.vo = d.vo AND r.state = 'A'
               AND r.rse_id <> ALL (ARRAY(SELECT t.rse_id FROM rse t WHERE t.tape))) AS near) AS nearest
"""
"""Where they are; it stands behind the joins of `NEAREST`."""


async def input_files(conn: Connection, vo: int, job_id: int, site_id: int) -> list[InputFile]:
    """Files that a job reads, and where each is available, nearest to a site first: by link distance, none is last.

    Of a job that started with a part of its inputs, those that its attempt was given.
    """
    return await fetch(
        conn,
        InputFile,
        NEAREST  # noqa: S608 - two literals
        + """
          FROM job j
          JOIN task_queue q ON q.task_queue_id = j.task_queue_id AND q.vo = j.vo
          JOIN input_set_did i ON i.input_set_id = q.input_set_id AND i.vo = q.vo
          JOIN did d ON d.did_id = i.did_id AND d.vo = i.vo
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = d.vo
        """
        + WHERE
        + """
         WHERE j.job_id = %(job_id)s AND j.vo = %(vo)s
           AND (NOT EXISTS (SELECT FROM input_set s
                             WHERE s.input_set_id = q.input_set_id AND s.vo = q.vo AND s.least IS NOT NULL)
                OR EXISTS (SELECT FROM attempt a
                             JOIN attempt_input g ON g.attempt_id = a.attempt_id AND g.vo = a.vo
                            WHERE a.job_id = j.job_id AND a.vo = j.vo AND a.number = j.attempts
                              AND g.did_id = i.did_id))
         ORDER BY d.did_id
        """,
        {"vo": vo, "job_id": job_id, "site_id": site_id},
    )
