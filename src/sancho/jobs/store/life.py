"""SQL that moves jobs and attempts through their lives. Lock order: job_range, waiting_job, job, attempt."""

from collections.abc import Sequence

from sancho.jobs.model import AttemptState, JobState, OpenAttempt, Progress, Reason, Result, Started
from sancho.kit.db import Connection, execute, fetch, fetch_rows, fetch_value, fetch_values, find


async def lock_empty(conn: Connection, vo: int) -> list[int]:
    """Lock the task queues of a VO that are awake and seem empty, and that nobody is filling right now."""
    return await fetch_values(
        conn,
        """
        SELECT q.task_queue_id FROM task_queue q
         WHERE q.vo = %(vo)s AND q.active
           AND NOT EXISTS (SELECT FROM waiting_job w WHERE w.task_queue_id = q.task_queue_id AND w.vo = q.vo)
           AND NOT EXISTS (
               SELECT FROM job_range g WHERE g.task_queue_id = q.task_queue_id AND g.vo = q.vo AND g.state = 'W')
         ORDER BY 1 FOR UPDATE SKIP LOCKED
        """,
        {"vo": vo},
    )


async def put_to_sleep(conn: Connection, vo: int, task_queue_ids: Sequence[int]) -> None:
    """Mark the empty ones of these locked task queues, so that matches pass them by."""
    await execute(
        conn,
        """
        UPDATE task_queue q SET active = false
         WHERE q.vo = %(vo)s AND q.task_queue_id = ANY(%(ids)s)
           AND NOT EXISTS (SELECT FROM waiting_job w WHERE w.task_queue_id = q.task_queue_id AND w.vo = q.vo)
           AND NOT EXISTS (
               SELECT FROM job_range g WHERE g.task_queue_id = q.task_queue_id AND g.vo = q.vo AND g.state = 'W')
        """,
        {"vo": vo, "ids": list(task_queue_ids)},
    )


async def leave_queues(conn: Connection, vo: int, job_ids: Sequence[int]) -> None:
    """Remove jobs from the queues they wait in; rows that a match is taking at this moment are left to it.

    Call it before the jobs are locked, as the lock order wants, and again after: somebody may have put them back.
    """
    params = {"vo": vo, "ids": sorted(set(job_ids))}
    await execute(
        conn,
        """
        WITH held AS MATERIALIZED (
            SELECT w.task_queue_id, w.vo, w.priority, w.job_id
              FROM job j JOIN waiting_job w ON w.task_queue_id = j.task_queue_id AND w.vo = j.vo AND w.job_id = j.job_id
             WHERE j.job_id = ANY(%(ids)s) AND j.vo = %(vo)s
             ORDER BY w.task_queue_id, w.job_id FOR UPDATE OF w SKIP LOCKED),
        gone AS (
            DELETE FROM waiting_job w USING held h
             WHERE w.task_queue_id = h.task_queue_id AND w.vo = h.vo AND w.priority = h.priority AND w.job_id = h.job_id
            RETURNING w.task_queue_id)
        INSERT INTO task_queue_slot AS s (vo, slot, task_queue_id, waiting)
        SELECT %(vo)s, pg_backend_pid() %% 16, task_queue_id, -count(*) FROM gone GROUP BY 1, 2, 3 ORDER BY 3
        ON CONFLICT (task_queue_id, vo, slot) DO UPDATE SET waiting = s.waiting + excluded.waiting
        """,
        params,
    )
    await execute(
        conn,
        """
        DELETE FROM pending_job p USING job j JOIN task_queue q ON q.task_queue_id = j.task_queue_id AND q.vo = j.vo
         WHERE j.job_id = ANY(%(ids)s) AND j.vo = %(vo)s
           AND p.input_set_id = q.input_set_id AND p.vo = j.vo AND p.job_id = j.job_id
        """,
        params,
    )


async def lock_jobs(conn: Connection, vo: int, job_ids: Sequence[int]) -> list[tuple[int, JobState, int, int, int]]:
    """Lock jobs in id order: (job_id, state, attempts, account_id, task_queue_id) as seen under the lock."""
    rows = await fetch_rows(
        conn,
        """
        SELECT job_id, state, attempts, account_id, task_queue_id FROM job
         WHERE job_id = ANY(%(ids)s) AND vo = %(vo)s ORDER BY job_id FOR NO KEY UPDATE
        """,
        {"vo": vo, "ids": sorted(set(job_ids))},
    )
    return [(r[0], JobState(r[1]), r[2], r[3], r[4]) for r in rows]


