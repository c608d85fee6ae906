"""What jobs know of the DIDs that they made; for searches: of an output, the job and where it ran."""

from collections.abc import Sequence

from psycopg import sql

from sancho.kit.db import Connection, execute
from sancho.kit.search import Composable, FieldKind, SearchField


def _made(test: Composable) -> Composable:
    """Ids of the DIDs of which a condition is met by the attempt that made it, `t`, its job, its owner, or the site."""
    return sql.SQL(
        """
        SELECT p.did_id
          FROM provenance p
          JOIN attempt t ON t.attempt_id = p.attempt_id AND t.vo = %(vo)s
          JOIN job j ON j.job_id = t.job_id AND j.vo = %(vo)s
          JOIN account owner ON owner.account_id = j.account_id AND owner.vo = %(vo)s
          LEFT JOIN resource site ON site.resource_id = t.site_id
         WHERE p.vo = %(vo)s AND {}
        """
    ).format(test)


SEARCH_FIELDS: tuple[SearchField, ...] = (
    SearchField(name="job.id", kind=FieldKind.INTEGER, value=sql.SQL("j.job_id"), cast="bigint", finder=_made),
    SearchField(
        name="job.account", kind=FieldKind.TEXT, value=sql.SQL('(owner.name COLLATE "C")'), cast="text", finder=_made
    ),
    SearchField(
        name="job.site", kind=FieldKind.TEXT, value=sql.SQL('(site.name COLLATE "C")'), cast="text", finder=_made
    ),
    SearchField(
        name="job.ended_at", kind=FieldKind.TIME, value=sql.SQL("t.ended_at"), cast="timestamptz", finder=_made
    ),
)
"""What DIDs may be searched by that jobs know."""


async def fulfil_promises(conn: Connection, vo: int, job_id: int, made: Sequence[tuple[int, str, int]]) -> int:
    """Note which DIDs a job's outputs became (scope_id, name, did_id); say how many promises were kept."""
    return await execute(
        conn,
        """
        UPDATE job_output o SET did_id = m.did_id
          FROM unnest(%(scopes)s::int[], %(names)s::text[], %(dids)s::bigint[]) AS m (scope_id, name, did_id)
         WHERE o.job_id = %(job_id)s AND o.vo = %(vo)s AND o.scope_id = m.scope_id AND o.name = m.name
        """,
        {
            "vo": vo, "job_id": job_id, "scopes": [m[0] for m in made], "names": [m[1] for m in made],
            "dids": [m[2] for m in made],
        },
    )  # fmt: skip


async def insert_provenance(conn: Connection, vo: int, attempt_id: int, did_ids: Sequence[int]) -> None:
    """Record which attempt made these files."""
    await execute(
        conn,
        """
        INSERT INTO provenance (vo, attempt_id, did_id)
        SELECT %(vo)s, %(id)s, d FROM unnest(%(dids)s::bigint[]) d ORDER BY d ON CONFLICT DO NOTHING
        """,
        {"vo": vo, "id": attempt_id, "dids": list(did_ids)},
    )
