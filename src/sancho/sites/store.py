"""The SQL of sites, CEs, resources, grants and downtimes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString

from psycopg.types.json import Jsonb

from sancho.kit.db import Connection, execute, fetch, fetch_rows, fetch_values
from sancho.sites.model import ComputeElement, Downtime, Granted, Placed, ResourceKind, Site


async def sites(conn: Connection, *, vo: int | None = None, names: Sequence[str] | None = None) -> list[Site]:
    """Sites that this transaction sees, or of these those that a VO may use, or those of some names."""
    return await fetch(
        conn,
        Site,
        """
        SELECT site.resource_id AS site_id, site.vo, site.name, site.enabled, site.attributes
          FROM resource AS site
         WHERE site.kind = 'S'
           AND (%(names)s::text[] IS NULL OR site.name = ANY(%(names)s::text[]))
           AND (%(vo)s::smallint IS NULL OR site.vo = %(vo)s OR EXISTS (
               SELECT FROM resource_grant AS g WHERE g.resource_id = site.resource_id AND g.to_vo = %(vo)s))
         ORDER BY site.name, site.vo <> %(vo)s, site.vo
        """,
        {"vo": vo, "names": None if names is None else list(names)},
    )


async def ces(conn: Connection, *, ce_id: int | None = None, name: str | None = None) -> list[ComputeElement]:
    """CEs that this transaction sees: all, or the one of an id, or those of a name."""
    return await fetch(
        conn,
        ComputeElement,
        """
        SELECT ce.ce_id, ce.vo, resource.name, ce.site_id, coalesce(site.name, '') AS site, ce.plugin, ce.cores,
               ce.memory, ce.walltime, ce.max_pilots, ce.tags, ce.machine, ce.price, ce.carbon, ce.settings,
               ce.enabled AND resource.enabled AND coalesce(site.enabled, true) AS enabled,
               ARRAY(SELECT ce.vo WHERE ce.vo <> 0
                      UNION SELECT g.to_vo FROM resource_grant AS g WHERE g.resource_id = ce.ce_id ORDER BY 1) AS vos
          FROM compute_element AS ce
          JOIN resource ON resource.resource_id = ce.ce_id
          LEFT JOIN resource AS site ON site.resource_id = ce.site_id
         WHERE (%(ce_id)s::int IS NULL OR ce.ce_id = %(ce_id)s)
           AND (%(name)s::text IS NULL OR resource.name = %(name)s)
         ORDER BY resource.name, ce.vo
        """,
        {"ce_id": ce_id, "name": name},
    )


async def put_resources(
    conn: Connection, vo: int, kind: str, *, names: Sequence[str], site_ids: Sequence[int | None],
    switches: Sequence[tuple[bool, dict[str, Any]]],
) -> dict[str, int]:  # fmt: skip
    """Make or change resources of a VO; `switches` holds for each whether it is enabled, and its attributes.

    One that is down stays off, and is as this says when that ends.
    """
    return dict(
        await fetch_rows(
            conn,
            """
            INSERT INTO resource AS r (vo, kind, enabled, site_id, name, attributes)
            SELECT %(vo)s, %(kind)s::"char", enabled, site_id, name, attributes
              FROM unnest(%(names)s::text[], %(site_ids)s::int[], %(enabled)s::bool[], %(attributes)s::jsonb[])
                AS w (name, site_id, enabled, attributes)
             ORDER BY name
            ON CONFLICT (name, vo, kind) DO UPDATE
               SET enabled = excluded.enabled AND r.enabled_after IS NULL,
                   enabled_after = CASE WHEN r.enabled_after IS NOT NULL THEN excluded.enabled END,
                   site_id = excluded.site_id, attributes = excluded.attributes
            RETURNING r.name, r.resource_id
            """,
            {
                "vo": vo,
                "kind": kind,
                "names": list(names),
                "site_ids": list(site_ids),
                "enabled": [enabled for enabled, _ in switches],
                "attributes": [Jsonb(attributes) for _, attributes in switches],
            },
        )
    )


async def drop_resources(conn: Connection, vo: int, kind: str, names: Sequence[str]) -> None:
    """Delete resources of a VO, with what only describes them; fails when anything refers to them."""
    await execute(
        conn,
        """
        DELETE FROM resource WHERE vo = %(vo)s AND kind = %(kind)s::"char" AND name = ANY(%(names)s::text[])
        """,
        {"vo": vo, "kind": kind, "names": list(names)},
    )


async def put_ces(conn: Connection, vo: int, ces: Sequence[ComputeElement]) -> None:
    """Make or change the CE halves of resources that exist."""
    columns: dict[str, list[Any]] = {
        name: [getattr(ce, name) for ce in ces]
        for name in (
            "ce_id",
            "site_id",
            "enabled",
            "cores",
            "max_pilots",
            "memory",
            "walltime",
            "plugin",
            "price",
            "carbon",
        )
    }
    await execute(
        conn,
        """
        INSERT INTO compute_element
               (vo, enabled, ce_id, site_id, cores, max_pilots, memory, walltime, plugin, price, carbon, tags, machine,
                settings)
        SELECT %(vo)s, enabled, ce_id, site_id, cores, max_pilots, memory, walltime, plugin, price, carbon,
               string_to_array(tags, ' '), machine, settings
          FROM unnest(%(enabled)s::bool[], %(ce_id)s::int[], %(site_id)s::int[], %(cores)s::int[],
                      %(max_pilots)s::int[], %(memory)s::bigint[], %(walltime)s::interval[], %(plugin)s::text[],
                      %(price)s::float8[], %(carbon)s::float8[], %(tags)s::text[], %(machine)s::jsonb[],
                      %(settings)s::jsonb[])
            AS w (enabled, ce_id, site_id, cores, max_pilots, memory, walltime, plugin, price, carbon, tags, machine,
                  settings)
         ORDER BY ce_id
        ON CONFLICT (ce_id) DO UPDATE
           SET enabled = excluded.enabled, site_id = excluded.site_id, cores = excluded.cores,
               max_pilots = excluded.max_pilots, memory = excluded.memory, walltime = excluded.walltime,
               plugin = excluded.plugin, price = excluded.price, carbon = excluded.carbon, tags = excluded.tags,
               machine = excluded.machine, settings = excluded.settings
        """,
        {
            "vo": vo,
            "tags": [" ".join(ce.tags) for ce in ces],
            "machine": [Jsonb(ce.machine) for ce in ces],
            "settings": [Jsonb(ce.settings) for ce in ces],
            **columns,
        },
    )


async def missing(conn: Connection, vo: int, named: Sequence[tuple[str, str]]) -> list[int]:
    """Places, from 0, of those (kind, name) of which the VO owns no resource."""
    rows = await fetch_rows(
        conn,
        """
        SELECT w.place::int - 1
          FROM unnest(%(kinds)s::"char"[], %(names)s::text[]) WITH ORDINALITY AS w (kind, name, place)
         WHERE NOT EXISTS (SELECT FROM resource AS r WHERE r.vo = %(vo)s AND r.kind = w.kind AND r.name = w.name)
         ORDER BY 1
        """,
        {"vo": vo, "kinds": [kind for kind, _ in named], "names": [name for _, name in named]},
    )
    return [row[0] for row in rows]


_REACH = """
    WITH said AS (
        SELECT r.resource_id, r.site_id, r.kind, r.vo, w.to_vo
          FROM unnest(%(vos)s::smallint[], %(kinds)s::"char"[], %(names)s::text[], %(to)s::smallint[])
            AS w (vo, kind, name, to_vo)
          JOIN resource AS r ON r.vo = w.vo AND r.kind = w.kind AND r.name = w.name
         WHERE w.to_vo <> w.vo)
    SELECT resource_id, to_vo FROM said
     UNION SELECT site_id, to_vo FROM said WHERE site_id IS NOT NULL
     UNION SELECT r.resource_id, said.to_vo
             FROM said JOIN resource AS r ON r.site_id = said.resource_id AND r.vo = said.vo
            WHERE said.kind = 'S'
    """


async def reach(conn: Connection, granted: Sequence[Granted]) -> set[tuple[int, int]]:
    """What grants reach, as (resource id, VO): the resource; its site; of a site, all that its owner has there."""
    rows = await fetch_rows(
        conn,
        _REACH,
        {
            "vos": [g.vo for g in granted],
            "kinds": [g.kind.letter for g in granted],
            "names": [g.name for g in granted],
            "to": [g.to_vo for g in granted],
        },
    )
    return {(resource_id, to_vo) for resource_id, to_vo in rows}


async def add_grants(conn: Connection, pairs: Sequence[tuple[int, int]]) -> None:
    """Let VOs use resources, as (resource id, VO)."""
    await execute(
        conn,
        """
        INSERT INTO resource_grant (vo, to_vo, resource_id)
        SELECT r.vo, w.to_vo, r.resource_id
          FROM unnest(%(ids)s::int[], %(to)s::smallint[]) AS w (resource_id, to_vo)
          JOIN resource AS r USING (resource_id)
         ORDER BY 3, 2
        ON CONFLICT (resource_id, to_vo) DO NOTHING
        """,
        {"ids": [pair[0] for pair in pairs], "to": [pair[1] for pair in pairs]},
    )


async def drop_grants(conn: Connection, pairs: Sequence[tuple[int, int]]) -> None:
    """Let VOs use resources no more, as (resource id, VO)."""
    await execute(
        conn,
        """
        DELETE FROM resource_grant AS g
         USING unnest(%(ids)s::int[], %(to)s::smallint[]) AS w (resource_id, to_vo)
         WHERE g.resource_id = w.resource_id AND g.to_vo = w.to_vo
        """,
        {"ids": [pair[0] for pair in pairs], "to": [pair[1] for pair in pairs]},
    )


_PLACED: LiteralString = """
    SELECT r.resource_id, r.vo, r.kind, r.name, coalesce(s.name, r.name) AS site
      FROM resource AS r LEFT JOIN resource AS s ON s.resource_id = r.site_id
    """


async def place(conn: Connection, vo: int, kind: ResourceKind, name: str) -> Placed | None:
    """A resource that a VO owns, or may use; of two of one name, its own."""
    rows = await fetch_rows(
        conn,
        _PLACED
        + """
         WHERE r.kind = %(kind)s::"char" AND r.name = %(name)s
         ORDER BY r.vo <> %(vo)s, r.vo LIMIT 1
        """,
        {"vo": vo, "kind": kind.letter, "name": name},
    )
    return _placed(rows[0]) if rows else None


async def place_of(conn: Connection, downtime_id: int) -> Placed | None:
    """The resource of a downtime."""
    rows = await fetch_rows(
        conn,
        _PLACED
        + """
          JOIN downtime AS d ON d.resource_id = r.resource_id
         WHERE d.downtime_id = %(downtime_id)s
        """,
        {"downtime_id": downtime_id},
    )
    return _placed(rows[0]) if rows else None


def _placed(row: Sequence[Any]) -> Placed:
    resource_id, vo, kind, name, site = row
    return Placed(resource_id=resource_id, vo=vo, kind=ResourceKind.of(kind), name=name, site=site)


async def downtimes(conn: Connection, since: datetime, *, before: int | None, limit: int) -> list[Downtime]:
    """Downtimes that are not over at a time, of the resources that this transaction sees; the newest ids first."""
    rows = await fetch_rows(
        conn,
        """
        SELECT d.downtime_id, d.vo, r.kind, r.name, coalesce(s.name, r.name), d.begins_at, d.ends_at, d.reason
          FROM downtime AS d
          JOIN resource AS r ON r.resource_id = d.resource_id
          LEFT JOIN resource AS s ON s.resource_id = r.site_id
         WHERE (d.ends_at IS NULL OR d.ends_at > %(since)s)
           AND (%(before)s::int IS NULL OR d.downtime_id < %(before)s)
         ORDER BY d.downtime_id DESC LIMIT %(limit)s
        """,
        {"since": since, "before": before, "limit": limit},
    )
    return [_downtime(row) for row in rows]


def _downtime(row: Sequence[Any]) -> Downtime:
    downtime_id, vo, kind, name, site, begins_at, ends_at, reason = row
    return Downtime(
        downtime_id=downtime_id, vo=vo, kind=ResourceKind.of(kind), name=name, site=site, begins_at=begins_at,
        ends_at=ends_at, reason=reason,
    )  # fmt: skip


async def insert_downtime(conn: Connection, placed: Placed, said: Downtime) -> Downtime:
    """Note a downtime of a resource."""
    (downtime_id,) = await fetch_values(
        conn,
        """
        INSERT INTO downtime (vo, resource_id, begins_at, ends_at, reason)
        VALUES (%(vo)s, %(resource_id)s, %(begins_at)s, %(ends_at)s, %(reason)s)
        RETURNING downtime_id
        """,
        {
            "vo": placed.vo, "resource_id": placed.resource_id, "begins_at": said.begins_at, "ends_at": said.ends_at,
            "reason": said.reason,
        },
    )  # fmt: skip
    return Downtime(
        downtime_id=downtime_id, vo=placed.vo, kind=placed.kind, name=placed.name, site=placed.site,
        begins_at=said.begins_at, ends_at=said.ends_at, reason=said.reason,
    )  # fmt: skip


async def end_downtime(conn: Connection, vo: int, downtime_id: int, now: datetime) -> None:
    """Have a downtime end now, unless it is over; delete one that has not begun."""
    await execute(
        conn,
        """
        WITH taken_back AS (
            DELETE FROM downtime WHERE downtime_id = %(id)s AND vo = %(vo)s AND begins_at >= %(now)s)
        UPDATE downtime SET ends_at = least(ends_at, %(now)s)
         WHERE downtime_id = %(id)s AND vo = %(vo)s AND begins_at < %(now)s
        """,
        {"id": downtime_id, "vo": vo, "now": now},
    )


async def lock_resource(conn: Connection, vo: int, resource_id: int) -> None:
    """Lock a resource: before its downtimes, for whoever drops it locks in this order."""
    await execute(
        conn,
        "SELECT FROM resource WHERE resource_id = %(resource_id)s AND vo = %(vo)s FOR NO KEY UPDATE",
        {"vo": vo, "resource_id": resource_id},
    )


async def claim_resources(conn: Connection, vos: Sequence[int], now: datetime) -> list[int]:
    """Lock the resources of VOs whose switches downtimes may have to turn, but for those that others have locked."""
    return await fetch_values(
        conn,
        """
        SELECT r.resource_id FROM resource AS r
         WHERE r.vo = ANY(%(vos)s::smallint[])
           AND (r.enabled_after IS NOT NULL OR r.resource_id IN (
               SELECT d.resource_id FROM downtime AS d
                WHERE d.begins_at <= %(now)s AND (d.ends_at IS NULL OR d.ends_at > %(now)s)))
         ORDER BY r.resource_id
           FOR NO KEY UPDATE SKIP LOCKED
        """,
        {"vos": list(vos), "now": now},
    )


async def switch_off(conn: Connection, vos: Sequence[int], resource_ids: Sequence[int], now: datetime) -> None:
    """Switch off those of these locked resources that are down now, and note what they are after it."""
    await execute(
        conn,
        """
        UPDATE resource AS r SET enabled_after = r.enabled, enabled = false
         WHERE r.resource_id = ANY(%(ids)s::int[]) AND r.vo = ANY(%(vos)s::smallint[])
           AND (r.enabled_after IS NULL OR r.enabled)
           AND r.resource_id IN (
               SELECT d.resource_id FROM downtime AS d
                WHERE d.begins_at <= %(now)s AND (d.ends_at IS NULL OR d.ends_at > %(now)s))
        """,
        {"vos": list(vos), "ids": list(resource_ids), "now": now},
    )


async def switch_back(conn: Connection, vos: Sequence[int], resource_ids: Sequence[int], now: datetime) -> None:
    """Have those of these locked resources whose downtimes are over be as they were to be after it."""
    await execute(
        conn,
        """
        UPDATE resource AS r SET enabled = r.enabled_after, enabled_after = NULL
         WHERE r.resource_id = ANY(%(ids)s::int[]) AND r.vo = ANY(%(vos)s::smallint[]) AND r.enabled_after IS NOT NULL
           AND NOT EXISTS (
               SELECT FROM downtime AS d
                WHERE d.resource_id = r.resource_id AND d.begins_at <= %(now)s
                  AND (d.ends_at IS NULL OR d.ends_at > %(now)s))
        """,
        {"vos": list(vos), "ids": list(resource_ids), "now": now},
    )
