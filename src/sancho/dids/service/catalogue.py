"""DIDs by name and by id, what is below them, and new ones."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime

from sancho.dids.errors import (
    ChecksumMalformed,
    DidExists,
    DidNotFound,
    GuidMalformed,
    GuidTaken,
    GuidUnknown,
    NotACollection,
    ScopeNotFound,
)
from sancho.dids.model import (
    ADLER32,
    MD5,
    Did,
    DidKind,
    File,
    FileText,
    KnownDid,
    NamedFile,
    NewFile,
    Tally,
    is_scope,
    parse_did,
    read_guid,
)
from sancho.dids.service.scopes import scope_ids
from sancho.dids.store import contents, history, rows
from sancho.kit.access import Principal, require_owner
from sancho.kit.db import Connection, Database
from sancho.kit.policy import did as thing

LAST = "\U0010ffff"
"""Greater than any character a name may have."""


async def resolve(conn: Connection, vo: int, dids: Sequence[str], *, field: str = "dids") -> list[Did]:
    """The DIDs with these names, in the order given.

    Raises `DidMalformed`, or `DidNotFound` naming the first that does not exist; either blames `field`.
    """
    pairs = [parse_did(did, field=field) for did in dids]
    wanted = sorted(set(pairs))
    known = await rows.dids_by_name(conn, vo, [scope for scope, _ in wanted], [name for _, name in wanted])
    found = {(row.scope, row.name): row for row in known}
    for did, pair in zip(dids, pairs, strict=True):
        if pair not in found:
            raise DidNotFound(did=did, field=field)
    return [found[pair] for pair in pairs]


async def identify(conn: Connection, vo: int, dids: Sequence[str], *, field: str = "dids") -> list[KnownDid]:
    """As `resolve`, for who needs to know no more than which DIDs these are: with many, a quarter of the time."""
    pairs = [parse_did(did, field=field) for did in dids]
    found = await rows.identify(conn, vo, [scope for scope, _ in pairs], [name for _, name in pairs])
    for n, did in enumerate(dids):
        if n not in found:
            raise DidNotFound(did=did, field=field)
    return [found[n] for n in range(len(dids))]


async def get(conn: Connection, vo: int, did: str, *, field: str = "did") -> Did:
    """One DID by name; raises `DidMalformed` or `DidNotFound`."""
    return (await resolve(conn, vo, [did], field=field))[0]


async def of_guid(conn: Connection, vo: int, guid: str) -> Did:
    """The file with a GUID, said with hyphens or without; raises `GuidUnknown`."""
    read = read_guid(guid)
    found = [] if read is None else await rows.did_by_guid(conn, vo, read)
    if not found:
        raise GuidUnknown(guid=guid)
    return found[0]


async def show(database: Database, caller: Principal, did: str) -> tuple[Did, Tally]:
    """One DID with the files and bytes below it, as `get` and `info` say; of a file in a single exchange."""
    found = await rows.glance(database, caller.vos, caller.vo, *parse_did(did, field="did"))
    if found is None:
        raise DidNotFound(did=did, field="did")
    if found.kind is DidKind.FILE:
        return found, Tally(1, found.size or 0)
    async with database.transaction(caller.vos) as conn:
        return found, await info(conn, found)


async def find_all(conn: Connection, vo: int, dids: Sequence[str], *, field: str = "dids") -> list[Did]:
    """Those of these DIDs that exist, in any order; raises `DidMalformed`."""
    pairs = [parse_did(did, field=field) for did in dids]
    return await rows.dids_by_name(conn, vo, [scope for scope, _ in pairs], [name for _, name in pairs])


async def by_id(conn: Connection, vo: int, did_ids: Sequence[int]) -> dict[int, Did]:
    """Those of these DIDs that exist, by id."""
    return {did.did_id: did for did in await rows.dids_by_id(conn, vo, did_ids)}


async def list_dids(
    conn: Connection, vo: int, scope: str, *, prefix: str = "", kinds: Sequence[DidKind] = (), page: tuple[str, int]
) -> list[Did]:
    """DIDs of a scope whose names begin with `prefix`, by name: as many as `page` says, after the name it says."""
    after, limit = page
    scope_id = (await scope_ids(conn, vo, [scope]))[scope]
    first = max(prefix, f"{after}\x01") if after else prefix
    return await rows.list_dids(conn, vo, scope_id, (first, prefix + LAST), kinds or list(DidKind), limit)


async def info(conn: Connection, did: Did) -> Tally:
    """Files and bytes of a DID: of a collection the sum over its datasets at any depth, from their tallies."""
    if did.kind is DidKind.FILE:
        return Tally(1, did.size or 0)
    dataset_ids, _ = await contents.leaves(conn, did.vo, [did.did_id])
    return await contents.tally(conn, did.vo, dataset_ids)


async def files(conn: Connection, vo: int, did_ids: Sequence[int]) -> list[File]:
    """Every file among or below these DIDs, at any depth: distinct, by id."""
    return await contents.files(conn, vo, *await contents.leaves(conn, vo, did_ids))


async def file_page(
    conn: Connection, vo: int, did_ids: Sequence[int], *, after: int = 0, limit: int = 200
) -> list[NamedFile]:
    """The first `limit` of those files whose ids are above `after`, with names and checksums."""
    return await contents.file_page(conn, vo, await contents.leaves(conn, vo, did_ids), after=after, limit=limit)


async def datasets(conn: Connection, vo: int, did_ids: Sequence[int]) -> list[int]:
    """Ids of the datasets among or below these DIDs, at any depth, by id."""
    return (await contents.leaves(conn, vo, did_ids))[0]


async def stream_contents(
    conn: Connection, did: Did, *, after: int = 0, limit: int | None = None, at: datetime | None = None
) -> AsyncIterator[bytes]:
    """What is directly in a collection, or was at a time, by id, from a server-side cursor: one document, in parts.

    `items` are those after the id `after`, at most `limit`; `next` is the id to go on after, null at the end.
    """
    yield b'{"items":['
    seen, end = 0, after
    if at is None:
        parts = contents.stream_contents(conn, did.vo, did.did_id, after=after, limit=limit)
    else:
        parts = history.contents(conn, did.vo, did.did_id, at=at, page=(after, limit))
    async for texts, last in parts:
        yield (("," if seen else "") + ",".join(texts)).encode()
        seen, end = seen + len(texts), last
    yield f'],"next":{end if limit is not None and seen == limit else "null"}}}'.encode()


async def get_collection(conn: Connection, vo: int, did: str, *, field: str = "did") -> Did:
    """A dataset or container by name; raises what `get` does, and `NotACollection` for a file."""
    found = await get(conn, vo, did, field=field)
    if found.kind is DidKind.FILE:
        raise NotACollection(did=did, field=field)
    return found


def new_files(
    files: Sequence[FileText], scopes: dict[str, int], *, field: Callable[[int], str] = "files.{}".format
) -> list[NewFile]:
    """Make files ready to be registered; errors blame something in the `field` of a file.

    Raises `DidMalformed`, `ScopeNotFound`, `ChecksumMalformed` or `GuidMalformed`.
    """
    made: list[NewFile] = []
    for n, file in enumerate(files):
        scope, name = parse_did(file.did, field=f"{field(n)}.did")
        if scope not in scopes:
            raise ScopeNotFound(scope=scope, field=f"{field(n)}.did")
        if file.adler32 is not None and ADLER32.fullmatch(file.adler32) is None:
            raise ChecksumMalformed(did=file.did, checksum=file.adler32, field=f"{field(n)}.adler32")
        if file.md5 is not None and MD5.fullmatch(file.md5) is None:
            raise ChecksumMalformed(did=file.did, checksum=file.md5, digits=32, field=f"{field(n)}.md5")
        guid = None if file.guid is None else read_guid(file.guid)
        if file.guid is not None and guid is None:
            raise GuidMalformed(did=file.did, guid=file.guid, field=f"{field(n)}.guid")
        made.append(NewFile(None, scopes[scope], name, file.size, file.adler32, guid, file.md5))
    return made


async def check_free(
    conn: Connection, vo: int, names: Sequence[tuple[int, str]], *, field: str = "files.{n}.did"
) -> None:
    """Raise `DidExists` for the first of these names (scope id, name) that is taken; it may be a moment later."""
    taken = set(await rows.taken_names(conn, vo, [scope for scope, _ in names], [name for _, name in names]))
    for n, pair in enumerate(names):
        if pair in taken:
            raise await _exists(conn, vo, *pair, field=field.format(n=n))


async def register_files(
    conn: Connection, vo: int, account_id: int, files: Sequence[NewFile], *,
    field: Callable[[int], str] = "files.{}".format,
) -> list[int]:  # fmt: skip
    """Make files in one statement; return their ids in the order given.

    Raises `DidExists` naming the first whose name is taken, by an older file or by one of these, or `GuidTaken`.
    """
    made = await rows.insert_files(conn, vo, account_id, files)
    ids = [did_id for did_id in made if did_id is not None]
    if len(ids) < len(files):
        at = made.index(None)
        raise await _blame(conn, vo, files[at], field(at))
    return ids


async def _blame(conn: Connection, vo: int, one: NewFile, field: str) -> DidExists | GuidTaken:
    """Say why a file could not be made: its name is taken, perhaps by one of these, or else its GUID."""
    taken = await rows.taken_names(conn, vo, [one.scope_id], [one.name])
    exists = await _exists(conn, vo, one.scope_id, one.name, field=f"{field}.did")
    if one.guid is None or taken:
        return exists
    return GuidTaken(did=str(exists.facts["did"]), guid=str(one.guid), field=f"{field}.guid")


async def _exists(conn: Connection, vo: int, scope_id: int, name: str, *, field: str) -> DidExists:
    scopes = {scope.scope_id: scope.name for scope in await rows.list_scopes(conn, vo)}
    return DidExists(did=f"{scopes[scope_id]}:{name}", field=field)


def require_change(caller: Principal, did: Did) -> None:
    """Let pass the owner of a DID or of its scope, and whoever has `dids:manage`; else raise `NotYours`."""
    owner_id = caller.account_id if caller.account_id == did.scope_account_id else did.account_id
    require_owner(caller, owner_id, "dids:manage", what=did.did, owner=did.account, on=thing(did.did))


def require_changes(caller: Principal, dids: Sequence[Did]) -> None:
    """Let pass as `require_change` does, for all of these DIDs at once."""
    own = {did.did: did for did in dids if caller.account_id in (did.account_id, did.scope_account_id)}
    others = {did.did: did for did in dids if did.did not in own}
    for part in filter(None, (own, others)):
        first = next(iter(part.values()))
        owner_id = caller.account_id if part is own else first.account_id
        things = [thing(did) for did in part]
        require_owner(caller, owner_id, "dids:manage", what=first.did, owner=first.account, on=things)


async def owners(conn: Connection, vo: int, name: str) -> set[int]:
    """The accounts that a DID belongs to, its own and its scope's; of a scope, written `mc:`, the latter alone."""
    scope, _, rest = name.partition(":")
    return set(await rows.owners(conn, vo, scope, rest)) if is_scope(scope) else set()
