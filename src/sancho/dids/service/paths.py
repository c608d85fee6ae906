"""DIDs by path, `/VO/SCOPE/NAME`: as names have `/` in them, each scope is a tree.

Nobody makes a directory: there is one while a DID lies below it. A name may be both a DID's and a directory's.
"""

from dataclasses import dataclass, replace

from sancho.dids.errors import PathMalformed, PathNotFound
from sancho.dids.model import Did, DidKind, Entry, Path, Tally, parse_path
from sancho.dids.service.catalogue import info
from sancho.dids.store import paths, reading, rows
from sancho.kit.access import Principal
from sancho.kit.db import Connection

NOTHING = Tally(0, 0)


@dataclass(frozen=True, slots=True)
class Found:
    """What is at a path: the DID of this name, with what is below it, or the directory, or both."""

    path: Path
    did: Did | None = None
    of_did: Tally = NOTHING
    directory: Tally | None = None
    """Files and bytes below the directory, at any depth."""
    entries: tuple[Entry, ...] = ()
    """What is directly in the directory, as far as asked for."""


async def look(
    conn: Connection, caller: Principal, path: str, *, after: str = "", limit: int, sizes: bool = False
) -> Found:
    """What is at a path of the caller's VO, and the first `limit` entries of the directory there behind `after`.

    `after` is the last part of an entry's path, with its `/`. With `sizes`, collections among the entries come with the
    files and bytes below them. Raises `PathMalformed`, or `PathNotFound`, for paths of other VOs too.
    """
    where = parse_path(path)
    if where.vo not in {"", caller.vo_name}:
        raise PathNotFound(path=path)
    if "/" in after[:-1]:
        raise PathMalformed(path=after, reason="a cursor is an entry's last part", field="cursor")
    if not where.scope:
        return await _root(conn, caller, where, after=after, limit=limit)
    known = await rows.scope_ids(conn, caller.vo, [where.scope])
    if where.scope not in known:
        raise PathNotFound(path=path)
    return await _in_scope(conn, caller.vo, known[where.scope], where, page=(after, limit), sizes=sizes)


async def _root(conn: Connection, caller: Principal, where: Path, *, after: str, limit: int) -> Found:
    """The directory of VOs, in which callers see their own, or that of the VO's scopes."""
    known = [scope.scope_id for scope in await rows.list_scopes(conn, caller.vo)]
    whole = await paths.tally(conn, caller.vo, known, "")
    if not where.vo:
        own = Entry(scope="", name="", kind=None, files=whole.files, size=whole.size)
        return Found(where, directory=whole, entries=(own,) if limit and not after else ())
    found = await paths.scopes(conn, caller.vo, after=after.rstrip("/"), limit=limit)
    return Found(where, directory=whole, entries=tuple(found))


async def _in_scope(
    conn: Connection, vo: int, scope_id: int, where: Path, *, page: tuple[str, int], sizes: bool
) -> Found:
    did: Did | None = None
    if where.name and not where.is_directory:
        did = next(iter(await rows.dids_by_name(conn, vo, [where.scope], [where.name])), None)
    of_did = NOTHING if did is None else await info(conn, did)
    if where.name and not await paths.is_directory(conn, vo, scope_id, where.name):
        if did is None:
            raise PathNotFound(path=where.text)
        return Found(where, did, of_did)
    folder = f"{where.name}/" if where.name else ""
    after, limit = page
    found = await paths.entries(conn, vo, scope_id, folder, after=after and folder + after, limit=limit)
    found = [replace(entry, scope=where.scope) for entry in found]
    if sizes:
        found = await _with_sizes(conn, vo, found)
    return Found(where, did, of_did, await paths.tally(conn, vo, [scope_id], where.name), tuple(found))


async def _with_sizes(conn: Connection, vo: int, entries: list[Entry]) -> list[Entry]:
    wanted = [entry.did_id for entry in entries if entry.did_id and entry.kind is not DidKind.FILE]
    below = await reading.tallies(conn, vo, wanted) if wanted else {}
    return [
        replace(entry, files=below[entry.did_id].files, size=below[entry.did_id].size)
        if entry.did_id in below
        else entry
        for entry in entries
    ]
