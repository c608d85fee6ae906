"""SQL about inputs that other VOs share. `vo` is the reader's, but where a docstring says that it is the owner's."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sancho.jobs.model import InputFile, SharedInput
from sancho.jobs.store.inputs import NEAREST, WHERE
from sancho.kit.db import Connection, execute, fetch, fetch_rows, fetch_values


async def insert(conn: Connection, vo: int, input_set_id: int, shared: Mapping[str, Sequence[str]]) -> None:
    """Note which datasets of other VOs, by owner, an input set has; once for each set."""
    pairs = [(owner, name) for owner, names in shared.items() for name in names]
    await execute(
        conn,
        """
        INSERT INTO shared_input (vo, input_set_id, owner, names)
        SELECT %(vo)s, %(id)s, o.owner, array_agg(o.name)
          FROM unnest(%(owners)s::text[], %(names)s::text[]) AS o (owner, name) GROUP BY o.owner ORDER BY o.owner
        ON CONFLICT DO NOTHING
        """,
        {"vo": vo, "id": input_set_id, "owners": [owner for owner, _ in pairs], "names": [name for _, name in pairs]},
    )


async def of_set(conn: Connection, vo: int, input_set_id: int) -> list[SharedInput]:
    """What an input set has of other VOs, by owner."""
    return await fetch(
        conn,
        SharedInput,
        """
        SELECT i.input_set_id, vo.name AS reader, i.owner, i.names
          FROM shared_input i JOIN vo ON vo.vo = i.vo
         WHERE i.input_set_id = %(id)s AND i.vo = %(vo)s ORDER BY i.owner
        """,
        {"vo": vo, "id": input_set_id},
    )


async def of_job(conn: Connection, vo: int, job_id: int) -> list[SharedInput]:
    """What a job reads of other VOs, by owner."""
    return await fetch(
        conn,
        SharedInput,
        """
        SELECT i.input_set_id, vo.name AS reader, i.owner, i.names
          FROM job j JOIN task_queue q ON q.task_queue_id = j.task_queue_id AND q.vo = j.vo
          JOIN shared_input i ON i.input_set_id = q.input_set_id AND i.vo = q.vo
          JOIN vo ON vo.vo = i.vo
         WHERE j.job_id = %(job_id)s AND j.vo = %(vo)s ORDER BY i.owner
        """,
        {"vo": vo, "job_id": job_id},
    )


async def list_stale(conn: Connection, vo: int, every: timedelta) -> list[int]:
    """Input sets that jobs in their queues have, and that were not looked at for so long."""
    return await fetch_values(
        conn,
        """
        SELECT DISTINCT i.input_set_id FROM shared_input i
          JOIN task_queue q ON q.input_set_id = i.input_set_id AND q.vo = i.vo AND q.active
         WHERE i.vo = %(vo)s AND i.looked_at <= now() - %(every)s::interval
           AND EXISTS (SELECT FROM waiting_job w WHERE w.task_queue_id = q.task_queue_id AND w.vo = q.vo)
         ORDER BY 1
        """,
        {"vo": vo, "every": every},
    )


async def list_places(conn: Connection, vo: int, roots: Sequence[int]) -> list[tuple[int, int]]:
    """How many bytes below these DIDs of the VO `vo`, their owner, can be read at each site: (site_id, size)."""
    rows = await fetch_rows(
        conn,
        """
        WITH RECURSIVE below (did_id) AS (
            SELECT unnest(%(roots)s::bigint[])
            UNION
            SELECT a.child_id FROM below JOIN attachment a ON a.parent_id = below.did_id AND a.vo = %(vo)s)
        SELECT rse.site_id, sum(r.size)::bigint
          FROM below JOIN replica r ON r.did_id = below.did_id AND r.vo = %(vo)s AND r.state = 'A'
          JOIN rse ON rse.rse_id = r.rse_id AND rse.readable AND NOT rse.tape
         GROUP BY rse.site_id ORDER BY rse.site_id
        """,
        {"vo": vo, "roots": list(roots)},
    )
    return [(site_id, size) for site_id, size in rows]


async def note_places(
    conn: Connection, vo: int, shared: SharedInput, places: Sequence[tuple[int, int]], *, available: bool
) -> None:  # fmt: skip
    """Keep where shared inputs are now, for matches."""
    await execute(
        conn,
        """
        UPDATE shared_input
           SET available = %(available)s, looked_at = now(), site_ids = %(sites)s::int[], sizes = %(sizes)s::bigint[]
         WHERE input_set_id = %(id)s AND vo = %(vo)s AND owner = %(owner)s
        """,
        {
            "vo": vo, "id": shared.input_set_id, "owner": shared.owner, "available": available,
            "sites": [site_id for site_id, _ in places], "sizes": [size for _, size in places],
        },
    )  # fmt: skip


async def doubt(conn: Connection, vo: int, input_set_id: int) -> None:
    """Keep matches from jobs with these inputs until they have been looked at again."""
    await execute(
        conn,
        """
        UPDATE shared_input SET available = false, looked_at = '-infinity'
         WHERE input_set_id = %(id)s AND vo = %(vo)s
        """,
        {"vo": vo, "id": input_set_id},
    )


async def list_unstarted(conn: Connection, vo: int, input_set_id: int, limit: int) -> list[int]:
    """Some of the jobs that wait for these inputs, or for a pilot."""
    return await fetch_values(
        conn,
        """
        SELECT job_id FROM pending_job WHERE input_set_id = %(id)s AND vo = %(vo)s
        UNION ALL
        SELECT w.job_id FROM task_queue q JOIN waiting_job w ON w.task_queue_id = q.task_queue_id AND w.vo = q.vo
         WHERE q.input_set_id = %(id)s AND q.vo = %(vo)s AND q.active
         LIMIT %(limit)s
        """,
        {"vo": vo, "id": input_set_id, "limit": limit},
    )


async def files_below(conn: Connection, vo: int, roots: Sequence[int], site_id: int) -> list[InputFile]:
    """The files below these DIDs of the VO `vo`, their owner, and where each is, nearest to a site first."""
    return await fetch(
        conn,
        InputFile,
        NEAREST  # noqa: S608 - two literals
        + """
          FROM did d
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = d.vo
        """
        + WHERE
        + """
         WHERE d.vo = %(vo)s AND d.kind = 'F' AND d.did_id IN (
               WITH RECURSIVE below (did_id) AS (
                   SELECT unnest(%(roots)s::bigint[])
                   UNION
                   SELECT a.child_id FROM below JOIN attachment a ON a.parent_id = below.did_id AND a.vo = %(vo)s)
               SELECT did_id FROM below)
         ORDER BY d.did_id
        """,
        {"vo": vo, "roots": list(roots), "site_id": site_id},
    )
