"""The SQL that counts pilots."""

from collections.abc import Sequence
from datetime import datetime

from sancho.kit.db import Connection, fetch
from sancho.pilots.model import CePilots


async def count_by_ce(conn: Connection, vos: Sequence[int], since: datetime) -> list[CePilots]:
    """How many pilots there are on the CEs that these VOs own or were granted, and ended since a time, by state."""
    return await fetch(
        conn,
        CePilots,
        """
        SELECT r.name AS ce, s.name AS site, c.max_pilots,
               count(p.state) FILTER (WHERE p.state = 'N') AS new,
               count(p.state) FILTER (WHERE p.state = 'S') AS submitted,
               count(p.state) FILTER (WHERE p.state = 'R') AS running,
               count(p.state) FILTER (WHERE p.state = 'D') AS done,
               count(p.state) FILTER (WHERE p.state = 'F') AS failed,
               count(p.state) FILTER (WHERE p.state = 'L') AS lost,
               count(p.state) FILTER (WHERE p.unfit) AS unfit
          FROM compute_element c
          JOIN resource r ON r.resource_id = c.ce_id
          JOIN resource s ON s.resource_id = c.site_id
          LEFT JOIN (
               SELECT ce_id, state, unfit_at IS NOT NULL AS unfit FROM pilot WHERE ended_at IS NULL
                UNION ALL
               SELECT ce_id, state, unfit_at IS NOT NULL FROM pilot WHERE ended_at >= %(since)s) AS p
               ON p.ce_id = c.ce_id
         WHERE c.vo = ANY (%(vos)s::smallint[]) OR EXISTS (
               SELECT FROM resource_grant g
                WHERE g.resource_id = c.ce_id AND g.to_vo = ANY (%(vos)s::smallint[]))
         GROUP BY r.name, s.name, c.max_pilots, c.ce_id
         ORDER BY s.name, r.name
        """,
        {"vos": list(vos), "since": since},
    )