async def move(conn: Connection, vo: int, job_ids: Sequence[int], state: JobState, *, detail: str | None = None) -> int:
    """Put locked jobs into a state and write it into their history.

    When it is a final one, those that others wait for are noted, and counted: `edges.claim_notes` finds them.
    """
    return await fetch_value(
        conn,
        """
        WITH moved AS (
            UPDATE job SET state = %(state)s, changed_at = now()
             WHERE job_id = ANY(%(ids)s) AND vo = %(vo)s
            RETURNING job_id, attempts, site_id),
        noted AS (
            INSERT INTO job_ended (vo, job_id)
            SELECT %(vo)s, moved.job_id FROM moved CROSS JOIN LATERAL (
                   SELECT FROM job_edge e WHERE e.before_id = moved.job_id AND e.vo = %(vo)s AND NOT e.met LIMIT 1) e
             WHERE %(final)s RETURNING 1),
        history AS (
            INSERT INTO job_history (vo, state, attempt, site_id, job_id, detail)
            SELECT %(vo)s, %(state)s, attempts, site_id, job_id, %(detail)s FROM moved)
        SELECT count(*) FROM noted
        """,
        {"vo": vo, "ids": list(job_ids), "state": state.value, "detail": detail, "final": state.final},
    )


async def enter(conn: Connection, vo: int, job_ids: Sequence[int]) -> tuple[dict[int, int], list[int]]:
    """Put locked jobs into the queues they belong to: waiting ones are counted per queue, pending ones are named.

    Pending are those whose inputs are not complete, and those that other jobs have to come before. If one of the latter
    has ended in vain already, that is noted anew.
    """
    rows = await fetch_rows(
        conn,
        """
        WITH entered AS MATERIALIZED (
            SELECT j.vo, j.job_id, q.task_queue_id, q.priority, s.input_set_id, coalesce(s.ready, true) AS complete,
                   coalesce(s.ready, true) AND e.open IS NULL AS ready, e.open
              FROM job j JOIN task_queue q ON q.task_queue_id = j.task_queue_id AND q.vo = j.vo
              LEFT JOIN input_set s ON s.input_set_id = q.input_set_id AND s.vo = q.vo
              LEFT JOIN LATERAL (
                   SELECT true AS open FROM job_edge e
                    WHERE e.job_id = j.job_id AND e.vo = j.vo AND NOT e.met LIMIT 1) e ON true
             WHERE j.job_id = ANY(%(ids)s) AND j.vo = %(vo)s),
        waiting AS (
            INSERT INTO waiting_job (vo, priority, task_queue_id, job_id)
            SELECT vo, -priority, task_queue_id, job_id FROM entered WHERE ready),
        pending AS (
            INSERT INTO pending_job (vo, input_set_id, job_id)
            SELECT vo, input_set_id, job_id FROM entered WHERE NOT complete
            ON CONFLICT DO NOTHING),
        noted AS (
            INSERT INTO job_ended (vo, job_id)
            SELECT DISTINCT n.vo, b.before_id FROM entered n CROSS JOIN LATERAL (
                   SELECT e.before_id FROM job_edge e CROSS JOIN LATERAL (
                          SELECT b.state FROM job b WHERE b.job_id = e.before_id AND b.vo = e.vo LIMIT 1) b
                    WHERE e.job_id = n.job_id AND e.vo = n.vo AND NOT e.met AND b.state IN ('D', 'F', 'K')
                    LIMIT 1) b
             WHERE n.open)
        SELECT job_id, task_queue_id, ready FROM entered
        """,
        {"vo": vo, "ids": list(job_ids)},
    )
    counts: dict[int, int] = {}
    for _, queue, ready in rows:
        if ready:
            counts[queue] = counts.get(queue, 0) + 1
    return counts, [job_id for job_id, _, ready in rows if not ready]


