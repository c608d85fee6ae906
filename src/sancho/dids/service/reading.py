"""Long lists of DIDs, part by part from a server-side cursor: ask in a snapshot, and read each to its end."""

from collections.abc import AsyncIterator, Sequence

from sancho.dids.model import Branch, Did, DidKind, Listed, NamedFile, Tally
from sancho.dids.service.scopes import scope_ids
from sancho.dids.store import reading, walking
from sancho.kit.db import Connection


def stream_children(conn: Connection, did: Did) -> AsyncIterator[list[Listed]]:
    """What is directly in a collection, by id; nothing is in a file."""
    return reading.children(conn, did.vo, did.did_id)


def stream_parents(conn: Connection, did: Did) -> AsyncIterator[list[Listed]]:
    """The collections that a DID is directly in, by id."""
    return reading.parents(conn, did.vo, did.did_id)


async def stream_files(conn: Connection, vo: int, dids: Sequence[Did]) -> AsyncIterator[list[tuple[int, NamedFile]]]:
    """The files among or below each of these DIDs, at any depth, each with the id of that DID: once for each.

    Files first, then what is in datasets, then what is below containers; of each dataset by id. The first come at once.
    """
    of = {kind: sorted(did.did_id for did in dids if did.kind is kind) for kind in DidKind}
    if of[DidKind.FILE]:
        yield [(file.did_id, file) for file in await reading.named_files(conn, vo, of[DidKind.FILE])]
    if of[DidKind.DATASET]:
        async for part in reading.files_in(conn, vo, of[DidKind.DATASET]):
            yield part
    for root in of[DidKind.CONTAINER]:
        there = await walking.collections(conn, vo, [root], limit=None)
        datasets = [did_id for did_id, kind in there if kind is DidKind.DATASET]
        async for part in reading.files_in(conn, vo, datasets, once=True):
            yield [(root, file) for _, file in part]


async def stream_scope(conn: Connection, vo: int, scope: str, *, deep: bool = False) -> AsyncIterator[list[Branch]]:
    """The DIDs of a scope that are in no collection of that scope, by name, each part followed by what is below it.

    What is below comes only if `deep`, as in `stream_below`. Raises `ScopeNotFound` before anything else.
    """
    scope_id = (await scope_ids(conn, vo, [scope]))[scope]
    async for dids in reading.tops(conn, vo, scope_id):
        yield [Branch(None, 0, did) for did in dids]
        roots = [did.did_id for did in dids if did.kind is not DidKind.FILE]
        if deep and roots:
            async for found in reading.branches(conn, vo, roots, deepest=None):
                yield found


def stream_below(conn: Connection, did: Did, *, deep: bool = False) -> AsyncIterator[list[Branch]]:
    """What is directly in a collection, and if `deep` everything below it: level by level, by parent and by id.

    The first comes at once, however much follows.
    """
    return reading.branches(conn, did.vo, [did.did_id], deepest=None if deep else 1)


async def tallies(conn: Connection, vo: int, did_ids: Sequence[int]) -> dict[int, Tally]:
    """Files and bytes below each of these collections: what `info` says of one."""
    return await reading.tallies(conn, vo, sorted(set(did_ids))) if did_ids else {}
