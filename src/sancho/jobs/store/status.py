"""What is reported of jobs: the latest of each kind, and all of it as history.

Jobs are looked up one by one for what goes with each: a join would be planned for ten of them, and compare a thousand
with a thousand.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sancho.jobs.model import JobState, Report, Standing, Status, StatusKind
from sancho.jobs.store.ranges import MEMBERS
from sancho.kit.db import Connection, execute, fetch, fetch_rows, fetch_values


async def existing(conn: Connection, vo: int, job_ids: Sequence[int]) -> set[int]:
    """Those of these ids that jobs have."""
    rows = await fetch_rows(
        conn,
        f"""
        SELECT job_id FROM job WHERE job_id = ANY(%(ids)s) AND vo = %(vo)s
         UNION ALL
        SELECT job_id FROM ({MEMBERS}) AS j
        """,  # noqa: S608 - literals
        {"vo": vo, "ids": list(job_ids)},
    )
    return {row[0] for row in rows}


async def lock(conn: Connection, vo: int, job_ids: Sequence[int]) -> list[Standing]:
    """Lock jobs in id order, and say how they stand."""
    params = {"vo": vo, "ids": sorted(set(job_ids))}
    await fetch_rows(
        conn,
        "SELECT FROM job WHERE job_id = ANY(%(ids)s) AND vo = %(vo)s ORDER BY job_id FOR NO KEY UPDATE",
        params,
    )
    return await fetch(
        conn,
        Standing,
        """
        SELECT j.job_id, j.state, j.changed_at,
               EXISTS (SELECT FROM attempt a WHERE a.job_id = j.job_id AND a.vo = j.vo AND a.ended_at IS NULL) AS open,
               EXISTS (SELECT FROM job_output o WHERE o.job_id = j.job_id AND o.vo = j.vo AND o.did_id IS NULL)
                   AS promises
          FROM job j WHERE j.job_id = ANY(%(ids)s) AND j.vo = %(vo)s ORDER BY j.job_id
        """,
        params,
    )


async def run_by_others(conn: Connection, vo: int, job_ids: Collection[int]) -> list[int]:
    """Those of these jobs that run, and by no pilot of ours, in order."""
    return await fetch_values(
        conn,
        """
        SELECT j.job_id FROM job j
         WHERE j.job_id = ANY(%(ids)s) AND j.vo = %(vo)s AND j.state IN ('M', 'R')
           AND NOT EXISTS (SELECT FROM attempt a WHERE a.job_id = j.job_id AND a.vo = j.vo AND a.ended_at IS NULL)
         ORDER BY j.job_id
        """,
        {"vo": vo, "ids": list(job_ids)},
    )


async def move(conn: Connection, vo: int, moved: Mapping[int, tuple[JobState, datetime]]) -> int:
    """Put locked jobs into states, each since a time, not before its last change and not in the future.

    Those that have ended and that others wait for are noted, and counted.
    """
    rows = sorted(moved.items())
    return await execute(
        conn,
        """
        WITH moved AS (
            UPDATE job j SET state = n.state, changed_at = greatest(j.changed_at, least(n.at, now()))
              FROM unnest(%(ids)s::bigint[], %(states)s::"char"[], %(times)s::timestamptz[]) AS n (job_id, state, at)
             WHERE j.job_id = n.job_id AND j.vo = %(vo)s
            RETURNING j.job_id, j.state)
        INSERT INTO job_ended (vo, job_id)
        SELECT %(vo)s, moved.job_id FROM moved CROSS JOIN LATERAL (
               SELECT FROM job_edge e WHERE e.before_id = moved.job_id AND e.vo = %(vo)s AND NOT e.met LIMIT 1) e
         WHERE moved.state IN ('D', 'F', 'K')
        """,
        {
            "vo": vo, "ids": [one[0] for one in rows], "states": [one[1][0].value for one in rows],
            "times": [one[1][1] for one in rows],
        },
    )  # fmt: skip


async def put(conn: Connection, vo: int, said: Sequence[Status], killed: Collection[int] = ()) -> None:
    """Let jobs have these texts, at most one of each kind a job, unless they have later ones.

    What is older than the job's last change of state changes nothing, unless that made it one of the `killed`. Of two
    at one time the one whose text sorts last stays, so that it does not matter which comes first.
    """
    rows = sorted(said, key=lambda one: (one.job_id, one.kind.value))
    await execute(
        conn,
        """
        INSERT INTO job_status AS u (vo, kind, state, attempt, job_id, at, said, source)
        SELECT %(vo)s, n.kind, j.state, j.attempts, j.job_id, n.at, n.said, n.source
          FROM unnest(%(jobs)s::bigint[], %(kinds)s::"char"[], %(times)s::timestamptz[], %(texts)s::text[],
                      %(sources)s::text[]) AS n (job_id, kind, at, said, source)
         CROSS JOIN LATERAL (
               SELECT * FROM job WHERE job.job_id = n.job_id AND job.vo = %(vo)s LIMIT 1) j
         WHERE n.at >= j.changed_at OR j.job_id = ANY(%(killed)s)
         ORDER BY j.job_id, n.kind
        ON CONFLICT (job_id, vo, kind) DO UPDATE
           SET state = excluded.state, attempt = excluded.attempt, at = excluded.at, said = excluded.said,
               source = excluded.source
         WHERE (excluded.at, excluded.said, excluded.source) > (u.at, u.said, u.source)
        """,
        {
            "vo": vo, "killed": list(killed),
            "jobs": [one.job_id for one in rows],
            "kinds": [one.kind.value for one in rows], "times": [one.at for one in rows],
            "texts": [one.said for one in rows], "sources": [one.source for one in rows],
        },
    )  # fmt: skip


async def log(conn: Connection, vo: int, reports: Sequence[Report]) -> None:
    """Write reports into the history of their jobs; what is there already, of the same time, is not written again."""
    rows = sorted(reports, key=lambda one: (one.job_id, one.at))
    await execute(
        conn,
        """
        INSERT INTO job_history (vo, state, attempt, site_id, job_id, at, source, minor, application, asked)
        SELECT %(vo)s, j.state, j.attempts, j.site_id, j.job_id, n.at, n.source, n.minor, n.application, n.asked
          FROM unnest(%(jobs)s::bigint[], %(times)s::timestamptz[], %(sources)s::text[], %(minors)s::text[],
                      %(applications)s::text[], %(asked)s::text[])
            AS n (job_id, at, source, minor, application, asked)
         CROSS JOIN LATERAL (
               SELECT * FROM job WHERE job.job_id = n.job_id AND job.vo = %(vo)s LIMIT 1) j
         WHERE (
               SELECT true FROM job_history h
                WHERE h.job_id = n.job_id AND h.at = n.at AND h.vo = %(vo)s AND h.source = n.source
                  AND (h.minor, h.application, h.asked) IS NOT DISTINCT FROM (n.minor, n.application, n.asked)
                LIMIT 1) IS NULL
        """,
        {
            "vo": vo, "jobs": [one.job_id for one in rows], "times": [one.at for one in rows],
            "sources": [one.source for one in rows],
            "minors": [one.minor for one in rows], "applications": [one.application for one in rows],
            "asked": [one.asked for one in rows],
        },
    )  # fmt: skip


async def of_jobs(conn: Connection, vo: int, job_ids: Sequence[int]) -> list[Status]:
    """The texts that jobs have now: a minor status is of one state, what an application says of one attempt."""
    rows = await fetch_rows(
        conn,
        """
        SELECT u.job_id, u.kind, u.at, u.said, u.source
          FROM job_status u JOIN job j ON j.job_id = u.job_id AND j.vo = u.vo
         WHERE u.job_id = ANY(%(ids)s) AND u.vo = %(vo)s AND u.attempt = j.attempts
           AND (u.kind = 'A' OR u.state = j.state)
        """,
        {"vo": vo, "ids": list(job_ids)},
    )
    return [Status(job_id=r[0], kind=StatusKind(r[1]), at=r[2], said=r[3], source=r[4]) for r in rows]
