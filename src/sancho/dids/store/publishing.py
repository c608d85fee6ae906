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
    """Be the only one who changes a publication."""
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
    """Say whether the publication of a DID is public."""
    found = await fetch_value(
        conn,
        "SELECT state = 'P' FROM publication WHERE did_id = %(did_id)s AND vo = %(vo)s",
        {"vo": vo, "did_id": did_id},
    )
    return found is True


async def closed(conn: Connection, vo: int, dataset_ids: Sequence[int]) -> list[int]:
    """Those of these datasets that are closed, by id."""
    return await fetch_values(
        conn,
        """
        SELECT did_id FROM did
         WHERE did_id = ANY(%(dataset_ids)s::bigint[]) AND vo = %(vo)s AND NOT open
         ORDER BY did_id
        """,
        {"vo": vo, "dataset_ids": list(dataset_ids)},
    )
