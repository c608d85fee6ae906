"""The door of the namespace: what other features and the routes may ask of it.

The caller owns the transaction. A function that raises may have changed something before: roll back, as requests
and tasks do. Functions with a `caller` ask what that account may do; those with an `account_id` act for features
that have asked already.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence

from sancho.dids.errors import (
    ChecksumMalformed,
    CollectionClosed,
    Cycle,
    DidExists,
    DidNotFound,
    KindsMismatch,
    NotACollection,
    NotADataset,
    ScopeExists,
    ScopeMalformed,
    ScopeNotFound,
    ScopeNotYours,
)  # fmt: skip
from sancho.dids.model import (
    ADLER32,
    Did,
    DidKind,
    File,
    FileText,
    NamedFile,
    NewFile,
    Scope,
    Tally,
    batches,
    is_scope,
    parse_did,
)  # fmt: skip
from sancho.dids.store import contents, rows
from sancho.kit.access import Principal, require, require_owner
from sancho.kit.db import Connection
from sancho.kit.policy import did as thing
from sancho.kit.tasks import defer

ANNOUNCED = 10_000
"""Files that one task `rules:extend` or `rules:retract` is told of."""
LAST = "\U0010ffff"
"""Greater than any character a name may have."""


async def scope_ids(conn: Connection, vo: int, names: Sequence[str], *, field: str = "scope") -> dict[str, int]:
    """Ids of scopes by name; raises `ScopeNotFound` naming the first that does not exist."""
    found = await rows.scope_ids(conn, vo, sorted(filter(is_scope, set(names))))
    for name in names:
        if name not in found:
            raise ScopeNotFound(scope=name, field=field)
    return found


async def list_scopes(conn: Connection, vo: int) -> list[Scope]:
    """All scopes of a VO, by name."""
    return await rows.list_scopes(conn, vo)


async def create_scope(conn: Connection, caller: Principal, name: str, *, shared: bool = False) -> Scope:
    """Make a scope that belongs to the caller, who needs `dids:manage`; raises `ScopeMalformed`, `ScopeExists`."""
    require(caller, "dids:manage", on=thing(f"{name}:"))
    if not is_scope(name):
        raise ScopeMalformed(scope=name)
    if not await rows.insert_scope(conn, caller.vo, caller.account_id, name, shared=shared):
        raise ScopeExists(scope=name)
    return (await rows.find_scopes(conn, caller.vo, [name]))[0]


async def put_scopes(conn: Connection, vo: int, scopes: Sequence[tuple[str, str, bool]]) -> list[str]:
    """Make or change scopes, given as (name, account, shared); return those whose account does not exist."""
    done = await rows.put_scopes(conn, vo, scopes)
    return sorted({name for name, _, _ in scopes}.difference(done))


async def remove_scopes(conn: Connection, vo: int, names: Sequence[str]) -> None:
    """Remove scopes; the database refuses while one holds a DID."""
    await rows.delete_scopes(conn, vo, names)


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


async def get(conn: Connection, vo: int, did: str, *, field: str = "did") -> Did:
    """One DID by name; raises `DidMalformed` or `DidNotFound`."""
    return (await resolve(conn, vo, [did], field=field))[0]


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
    conn: Connection, did: Did, *, after: int = 0, limit: int | None = None
) -> AsyncIterator[bytes]:
    """What is directly in a collection, by id, from a server-side cursor: one JSON document, in parts.

    `items` are those after the id `after`, at most `limit`; `next` is the id to go on after, null at the end.
    """
    yield b'{"items":['
    seen, end = 0, after
    async for texts, last in contents.stream_contents(conn, did.vo, did.did_id, after=after, limit=limit):
        yield (("," if seen else "") + ",".join(texts)).encode()
        seen, end = seen + len(texts), last
    yield f'],"next":{end if limit is not None and seen == limit else "null"}}}'.encode()


async def get_collection(conn: Connection, vo: int, did: str) -> Did:
    """A dataset or container by name; raises what `get` does, and `NotACollection` for a file."""
    found = await get(conn, vo, did)
    if found.kind is DidKind.FILE:
        raise NotACollection(did=did)
    return found


def new_files(files: Sequence[FileText], scopes: dict[str, int]) -> list[NewFile]:
    """Make files ready to be registered; raises `DidMalformed`, `ScopeNotFound` or `ChecksumMalformed`."""
    made: list[NewFile] = []
    for n, file in enumerate(files):
        scope, name = parse_did(file.did, field=f"files.{n}.did")
        if scope not in scopes:
            raise ScopeNotFound(scope=scope, field=f"files.{n}.did")
        if file.adler32 is not None and ADLER32.fullmatch(file.adler32) is None:
            raise ChecksumMalformed(did=file.did, adler32=file.adler32, field=f"files.{n}.adler32")
        made.append(NewFile(None, scopes[scope], name, file.size, file.adler32))
    return made


async def scopes_for(
    conn: Connection, caller: Principal, dids: Sequence[str], *, field: Callable[[int], str] = "files.{}.did".format
) -> dict[str, int]:
    """Ids of the scopes of DIDs that the caller is about to make: its own, shared ones, or any with `dids:manage`.

    Raises `DidMalformed`, `ScopeNotFound` or `ScopeNotYours` for the first that will not do; `field` names it.
    """
    names = [did.partition(":")[0] for did in dids]
    found = await rows.find_scopes(conn, caller.vo, sorted(filter(is_scope, set(names))))
    known = {scope.name: scope for scope in found}
    refused = [name for name in set(names) if name not in known or not _may_use(caller, known[name])]
    if refused:
        at = min(map(names.index, refused))
        scope, _ = parse_did(dids[at], field=field(at))
        if scope not in known:
            raise ScopeNotFound(scope=scope, field=field(at))
        raise ScopeNotYours(scope=scope, owner=known[scope].account, field=field(at))
    return {scope.name: scope.scope_id for scope in found}


def _may_use(caller: Principal, scope: Scope) -> bool:
    return scope.shared or scope.account_id == caller.account_id or caller.may("dids:manage", thing(f"{scope.name}:"))


async def create(conn: Connection, caller: Principal, did: str, kind: DidKind) -> Did:
    """Make an empty, open dataset or container that belongs to the caller, who needs `dids:create`.

    Raises what `scopes_for` does, `DidExists`, and `NotACollection` for a file: files are registered with their
    replicas, or uploaded.
    """
    require(caller, "dids:create", on=thing(did))
    if kind is DidKind.FILE:
        raise NotACollection(did=did, field="kind")
    scope, name = parse_did(did)
    scope_id = (await scopes_for(conn, caller, [did], field=lambda _: "did"))[scope]
    if await rows.insert_collection(conn, caller.vo, caller.account_id, scope_id, name, kind) is None:
        raise DidExists(did=did)
    return await get(conn, caller.vo, did)


async def ensure_dataset(conn: Connection, caller: Principal, did: str, *, field: str = "dataset") -> Did:
    """The open dataset of this name, that the caller may attach to; made, and owned by it, when there is none.

    Safe to run twice. Raises what `scopes_for` does when there is none, `NotADataset`, `CollectionClosed` when it has
    been closed, and, unless the caller has `dids:manage`, `NotYours` when it is somebody else's.
    """
    scope, name = parse_did(did, field=field)
    if not await rows.dids_by_name(conn, caller.vo, [scope], [name]):
        scope_id = (await scopes_for(conn, caller, [did], field=lambda _: field))[scope]
        await rows.insert_collection(conn, caller.vo, caller.account_id, scope_id, name, DidKind.DATASET)
    dataset = await get(conn, caller.vo, did, field=field)
    if dataset.kind is not DidKind.DATASET:
        raise NotADataset(did=did, kind=dataset.kind.word, field=field)
    require_change(caller, dataset)
    if not dataset.open:
        raise CollectionClosed(did=did, field=field)
    return dataset


async def check_free(
    conn: Connection, vo: int, names: Sequence[tuple[int, str]], *, field: str = "files.{n}.did"
) -> None:
    """Raise `DidExists` for the first of these names (scope id, name) that is taken; it may be a moment later."""
    taken = set(await rows.taken_names(conn, vo, [scope for scope, _ in names], [name for _, name in names]))
    for n, pair in enumerate(names):
        if pair in taken:
            raise await _exists(conn, vo, *pair, field=field.format(n=n))


async def register_files(conn: Connection, vo: int, account_id: int, files: Sequence[NewFile]) -> list[int]:
    """Make files in one statement; return their ids in the order given.

    Raises `DidExists` naming the first whose name is taken, by an older file or by one of these.
    """
    made = await rows.insert_files(conn, vo, account_id, files)
    ids = [did_id for did_id in made if did_id is not None]
    if len(ids) < len(files):
        at = made.index(None)
        raise await _exists(conn, vo, files[at].scope_id, files[at].name, field=f"files.{at}.did")
    return ids


async def _exists(conn: Connection, vo: int, scope_id: int, name: str, *, field: str) -> DidExists:
    scopes = {scope.scope_id: scope.name for scope in await rows.list_scopes(conn, vo)}
    return DidExists(did=f"{scopes[scope_id]}:{name}", field=field)


# ---- changing


def require_change(caller: Principal, did: Did) -> None:
    """Let pass the owner of a DID or of its scope, and whoever has `dids:manage`; else raise `NotYours`."""
    owner_id = caller.account_id if caller.account_id == did.scope_account_id else did.account_id
    require_owner(caller, owner_id, "dids:manage", what=did.did, owner=did.account, on=thing(did.did))


async def owners(conn: Connection, vo: int, name: str) -> set[int]:
    """The accounts that a DID belongs to, its own and its scope's; of a scope, written `mc:`, the latter alone."""
    scope, _, rest = name.partition(":")
    return set(await rows.owners(conn, vo, scope, rest)) if is_scope(scope) else set()


