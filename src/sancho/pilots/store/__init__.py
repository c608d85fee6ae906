"""The SQL of pilots."""

from collections.abc import Sequence
from datetime import timedelta
from typing import LiteralString

from sancho.jobs.model import Reason
from sancho.kit.db import Connection, Database, execute, fetch, fetch_rows, fetch_value, fetch_values, find
from sancho.pilots.model import LAST, REMEMBERED, CeSettings, Ended, Pilot, PilotRow, PilotState

PILOT: LiteralString = """
    SELECT vo, pilot_id, state, ce_id, site_id, stamp, reference, created_at, ended_at, secret_hash, next_hash,
           spent_hashes, detail
      FROM pilot
"""


async def insert_pilots(conn: Connection, ce: CeSettings, stamps: Sequence[str], hashes: Sequence[bytes]) -> None:
    """Note pilots before they are submitted, so that none is ever forgotten."""
    await execute(
        conn,
        """
        INSERT INTO pilot (vo, state, ce_id, site_id, stamp, secret_hash)
        SELECT %(vo)s, 'N', %(ce_id)s, %(site_id)s, p.stamp, p.hash
          FROM unnest(%(stamps)s::text[], %(hashes)s::bytea[]) AS p (stamp, hash)
        """,
        {"vo": ce.vo, "ce_id": ce.ce_id, "site_id": ce.site_id, "stamps": list(stamps), "hashes": list(hashes)},
    )


async def mark_submitted(conn: Connection, vo: int, references: dict[str, str]) -> None:
    """Note the CE's own references of new pilots; one that logged in already stays running."""
    await execute(
        conn,
        """
        UPDATE pilot p SET reference = r.reference, state = CASE p.state WHEN 'N' THEN 'S' ELSE p.state END
          FROM unnest(%(stamps)s::text[], %(references)s::text[]) AS r (stamp, reference)
         WHERE p.stamp = r.stamp AND p.vo = %(vo)s
        """,
        {"vo": vo, "stamps": list(references), "references": list(references.values())},
    )


async def lock_by_stamp(conn: Connection, stamp: str) -> Pilot | None:
    """Lock a pilot by its stamp, in any served VO."""
    return await find(conn, Pilot, PILOT + " WHERE stamp = %(stamp)s FOR NO KEY UPDATE", {"stamp": stamp})


async def greet(conn: Connection, vo: int, pilot_id: int) -> tuple[int, bool] | None:
    """Lock a pilot that has not ended, so that what it asks for is done one after the other; note its sign of life.

    Return its site, and whether it is unfit; None when there is no such pilot. What it has is read by a later
    statement: this one would not see what was done by the call that it may have waited for.
    """
    rows = await fetch_rows(
        conn,
        """
        WITH locked AS MATERIALIZED (
            SELECT vo, pilot_id, site_id, ended_at, unfit_at
              FROM pilot WHERE pilot_id = %(id)s AND vo = %(vo)s FOR NO KEY UPDATE),
        beat AS (
            INSERT INTO pilot_beat (vo, pilot_id, at) SELECT vo, pilot_id, now() FROM locked WHERE ended_at IS NULL
            ON CONFLICT (pilot_id, vo) DO UPDATE SET at = excluded.at)
        SELECT site_id, unfit_at IS NOT NULL FROM locked WHERE ended_at IS NULL
        """,
        {"id": pilot_id, "vo": vo},
    )
    return rows[0] if rows else None


async def last_ended(conn: Connection, pilot_id: int) -> list[Ended]:
    """How the last attempts of a pilot ended, in the VOs that the transaction serves, the newest first."""
    rows = await fetch_rows(
        conn,
        """
        SELECT a.reason, j.account_id, extract(epoch FROM a.ended_at - a.started_at)
          FROM attempt a JOIN job j ON j.job_id = a.job_id AND j.vo = a.vo
         WHERE a.pilot_id = %(id)s AND a.ended_at IS NOT NULL
         ORDER BY a.attempt_id DESC LIMIT %(last)s
        """,
        {"id": pilot_id, "last": LAST},
    )
    known = {reason.value: reason for reason in Reason}  # one of a newer server says nothing here
    return [Ended(reason=known.get(why), account_id=whose, seconds=float(took)) for why, whose, took in rows]


async def mark_unfit(conn: Connection, vo: int, pilot_id: int) -> None:
    """Note that a pilot's jobs all fail."""
    await execute(
        conn,
        """
        UPDATE pilot SET unfit_at = now(), detail = 'its jobs fail one after the other'
         WHERE pilot_id = %(id)s AND vo = %(vo)s
        """,
        {"vo": vo, "id": pilot_id},
    )


