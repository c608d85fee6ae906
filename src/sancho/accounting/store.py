"""The SQL of accounting; one statement each. Writes `ledger`, which only grows."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

from sancho.accounting.model import By, Entry, Sum
from sancho.kit.db import Connection, execute, fetch, fetch_rows, stream
from sancho.kit.personal import Line, Person


async def insert_entries(conn: Connection, entries: Sequence[Entry]) -> None:
    """Write entries, all with the time of this transaction."""
    await execute(
        conn,
        """
        INSERT INTO ledger (vo, kind, account_id, site_id, rse_id, job_id, files, size, wall, cpu, source_rse_id)
        SELECT *
          FROM unnest(%(vos)s::smallint[], %(kinds)s::"char"[], %(account_ids)s::int[], %(site_ids)s::int[],
                      %(rse_ids)s::int[], %(job_ids)s::bigint[], %(files)s::bigint[], %(sizes)s::bigint[],
                      %(walls)s::interval[], %(cpus)s::interval[], %(source_rse_ids)s::int[])
        """,
        {
            "vos": [e.vo for e in entries],
            "kinds": [e.kind for e in entries],
            "account_ids": [e.account_id for e in entries],
            "site_ids": [e.site_id for e in entries],
            "rse_ids": [e.rse_id for e in entries],
            "job_ids": [e.job_id for e in entries],
            "files": [e.files for e in entries],
            "sizes": [e.size for e in entries],
            "walls": [e.wall for e in entries],
            "cpus": [e.cpu for e in entries],
            "source_rse_ids": [e.source_rse_id for e in entries],
        },
    )


async def sums(conn: Connection, vos: Sequence[int], by: Sequence[By], since: datetime, until: datetime) -> list[Sum]:
    """Sums over the entries of VOs from `since` up to, not including, `until`; a day is one in UTC."""
    return await fetch(
        conn,
        Sum,
        """
        SELECT v.name AS vo, g.name AS "group", a.name AS account, s.name AS site, r.name AS rse, l.kind,
               l.day AT TIME ZONE 'UTC' AS day, o.name AS source, l.entries, l.files, l.size, l.wall, l.cpu
          FROM (SELECT CASE WHEN %(vo)s THEN ledger.vo END AS vo,
                       CASE WHEN %(group)s THEN oldest.group_id END AS group_id,
                       CASE WHEN %(account)s THEN account_id END AS account_id,
                       CASE WHEN %(site)s THEN site_id END AS site_id,
                       CASE WHEN %(rse)s THEN rse_id END AS rse_id,
                       CASE WHEN %(kind)s THEN kind END AS kind,
                       CASE WHEN %(day)s THEN date_trunc('day', at AT TIME ZONE 'UTC') END AS day,
                       CASE WHEN %(source)s THEN source_rse_id END AS source_rse_id,
                       count(*) AS entries, sum(files)::bigint AS files, sum(size)::bigint AS size,
                       coalesce(sum(wall), interval '0') AS wall, coalesce(sum(cpu), interval '0') AS cpu
                  FROM ledger
                  LEFT JOIN (SELECT vo, account_id, min(group_id) AS group_id
                               FROM membership WHERE %(group)s AND vo = ANY(%(vos)s::smallint[])
                              GROUP BY vo, account_id) AS oldest USING (vo, account_id)
                 WHERE ledger.vo = ANY(%(vos)s::smallint[]) AND at >= %(since)s AND at < %(until)s
                 GROUP BY 1, 2, 3, 4, 5, 6, 7, 8) AS l
          LEFT JOIN vo v ON v.vo = l.vo
          LEFT JOIN account_group g ON g.group_id = l.group_id AND g.vo = ANY(%(vos)s::smallint[])
          LEFT JOIN account a ON a.account_id = l.account_id AND a.vo = ANY(%(vos)s::smallint[])
          LEFT JOIN resource s ON s.resource_id = l.site_id
          LEFT JOIN resource r ON r.resource_id = l.rse_id
          LEFT JOIN resource o ON o.resource_id = l.source_rse_id
         ORDER BY day, vo, "group", account, site, rse, source, kind
        """,
        {"vos": list(vos), "since": since, "until": until, **{one.value: one in by for one in By}},
    )


async def arrivals(
    conn: Connection, vo: int, rse_ids: Sequence[int], looked: timedelta, most: int
) -> list[tuple[int, int, timedelta]]:
    """Of the last transfers to each of these RSEs, not longer ago than `looked`: bytes, and since when they came.

    At most `most` for each, so that a busy one costs no more than that.
    """
    return await fetch_rows(
        conn,
        """
        SELECT rse.rse_id, came.size, came.since
          FROM unnest(%(rse_ids)s::int[]) AS rse (rse_id)
         CROSS JOIN LATERAL (
               SELECT sum(newest.size)::bigint AS size, now() - min(newest.at - coalesce(newest.wall, '0')) AS since
                 FROM (SELECT l.size, l.at, l.wall FROM ledger l
                        WHERE l.rse_id = rse.rse_id AND l.vo = %(vo)s AND l.kind = 'T'
                          AND l.at > now() - %(looked)s::interval
                        ORDER BY l.at DESC LIMIT %(most)s) AS newest) AS came
         WHERE came.size > 0
        """,
        {"vo": vo, "rse_ids": list(rse_ids), "looked": looked, "most": most},
    )


async def stream_person(conn: Connection, person: Person) -> AsyncIterator[Line]:
    """What an account used, entry by entry."""
    chunks = stream(
        conn,
        """
        SELECT to_jsonb(l) || '{"what": "use"}'
          FROM (SELECT at, job_id, files, size, wall, cpu,
                       CASE kind WHEN 'J' THEN 'attempt' WHEN 'U' THEN 'upload' ELSE 'transfer' END AS kind
                  FROM ledger
                 WHERE account_id = %(account_id)s AND vo = %(vo)s
                 ORDER BY at) AS l
        """,
        {"vo": person.vo, "account_id": person.account_id},
    )
    async for rows in chunks:
        for (line,) in rows:
            yield line
