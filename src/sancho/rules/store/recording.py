"""The SQL of usage over time. Writes `usage_history`."""

from collections.abc import Sequence
from datetime import date

from sancho.kit.db import Connection, execute, fetch
from sancho.rules.model import UsageOn


async def record(conn: Connection, vo: int, day: date) -> None:
    """Write down for a day what accounts lock on RSEs now, where that differs from what was written last."""
    await execute(
        conn,
        """
        INSERT INTO usage_history (vo, account_id, rse_id, recorded_on, files, size)
        SELECT %(vo)s, account_id, rse_id, %(day)s, coalesce(used.files, 0), coalesce(used.size, 0)
          FROM (SELECT account_id, rse_id, sum(files)::bigint AS files, sum(size)::bigint AS size
                  FROM usage_slot
                 WHERE vo = %(vo)s
                 GROUP BY account_id, rse_id
                HAVING sum(files) <> 0 OR sum(size) <> 0) AS used
          FULL JOIN (SELECT DISTINCT ON (account_id, rse_id) account_id, rse_id, files, size
                       FROM usage_history
                      WHERE vo = %(vo)s
                      ORDER BY account_id, rse_id, recorded_on DESC) AS known USING (account_id, rse_id)
         WHERE (coalesce(used.files, 0), coalesce(used.size, 0))
               <> (coalesce(known.files, 0), coalesce(known.size, 0))
         ORDER BY account_id, rse_id
            ON CONFLICT (account_id, vo, rse_id, recorded_on) DO UPDATE
               SET files = excluded.files, size = excluded.size
        """,
        {"vo": vo, "day": day},
    )


async def forget(conn: Connection, vo: int, until: date) -> None:
    """Forget what is older than a day, but for the last of each account and RSE, which may still hold."""
    await execute(
        conn,
        """
        DELETE FROM usage_history AS old
         WHERE old.vo = %(vo)s AND old.recorded_on < %(until)s
           AND EXISTS (SELECT FROM usage_history AS newer
                        WHERE newer.account_id = old.account_id AND newer.vo = old.vo AND newer.rse_id = old.rse_id
                          AND newer.recorded_on > old.recorded_on AND newer.recorded_on <= %(until)s)
        """,
        {"vo": vo, "until": until},
    )


async def list_history(
    conn: Connection, vo: int, account_id: int, rse_id: int, page: tuple[date | None, int]
) -> Sequence[UsageOn]:
    """What an account locked on an RSE, newest first: so many from before a day on, or from the last one."""
    return await fetch(
        conn,
        UsageOn,
        """
        SELECT recorded_on AS day, files, size
          FROM usage_history
         WHERE account_id = %(account_id)s AND vo = %(vo)s AND rse_id = %(rse_id)s
           AND (%(before)s::date IS NULL OR recorded_on < %(before)s)
         ORDER BY recorded_on DESC
         LIMIT %(limit)s
        """,
        {"vo": vo, "account_id": account_id, "rse_id": rse_id, "before": page[0], "limit": page[1]},
    )
