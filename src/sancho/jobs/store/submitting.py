"""SQL that makes submissions, task queues and jobs: a fixed number of statements for any number of jobs."""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.types.json import Jsonb

from sancho.jobs.model import Description, JobState, Requirement, Retry
from sancho.kit.db import Connection, execute, fetch_rows, fetch_value, fetch_values
from sancho.kit.documents import write


async def insert_submission(conn: Connection, vo: int, account_id: int, *, said: Mapping[str, Any]) -> int | None:
    """Insert a submission, None when its key exists.

    `said`: `jobs`, `description`, `key`, `digest`, `version`, `traceparent`.
    """
    return await fetch_value(
        conn,
        """
        INSERT INTO submission (vo, account_id, jobs, version, description, idempotency_key, traceparent, digest)
        VALUES (%(vo)s, %(account_id)s, %(jobs)s, %(version)s, %(description)s, %(key)s, %(traceparent)s, %(digest)s)
        ON CONFLICT (account_id, vo, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
        RETURNING submission_id
        """,
        {"vo": vo, "account_id": account_id, **said, "description": Jsonb(said["description"])},
    )


async def insert_submissions(
    conn: Connection, vo: int, account_id: int, *, said: Mapping[str, Any], each: Sequence[tuple[int, Any, bytes]]
) -> list[int]:
    """Insert submissions without keys, each with its number of jobs, description and digest; ids in their order.

    `said`: `version` and `traceparent`.
    """
    jobs, descriptions, digests = zip(*each, strict=True)
    return sorted(
        await fetch_values(
            conn,
            """
            INSERT INTO submission (vo, account_id, jobs, version, description, traceparent, digest)
            SELECT %(vo)s, %(account_id)s, n.jobs, %(version)s, n.description, %(traceparent)s, n.digest
              FROM unnest(%(jobs)s::int[], %(descriptions)s::jsonb[], %(digests)s::bytea[])
                   WITH ORDINALITY AS n (jobs, description, digest, place)
             ORDER BY n.place
            RETURNING submission_id
            """,
            {
                "vo": vo, "account_id": account_id, **said, "jobs": list(jobs), "digests": list(digests),
                "descriptions": [Jsonb(one) for one in descriptions],
            },
        )
    )  # fmt: skip


async def find_submission(
    conn: Connection, vo: int, account_id: int, key: str
) -> tuple[int, bytes | None, Sequence[int]] | None:
    """The submission with this idempotency key, the digest of what was sent with it, and its job ids in order."""
    rows = await fetch_rows(
        conn,
        """
        SELECT s.submission_id, s.digest, s.first_id, s.jobs,
               CASE WHEN s.first_id IS NULL THEN ARRAY(
                    SELECT j.job_id FROM job_spec j
                     WHERE j.submission_id = s.submission_id AND j.vo = s.vo ORDER BY j.number) END
          FROM submission s
         WHERE s.account_id = %(account_id)s AND s.vo = %(vo)s AND s.idempotency_key = %(key)s
        """,
        {"vo": vo, "account_id": account_id, "key": key},
    )
    if not rows:
        return None
    submission_id, digest, first_id, jobs, job_ids = rows[0]
    return submission_id, digest, job_ids if first_id is None else range(first_id, first_id + jobs)


async def make_task_queue(
    conn: Connection, vo: int, digest: bytes, ways: Sequence[Requirement], *, ids: Mapping[str, Any]
) -> int:
    """Find or make a task queue and keep it awake until we commit (`ids`: group, account, type, inputs, priority)."""
    params = {"vo": vo, "digest": digest, "requirements": Jsonb([write(way) for way in ways]), **ids}
    await execute(
        conn,
        """
        INSERT INTO task_queue (vo, priority, group_id, account_id, type, input_set_id, requirements, digest)
        VALUES (%(vo)s, %(priority)s, %(group_id)s, %(account_id)s, %(type)s, %(input_set_id)s, %(requirements)s,
                %(digest)s)
        ON CONFLICT (digest, vo) DO UPDATE SET active = true WHERE NOT task_queue.active
        """,
        params,
    )
    # FOR KEY SHARE: whoever wants to put the queue to sleep must wait for us, and will then see our jobs.
    return await fetch_value(
        conn, "SELECT task_queue_id FROM task_queue WHERE digest = %(digest)s AND vo = %(vo)s FOR KEY SHARE", params
    )