async def find_started(conn: Connection, vo: int, attempt_id: int) -> Started | None:
    """An attempt that has not ended, with what it is to compute."""
    return await find(
        conn,
        Started,
        """
        SELECT a.vo, vo.name AS vo_name, j.task_queue_id, a.job_id, a.attempt_id, a.number, a.way, a.cores,
               s.description, coalesce(p.parameters, '{}') AS parameters, s.traceparent,
               q.input_set_id IS NOT NULL AS has_inputs
          FROM attempt a
          JOIN vo ON vo.vo = a.vo
          JOIN job j ON j.job_id = a.job_id AND j.vo = a.vo
          JOIN job_spec p ON p.job_id = a.job_id AND p.vo = a.vo
          JOIN submission s ON s.submission_id = p.submission_id AND s.vo = p.vo
          JOIN task_queue q ON q.task_queue_id = j.task_queue_id AND q.vo = j.vo
         WHERE a.attempt_id = %(id)s AND a.vo = %(vo)s AND a.ended_at IS NULL
        """,
        {"vo": vo, "id": attempt_id},
    )


async def find_attempt(conn: Connection, vo: int, attempt_id: int) -> OpenAttempt | None:
    """An attempt that has not ended; its job must be locked first if it is to be changed."""
    return await find(conn, OpenAttempt, OPEN_ATTEMPT, {"vo": vo, "ids": [attempt_id]})


async def lock_attempts(conn: Connection, vo: int, attempt_ids: Sequence[int]) -> list[OpenAttempt]:
    """Lock those of these attempts that have not ended, in id order; their jobs are locked already."""
    return await fetch(
        conn, OpenAttempt, OPEN_ATTEMPT + " FOR NO KEY UPDATE OF a", {"vo": vo, "ids": list(attempt_ids)}
    )


OPEN_ATTEMPT = """
    SELECT a.vo, a.attempt_id, a.job_id, a.pilot_id, a.site_id, j.account_id, a.number, a.state, a.started_at
      FROM attempt a JOIN job j ON j.job_id = a.job_id AND j.vo = a.vo
     WHERE a.attempt_id = ANY(%(ids)s) AND a.vo = %(vo)s AND a.ended_at IS NULL
     ORDER BY a.attempt_id
"""


async def jobs_of_attempts(conn: Connection, vo: int, attempt_ids: Sequence[int]) -> list[int]:
    """Jobs that these attempts belong to, ended or not."""
    return await fetch_values(
        conn,
        "SELECT DISTINCT job_id FROM attempt WHERE attempt_id = ANY(%(ids)s) AND vo = %(vo)s ORDER BY 1",
        {"vo": vo, "ids": list(attempt_ids)},
    )


async def open_attempts_of_jobs(conn: Connection, vo: int, job_ids: Sequence[int]) -> list[int]:
    """Attempts of these jobs that have not ended."""
    return await fetch_values(
        conn,
        "SELECT attempt_id FROM attempt WHERE job_id = ANY(%(ids)s) AND vo = %(vo)s AND ended_at IS NULL ORDER BY 1",
        {"vo": vo, "ids": list(job_ids)},
    )


async def open_attempts_of_pilots(conn: Connection, pilot_ids: Sequence[int]) -> list[tuple[int, int, int]]:
    """Attempts of these pilots that have not ended, in all served VOs: (vo, attempt_id, pilot_id)."""
    return [
        (r[0], r[1], r[2])
        for r in await fetch_rows(
            conn,
            """
            SELECT vo, attempt_id, pilot_id FROM attempt
             WHERE pilot_id = ANY(%(ids)s) AND ended_at IS NULL ORDER BY vo, attempt_id
            """,
            {"ids": list(pilot_ids)},
        )
    ]


async def vo_of_attempt(conn: Connection, attempt_id: int, pilot_id: int) -> int | None:
    """The VO of an attempt, ended or not, that this pilot had or has; None when there is none."""
    return await fetch_value(
        conn,
        "SELECT vo FROM attempt WHERE attempt_id = %(id)s AND pilot_id = %(pilot_id)s",
        {"id": attempt_id, "pilot_id": pilot_id},
    )


async def set_attempt_state(conn: Connection, vo: int, attempt_id: int, state: AttemptState) -> None:
    """Put a locked attempt into another open state."""
    await execute(
        conn,
        "UPDATE attempt SET state = %(state)s WHERE attempt_id = %(id)s AND vo = %(vo)s",
        {"vo": vo, "id": attempt_id, "state": state.value},
    )


