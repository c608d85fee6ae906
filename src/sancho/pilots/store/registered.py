"""SQL of pilots that others manage, and of searches over them and our own."""

from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

from psycopg import sql

from sancho.kit.db import Connection, execute, fetch, fetch_rows, fetch_value, fetch_values
from sancho.kit.search import Composable, Condition, FieldKind, SearchField
from sancho.pilots.model import Registered, Registration

PILOTS: LiteralString = """
    (SELECT o.pilot_id, o.stamp, o.reference, o.status, o.status_reason, o.destination_site, o.grid_site, o.grid_type,
            o.queue, o.benchmark, o.job_id, o.created_at, o.changed_at, o.accounting_sent
       FROM registered_pilot o WHERE o.vo = %(vo)s
      UNION ALL
     SELECT p.pilot_id, p.stamp COLLATE "C", coalesce(p.reference, p.stamp) COLLATE "C",
            CASE p.state WHEN 'N' THEN 'Submitted' WHEN 'S' THEN 'Waiting' WHEN 'R' THEN 'Running'
                         WHEN 'D' THEN 'Done' WHEN 'F' THEN 'Failed' ELSE 'Aborted' END COLLATE "C",
            p.detail COLLATE "C", c.name COLLATE "C", s.name COLLATE "C", e.plugin COLLATE "C", c.name COLLATE "C",
            NULL::float8,
            (SELECT min(a.job_id) FROM attempt a
              WHERE a.pilot_id = p.pilot_id AND a.vo = %(vo)s AND a.ended_at IS NULL),
            p.created_at, coalesce(p.ended_at, b.at, p.created_at), false
       FROM pilot p
       JOIN compute_element e ON e.ce_id = p.ce_id
       JOIN resource c ON c.resource_id = p.ce_id
       JOIN resource s ON s.resource_id = p.site_id
       LEFT JOIN pilot_beat b ON b.pilot_id = p.pilot_id AND b.vo = p.vo
      WHERE p.vo = %(vo)s
         OR EXISTS (SELECT FROM resource_grant g WHERE g.resource_id = p.ce_id AND g.to_vo = %(vo)s)) AS w
"""
"""The pilots that a VO has registered, and ours on the CEs that it owns or was granted."""
JOBS_OF_PILOTS: LiteralString = """
    SELECT f.pilot_id
      FROM (SELECT a.pilot_id, a.job_id FROM attempt a WHERE a.vo = %(vo)s
             UNION ALL SELECT o.pilot_id, o.job_id FROM registered_pilot o WHERE o.vo = %(vo)s) f
     WHERE {}
"""
THING = sql.SQL("w.pilot_id")
ALL = Condition(sql.SQL("true"), {})


def _plain(name: str, kind: FieldKind, cast: LiteralString, column: LiteralString) -> SearchField:
    return SearchField(name=name, kind=kind, value=sql.SQL(column), cast=cast)


FIELDS: Mapping[str, SearchField] = {
    field.name: field
    for field in (
        _plain("id", FieldKind.INTEGER, "bigint", "w.pilot_id"),
        _plain("stamp", FieldKind.TEXT, "text", "w.stamp"),
        _plain("reference", FieldKind.TEXT, "text", "w.reference"),
        _plain("status", FieldKind.TEXT, "text", "w.status"),
        _plain("status_reason", FieldKind.TEXT, "text", "w.status_reason"),
        _plain("destination_site", FieldKind.TEXT, "text", "w.destination_site"),
        _plain("grid_site", FieldKind.TEXT, "text", "w.grid_site"),
        _plain("grid_type", FieldKind.TEXT, "text", "w.grid_type"),
        _plain("queue", FieldKind.TEXT, "text", "w.queue"),
        _plain("benchmark", FieldKind.NUMBER, "float8", "w.benchmark"),
        _plain("current_job", FieldKind.INTEGER, "bigint", "w.job_id"),
        _plain("created_at", FieldKind.TIME, "timestamptz", "w.created_at"),
        _plain("changed_at", FieldKind.TIME, "timestamptz", "w.changed_at"),
        _plain("accounting_sent", FieldKind.BOOLEAN, "bool", "w.accounting_sent"),
        _plain("id:text", FieldKind.TEXT, "text", "w.pilot_id::text"),
        _plain("current_job:text", FieldKind.TEXT, "text", "w.job_id::text"),
        _plain("benchmark:text", FieldKind.TEXT, "text", "w.benchmark::text"),
        SearchField(
            name="job", kind=FieldKind.INTEGER, value=sql.SQL("f.job_id"), cast="bigint",
            finder=lambda test: sql.SQL(JOBS_OF_PILOTS).format(test),
        ),
    )
}  # fmt: skip
"""What pilots are searched by; those without a colon but `job` can be shown."""


async def insert(conn: Connection, vo: int, pilot: Registration) -> bool:
    """Note a pilot of somebody's; False when a pilot has its stamp, be it one of ours."""
    return await execute(
        conn,
        """
        INSERT INTO registered_pilot (vo, stamp, reference, status, destination_site, grid_site, grid_type)
        SELECT %(vo)s, %(stamp)s, %(reference)s, %(status)s, %(destination_site)s, %(grid_site)s, %(grid_type)s
         WHERE NOT EXISTS (SELECT FROM pilot WHERE stamp = %(stamp)s)
        ON CONFLICT (stamp, vo) DO NOTHING
        """,
        {
            "vo": vo, "stamp": pilot.stamp, "reference": pilot.reference, "status": pilot.status,
            "destination_site": pilot.destination_site, "grid_site": pilot.grid_site, "grid_type": pilot.grid_type,
        },
    ) == 1  # fmt: skip


