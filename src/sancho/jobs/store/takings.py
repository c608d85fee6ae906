"""SQL of who took jobs that no pilot of ours runs."""

from collections.abc import Sequence

from sancho.kit.db import Connection, execute, fetch_values


async def note(conn: Connection, vo: int, job_ids: Sequence[int], account_id: int) -> None:
    """Note that an account takes these locked jobs, for itself or for whoever runs them."""
    await execute(
        conn,
        """
        INSERT INTO job_taking (vo, attempts, account_id, job_id)
        SELECT vo, attempts, %(account_id)s, job_id FROM job WHERE job_id = ANY(%(ids)s) AND vo = %(vo)s
        """,
        {"vo": vo, "ids": list(job_ids), "account_id": account_id},
    )


async def given_up(conn: Connection, vo: int, job_ids: Sequence[int], account_id: int) -> set[int]:
    """Those of these jobs that were taken once, and that whoever speaks for this account does not run any more.

    They wait again, or a pilot of ours has had them since, or another account has taken them after this one.
    """
    return set(
        await fetch_values(
            conn,
            """
            SELECT j.job_id
              FROM job j
             CROSS JOIN LATERAL (
                   SELECT t.account_id, t.attempts FROM job_taking t
                    WHERE t.job_id = j.job_id AND t.vo = j.vo ORDER BY t.taken_at DESC LIMIT 1) last
             WHERE j.job_id = ANY(%(ids)s) AND j.vo = %(vo)s
               AND (j.state IN ('P', 'W', 'H') OR j.attempts > last.attempts
                    OR (last.account_id <> %(account_id)s AND EXISTS (
                        SELECT FROM job_taking t
                         WHERE t.job_id = j.job_id AND t.vo = j.vo AND t.account_id = %(account_id)s)))
            """,
            {"vo": vo, "ids": list(job_ids), "account_id": account_id},
        )
    )