async def end_attempts(
    conn: Connection, vo: int, attempt_ids: Sequence[int], state: AttemptState, reason: Reason | None = None
) -> None:  # fmt: skip
    """End locked attempts, and say why when they failed."""
    await execute(
        conn,
        """
        UPDATE attempt SET state = %(state)s, ended_at = now(), reason = %(reason)s
         WHERE attempt_id = ANY(%(ids)s) AND vo = %(vo)s AND ended_at IS NULL
        """,
        {"vo": vo, "ids": list(attempt_ids), "state": state.value, "reason": reason and reason.value},
    )


async def ended_state(conn: Connection, vo: int, attempt_id: int, pilot_id: int) -> AttemptState | None:
    """The state in which an attempt of this pilot ended; None when it is open or not the pilot's."""
    letter = await fetch_value(
        conn,
        """
        SELECT state FROM attempt
         WHERE attempt_id = %(id)s AND vo = %(vo)s AND pilot_id = %(pilot_id)s AND ended_at IS NOT NULL
        """,
        {"vo": vo, "id": attempt_id, "pilot_id": pilot_id},
    )
    return AttemptState(letter) if letter else None


async def write_result(conn: Connection, vo: int, attempt_id: int, result: Result) -> None:
    """Keep how an attempt ended."""
    await execute(
        conn,
        """
        INSERT INTO attempt_detail (vo, attempt_id, exit_code, max_memory, log_size, wall, cpu, sandbox, tail, detail)
        VALUES (%(vo)s, %(id)s, %(exit_code)s, %(max_memory)s, %(log_size)s, %(wall)s, %(cpu)s, %(sandbox)s,
                %(tail)s, %(detail)s)
        ON CONFLICT (attempt_id, vo) DO UPDATE
           SET exit_code = excluded.exit_code, max_memory = excluded.max_memory, log_size = excluded.log_size,
               wall = excluded.wall, cpu = excluded.cpu, sandbox = excluded.sandbox, tail = excluded.tail,
               detail = excluded.detail
        """,
        {
            "vo": vo, "id": attempt_id, "exit_code": result.exit_code, "max_memory": result.usage.max_memory,
            "log_size": result.log_size, "wall": result.usage.wall, "cpu": result.usage.cpu, "sandbox": result.sandbox,
            "tail": result.tail, "detail": result.detail,
        },
    )  # fmt: skip


async def write_progress(conn: Connection, vo: int, said: Sequence[Progress]) -> bool:
    """Keep what running payloads printed last, how much in all, and what they use; nothing once an attempt ended.

    Say whether somebody reads along what one of them prints.
    """
    rows = sorted(said, key=lambda one: one.attempt_id)
    watched = await fetch_values(
        conn,
        """
        INSERT INTO attempt_detail AS d (vo, attempt_id, log_size, tail, cpu, max_memory, beat_at)
        SELECT a.vo, a.attempt_id, n.log_size, n.tail, n.cpu, n.memory, now()
          FROM unnest(%(ids)s::bigint[], %(sizes)s::bigint[], %(tails)s::text[], %(cpus)s::interval[],
                      %(memories)s::bigint[]) AS n (attempt_id, log_size, tail, cpu, memory)
         CROSS JOIN LATERAL (
               SELECT * FROM attempt a WHERE a.attempt_id = n.attempt_id AND a.vo = %(vo)s LIMIT 1) a
         WHERE a.ended_at IS NULL
         ORDER BY a.attempt_id
        ON CONFLICT (attempt_id, vo) DO UPDATE
           SET log_size = excluded.log_size, tail = excluded.tail, cpu = excluded.cpu, beat_at = excluded.beat_at,
               max_memory = greatest(d.max_memory, excluded.max_memory)
        RETURNING coalesce(watched_until > now(), false)
        """,
        {
            "vo": vo, "ids": [one.attempt_id for one in rows], "sizes": [one.log_size for one in rows],
            "tails": [one.tail for one in rows], "cpus": [one.cpu for one in rows],
            "memories": [one.memory for one in rows],
        },
    )  # fmt: skip
    return any(watched)
