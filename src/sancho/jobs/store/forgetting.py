"""The SQL that forgets jobs which ended long ago."""

from collections.abc import Sequence
from datetime import datetime

from sancho.kit.db import Connection, execute, fetch_rows, fetch_value


async def ended_before(
    conn: Connection, vo: int, before: datetime, *, after: tuple[datetime, int], limit: int
) -> list[tuple[datetime, int, bool]]:
    """Jobs that ended before a moment, from `after` on in the order in which they ended, and which are to be kept.

    Those are kept that made a file which is in the catalogue, and those of whose end jobs that wait for it have not
    heard. What another transaction has locked is left out.
    """
    return await fetch_rows(
        conn,
        """
        SELECT j.changed_at, j.job_id,
               EXISTS (SELECT FROM attempt a
                         JOIN provenance p ON p.attempt_id = a.attempt_id AND p.vo = a.vo
                         JOIN did d ON d.did_id = p.did_id AND d.vo = p.vo AND NOT d.erased
                        WHERE a.job_id = j.job_id AND a.vo = j.vo)
               OR EXISTS (SELECT FROM job_edge e WHERE e.before_id = j.job_id AND e.vo = j.vo AND NOT e.met)
          FROM job j
         WHERE j.vo = %(vo)s AND j.changed_at < %(before)s AND j.state IN ('D', 'F', 'K')
           AND (j.changed_at, j.job_id) > (%(since)s, %(job)s)
         ORDER BY j.changed_at, j.job_id
         LIMIT %(limit)s
           FOR UPDATE OF j SKIP LOCKED
        """,
        {"vo": vo, "before": before, "since": after[0], "job": after[1], "limit": limit},
    )


async def forget(conn: Connection, vo: int, job_ids: Sequence[int]) -> None:
    """Delete all that is kept of these jobs, but for their history, which goes by the week."""
    # One statement, since what refers to what is looked at when all of it is done.
    await execute(
        conn,
        """
        WITH old AS (SELECT attempt_id FROM attempt WHERE vo = %(vo)s AND job_id = ANY(%(jobs)s)),
             of_files AS (DELETE FROM provenance WHERE vo = %(vo)s AND attempt_id IN (SELECT attempt_id FROM old)),
             details AS (DELETE FROM attempt_detail WHERE vo = %(vo)s AND attempt_id IN (SELECT attempt_id FROM old)),
             given AS (DELETE FROM attempt_input WHERE vo = %(vo)s AND attempt_id IN (SELECT attempt_id FROM old)),
             attempts AS (DELETE FROM attempt WHERE vo = %(vo)s AND job_id = ANY(%(jobs)s)),
             outputs AS (DELETE FROM job_output WHERE vo = %(vo)s AND job_id = ANY(%(jobs)s)),
             reschedules AS (DELETE FROM reschedule WHERE vo = %(vo)s AND job_id = ANY(%(jobs)s)),
             parameters AS (DELETE FROM job_parameter WHERE vo = %(vo)s AND job_id = ANY(%(jobs)s)),
             sandboxes AS (DELETE FROM job_sandbox WHERE vo = %(vo)s AND job_id = ANY(%(jobs)s)),
             statuses AS (DELETE FROM job_status WHERE vo = %(vo)s AND job_id = ANY(%(jobs)s)),
             beats AS (DELETE FROM job_heartbeat WHERE vo = %(vo)s AND job_id = ANY(%(jobs)s)),
             silences AS (DELETE FROM job_silence WHERE vo = %(vo)s AND job_id = ANY(%(jobs)s)),
             takings AS (DELETE FROM job_taking WHERE vo = %(vo)s AND job_id = ANY(%(jobs)s)),
             edges AS (DELETE FROM job_edge WHERE vo = %(vo)s AND job_id = ANY(%(jobs)s)),
             commands AS (DELETE FROM job_command WHERE vo = %(vo)s AND job_id = ANY(%(jobs)s)),
             specs AS (DELETE FROM job_spec WHERE vo = %(vo)s AND job_id = ANY(%(jobs)s)
                       RETURNING submission_id, job_id),
             jobs AS (DELETE FROM job WHERE vo = %(vo)s AND job_id = ANY(%(jobs)s))
        DELETE FROM submission s
         WHERE s.vo = %(vo)s AND s.submission_id IN (SELECT submission_id FROM specs)
           AND NOT EXISTS (SELECT FROM job_spec o WHERE o.submission_id = s.submission_id AND o.vo = s.vo
                              AND o.job_id <> ALL(%(jobs)s))
           AND NOT EXISTS (SELECT FROM job_range g WHERE g.submission_id = s.submission_id AND g.vo = s.vo)
        """,
        {"vo": vo, "jobs": list(job_ids)},
    )


async def forget_ranges(conn: Connection, vo: int, before: datetime) -> int:
    """Delete jobs that were killed before they had rows, and before a moment; return how many."""
    number: int = await fetch_value(
        conn,
        """
        WITH gone AS (
            DELETE FROM job_range WHERE vo = %(vo)s AND state = 'K' AND changed_at < %(before)s
            RETURNING submission_id, range_id, last_id - first_id + 1 AS jobs),
        empty AS (
            DELETE FROM submission s
             WHERE s.vo = %(vo)s AND s.submission_id IN (SELECT submission_id FROM gone)
               AND NOT EXISTS (SELECT FROM job_spec o WHERE o.submission_id = s.submission_id AND o.vo = s.vo)
               AND NOT EXISTS (SELECT FROM job_range g WHERE g.submission_id = s.submission_id AND g.vo = s.vo
                                  AND g.range_id NOT IN (SELECT range_id FROM gone)))
        SELECT coalesce(sum(jobs), 0)::bigint FROM gone
        """,
        {"vo": vo, "before": before},
    )
    return number


async def drop_history(conn: Connection, before: datetime) -> int:
    """Drop the weeks of history that ended before a moment, of all VOs; return how many."""
    dropped: int = await fetch_value(conn, "SELECT drop_history(%(before)s)", {"before": before})
    return dropped