async def attach(
    conn: Connection, vo: int, parent_id: int, child_ids: Sequence[int], *, announce: bool = True
) -> list[int]:
    """Put DIDs into a collection; return the ids of those that were not in it yet, in order.

    Raises `NotACollection`, `CollectionClosed`, `KindsMismatch`, `Cycle`, or `DidNotFound` for a child that does
    not exist. The collection cannot be closed before the transaction ends. With `announce`, a task brings what is
    new under the rules above; without, the caller does.
    """
    kind = await _lock_open(conn, vo, parent_id)
    if kind is DidKind.CONTAINER:
        await contents.lock_containers(conn, vo)
        circle = set(await contents.holders(conn, vo, parent_id)).intersection(child_ids)
        if circle:
            parent, child = await _names(conn, vo, parent_id, min(circle))
            raise Cycle(parent=parent.did, child=child.did)
    wanted = sorted(set(child_ids))
    fitting, new, size = await contents.insert_attachments(conn, vo, parent_id, wanted, kind.holds)
    if fitting < len(wanted):
        await _blame_child(conn, vo, parent_id, list(child_ids))
    if new and kind is DidKind.DATASET:
        await contents.add_to_tally(conn, vo, parent_id, len(new), size)
    if announce:
        for file_ids in await _announced(conn, vo, kind, new):
            await defer(conn, "rules:extend", vo=vo, parent_ids=[parent_id], file_ids=file_ids)
    return new


