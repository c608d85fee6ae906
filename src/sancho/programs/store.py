"""The SQL of programs. Writes `program_beat`; of the installation's own the list of connections tells."""

from datetime import datetime

from sancho.kit.db import Connection, execute, fetch, fetch_value
from sancho.programs.model import Beat, Program


async def connected(conn: Connection) -> list[Program]:
    """The programs that hold a connection to this database as the server's role; see `kit.db.named`."""
    return await fetch(
        conn,
        Program,
        r"""
        SELECT said[1] AS name, said[4] AS host, said[2]::int AS pid, to_timestamp(said[3]::bigint) AS started_at,
               max(activity.state_change) AS seen_at
          FROM pg_stat_activity AS activity,
               regexp_match(activity.application_name, '^sancho ([a-z]+) (\d{1,9}) (\d{1,12}) (\S+)$') AS said
         WHERE activity.datname = current_database() AND activity.usename = current_user AND said IS NOT NULL
         GROUP BY 1, 2, 3, 4
         ORDER BY 1, 2, 3
        """,
        {},
    )


async def beats(conn: Connection, vo: int, since: datetime) -> list[Program]:
    """Services of a VO that were heard of since then, in order of their names."""
    return await fetch(
        conn,
        Program,
        """
        SELECT name, host, pid, thread, started_at, seen_at, detail
          FROM program_beat
         WHERE vo = %(vo)s AND seen_at >= %(since)s
         ORDER BY name, host, pid, thread
        """,
        {"vo": vo, "since": since},
    )


async def forget(conn: Connection, vo: int, before: datetime) -> None:
    """Forget services of a VO that were last heard of before then."""
    await execute(
        conn,
        "DELETE FROM program_beat WHERE vo = %(vo)s AND seen_at < %(before)s",
        {"vo": vo, "before": before},
    )


async def count(conn: Connection, vo: int) -> int:
    """How many services of a VO are known."""
    return await fetch_value(conn, "SELECT count(*) FROM program_beat WHERE vo = %(vo)s", {"vo": vo})


async def put_beat(conn: Connection, vo: int, beat: Beat, now: datetime) -> None:
    """Note that a service of a VO is alive."""
    await execute(
        conn,
        """
        INSERT INTO program_beat (vo, name, host, pid, thread, started_at, seen_at, detail)
        VALUES (%(vo)s, %(name)s, %(host)s, %(pid)s, %(thread)s, %(now)s, %(now)s, %(detail)s)
            ON CONFLICT (name, vo, host, pid, thread) DO UPDATE
               SET seen_at = excluded.seen_at, detail = excluded.detail
        """,
        {
            "vo": vo, "name": beat.name, "host": beat.host, "pid": beat.pid, "thread": beat.thread,
            "now": now, "detail": beat.detail,
        },
    )  # fmt: skip