async def set_secrets(conn: Connection, pilot: Pilot, current: bytes, following: bytes) -> None:
    """Note a login: the pilot runs; `current` proved it, `following` was handed out for the next time.

    When `current` is another than before, that one is spent.
    """
    await execute(
        conn,
        """
        UPDATE pilot SET secret_hash = %(current)s, next_hash = %(following)s, state = 'R', ended_at = NULL,
               spent_hashes = CASE secret_hash WHEN %(current)s THEN spent_hashes ELSE spent_hashes || secret_hash END
         WHERE pilot_id = %(id)s AND vo = %(vo)s
        """,
        {"id": pilot.pilot_id, "vo": pilot.vo, "current": current, "following": following},
    )


async def spend(conn: Connection, vo: int, pilot_id: int, following: bytes) -> None:
    """The answer to a login has arrived, since its token is used: the secret that proved it is spent.

    `following` is the one that was handed out with the token; of a login before the last one nothing is changed.
    """
    await execute(
        conn,
        """
        UPDATE pilot SET spent_hashes = spent_hashes || secret_hash, secret_hash = next_hash, next_hash = NULL
         WHERE pilot_id = %(id)s AND vo = %(vo)s AND next_hash = %(following)s
        """,
        {"vo": vo, "id": pilot_id, "following": following},
    )


async def standing(database: Database, vo: int, pilot_id: int) -> Pilot | None:
    """A pilot, as it stands."""
    query: LiteralString = PILOT + " WHERE pilot_id = %(id)s AND vo = %(vo)s"
    return await database.glance([vo], Pilot, query, {"vo": vo, "id": pilot_id})


async def owner_of_open_attempt(conn: Connection, vo: int, job_id: int, attempt_id: int) -> int | None:
    """The account whose job an attempt runs; None once the attempt has ended, or when the account is suspended."""
    return await fetch_value(
        conn,
        """
        SELECT c.account_id
          FROM attempt a
          JOIN job j ON j.job_id = a.job_id AND j.vo = a.vo
          JOIN account c ON c.account_id = j.account_id AND c.vo = j.vo
         WHERE a.attempt_id = %(attempt_id)s AND a.vo = %(vo)s AND a.job_id = %(job_id)s AND a.ended_at IS NULL
           AND c.state = 'A'
        """,
        {"vo": vo, "job_id": job_id, "attempt_id": attempt_id},
    )


async def beat(conn: Connection, vo: int, pilot_id: int) -> None:
    """Note a sign of life."""
    await execute(
        conn,
        """
        INSERT INTO pilot_beat (vo, pilot_id, at) VALUES (%(vo)s, %(id)s, now())
        ON CONFLICT (pilot_id, vo) DO UPDATE SET at = excluded.at
        """,
        {"vo": vo, "id": pilot_id},
    )


async def end(conn: Connection, vo: int, pilot_ids: Sequence[int], state: PilotState, detail: str | None) -> list[int]:
    """End pilots that have not ended; return those."""
    return await fetch_values(
        conn,
        """
        UPDATE pilot SET state = %(state)s, ended_at = now(), detail = %(detail)s
         WHERE pilot_id = ANY(%(ids)s) AND vo = %(vo)s AND ended_at IS NULL RETURNING pilot_id
        """,
        {"vo": vo, "ids": list(pilot_ids), "state": state.value, "detail": detail},
    )


async def list_silent(conn: Connection, lease: timedelta) -> list[Pilot]:
    """Running pilots of any served VO whose last sign of life is older than the lease."""
    return await fetch(
        conn,
        Pilot,
        PILOT
        + """
         WHERE state = 'R' AND ended_at IS NULL AND NOT EXISTS (
               SELECT FROM pilot_beat b WHERE b.pilot_id = pilot.pilot_id AND b.vo = pilot.vo
                  AND b.at > now() - %(lease)s::interval)
         ORDER BY pilot_id LIMIT 1000
        """,
        {"lease": lease},
    )