async def detach(conn: Connection, vo: int, parent_id: int, child_ids: Sequence[int]) -> list[int]:
    """Take DIDs out of an open collection; return the ids of those that were in it, in order.

    Raises `NotACollection`, `CollectionClosed` or `DidNotFound`. A task takes what is gone from the rules above.
    """
    kind = await _lock_open(conn, vo, parent_id)
    gone, size = await contents.delete_attachments(conn, vo, parent_id, child_ids)
    if gone and kind is DidKind.DATASET:
        await contents.add_to_tally(conn, vo, parent_id, -len(gone), -size)
    for file_ids in await _announced(conn, vo, kind, gone):
        await defer(conn, "rules:retract", vo=vo, parent_ids=[parent_id], file_ids=file_ids)
    return gone


async def _announced(conn: Connection, vo: int, kind: DidKind, child_ids: list[int]) -> Iterable[list[int]]:
    """The files among or below the children of a collection of this kind, in batches: what rules are told of."""
    below = child_ids if kind is DidKind.DATASET else [file.did_id for file in await files(conn, vo, child_ids)]
    return batches(below, ANNOUNCED)


async def close(conn: Connection, vo: int, did_id: int) -> bool:
    """Close a collection for good, or until its owner opens it; False when it was closed. A file is always closed.

    Whoever is attaching to it ends first. The slots of its tally become one.
    """
    if not await contents.set_open(conn, vo, did_id, is_open=False):
        return False
    await contents.fold_tally(conn, vo, did_id)
    return True


async def set_open(conn: Connection, caller: Principal, did: str, *, is_open: bool) -> Did:
    """Close a collection, or open it again; for its owner, its scope's, or `dids:manage`.

    Raises `DidNotFound`, `NotACollection` or `NotYours`.
    """
    found = await get_collection(conn, caller.vo, did)
    require_change(caller, found)
    if is_open:
        await contents.set_open(conn, caller.vo, found.did_id, is_open=True)
    else:
        await close(conn, caller.vo, found.did_id)
    return await get(conn, caller.vo, did)


async def change_contents(
    conn: Connection, caller: Principal, parent: str, children: Sequence[str], *, remove: bool = False
) -> int:
    """Attach DIDs to a collection by name, or detach them; say how many changed. For its owner, as `set_open`.

    Raises what `attach` or `detach` does.
    """
    collection = await get(conn, caller.vo, parent, field="parent")
    require_change(caller, collection)
    child_ids = [child.did_id for child in await resolve(conn, caller.vo, children, field="children")]
    if remove:
        return len(await detach(conn, caller.vo, collection.did_id, child_ids))
    return len(await attach(conn, caller.vo, collection.did_id, child_ids))


async def _lock_open(conn: Connection, vo: int, did_id: int) -> DidKind:
    locked = await contents.lock_to_attach(conn, vo, did_id)
    if locked is None:
        raise DidNotFound(did=f"number {did_id}")
    kind, is_open = locked
    if kind is DidKind.FILE:
        raise NotACollection(did=(await _names(conn, vo, did_id))[0].did, field="parent")
    if not is_open:
        raise CollectionClosed(did=(await _names(conn, vo, did_id))[0].did, field="parent")
    return kind


async def _names(conn: Connection, vo: int, *did_ids: int) -> list[Did]:
    found = await by_id(conn, vo, did_ids)
    return [found[did_id] for did_id in did_ids]


async def _blame_child(conn: Connection, vo: int, parent_id: int, child_ids: list[int]) -> None:
    found = await by_id(conn, vo, [parent_id, *child_ids])
    parent = found[parent_id]
    for child_id in child_ids:
        if child_id not in found:
            raise DidNotFound(did=f"number {child_id}", field="children")
        child = found[child_id]
        if child.kind not in parent.kind.holds:
            raise KindsMismatch(
                parent=parent.did, parent_kind=parent.kind.word, child=child.did, child_kind=child.kind.word
            )
