"""SQL of sandboxes: what is known of them, which jobs have them, and which no job has."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sancho.jobs.model.sandboxes import JobSandboxes
from sancho.jobs.store.ranges import JOBS
from sancho.kit.db import Connection, execute, fetch, fetch_value, fetch_values, find


@dataclass(frozen=True, kw_only=True)
class SandboxRow:
    """A sandbox that was announced; `packed` is the same as tar.gz, if it is another and was made."""

    size: int
    format: str
    leaving: bool
    packed: bytes | None


async def find_sandbox(conn: Connection, vo: int, sha256: bytes) -> SandboxRow | None:
    """What is known of a sandbox; None when it was never announced."""
    return await find(
        conn,
        SandboxRow,
        """
        SELECT b.size, b.format, b.leaving_at IS NOT NULL AS leaving, p.sha256 AS packed
          FROM sandbox b
          LEFT JOIN sandbox p ON p.sha256 = b.packed AND p.vo = b.vo AND p.leaving_at IS NULL
         WHERE b.sha256 = %(sha256)s AND b.vo = %(vo)s
        """,
        {"vo": vo, "sha256": sha256},
    )


async def hold(conn: Connection, vo: int, sha256: bytes, formats: Sequence[str]) -> int | None:
    """Size of a sandbox in one of these formats, which stays until we commit; None when there is none."""
    return await fetch_value(
        conn,
        """
        SELECT size FROM sandbox
         WHERE sha256 = %(sha256)s AND vo = %(vo)s AND leaving_at IS NULL AND format = ANY(%(formats)s)
           FOR KEY SHARE
        """,
        {"vo": vo, "sha256": sha256, "formats": list(formats)},
    )


async def announce(
    conn: Connection, vo: int, account_id: int, sha256: bytes, *, size: int, packing: str
) -> bool:  # fmt: skip
    """Announce a sandbox, once per VO, or announce it anew; False while its object is being deleted."""
    found = await fetch_value(
        conn,
        """
        INSERT INTO sandbox AS b (vo, account_id, size, sha256, format)
        VALUES (%(vo)s, %(account_id)s, %(size)s, %(sha256)s, %(format)s)
        ON CONFLICT (sha256, vo) DO UPDATE SET size = excluded.size, format = excluded.format, looked_at = now()
         WHERE b.leaving_at IS NULL
        RETURNING true
        """,
        {"vo": vo, "account_id": account_id, "size": size, "sha256": sha256, "format": packing},
    )
    return bool(found)


async def set_packed(conn: Connection, vo: int, sha256: bytes, packed: bytes) -> None:
    """Say which tar.gz has the same files."""
    await execute(
        conn,
        "UPDATE sandbox SET packed = %(packed)s, looked_at = now() WHERE sha256 = %(sha256)s AND vo = %(vo)s",
        {"vo": vo, "sha256": sha256, "packed": packed},
    )


async def of_jobs(conn: Connection, vo: int, job_ids: Sequence[int]) -> list[JobSandboxes]:
    """The sandboxes of jobs, in order of their ids: those that are there, and were not taken from them."""
    return await fetch(
        conn,
        JobSandboxes,
        f"""
        SELECT j.job_id, j.account_id, a.name AS account, g.name AS group_name,
               coalesce(ib.sha256, ip.sha256) AS input, coalesce(ib.format, ip.format) AS input_format,
               ob.sha256 AS output, ob.format AS output_format
          FROM ({JOBS}) AS j
          JOIN account a ON a.account_id = j.account_id AND a.vo = j.vo
          JOIN task_queue q ON q.task_queue_id = j.task_queue_id AND q.vo = j.vo
          JOIN account_group g ON g.group_id = q.group_id AND g.vo = q.vo
          JOIN submission s ON s.submission_id = j.submission_id AND s.vo = j.vo
          LEFT JOIN job_sandbox i ON i.job_id = j.job_id AND i.vo = j.vo AND i.kind = 'I'
          LEFT JOIN job_sandbox o ON o.job_id = j.job_id AND o.vo = j.vo AND o.kind = 'O'
          LEFT JOIN LATERAL (
               SELECT t.number, d.sandbox
                 FROM attempt t JOIN attempt_detail d ON d.attempt_id = t.attempt_id AND d.vo = t.vo
                WHERE t.job_id = j.job_id AND t.vo = j.vo AND d.sandbox IS NOT NULL
                ORDER BY t.number DESC LIMIT 1) AS made ON true
          LEFT JOIN sandbox ib ON ib.packed = s.sandbox AND ib.vo = s.vo AND i.job_id IS NULL AND ib.leaving_at IS NULL
          LEFT JOIN sandbox ip ON ip.sha256 = s.sandbox AND ip.vo = s.vo AND i.job_id IS NULL AND ip.leaving_at IS NULL
          LEFT JOIN sandbox ob ON ob.vo = j.vo AND ob.leaving_at IS NULL AND ob.sha256 =
               CASE WHEN o.job_id IS NULL OR o.attempt < made.number THEN made.sandbox ELSE o.sha256 END
         ORDER BY j.job_id
        """,  # noqa: S608 - literals
        {"vo": vo, "ids": sorted(set(job_ids))},
    )


async def give(
    conn: Connection, vo: int, job_ids: Sequence[int], kinds: Sequence[str], sha256: bytes | None
) -> None:  # fmt: skip
    """Give jobs a sandbox in place of what they have of these kinds, or none."""
    await execute(
        conn,
        """
        INSERT INTO job_sandbox (vo, kind, attempt, job_id, sha256)
        SELECT j.vo, k.kind::"char", j.attempts, j.job_id, %(sha256)s
          FROM job j CROSS JOIN unnest(%(kinds)s::text[]) AS k (kind)
         WHERE j.job_id = ANY(%(ids)s::bigint[]) AND j.vo = %(vo)s
         ORDER BY j.job_id, k.kind
        ON CONFLICT (job_id, vo, kind) DO UPDATE
           SET attempt = excluded.attempt, sha256 = excluded.sha256, changed_at = now()
        """,
        {"vo": vo, "ids": list(job_ids), "kinds": list(kinds), "sha256": sha256},
    )


async def claim_old(conn: Connection, vo: int, *, before: datetime, limit: int) -> list[bytes]:
    """Lock sandboxes that were last looked at before a time, the oldest first."""
    return await fetch_values(
        conn,
        """
        SELECT sha256 FROM sandbox
         WHERE vo = %(vo)s AND looked_at < %(before)s AND leaving_at IS NULL
         ORDER BY looked_at LIMIT %(limit)s
           FOR UPDATE SKIP LOCKED
        """,
        {"vo": vo, "before": before, "limit": limit},
    )


async def unused(conn: Connection, vo: int, sha256s: Sequence[bytes]) -> list[bytes]:
    """Those of some sandboxes that no job has.

    A job has what it was submitted with, until it has ended and that was taken from it; what its attempts made, until
    that was taken or replaced; and what it was given.
    """
    return await fetch_values(
        conn,
        """
        SELECT b.sha256 FROM sandbox b
         WHERE b.vo = %(vo)s AND b.sha256 = ANY(%(sha256s)s::bytea[])
           AND NOT EXISTS (SELECT FROM job_sandbox k WHERE k.sha256 = b.sha256 AND k.vo = b.vo)
           AND NOT EXISTS (
               SELECT FROM attempt_detail d
                 JOIN attempt t ON t.attempt_id = d.attempt_id AND t.vo = d.vo
                 LEFT JOIN job_sandbox k ON k.job_id = t.job_id AND k.vo = t.vo AND k.kind = 'O'
                WHERE d.sandbox = b.sha256 AND d.vo = b.vo AND (k.job_id IS NULL OR k.attempt < t.number))
           AND NOT EXISTS (
               SELECT FROM submission s
                 JOIN job_spec p ON p.submission_id = s.submission_id AND p.vo = s.vo
                 JOIN job j ON j.job_id = p.job_id AND j.vo = p.vo
                 LEFT JOIN job_sandbox k ON k.job_id = j.job_id AND k.vo = j.vo AND k.kind = 'I'
                WHERE s.sandbox = ANY(ARRAY[b.sha256, b.packed]) AND s.vo = b.vo
                  AND (k.job_id IS NULL OR j.state NOT IN ('D', 'F', 'K')))
           AND NOT EXISTS (
               SELECT FROM submission s JOIN job_range g ON g.submission_id = s.submission_id AND g.vo = s.vo
                WHERE s.sandbox = ANY(ARRAY[b.sha256, b.packed]) AND s.vo = b.vo)
        """,
        {"vo": vo, "sha256s": list(sha256s)},
    )


async def mark(conn: Connection, vo: int, sha256s: Sequence[bytes], *, leaving: Sequence[bytes]) -> None:
    """Note that sandboxes were looked at, and which of them leave."""
    await execute(
        conn,
        """
        UPDATE sandbox
           SET looked_at = now(), leaving_at = CASE WHEN sha256 = ANY(%(leaving)s::bytea[]) THEN now() END
         WHERE vo = %(vo)s AND sha256 = ANY(%(sha256s)s::bytea[])
        """,
        {"vo": vo, "sha256s": list(sha256s), "leaving": list(leaving)},
    )


async def claim_left(conn: Connection, vo: int, *, lease: timedelta, limit: int) -> list[bytes]:
    """Take over sandboxes that somebody began to delete, and did not end for longer than a lease."""
    return await fetch_values(
        conn,
        """
        UPDATE sandbox SET leaving_at = now()
         WHERE vo = %(vo)s AND sha256 IN (
               SELECT sha256 FROM sandbox
                WHERE vo = %(vo)s AND leaving_at < now() - %(lease)s
                LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
        RETURNING sha256
        """,
        {"vo": vo, "lease": lease, "limit": limit},
    )


async def delete(conn: Connection, vo: int, sha256s: Sequence[bytes]) -> int:
    """Forget sandboxes whose objects are gone; return how many."""
    return await execute(
        conn,
        """
        DELETE FROM sandbox WHERE vo = %(vo)s AND sha256 = ANY(%(sha256s)s::bytea[]) AND leaving_at IS NOT NULL
        """,
        {"vo": vo, "sha256s": list(sha256s)},
    )