async def lock_silent(conn: Connection, vo: int, pilot_ids: Sequence[int], lease: timedelta) -> list[int]:
    """Lock those of these pilots that have said nothing for a lease; one that spoke meanwhile is left alone."""
    params = {"vo": vo, "ids": list(pilot_ids), "lease": lease}
    await fetch_values(
        conn,
        "SELECT pilot_id FROM pilot WHERE pilot_id = ANY(%(ids)s) AND vo = %(vo)s ORDER BY 1 FOR NO KEY UPDATE",
        params,
    )
    return await fetch_values(
        conn,
        """
        SELECT pilot_id FROM pilot p
         WHERE pilot_id = ANY(%(ids)s) AND vo = %(vo)s AND ended_at IS NULL AND NOT EXISTS (
               SELECT FROM pilot_beat b
                WHERE b.pilot_id = p.pilot_id AND b.vo = p.vo AND b.at > now() - %(lease)s::interval)
         ORDER BY 1
        """,
        params,
    )


async def list_alive(conn: Connection, ce_id: int) -> list[Pilot]:
    """Pilots of a CE that have not ended, as far as we know."""
    return await fetch(
        conn,
        Pilot,
        PILOT + " WHERE ce_id = %(ce_id)s AND ended_at IS NULL ORDER BY pilot_id",
        {"ce_id": ce_id},
    )


async def list_ces(conn: Connection) -> list[CeSettings]:
    """Enabled CEs of every served VO."""
    return await fetch(
        conn,
        CeSettings,
        """
        SELECT ce.ce_id, ce.vo, vo.name AS vo_name, ce.site_id, r.name, s.name AS site, ce.plugin, ce.settings
          FROM compute_element ce
          JOIN vo ON vo.vo = ce.vo
          JOIN resource r ON r.resource_id = ce.ce_id
          JOIN resource s ON s.resource_id = ce.site_id
         WHERE ce.enabled AND r.enabled AND s.enabled ORDER BY ce.ce_id
        """,
    )


async def pilots_of_ces(conn: Connection) -> list[tuple[int, int, int, int, int, float]]:
    """For each enabled CE: how many pilots it may have, has with a payload, has without one yet, and of late unfit.

    Last for how many hours its batch system has kept the one waiting that it has kept longest.
    """
    rows = await fetch_rows(
        conn,
        """
        WITH alive AS MATERIALIZED (
            SELECT p.ce_id, count(*) AS pilots, count(*) FILTER (WHERE p.has) AS busy,
                   extract(epoch FROM now() - min(p.created_at) FILTER (WHERE p.state IN ('N', 'S'))) / 3600 AS hours
              FROM (SELECT ce_id, state, created_at, EXISTS (SELECT FROM attempt a
                                           WHERE a.pilot_id = pilot.pilot_id AND a.ended_at IS NULL) AS has
                      FROM pilot WHERE ended_at IS NULL) p
             GROUP BY 1),
        ill AS MATERIALIZED (
            SELECT ce_id, count(*) AS pilots FROM pilot WHERE unfit_at > now() - %(remembered)s::interval GROUP BY 1)
        SELECT ce.ce_id, ce.max_pilots, coalesce(alive.busy, 0), coalesce(alive.pilots - alive.busy, 0),
               coalesce(ill.pilots, 0), coalesce(alive.hours, 0)::float8
          FROM compute_element ce
          JOIN resource r ON r.resource_id = ce.ce_id
          JOIN resource s ON s.resource_id = ce.site_id
          LEFT JOIN alive ON alive.ce_id = ce.ce_id
          LEFT JOIN ill ON ill.ce_id = ce.ce_id
         WHERE ce.enabled AND r.enabled AND s.enabled
         ORDER BY ce.ce_id
        """,
        {"remembered": REMEMBERED},
    )
    return [(ce_id, most, busy, idle, unfit, hours) for ce_id, most, busy, idle, unfit, hours in rows]


async def list_pilots(
    conn: Connection, vos: Sequence[int], *, alive: bool, before: int | None, limit: int
) -> list[PilotRow]:
    """A page of the pilots on the CEs that these VOs own or were granted, newest first."""
    return await fetch(
        conn,
        PilotRow,
        """
        SELECT p.pilot_id, p.stamp, p.state, r.name AS ce, s.name AS site, p.reference, p.created_at, p.ended_at,
               b.at AS last_beat, p.detail
          FROM pilot p
          JOIN resource r ON r.resource_id = p.ce_id
          JOIN resource s ON s.resource_id = p.site_id
          LEFT JOIN pilot_beat b ON b.pilot_id = p.pilot_id AND b.vo = p.vo
         WHERE (p.vo = ANY (%(vos)s::smallint[]) OR EXISTS (
               SELECT FROM resource_grant g
                WHERE g.resource_id = p.ce_id AND g.to_vo = ANY (%(vos)s::smallint[])))
           AND (NOT %(alive)s OR p.ended_at IS NULL) AND (%(before)s::bigint IS NULL OR p.pilot_id < %(before)s)
         ORDER BY p.pilot_id DESC LIMIT %(limit)s
        """,
        {"vos": list(vos), "alive": alive, "before": before, "limit": limit},
    )


