"""The SQL of lists of what jobs want: where it is, and where it is not."""

from collections.abc import Sequence

from sancho.dids.model import DidKind
from sancho.kit.db import Connection, fetch, fetch_rows
from sancho.rules.model import RECALL, At, Demanded, Lacking

BELOW = """
    WITH RECURSIVE below (root, did_id) AS (
        SELECT root, root FROM unnest(%(roots)s::bigint[]) AS root
         UNION
        SELECT below.root, inside.child_id
          FROM below
         CROSS JOIN LATERAL (
               SELECT a.child_id FROM attachment a
                WHERE a.parent_id = below.did_id AND a.vo = %(vo)s OFFSET 0) AS inside)
"""


async def page(
    conn: Connection, vo: int, *, after: tuple[int, int], most: int, files: int
) -> list[tuple[tuple[int, int], Demanded]]:  # fmt: skip
    """What jobs of a VO want, with its place in the order: the longest wanted first.

    At most so many DIDs, with so many files, and at least one, from behind a place.
    """
    rows = await fetch_rows(
        conn,
        """
        SELECT moment, did_id, scope || ':' || name, kind, open, waiting, running, files, size, since, (
               SELECT r.rule_id FROM rule r
                WHERE r.did_id = first.did_id AND r.vo = %(vo)s AND r.pin AND r.expires_at IS NULL
                ORDER BY r.rule_id DESC LIMIT 1)
          FROM (SELECT w.*, s.name AS scope, d.name, d.kind, d.open,
                       sum(w.files) OVER (ORDER BY w.moment, w.did_id) - w.files AS before
                  FROM (SELECT m.* FROM (
                               SELECT *, (extract(epoch FROM since) * 1000000)::bigint AS moment
                                 FROM demand WHERE vo = %(vo)s) AS m
                         WHERE (m.moment, m.did_id) > (%(moment)s::bigint, %(did)s::bigint)
                         ORDER BY m.moment, m.did_id LIMIT %(most)s) AS w
                  JOIN did d ON d.did_id = w.did_id AND d.vo = w.vo
                  JOIN scope s ON s.scope_id = d.scope_id AND s.vo = d.vo) AS first
         WHERE before < %(files)s ORDER BY moment, did_id
        """,
        {"vo": vo, "moment": after[0], "did": after[1], "most": most, "files": files},
    )
    return [
        (
            (row[0], row[1]),
            Demanded(
                did_id=row[1], did=row[2], kind=DidKind(row[3]), open=row[4], waiting=row[5], running=row[6],
                files=row[7], size=row[8], since=row[9], rule_id=row[10],
            ),
        )
        for row in rows
    ]  # fmt: skip


async def lacking(conn: Connection, vo: int, roots: Sequence[int]) -> list[Lacking]:
    """What of these DIDs is on no disk; of each, whether anything is."""
    return await fetch(
        conn,
        Lacking,
        BELOW  # noqa: S608 - literals
        + """,
        missing AS MATERIALIZED (
            SELECT below.root, d.size, EXISTS (
                   SELECT FROM replica t JOIN rse e ON e.rse_id = t.rse_id AND e.tape
                    WHERE t.did_id = d.did_id AND t.vo = d.vo AND t.state = 'A') AS tape,
                   c.rse_id IS NOT NULL AS coming, coalesce(q.activity = %(recall)s, false) AS recalled
              FROM below
              JOIN did d ON d.did_id = below.did_id AND d.vo = %(vo)s AND d.kind = 'F'
              LEFT JOIN LATERAL (
                   SELECT r.rse_id FROM replica r
                    WHERE r.did_id = d.did_id AND r.vo = d.vo AND r.state IN ('C', 'T')
                      AND r.rse_id <> ALL (ARRAY(SELECT t.rse_id FROM rse t WHERE t.tape)) LIMIT 1) c ON true
              LEFT JOIN transfer_request q ON q.did_id = d.did_id AND q.vo = d.vo AND q.rse_id = c.rse_id
             WHERE NOT EXISTS (
                   SELECT FROM replica r WHERE r.did_id = d.did_id AND r.vo = d.vo AND r.state = 'A'
                      AND r.rse_id <> ALL (ARRAY(SELECT t.rse_id FROM rse t WHERE t.tape))))
        SELECT root, count(*)::int AS files, sum(size)::bigint AS size,
               (count(*) FILTER (WHERE tape))::int AS on_tape, (count(*) FILTER (WHERE coming))::int AS coming,
               (count(*) FILTER (WHERE recalled))::int AS recalled,
               (count(*) FILTER (WHERE NOT tape AND NOT coming))::int AS nowhere
          FROM missing GROUP BY root
        """,
        {"vo": vo, "roots": list(roots), "recall": RECALL},
    )


async def where(conn: Connection, vo: int, roots: Sequence[int]) -> dict[int, list[At]]:
    """Where files below these DIDs are available: by DID, the RSE with most of them first."""
    rows = await fetch_rows(
        conn,
        BELOW  # noqa: S608 - literals
        + """
        SELECT below.root, e.name, e.tape, count(*), sum(r.size)::bigint
          FROM below
         CROSS JOIN LATERAL (
               SELECT * FROM replica r WHERE r.did_id = below.did_id AND r.vo = %(vo)s AND r.state = 'A' OFFSET 0) AS r
          JOIN (SELECT t.rse_id, t.tape, n.name
                  FROM rse t JOIN resource n ON n.resource_id = t.rse_id) AS e ON e.rse_id = r.rse_id
         GROUP BY 1, 2, 3 ORDER BY 1, 4 DESC, 2
        """,
        {"vo": vo, "roots": list(roots)},
    )
    found: dict[int, list[At]] = {}
    for root, *rest in rows:
        found.setdefault(root, []).append(At(*rest))
    return found
