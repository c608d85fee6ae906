"""What is said of jobs by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sancho.jobs.model import SaidBy
from sancho.kit.db import Connection, execute, fetch_rows


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """One parameter: its value as JSON, and what it is found by."""

    job_id: int
    name: str
    value: str
    word: str | None
    number: float | None


async def owners(conn: Connection, vo: int, job_ids: Sequence[int]) -> dict[int, tuple[int, str]]:
    """The account of each of these jobs, and its name; those that do not exist are left out."""
    rows = await fetch_rows(
        conn,
        """
        SELECT j.job_id, j.account_id, a.name
          FROM job j JOIN account a ON a.account_id = j.account_id AND a.vo = %(vo)s
         WHERE j.job_id = ANY(%(ids)s) AND j.vo = %(vo)s
        """,
        {"vo": vo, "ids": list(job_ids)},
    )
    return {row[0]: (row[1], row[2]) for row in rows}


async def put(conn: Connection, vo: int, said: Sequence[Said], by: SaidBy) -> None:
    """Let jobs say something; what they say by the same names is gone, and what stays the same is not written."""
    rows = sorted(said, key=lambda one: (one.job_id, one.name))
    await execute(
        conn,
        """
        INSERT INTO job_parameter AS m (vo, said_by, job_id, number, name, word, value)
        SELECT %(vo)s, %(by)s, n.job_id, n.number, n.name, n.word, n.value::jsonb
          FROM unnest(%(ids)s::bigint[], %(numbers)s::float8[], %(names)s::text[], %(words)s::text[],
                      %(values)s::text[]) AS n (job_id, number, name, word, value)
        ON CONFLICT (job_id, vo, name) DO UPDATE
           SET said_by = excluded.said_by, number = excluded.number, changed_at = now(), word = excluded.word,
               value = excluded.value
         WHERE m.value <> excluded.value OR m.said_by <> excluded.said_by
        """,
        {
            "vo": vo, "by": by.value, "ids": [one.job_id for one in rows], "numbers": [one.number for one in rows],
            "names": [one.name for one in rows], "words": [one.word for one in rows],
            "values": [one.value for one in rows],
        },
    )  # fmt: skip


async def remove(conn: Connection, vo: int, names: Sequence[tuple[int, str]]) -> None:
    """Let jobs (id, name) say it no more."""
    await execute(
        conn,
        """
        DELETE FROM job_parameter m
         USING unnest(%(ids)s::bigint[], %(names)s::text[]) AS n (job_id, name)
         WHERE m.job_id = n.job_id AND m.vo = %(vo)s AND m.name = n.name
        """,
        {"vo": vo, "ids": [job_id for job_id, _ in names], "names": [name for _, name in names]},
    )


async def find_full(conn: Connection, vo: int, job_ids: Sequence[int], most: int) -> int | None:
    """A job, of these, that says more than so much; None when none does."""
    rows = await fetch_rows(
        conn,
        """
        SELECT job_id FROM job_parameter
         WHERE job_id = ANY(%(ids)s) AND vo = %(vo)s
         GROUP BY job_id HAVING count(*) > %(most)s
         ORDER BY job_id LIMIT 1
        """,
        {"vo": vo, "ids": list(job_ids), "most": most},
    )
    return rows[0][0] if rows else None


async def of_jobs(conn: Connection, vo: int, job_ids: Sequence[int]) -> dict[int, Mapping[str, Any]]:
    """All that these jobs say, by name; those that say nothing are left out."""
    rows = await fetch_rows(
        conn,
        """
        SELECT job_id, jsonb_object_agg(name, value) FROM job_parameter
         WHERE job_id = ANY(%(ids)s) AND vo = %(vo)s GROUP BY job_id
        """,
        {"vo": vo, "ids": list(job_ids)},
    )
    return {row[0]: row[1] for row in rows}
