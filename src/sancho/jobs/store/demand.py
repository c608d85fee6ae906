"""The SQL that counts what jobs want of data."""

from sancho.kit.db import Connection, fetch_rows
from sancho.rules.model import Demand


async def count(conn: Connection, vo: int) -> list[Demand]:
    """By the DIDs that inputs were named by: how many jobs want each that wait, for it or for a pilot, and that run.

    What waits for pilots is read from the counters of task queues, so ten million jobs are as quick as their queues.
    """
    rows = await fetch_rows(
        conn,
        """
        WITH wanted (input_set_id, waiting, running) AS (
            SELECT q.input_set_id, sum(s.waiting), 0
              FROM task_queue q JOIN task_queue_slot s ON s.task_queue_id = q.task_queue_id AND s.vo = q.vo
             WHERE q.vo = %(vo)s AND q.active AND q.input_set_id IS NOT NULL
             GROUP BY q.input_set_id HAVING sum(s.waiting) > 0
             UNION ALL
            SELECT p.input_set_id, count(*), 0 FROM pending_job p WHERE p.vo = %(vo)s GROUP BY p.input_set_id
             UNION ALL
            SELECT q.input_set_id, 0, count(*)
              FROM attempt a
              JOIN job j ON j.job_id = a.job_id AND j.vo = a.vo
              JOIN task_queue q ON q.task_queue_id = j.task_queue_id AND q.vo = j.vo AND q.input_set_id IS NOT NULL
             WHERE a.vo = %(vo)s AND a.ended_at IS NULL
             GROUP BY q.input_set_id)
        SELECT root, sum(w.waiting)::int, sum(w.running)::int
          FROM wanted w
          JOIN input_set i ON i.input_set_id = w.input_set_id AND i.vo = %(vo)s
         CROSS JOIN unnest(i.roots) AS root
         GROUP BY root ORDER BY root
        """,
        {"vo": vo},
    )
    return [Demand(did_id, waiting, running) for did_id, waiting, running in rows]
