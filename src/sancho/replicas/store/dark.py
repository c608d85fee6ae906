"""Files on storages that the catalogue does not know. Writes `dark_file`."""

from collections.abc import Sequence
from datetime import datetime

from sancho.kit.db import Connection, execute, fetch_rows
from sancho.replicas.model import DarkFile, DarkFinding


async def insert(conn: Connection, vo: int, rse_id: int, paths: Sequence[str], found: DarkFinding) -> int:
    """Note files that are to be deleted after a grace; what is noted already stays. Return how many are new."""
    return await execute(
        conn,
        """
        INSERT INTO dark_file (vo, rse_id, account_id, path, reason, not_before)
        SELECT DISTINCT %(vo)s, %(rse_id)s, %(account_id)s, path, %(reason)s, now() + %(grace)s
          FROM unnest(%(paths)s::text[]) AS path
            ON CONFLICT (rse_id, vo, path) DO NOTHING
        """,
        {"vo": vo, "rse_id": rse_id, "paths": list(paths), **found._asdict()},
    )


async def claim(conn: Connection, vo: int, now: datetime, until: datetime, limit: int) -> list[DarkFile]:
    """Take files of a VO that are due until a time, oldest first; what others take is skipped."""
    rows = await fetch_rows(
        conn,
        """
        WITH due AS (
            SELECT dark_file_id, vo FROM dark_file
             WHERE vo = %(vo)s AND not_before <= %(now)s
             ORDER BY not_before LIMIT %(limit)s
               FOR NO KEY UPDATE SKIP LOCKED)
        UPDATE dark_file x SET not_before = %(until)s, tries = least(x.tries + 1, 1000)
          FROM due
         WHERE x.dark_file_id = due.dark_file_id AND x.vo = due.vo
        RETURNING x.dark_file_id, x.rse_id, x.path, x.tries
        """,
        {"vo": vo, "now": now, "until": until, "limit": limit},
    )
    return sorted(DarkFile(*row) for row in rows)


async def forget(conn: Connection, vo: int, ids: Sequence[int]) -> None:
    """Remove files that are gone, or that are known by now."""
    await execute(
        conn,
        "DELETE FROM dark_file WHERE dark_file_id = ANY(%(ids)s::bigint[]) AND vo = %(vo)s",
        {"vo": vo, "ids": list(ids)},
    )


async def postpone(conn: Connection, vo: int, ids: Sequence[int], until: Sequence[datetime]) -> None:
    """Let nobody try these again before their times."""
    await execute(
        conn,
        """
        UPDATE dark_file x SET not_before = late.until
          FROM unnest(%(ids)s::bigint[], %(untils)s::timestamptz[]) AS late (dark_file_id, until)
         WHERE x.dark_file_id = late.dark_file_id AND x.vo = %(vo)s
        """,
        {"vo": vo, "ids": list(ids), "untils": list(until)},
    )