async def lock(conn: Connection, vo: int, stamps: Sequence[str]) -> set[str]:
    """Lock the registered pilots of these stamps, in order of their ids; return the stamps there are."""
    rows = await fetch_values(
        conn,
        """
        SELECT stamp FROM registered_pilot WHERE stamp = ANY(%(stamps)s) AND vo = %(vo)s
         ORDER BY pilot_id FOR NO KEY UPDATE
        """,
        {"vo": vo, "stamps": list(stamps)},
    )
    return set(rows)


async def change(conn: Connection, vo: int, said: Mapping[str, Mapping[str, Any]]) -> None:
    """Change locked pilots by their stamps; what is None, or not said, stays."""

    def each(name: str) -> list[Any]:
        return [document.get(name) for document in said.values()]

    await execute(
        conn,
        """
        UPDATE registered_pilot o
           SET changed_at = now(), status = coalesce(n.status, o.status),
               status_reason = coalesce(n.status_reason, o.status_reason),
               benchmark = coalesce(n.benchmark, o.benchmark), queue = coalesce(n.queue, o.queue),
               destination_site = coalesce(n.destination_site, o.destination_site),
               grid_site = coalesce(n.grid_site, o.grid_site), grid_type = coalesce(n.grid_type, o.grid_type),
               accounting_sent = coalesce(n.accounting_sent, o.accounting_sent), job_id = coalesce(n.job_id, o.job_id)
          FROM unnest(%(stamps)s::text[], %(status)s::text[], %(status_reason)s::text[], %(benchmark)s::float8[],
                      %(queue)s::text[], %(destination_site)s::text[], %(grid_site)s::text[], %(grid_type)s::text[],
                      %(accounting_sent)s::bool[], %(job_id)s::bigint[])
               AS n (stamp, status, status_reason, benchmark, queue, destination_site, grid_site, grid_type,
                     accounting_sent, job_id)
         WHERE o.stamp = ANY(%(stamps)s::text[]) AND o.vo = %(vo)s AND o.stamp = n.stamp
        """,
        {
            "vo": vo, "stamps": list(said), "status": each("status"), "status_reason": each("status_reason"),
            "benchmark": each("benchmark"), "queue": each("queue"), "destination_site": each("destination_site"),
            "grid_site": each("grid_site"), "grid_type": each("grid_type"),
            "accounting_sent": each("accounting_sent"), "job_id": each("job_id"),
        },
    )  # fmt: skip


def _columns(names: Sequence[str]) -> Composable:
    return sql.SQL(", ").join(FIELDS[name].value for name in names)


async def page(
    conn: Connection, vo: int, wanted: Condition, *, shown: Sequence[str], order: Sequence[tuple[str, bool]],
    part: tuple[int, int],
) -> list[tuple[Any, ...]]:  # fmt: skip
    """Values of pilots by fields, in order of fields (and whether from the highest), then the newest or oldest."""
    down_as = {True: sql.SQL("{} DESC NULLS LAST"), False: sql.SQL("{}")}
    newest = not order or order[-1][1]
    by = [down_as[down].format(FIELDS[name].value) for name, down in (*order, ("id", newest))]
    query = sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT %(limit)s OFFSET %(offset)s").format(
        _columns(shown), sql.SQL(PILOTS), wanted.sql, sql.SQL(", ").join(by)
    )
    return await fetch_rows(conn, query, {"vo": vo, "offset": part[0], "limit": part[1], **wanted.params})


async def list_registered(
    conn: Connection, vo: int, wanted: Condition, *, before: int | None, limit: int
) -> list[Registered]:  # fmt: skip
    """A page of the pilots that a VO has registered, newest first."""
    query = sql.SQL(
        """
        SELECT w.pilot_id, w.stamp, w.reference, w.status, w.status_reason, w.destination_site, w.grid_site,
               w.grid_type, w.queue, w.benchmark, w.job_id AS current_job, w.accounting_sent, w.created_at, w.changed_at
          FROM registered_pilot w
         WHERE w.vo = %(vo)s AND (%(before)s::bigint IS NULL OR w.pilot_id < %(before)s) AND {}
         ORDER BY w.pilot_id DESC LIMIT %(limit)s
        """
    ).format(wanted.sql)
    return await fetch(conn, Registered, query, {"vo": vo, "before": before, "limit": limit, **wanted.params})


async def count(conn: Connection, vo: int, wanted: Condition) -> int:
    """How many pilots there are."""
    query = sql.SQL("SELECT count(*) FROM {} WHERE {}").format(sql.SQL(PILOTS), wanted.sql)
    return await fetch_value(conn, query, {"vo": vo, **wanted.params})


async def groups(
    conn: Connection, vo: int, wanted: Condition, by: Sequence[str], *, limit: int
) -> list[tuple[Any, ...]]:  # fmt: skip
    """How many pilots have each combination of values: the values, and the number."""
    numbers = sql.SQL(", ").join(sql.Literal(n) for n in range(1, len(by) + 1))
    query = sql.SQL("SELECT {}, count(*) FROM {} WHERE {} GROUP BY {} ORDER BY {} LIMIT %(limit)s").format(
        _columns(by), sql.SQL(PILOTS), wanted.sql, numbers, numbers
    )
    return await fetch_rows(conn, query, {"vo": vo, "limit": limit, **wanted.params})