async def wake_queues(conn: Connection, vo: int, task_queue_ids: Sequence[int]) -> None:
    """Keep these queues awake until we commit: jobs are about to enter them."""
    params = {"vo": vo, "ids": sorted(set(task_queue_ids))}
    await fetch_values(
        conn,
        """
        SELECT task_queue_id FROM task_queue
         WHERE vo = %(vo)s AND task_queue_id = ANY(%(ids)s) ORDER BY 1 FOR KEY SHARE
        """,
        params,
    )
    await execute(
        conn,
        "UPDATE task_queue SET active = true WHERE vo = %(vo)s AND task_queue_id = ANY(%(ids)s) AND NOT active",
        params,
    )


async def insert_jobs(
    conn: Connection, vo: int, *, said: Mapping[str, Any], parameters: Mapping[int, Sequence[str]]
) -> list[int]:
    """Insert jobs with their history and queue rows; ids in the order of `parameters` (JSON texts by submission).

    `said`: account_id, task_queue_id, input_set_id, priority and `state`, PENDING or WAITING. Pending ones wait for
    their inputs if they have any.
    """
    held = said["state"] is JobState.PENDING
    rows_of = [(n, number, text) for n, texts in parameters.items() for number, text in enumerate(texts)]
    submissions, numbers, texts = zip(*rows_of, strict=True)
    made = await fetch_rows(
        conn,
        """
        WITH reserved AS MATERIALIZED (SELECT reserve_jobs(%(number)s::int) AS first_id),
        made AS MATERIALIZED (
            SELECT coalesce(r.first_id + place - 1, nextval('job_job_id_seq')) AS job_id, submission_id, number,
                   parameters, place
              FROM reserved r
             CROSS JOIN unnest(%(submissions)s::bigint[], %(numbers)s::int[], %(parameters)s::text[])
                        WITH ORDINALITY AS p (submission_id, number, parameters, place)),
        jobs AS (
            INSERT INTO job (vo, state, task_queue_id, account_id, job_id) OVERRIDING SYSTEM VALUE
            SELECT %(vo)s, %(state)s, %(task_queue_id)s, %(account_id)s, job_id FROM made),
        specs AS (
            INSERT INTO job_spec (vo, number, job_id, submission_id, parameters)
            SELECT %(vo)s, number, job_id, submission_id, parameters::jsonb FROM made),
        history AS (
            INSERT INTO job_history (vo, state, attempt, job_id)
            SELECT %(vo)s, %(state)s, 0, job_id FROM made),
        waiting AS (
            INSERT INTO waiting_job (vo, priority, task_queue_id, job_id)
            SELECT %(vo)s, -%(priority)s, %(task_queue_id)s, job_id FROM made WHERE NOT %(held)s),
        pending AS (
            INSERT INTO pending_job (vo, input_set_id, job_id)
            SELECT %(vo)s, %(input_set_id)s, job_id FROM made
             WHERE %(held)s AND %(input_set_id)s::bigint IS NOT NULL)
        SELECT job_id FROM made ORDER BY place
        """,
        {"vo": vo, **said, "state": said["state"].value, "held": held, "submissions": list(submissions),
         "numbers": list(numbers), "parameters": list(texts), "number": len(texts)},
    )  # fmt: skip
    return [row[0] for row in made]


async def count_waiting(conn: Connection, vo: int, counts: Mapping[int, int]) -> None:
    """Add to the number of waiting jobs of task queues, in this connection's slot, and tell those who match."""
    await execute(
        conn,
        """
        INSERT INTO task_queue_slot AS s (vo, slot, task_queue_id, waiting)
        SELECT %(vo)s, pg_backend_pid() %% 16, q.id, q.n
          FROM unnest(%(ids)s::int[], %(counts)s::bigint[]) AS q (id, n) ORDER BY q.id
        ON CONFLICT (task_queue_id, vo, slot) DO UPDATE SET waiting = s.waiting + excluded.waiting
        """,
        {"vo": vo, "ids": list(counts.keys()), "counts": list(counts.values())},
    )
    await execute(
        conn,
        "SELECT pg_notify('task_queue', %(vo)s || '.' || id) FROM unnest(%(ids)s::int[]) id",
        {"vo": vo, "ids": list(counts.keys())},
    )


async def insert_outputs(conn: Connection, vo: int, outputs: Sequence[tuple[int, int, int, int | None, str]]) -> int:
    """Insert promised outputs as (job_id, number, scope_id, dataset_id, name); say how many were free to promise."""
    return await execute(
        conn,
        """
        INSERT INTO job_output (vo, job_id, number, scope_id, dataset_id, name)
        SELECT %(vo)s, o.* FROM unnest(%(jobs)s::bigint[], %(numbers)s::smallint[], %(scopes)s::int[],
                                       %(datasets)s::bigint[], %(names)s::text[])
               AS o (job, number, scope, dataset, name)
         WHERE NOT EXISTS (SELECT FROM did WHERE did.scope_id = o.scope AND did.vo = %(vo)s AND did.name = o.name)
         ORDER BY o.scope, o.name
        ON CONFLICT DO NOTHING
        """,
        {
            "vo": vo,
            "jobs": [o[0] for o in outputs], "numbers": [o[1] for o in outputs], "scopes": [o[2] for o in outputs],
            "datasets": [o[3] for o in outputs], "names": [o[4] for o in outputs],
        },
    )  # fmt: skip


