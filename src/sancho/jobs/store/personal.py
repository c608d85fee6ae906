"""The SQL of what jobs hold of a person."""

from collections.abc import AsyncIterator

from sancho.kit.db import Connection, execute, fetch_value, stream
from sancho.kit.personal import Line, Person


async def stream_person(conn: Connection, person: Person) -> AsyncIterator[Line]:
    """What an account submitted and named: descriptions, jobs, what is said of them, searches, and sandboxes."""
    chunks = stream(
        conn,
        """
        SELECT jsonb_build_object('what', 'submission', 'submission_id', submission_id, 'jobs', jobs,
                                  'submitted_at', submitted_at, 'description', description)
          FROM submission
         WHERE account_id = %(account_id)s AND vo = %(vo)s
        UNION ALL
        SELECT jsonb_build_object(
                   'what', 'job', 'job_id', j.job_id, 'submission_id', s.submission_id, 'parameters', s.parameters,
                   'state', CASE j.state WHEN 'P' THEN 'pending' WHEN 'W' THEN 'waiting' WHEN 'H' THEN 'held'
                                         WHEN 'M' THEN 'matched'
                                         WHEN 'R' THEN 'running' WHEN 'C' THEN 'completing' WHEN 'D' THEN 'done'
                                         WHEN 'F' THEN 'failed' ELSE 'killed' END,
                   'changed_at', j.changed_at,
                   'attempts', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                                           'number', a.number, 'started_at', a.started_at, 'ended_at', a.ended_at,
                                           'tail', t.tail) ORDER BY a.number), '[]')
                                  FROM attempt AS a
                                  LEFT JOIN attempt_detail AS t ON t.attempt_id = a.attempt_id AND t.vo = a.vo
                                 WHERE a.job_id = j.job_id AND a.vo = j.vo))
          FROM job AS j
          JOIN job_spec AS s ON s.job_id = j.job_id AND s.vo = j.vo
         WHERE j.account_id = %(account_id)s AND j.vo = %(vo)s
        UNION ALL
        SELECT jsonb_build_object(
                   'what', 'jobs', 'first', g.first_id, 'last', g.last_id, 'submission_id', g.submission_id,
                   'state', CASE g.state WHEN 'W' THEN 'waiting' WHEN 'H' THEN 'held' ELSE 'killed' END,
                   'changed_at', g.changed_at)
          FROM job_range AS g
         WHERE g.account_id = %(account_id)s AND g.vo = %(vo)s
        UNION ALL
        SELECT jsonb_build_object('what', 'job parameter', 'job_id', m.job_id, 'name', m.name, 'value', m.value,
                                  'changed_at', m.changed_at)
          FROM job AS j
          JOIN job_parameter AS m ON m.job_id = j.job_id AND m.vo = j.vo
         WHERE j.account_id = %(account_id)s AND j.vo = %(vo)s
        UNION ALL
        SELECT jsonb_build_object('what', 'job status', 'job_id', u.job_id, 'text', u.said, 'source', u.source,
                                  'at', u.at)
          FROM job AS j
          JOIN job_status AS u ON u.job_id = j.job_id AND u.vo = j.vo
         WHERE j.account_id = %(account_id)s AND j.vo = %(vo)s
        UNION ALL
        SELECT jsonb_build_object('what', 'job heartbeat', 'job_id', h.job_id, 'tail', h.tail, 'at', h.at)
          FROM job AS j
          JOIN job_heartbeat AS h ON h.job_id = j.job_id AND h.vo = j.vo
         WHERE j.account_id = %(account_id)s AND j.vo = %(vo)s
        UNION ALL
        SELECT jsonb_build_object('what', 'job taken', 'job_id', job_id, 'at', taken_at)
          FROM job_taking
         WHERE account_id = %(account_id)s AND vo = %(vo)s
        UNION ALL
        SELECT jsonb_build_object('what', 'job view', 'name', name, 'query', query, 'sort', sort, 'columns', columns,
                                  'changed_at', changed_at)
          FROM job_view
         WHERE account_id = %(account_id)s AND vo = %(vo)s
        UNION ALL
        SELECT jsonb_build_object('what', 'sandbox', 'sha256', encode(sha256, 'hex'), 'size', size,
                                  'created_at', created_at)
          FROM sandbox
         WHERE account_id = %(account_id)s AND vo = %(vo)s
        """,
        {"vo": person.vo, "account_id": person.account_id},
    )
    async for rows in chunks:
        for (line,) in rows:
            yield line


async def count_unended(conn: Connection, person: Person) -> int:
    """How many of an account's jobs have not ended."""
    return await fetch_value(
        conn,
        """
        SELECT (SELECT count(*) FROM job
                 WHERE vo = %(vo)s AND account_id = %(account_id)s AND state NOT IN ('D', 'F', 'K'))
             + (SELECT coalesce(sum(last_id - first_id + 1), 0)::bigint FROM job_range
                 WHERE vo = %(vo)s AND account_id = %(account_id)s AND state <> 'K')
        """,
        {"vo": person.vo, "account_id": person.account_id},
    )


async def erase_person(conn: Connection, person: Person) -> int:
    """Clear what an account's ended attempts printed, what was said of its jobs, its searches, and its keys."""
    parameters = {"vo": person.vo, "account_id": person.account_id}
    printed = await execute(
        conn,
        """
        UPDATE attempt_detail AS t SET tail = ''
          FROM job AS j
          JOIN attempt AS a ON a.job_id = j.job_id AND a.vo = j.vo AND a.ended_at IS NOT NULL
         WHERE j.account_id = %(account_id)s AND j.vo = %(vo)s
           AND t.attempt_id = a.attempt_id AND t.vo = a.vo AND t.tail <> ''
        """,
        parameters,
    )
    said = await execute(
        conn,
        """
        DELETE FROM job_parameter AS m USING job AS j
         WHERE j.account_id = %(account_id)s AND j.vo = %(vo)s
           AND m.job_id = j.job_id AND m.vo = j.vo AND m.said_by = 'O'
        """,
        parameters,
    )
    named = await execute(
        conn, "DELETE FROM job_view WHERE account_id = %(account_id)s AND vo = %(vo)s", parameters
    )  # fmt: skip
    reported = await execute(
        conn,
        """
        DELETE FROM job_status AS u USING job AS j
         WHERE j.account_id = %(account_id)s AND j.vo = %(vo)s AND u.job_id = j.job_id AND u.vo = j.vo
        """,
        parameters,
    )
    beats = await execute(
        conn,
        """
        DELETE FROM job_heartbeat AS h USING job AS j
         WHERE j.account_id = %(account_id)s AND j.vo = %(vo)s AND h.job_id = j.job_id AND h.vo = j.vo
        """,
        parameters,
    )
    logged = await execute(
        conn,
        """
        DELETE FROM job_history AS h USING job AS j
         WHERE j.account_id = %(account_id)s AND j.vo = %(vo)s
           AND h.job_id = j.job_id AND h.vo = j.vo AND h.source IS NOT NULL
        """,
        parameters,
    )
    return (
        printed
        + said
        + named
        + reported
        + beats
        + logged
        + await execute(
            conn,
            """
        UPDATE submission SET idempotency_key = NULL
         WHERE account_id = %(account_id)s AND vo = %(vo)s AND idempotency_key IS NOT NULL
        """,
            parameters,
        )
    )
