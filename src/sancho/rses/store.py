"""The SQL of RSEs and distances."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from psycopg.types.json import Jsonb

from sancho.kit.db import Connection, execute, fetch, fetch_rows
from sancho.rses.model import Described, Report, Rse


async def rses(
    conn: Connection, *, vo: int | None = None, name: str | None = None, ids: Sequence[int] | None = None
) -> list[Rse]:
    """RSEs that this transaction sees; of these those that a VO may use, of a name, or of some ids."""
    return await fetch(
        conn,
        Rse,
        """
        SELECT rse.rse_id, rse.vo, rse.name, rse.site_id, coalesce(site.name, '') AS site, rse.audience,
               coalesce(protocol.ways -> 0 ->> 'plugin', '') AS plugin,
               coalesce(protocol.ways -> 0 ->> 'prefix', '') AS prefix,
               coalesce(protocol.ways -> 0 -> 'settings', '{}') AS settings,
               coalesce(protocol.ways -> 0 -> 'domains', '{}') AS domains,
               protocol.ways - 0 AS others, rse.attributes,
               rse.readable AND usable.now AS readable,
               rse.writable AND usable.now AS writable,
               rse.deletable AND usable.now AS deletable, rse.naming
          FROM rse
          JOIN resource ON resource.resource_id = rse.rse_id
          LEFT JOIN resource AS site ON site.resource_id = rse.site_id
         CROSS JOIN LATERAL (
               SELECT coalesce(jsonb_agg(jsonb_build_object('plugin', p.plugin, 'prefix', p.prefix,
                                                            'settings', p.settings, 'domains', p.domains)
                                         ORDER BY p.priority), '[]') AS ways
                 FROM rse_protocol AS p WHERE p.rse_id = rse.rse_id) AS protocol
         CROSS JOIN LATERAL (
               SELECT resource.enabled AND coalesce(site.enabled, true) AND protocol.ways <> '[]' AS now) AS usable
         WHERE (%(name)s::text IS NULL OR rse.name = %(name)s)
           AND (%(ids)s::int[] IS NULL OR rse.rse_id = ANY(%(ids)s::int[]))
           AND (%(vo)s::smallint IS NULL OR rse.vo = %(vo)s OR EXISTS (
               SELECT FROM resource_grant AS g WHERE g.resource_id = rse.rse_id AND g.to_vo = %(vo)s))
         ORDER BY rse.name, rse.vo <> coalesce(%(vo)s, 0), rse.rse_id
        """,
        {"vo": vo, "name": name, "ids": None if ids is None else list(ids)},
    )


async def put_rses(conn: Connection, vo: int, rses: Sequence[Described]) -> None:
    """Make or change the RSE halves of resources that exist."""
    await execute(
        conn,
        """
        INSERT INTO rse (vo, readable, writable, deletable, rse_id, site_id, name, audience, attributes, naming)
        SELECT %(vo)s, readable, writable, deletable, rse_id, site_id, name, audience, attributes, naming
          FROM unnest(%(readable)s::bool[], %(writable)s::bool[], %(deletable)s::bool[], %(rse_ids)s::int[],
                      %(site_ids)s::int[], %(names)s::text[], %(audiences)s::text[], %(attributes)s::jsonb[],
                      %(namings)s::text[])
            AS w (readable, writable, deletable, rse_id, site_id, name, audience, attributes, naming)
         ORDER BY rse_id
        ON CONFLICT (rse_id) DO UPDATE
           SET readable = excluded.readable, writable = excluded.writable, deletable = excluded.deletable,
               site_id = excluded.site_id, audience = excluded.audience, attributes = excluded.attributes,
               naming = excluded.naming
        """,
        {
            "vo": vo,
            "readable": [r.readable for r in rses],
            "writable": [r.writable for r in rses],
            "deletable": [r.deletable for r in rses],
            "rse_ids": [r.rse_id for r in rses],
            "site_ids": [r.site_id for r in rses],
            "names": [r.name for r in rses],
            "audiences": [r.audience for r in rses],
            "attributes": [Jsonb(r.attributes) for r in rses],
            "namings": [r.naming for r in rses],
        },
    )


async def put_protocols(conn: Connection, vo: int, rses: Sequence[Described]) -> None:
    """Let RSEs be reached by exactly these protocols."""
    said = [(r.rse_id, n, p) for r in rses for n, p in enumerate(r.protocols, 1)]
    parameters = {
        "vo": vo,
        "those": [r.rse_id for r in rses],
        "counts": [len(r.protocols) for r in rses],
        "rse_ids": [rse_id for rse_id, _, _ in said],
        "priorities": [n for _, n, _ in said],
        "plugins": [p.plugin for _, _, p in said],
        "prefixes": [p.prefix for _, _, p in said],
        "settings": [Jsonb(p.settings) for _, _, p in said],
        "domains": [Jsonb(p.domains) for _, _, p in said],
    }
    await execute(
        conn,
        """
        DELETE FROM rse_protocol AS p
         USING unnest(%(those)s::int[], %(counts)s::int[]) AS w (rse_id, count)
         WHERE p.vo = %(vo)s AND p.rse_id = w.rse_id AND p.priority > w.count
        """,
        parameters,
    )
    await execute(
        conn,
        """
        INSERT INTO rse_protocol (vo, priority, rse_id, plugin, prefix, settings, domains)
        SELECT %(vo)s, priority, rse_id, plugin, prefix, settings, domains
          FROM unnest(%(priorities)s::smallint[], %(rse_ids)s::int[], %(plugins)s::text[], %(prefixes)s::text[],
                      %(settings)s::jsonb[], %(domains)s::jsonb[])
            AS w (priority, rse_id, plugin, prefix, settings, domains)
         ORDER BY rse_id, priority
        ON CONFLICT (rse_id, priority) DO UPDATE
           SET plugin = excluded.plugin, prefix = excluded.prefix, settings = excluded.settings,
               domains = excluded.domains
        """,
        parameters,
    )


async def drop_rses(conn: Connection, vo: int, names: Sequence[str]) -> None:
    """Delete RSEs of a VO with their protocols and distances; fails when there are replicas on them."""
    query = "DELETE FROM rse WHERE vo = %(vo)s AND name = ANY(%(names)s::text[])"
    await execute(conn, query, {"vo": vo, "names": list(names)})


async def distances(conn: Connection) -> dict[tuple[int, int], int]:
    """The distances that this transaction sees, from one RSE to another."""
    rows = await fetch_rows(conn, "SELECT source_rse_id, destination_rse_id, distance FROM distance")
    return {(source, destination): distance for source, destination, distance in rows}


async def distances_from(conn: Connection, site_id: int) -> dict[int, int]:
    """The shortest distance from the RSEs of a site to each other RSE."""
    rows = await fetch_rows(
        conn,
        """
        SELECT d.destination_rse_id, min(d.distance)
          FROM distance d JOIN rse ON rse.rse_id = d.source_rse_id WHERE rse.site_id = %(site_id)s GROUP BY 1
        """,
        {"site_id": site_id},
    )
    return dict(rows)


async def distances_to(conn: Connection, site_id: int) -> dict[int, int]:
    """The shortest distance from each RSE to an RSE of a site."""
    rows = await fetch_rows(
        conn,
        """
        SELECT d.source_rse_id, min(d.distance)
          FROM distance d JOIN rse ON rse.rse_id = d.destination_rse_id WHERE rse.site_id = %(site_id)s GROUP BY 1
        """,
        {"site_id": site_id},
    )
    return dict(rows)


async def put_distances(conn: Connection, *, sources: Sequence[int], said: Sequence[tuple[int, int, int]]) -> None:
    """Let exactly the distances `said` (from, to, distance) lead away from `sources`."""
    parameters = {
        "sources": list(sources),
        "froms": [d[0] for d in said],
        "to": [d[1] for d in said],
        "distances": [d[2] for d in said],
    }
    await execute(
        conn,
        """
        DELETE FROM distance AS d
         WHERE d.source_rse_id = ANY(%(sources)s::int[])
           AND NOT EXISTS (
               SELECT FROM unnest(%(froms)s::int[], %(to)s::int[]) AS w (source, destination)
                WHERE w.source = d.source_rse_id AND w.destination = d.destination_rse_id)
        """,
        parameters,
    )
    await execute(
        conn,
        """
        INSERT INTO distance AS d (vo, distance, source_rse_id, destination_rse_id)
        SELECT rse.vo, w.distance, w.source, w.destination
          FROM unnest(%(froms)s::int[], %(to)s::int[], %(distances)s::smallint[]) AS w (source, destination, distance)
          JOIN rse ON rse.rse_id = w.source
         ORDER BY w.source, w.destination
        ON CONFLICT (source_rse_id, destination_rse_id) DO UPDATE SET distance = excluded.distance
         WHERE d.distance <> excluded.distance
        """,
        parameters,
    )


async def put_report(conn: Connection, vo: int, rse_id: int, report: Report) -> None:
    """Note what a storage says; what the same source said at the same moment is replaced."""
    await execute(
        conn,
        """
        INSERT INTO rse_report (vo, rse_id, reported_at, used, free, files, source)
        VALUES (%(vo)s, %(rse_id)s, %(reported_at)s, %(used)s, %(free)s, %(files)s, %(source)s)
        ON CONFLICT (rse_id, vo, source, reported_at) DO UPDATE
           SET used = excluded.used, free = excluded.free, files = excluded.files
        """,
        {"vo": vo, "rse_id": rse_id, **asdict(report)},
    )


async def drop_old_reports(conn: Connection, vo: int, rse_id: int, source: str, keep: int) -> None:
    """Keep so many reports of a source, the newest."""
    await execute(
        conn,
        """
        DELETE FROM rse_report
         WHERE vo = %(vo)s AND rse_id = %(rse_id)s AND source = %(source)s AND reported_at <= (
               SELECT reported_at FROM rse_report
                WHERE vo = %(vo)s AND rse_id = %(rse_id)s AND source = %(source)s
                ORDER BY reported_at DESC OFFSET %(keep)s LIMIT 1)
        """,
        {"vo": vo, "rse_id": rse_id, "source": source, "keep": keep},
    )


async def newest_reports(conn: Connection, rse_id: int) -> list[Report]:
    """The last report of each source about an RSE, in order of their names."""
    return await fetch(
        conn,
        Report,
        """
        SELECT DISTINCT ON (source) source, used, free, files, reported_at
          FROM rse_report WHERE rse_id = %(rse_id)s ORDER BY source, reported_at DESC
        """,
        {"rse_id": rse_id},
    )


async def last_reports(conn: Connection) -> list[tuple[int, Report]]:
    """The last report of each source about each RSE, of the last month, in order of RSEs and sources.

    Each source, and its last report, is looked up: what is kept of all together is a thousand times as much.
    """
    rows = await fetch_rows(
        conn,
        """
        WITH RECURSIVE said (rse_id, vo, source) AS (
            SELECT r.rse_id, r.vo, (
                   SELECT p.source FROM rse_report p
                    WHERE p.rse_id = r.rse_id AND p.vo = r.vo ORDER BY p.source LIMIT 1)
              FROM rse r
             UNION ALL
            SELECT s.rse_id, s.vo, (
                   SELECT p.source FROM rse_report p
                    WHERE p.rse_id = s.rse_id AND p.vo = s.vo AND p.source > s.source ORDER BY p.source LIMIT 1)
              FROM said s
             WHERE s.source IS NOT NULL)
        SELECT said.rse_id, said.source, last.used, last.free, last.files, last.reported_at
          FROM said
         CROSS JOIN LATERAL (
               SELECT p.used, p.free, p.files, p.reported_at FROM rse_report p
                WHERE p.rse_id = said.rse_id AND p.vo = said.vo AND p.source = said.source
                ORDER BY p.reported_at DESC LIMIT 1) AS last
         WHERE last.reported_at > now() - interval '31 days'
         ORDER BY said.rse_id, said.source
        """,
    )
    return [
        (rse_id, Report(source=source, used=used, free=free, files=files, reported_at=reported_at))
        for rse_id, source, used, free, files, reported_at in rows
    ]


async def reports(
    conn: Connection, rse_id: int, source: str | None, before: datetime | None, limit: int
) -> list[Report]:
    """What was reported about an RSE, by one source or any, newest first, from before a time."""
    return await fetch(
        conn,
        Report,
        """
        SELECT source, used, free, files, reported_at
          FROM rse_report
         WHERE rse_id = %(rse_id)s AND (%(source)s::text IS NULL OR source = %(source)s)
           AND (%(before)s::timestamptz IS NULL OR reported_at < %(before)s)
         ORDER BY reported_at DESC, source LIMIT %(limit)s
        """,
        {"rse_id": rse_id, "source": source, "before": before, "limit": limit},
    )
