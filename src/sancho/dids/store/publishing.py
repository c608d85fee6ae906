"""The SQL of publications."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, LiteralString

from psycopg.types.json import Jsonb

from sancho.dids.model import Publication, PublicationState
from sancho.kit.db import Connection, execute, fetch, fetch_rows, fetch_value, fetch_values, find, stream_as

_PUBLICATION: LiteralString = """
    SELECT p.did_id, p.vo, s.name AS scope, d.name, d.kind, d.open, d.size,
           lpad(to_hex(d.adler32), 8, '0') AS adler32, p.state, p.doi, p.record_id, p.about, p.created_at, p.changed_at
      FROM publication p
      JOIN did d ON d.did_id = p.did_id AND d.vo = p.vo AND NOT d.erased
      JOIN scope s ON s.scope_id = d.scope_id AND s.vo = d.vo
     WHERE p.vo = %(vo)s
"""
_LISTED: LiteralString = """
       AND p.state = ANY(%(states)s::"char"[]) AND (NOT %(readable)s OR NOT d.open)
       AND p.did_id > %(after)s
     ORDER BY p.did_id
     LIMIT %(limit)s
"""


def _said(
    vo: int, states: Sequence[PublicationState], *, readable: bool, after: int = 0, limit: int | None = None
) -> dict[str, Any]:
    letters = [state.value for state in states]
    return {"vo": vo, "states": letters, "readable": readable, "after": after, "limit": limit}


async def insert(conn: Connection, vo: int, did_id: int) -> bool:
    """Make a draft; False when the DID is being published already."""
    made = await execute(
        conn,
        "INSERT INTO publication (vo, did_id) VALUES (%(vo)s, %(did_id)s) ON CONFLICT DO NOTHING",
        {"vo": vo, "did_id": did_id},
    )
    return made == 1


async def find_publication(conn: Connection, vo: int, scope: str, name: str) -> Publication | None:
    """The publication of a DID."""
    query = _PUBLICATION + "AND s.name = %(scope)s AND s.vo = %(vo)s AND d.name = %(name)s"
    return await find(conn, Publication, query, {"vo": vo, "scope": scope, "name": name})


async def list_publications(
    conn: Connection, vo: int, states: Sequence[PublicationState], *, readable: bool, page: tuple[int, int]
) -> list[Publication]:
    """Publications in these states, of closed DIDs if `readable`, by id: as many as `page` says, after the id it says.

    The join of one page is small whatever the number of DIDs.
    """
    said = _said(vo, states, readable=readable, after=page[0], limit=page[1])
    return await fetch(conn, Publication, _PUBLICATION + _LISTED, said)


async def stream_publications(
    conn: Connection, vo: int, states: Sequence[PublicationState]
) -> AsyncIterator[list[Publication]]:
    """All publications in these states, by id, from a server-side cursor."""
    query = _PUBLICATION + _LISTED
    async for some in stream_as(conn, Publication, query, _said(vo, states, readable=False)):
        yield some


async def lock(conn: Connection, vo: int, did_id: int) -> None:
    """Be the only one who changes a publication, and of a VO the only one who gives DOIs and numbers."""
    await execute(
        conn, "SELECT pg_advisory_xact_lock(hashtext('sancho.publication'), %(vo)s::int)", {"vo": vo}
    )  # fmt: skip
    await execute(
        conn,
        "SELECT FROM publication WHERE did_id = %(did_id)s AND vo = %(vo)s FOR NO KEY UPDATE",
        {"vo": vo, "did_id": did_id},
    )


async def taken(conn: Connection, vo: int, did_id: int, doi: str | None, record_id: int | None) -> tuple[bool, bool]:
    """Say whether another DID is published under this DOI, and under this number."""
    rows = await fetch_rows(
        conn,
        """
        SELECT EXISTS (SELECT FROM publication
                        WHERE lower(doi) = lower(%(doi)s::text) AND vo = %(vo)s AND did_id <> %(did_id)s),
               EXISTS (SELECT FROM publication
                        WHERE record_id = %(record_id)s::bigint AND vo = %(vo)s AND did_id <> %(did_id)s)
        """,
        {"vo": vo, "did_id": did_id, "doi": doi, "record_id": record_id},
    )
    return rows[0]


async def update(conn: Connection, changed: Publication) -> None:
    """Write a locked publication's state, DOI, number and what is said about it."""
    await execute(
        conn,
        """
        UPDATE publication
           SET state = %(state)s, doi = %(doi)s, record_id = %(record_id)s, about = %(about)s, changed_at = now()
         WHERE did_id = %(did_id)s AND vo = %(vo)s
        """,
        {
            "vo": changed.vo, "did_id": changed.did_id, "state": changed.state.value, "doi": changed.doi,
            "record_id": changed.record_id, "about": Jsonb(changed.about),
        },
    )  # fmt: skip


async def delete(conn: Connection, vo: int, did_id: int) -> None:
    """Let a DID be published no more."""
    await execute(
        conn, "DELETE FROM publication WHERE did_id = %(did_id)s AND vo = %(vo)s", {"vo": vo, "did_id": did_id}
    )


async def is_public(conn: Connection, vo: int, did_id: int) -> bool:
    """Say whether a DID, or a container that it lies in at any depth, is public."""
    found = await fetch_value(
        conn,
        """
        WITH RECURSIVE above (did_id) AS (
            SELECT %(did_id)s::bigint
             UNION
            SELECT holder.parent_id
              FROM above
             CROSS JOIN LATERAL (
                   SELECT a.parent_id FROM attachment a
                    WHERE a.child_id = above.did_id AND a.vo = %(vo)s OFFSET 0) AS holder)
        SELECT EXISTS (
            SELECT FROM above JOIN publication p ON p.did_id = above.did_id AND p.vo = %(vo)s AND p.state = 'P')
        """,
        {"vo": vo, "did_id": did_id},
    )
    return found is True


async def closed_below(conn: Connection, vo: int, did_id: int) -> list[int]:
    """Closed datasets that are this collection, or below it by way of closed containers alone, by id."""
    return await fetch_values(
        conn,
        """
        WITH RECURSIVE below (did_id, kind) AS (
            SELECT did_id, kind FROM did WHERE did_id = %(did_id)s AND vo = %(vo)s AND NOT open
             UNION
            SELECT d.did_id, d.kind
              FROM below
             CROSS JOIN LATERAL (
                   SELECT a.child_id FROM attachment a
                    WHERE a.parent_id = below.did_id AND a.vo = %(vo)s OFFSET 0) AS inside
             CROSS JOIN LATERAL (
                   SELECT did.did_id, did.kind FROM did
                    WHERE did.did_id = inside.child_id AND did.vo = %(vo)s AND NOT did.open OFFSET 0) AS d
             WHERE below.kind = 'C')
        SELECT did_id FROM below WHERE kind = 'D' ORDER BY 1
        """,
        {"vo": vo, "did_id": did_id},
    )
