"""What placement asks of the database before it decides. Writes nothing."""

from collections.abc import Sequence
from typing import NamedTuple

from sancho.kit.db import Connection, fetch_rows


class RseFacts(NamedTuple):
    """What one RSE has of some files, and in all."""

    rse_id: int
    files: int
    size: int
    used: int


async def rse_facts(conn: Connection, vo: int, rse_ids: Sequence[int], file_ids: Sequence[int]) -> list[RseFacts]:
    """Of each of these RSEs: how many of the files are there or on their way, their bytes, and all bytes of the VO."""
    rows = await fetch_rows(
        conn,
        """
        SELECT rse.rse_id, coalesce(here.files, 0)::int, coalesce(here.size, 0)::bigint,
               (SELECT coalesce(sum(u.size), 0)::bigint FROM rse_usage_slot u
                 WHERE u.rse_id = rse.rse_id AND u.vo = %(vo)s)
          FROM rse
          LEFT JOIN (SELECT r.rse_id, count(*) AS files, sum(r.size) AS size
                       FROM unnest(%(file_ids)s::bigint[]) AS f (did_id)
                       JOIN replica r ON r.did_id = f.did_id AND r.vo = %(vo)s
                      WHERE r.state IN ('A', 'C', 'T')
                      GROUP BY r.rse_id) AS here ON here.rse_id = rse.rse_id
         WHERE rse.rse_id = ANY(%(rse_ids)s::int[])
         ORDER BY rse.rse_id
        """,
        {"vo": vo, "rse_ids": list(rse_ids), "file_ids": list(file_ids)},
    )
    return [RseFacts(*row) for row in rows]