async def vo_names(conn: Connection, vos: Sequence[int]) -> dict[int, str]:
    """Names of VOs by id."""
    rows = await fetch_rows(conn, "SELECT vo, name FROM vo WHERE vo = ANY(%(vos)s::smallint[])", {"vos": list(vos)})
    return {row[0]: row[1] for row in rows}


async def served_by(conn: Connection, ce_id: int) -> list[int]:
    """Ids of the VOs that a CE serves: those it is granted to, and its owner unless that is the instance."""
    return await fetch_values(
        conn,
        """
        SELECT g.to_vo FROM resource_grant g WHERE g.resource_id = %(ce_id)s
        UNION SELECT ce.vo FROM compute_element ce WHERE ce.ce_id = %(ce_id)s AND ce.vo > 0 ORDER BY 1
        """,
        {"ce_id": ce_id},
    )


async def promises(conn: Connection, vo: int, job_id: int) -> list[tuple[int, str]]:
    """Outputs that a job promises: (number, did)."""
    return [
        (row[0], row[1])
        for row in await fetch_rows(
            conn,
            """
            SELECT o.number, s.name || ':' || o.name FROM job_output o
              JOIN scope s ON s.scope_id = o.scope_id AND s.vo = o.vo
             WHERE o.job_id = %(job_id)s AND o.vo = %(vo)s ORDER BY o.number
            """,
            {"vo": vo, "job_id": job_id},
        )
    ]


async def take_turn(conn: Connection) -> bool:
    """Be the only one that provisions until we commit; False when another worker is at it."""
    return bool(await fetch_value(conn, "SELECT pg_try_advisory_xact_lock(7266227)"))


async def count_at_work(conn: Connection, vos: Sequence[int]) -> int:
    """How many attempts at jobs, of any VO, run in pilots of these VOs."""
    return await fetch_value(
        conn,
        """
        SELECT count(*)
          FROM attempt
          JOIN pilot ON pilot.pilot_id = attempt.pilot_id
         WHERE attempt.ended_at IS NULL AND pilot.vo = ANY(%(vos)s::smallint[])
        """,
        {"vos": list(vos)},
    )


async def empty(conn: Connection, vos: Sequence[int]) -> dict[str, int]:
    """Delete all pilots of these VOs; return how many rows were in each table."""
    rows = await fetch_rows(
        conn,
        """
        WITH registered_pilot_gone AS (DELETE FROM registered_pilot WHERE vo = ANY(%(vos)s::smallint[]) RETURNING 1),
             pilot_beat_gone AS (DELETE FROM pilot_beat WHERE vo = ANY(%(vos)s::smallint[]) RETURNING 1),
             pilot_gone AS (DELETE FROM pilot WHERE vo = ANY(%(vos)s::smallint[]) RETURNING 1)
        SELECT 'pilot_beat', count(*) FROM pilot_beat_gone
        UNION ALL SELECT 'pilot', count(*) FROM pilot_gone
        UNION ALL SELECT 'registered_pilot', count(*) FROM registered_pilot_gone
        """,
        {"vos": list(vos)},
    )
    return dict(rows)


async def fail_stamps(conn: Connection, vo: int, stamps: Sequence[str], detail: str) -> None:
    """End pilots that a CE refused."""
    await execute(
        conn,
        """
        UPDATE pilot SET state = 'F', ended_at = now(), detail = %(detail)s
         WHERE stamp = ANY(%(stamps)s) AND vo = %(vo)s AND ended_at IS NULL
        """,
        {"vo": vo, "stamps": list(stamps), "detail": detail},
    )


async def ids_by_stamp(conn: Connection, vos: Sequence[int], stamps: Sequence[str]) -> dict[str, list[int]]:
    """Ids of the pilots of some VOs by their stamps."""
    rows = await fetch_rows(
        conn,
        "SELECT stamp, pilot_id FROM pilot WHERE stamp = ANY(%(stamps)s) AND vo = ANY(%(vos)s) ORDER BY pilot_id",
        {"stamps": list(stamps), "vos": list(vos)},
    )
    found: dict[str, list[int]] = {}
    for stamp, pilot_id in rows:
        found.setdefault(stamp, []).append(pilot_id)
    return found
