"""What placement asks of the database before it decides. Writes nothing."""

from collections.abc import Sequence
from typing import NamedTuple

from sancho.dids.model import File
from sancho.kit.db import Connection, fetch_rows
from sancho.rules.model import Target


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
                       FROM replica r
                      WHERE r.did_id = ANY(%(file_ids)s::bigint[]) AND r.vo = %(vo)s AND r.state IN ('A', 'C', 'T')
                      GROUP BY r.rse_id) AS here ON here.rse_id = rse.rse_id
         WHERE rse.rse_id = ANY(%(rse_ids)s::int[])
         ORDER BY rse.rse_id
        """,
        {"vo": vo, "rse_ids": list(rse_ids), "file_ids": list(file_ids)},
    )
    return [RseFacts(*row) for row in rows]


async def files_lacking(conn: Connection, vo: int, target: Target, after: int, limit: int) -> list[File]:
    """The first files below a rule's DID whose ids are above `after` and that lack a lock on any of its RSEs.

    Each dataset is read in the order of its files, no further than it must be, so that batch after batch of a large
    one is not all of it again and again.
    """
    rows = await fetch_rows(
        conn,
        """
        WITH RECURSIVE below (did_id, kind) AS (
            SELECT did_id, kind FROM did WHERE did_id = %(root)s AND vo = %(vo)s
             UNION
            SELECT inside.child_id, (SELECT d.kind FROM did d WHERE d.did_id = inside.child_id AND d.vo = %(vo)s)
              FROM below
             CROSS JOIN LATERAL (
                   SELECT a.child_id FROM attachment a
                    WHERE a.parent_id = below.did_id AND a.vo = %(vo)s OFFSET 0) AS inside
             WHERE below.kind = 'C')
        SELECT d.did_id, d.size
          FROM (SELECT first.child_id
                  FROM below
                 CROSS JOIN LATERAL (
                       SELECT a.child_id FROM attachment a
                        WHERE a.parent_id = below.did_id AND a.vo = %(vo)s AND a.child_id > %(after)s
                          AND (SELECT count(*) FROM lock
                                WHERE lock.did_id = a.child_id AND lock.vo = %(vo)s AND lock.rule_id = %(rule_id)s)
                              < %(copies)s
                        ORDER BY a.child_id LIMIT %(limit)s) AS first
                 WHERE below.kind = 'D'
                 UNION
                SELECT below.did_id FROM below
                 WHERE below.kind = 'F' AND below.did_id > %(after)s
                   AND (SELECT count(*) FROM lock
                         WHERE lock.did_id = below.did_id AND lock.vo = %(vo)s AND lock.rule_id = %(rule_id)s)
                       < %(copies)s
                 ORDER BY 1 LIMIT %(limit)s) AS found (did_id)
         CROSS JOIN LATERAL (
               SELECT did.did_id, did.size FROM did
                WHERE did.did_id = found.did_id AND did.vo = %(vo)s OFFSET 0) AS d
         ORDER BY d.did_id
        """,
        {
            "vo": vo, "root": target.did_id, "rule_id": target.rule_id, "after": after, "limit": limit,
            "copies": max(len(target.rse_ids), 1),
        },
    )  # fmt: skip
    return [File(*row) for row in rows]


async def size_of_files(conn: Connection, vo: int, file_ids: Sequence[int]) -> tuple[int, int]:
    """How many of these files there are, and their bytes."""
    rows = await fetch_rows(
        conn,
        """
        SELECT count(*), coalesce(sum(size), 0)::bigint FROM did
         WHERE did_id = ANY(%(file_ids)s::bigint[]) AND vo = %(vo)s AND kind = 'F'
        """,
        {"vo": vo, "file_ids": list(file_ids)},
    )
    return rows[0][0], rows[0][1]
