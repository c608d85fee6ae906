"""What jobs and their pilots are told to do, until they say that they have heard it."""

from collections.abc import Sequence
from datetime import timedelta

from sancho.jobs.model import Command
from sancho.kit.db import Connection, execute, fetch, fetch_values


async def give_kill(conn: Connection, vo: int, job_ids: Sequence[int]) -> None:
    """Tell whoever runs these locked jobs to end them; call it while their attempts are open."""
    await execute(
        conn,
        """
        INSERT INTO job_command (vo, kind, job_id, attempt_id)
        SELECT j.vo, 'K', j.job_id, a.attempt_id
          FROM job j LEFT JOIN attempt a ON a.job_id = j.job_id AND a.vo = j.vo AND a.ended_at IS NULL
         WHERE j.job_id = ANY(%(ids)s) AND j.vo = %(vo)s ORDER BY j.job_id
        """,
        {"vo": vo, "ids": list(job_ids)},
    )


async def of_jobs(conn: Connection, vo: int, job_ids: Sequence[int]) -> list[Command]:
    """Commands for these jobs that nobody has acknowledged yet, oldest first; they are delivered now.

    What was said before a job was put back to its start is not for who runs it since.
    """
    return await fetch(
        conn,
        Command,
        """
        WITH told AS (
            UPDATE job_command c SET delivered_at = coalesce(delivered_at, now())
             WHERE job_id = ANY(%(ids)s) AND vo = %(vo)s AND acknowledged_at IS NULL
               AND NOT EXISTS (SELECT FROM reschedule z
                                WHERE z.job_id = c.job_id AND z.vo = c.vo AND z.at >= c.created_at)
            RETURNING command_id, job_id, attempt_id)
        SELECT * FROM told ORDER BY command_id
        """,
        {"vo": vo, "ids": list(job_ids)},
    )


async def say_again(conn: Connection, vo: int, job_ids: Sequence[int], after: timedelta) -> list[Command]:
    """The same for who acknowledges nothing: what was not said yet, or so long ago that it was not heard."""
    return await fetch(
        conn,
        Command,
        """
        WITH told AS (
            UPDATE job_command c SET delivered_at = now()
             WHERE job_id = ANY(%(ids)s) AND vo = %(vo)s AND acknowledged_at IS NULL
               AND (delivered_at IS NULL OR delivered_at <= now() - %(after)s::interval)
               AND NOT EXISTS (SELECT FROM reschedule z
                                WHERE z.job_id = c.job_id AND z.vo = c.vo AND z.at >= c.created_at)
            RETURNING command_id, job_id, attempt_id)
        SELECT * FROM told ORDER BY command_id
        """,
        {"vo": vo, "ids": list(job_ids), "after": after},
    )


async def for_pilot(conn: Connection, pilot_id: int, attempt_ids: Sequence[int]) -> list[Command]:
    """Commands about a pilot's attempts, in any served VO, that it has not acknowledged yet; they are delivered now."""
    return await fetch(
        conn,
        Command,
        """
        WITH told AS (
            UPDATE job_command c SET delivered_at = coalesce(c.delivered_at, now())
              FROM attempt a
             WHERE c.attempt_id = ANY(%(ids)s) AND c.acknowledged_at IS NULL
               AND a.attempt_id = c.attempt_id AND a.vo = c.vo AND a.pilot_id = %(pilot_id)s
            RETURNING c.command_id, c.job_id, c.attempt_id)
        SELECT * FROM told ORDER BY command_id
        """,
        {"pilot_id": pilot_id, "ids": list(attempt_ids)},
    )


async def acknowledge(conn: Connection, vo: int, command_ids: Sequence[int], job_ids: Sequence[int]) -> None:
    """Note that commands for these jobs have been heard; others stay open."""
    await execute(
        conn,
        """
        UPDATE job_command SET acknowledged_at = now()
         WHERE command_id = ANY(%(ids)s) AND vo = %(vo)s AND job_id = ANY(%(jobs)s) AND acknowledged_at IS NULL
        """,
        {"vo": vo, "ids": list(command_ids), "jobs": list(job_ids)},
    )


async def acknowledge_by_pilot(conn: Connection, pilot_id: int, command_ids: Sequence[int]) -> None:
    """Note that a pilot has heard commands for attempts of its own, in any served VO."""
    await execute(
        conn,
        """
        UPDATE job_command c SET acknowledged_at = now()
          FROM attempt a
         WHERE c.command_id = ANY(%(ids)s) AND c.acknowledged_at IS NULL
           AND a.attempt_id = c.attempt_id AND a.vo = c.vo AND a.pilot_id = %(pilot_id)s
        """,
        {"pilot_id": pilot_id, "ids": list(command_ids)},
    )


async def forget(conn: Connection, vo: int, age: timedelta, limit: int) -> int:
    """Delete old commands, heard or not: whom they were for has long ended."""
    gone = await fetch_values(
        conn,
        """
        DELETE FROM job_command c
         WHERE c.vo = %(vo)s AND c.command_id = ANY(ARRAY(
               SELECT d.command_id FROM job_command d
                WHERE d.vo = %(vo)s AND d.created_at < now() - %(age)s::interval
                ORDER BY d.created_at LIMIT %(limit)s))
        RETURNING c.command_id
        """,
        {"vo": vo, "age": age, "limit": limit},
    )
    return len(gone)