async def first_taken(
    conn: Connection, vo: int, names: Sequence[tuple[int, str]], job_ids: Sequence[int]
) -> str | None:
    """The first (scope, name) that exists as a DID or is promised by a job not among `job_ids`."""
    return await fetch_value(
        conn,
        """
        SELECT scope.name || ':' || o.name
          FROM unnest(%(scopes)s::int[], %(names)s::text[]) WITH ORDINALITY AS o (scope_id, name, n)
          JOIN scope ON scope.scope_id = o.scope_id AND scope.vo = %(vo)s
         WHERE EXISTS (SELECT FROM did d WHERE d.scope_id = o.scope_id AND d.vo = %(vo)s AND d.name = o.name)
            OR EXISTS (SELECT FROM job_output p WHERE p.scope_id = o.scope_id AND p.vo = %(vo)s AND p.name = o.name
                          AND p.job_id <> ALL (%(job_ids)s::bigint[]))
            OR 1 < (SELECT count(*) FROM unnest(%(scopes)s::int[], %(names)s::text[]) AS t (s, m)
                     WHERE t.s = o.scope_id AND t.m = o.name)
         ORDER BY o.n LIMIT 1
        """,
        {"vo": vo, "scopes": [n[0] for n in names], "names": [n[1] for n in names], "job_ids": list(job_ids)},
    )


async def release_promises(conn: Connection, vo: int, job_ids: Sequence[int]) -> int:
    """Forget the outputs that these ended jobs will not make, so that others may promise the names."""
    return await execute(
        conn,
        "DELETE FROM job_output WHERE vo = %(vo)s AND job_id = ANY(%(ids)s) AND did_id IS NULL",
        {"vo": vo, "ids": list(job_ids)},
    )


async def insert_closing(conn: Connection, vo: int, dataset_ids: Sequence[int]) -> None:
    """Note that these datasets close once every promised output has arrived."""
    await execute(
        conn,
        """
        INSERT INTO closing_dataset (vo, dataset_id)
        SELECT %(vo)s, id FROM unnest(%(ids)s::bigint[]) id ORDER BY id ON CONFLICT DO NOTHING
        """,
        {"vo": vo, "ids": sorted(set(dataset_ids))},
    )


async def list_slots(conn: Connection, vo: int) -> list[tuple[Any, ...]]:
    """What the CEs that serve a VO offer: (ce, site, cores, memory, walltime, tags, machine), and what may forbid it.

    That is: whether the CE is enabled, whether its site is, and how many pilots it may have.
    """
    return await fetch_rows(
        conn,
        """
        SELECT r.name, s.name, ce.cores, ce.memory, ce.walltime, ce.tags, ce.machine,
               ce.enabled AND r.enabled, s.enabled, ce.max_pilots
          FROM compute_element ce
          JOIN resource r ON r.resource_id = ce.ce_id
          JOIN resource s ON s.resource_id = ce.site_id
         WHERE ce.vo = %(vo)s OR EXISTS (
               SELECT FROM resource_grant g WHERE g.resource_id = ce.ce_id AND g.to_vo = %(vo)s)
         ORDER BY r.name
        """,
        {"vo": vo},
    )


def description_document(description: Description) -> dict[str, Any]:
    """A description as it is stored and shown: JSON, durations in seconds."""
    return {
        "name": description.name, "group": description.group, "type": description.type,
        "job_group": description.job_group,
        "command": list(description.command),
        "environment": dict(description.environment), "sandbox": description.sandbox,
        "inputs": list(description.inputs), "close_datasets": description.close_datasets,
        "outputs": [
            {"path": o.path, "did": o.did, "dataset": o.dataset,
             "rule": None if o.rule is None else {
                 "copies": o.rule.copies, "rse_expression": o.rule.rse_expression,
                 "lifetime": None if o.rule.lifetime is None else o.rule.lifetime.total_seconds()}}
            for o in description.outputs],
        "output_sandbox": list(description.output_sandbox),
        **({"start_with": description.start_with} if description.start_with is not None else {}),
        "requirements": write(description.requirements),
        "alternatives": [write(way) for way in description.alternatives],
        "max_attempts": description.max_attempts, "priority": description.priority,
        # Left out when nothing is asked for, so that what was sent before it could be is the same when sent again.
        **({"retry": write(description.retry)} if description.retry != Retry() else {}),
    }  # fmt: skip
