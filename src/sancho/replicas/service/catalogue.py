"""Register files that are on a storage, list replicas, and say where files can be read."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

from sancho.dids import service as dids
from sancho.dids.errors import DidExists
from sancho.dids.model import Did, DidKind, FileText, KnownDid, NamedFile, NewFile
from sancho.kit.access import Principal, Signer, require
from sancho.kit.db import Connection
from sancho.kit.policy import did as thing
from sancho.replicas import plan
from sancho.replicas.errors import PathTaken, ReplicaDiffers
from sancho.replicas.model import (
    PUT_TIME,
    DatasetCopy,
    FileCopies,
    Located,
    Readable,
    Replica,
    ReplicaKey,
    ReplicaState,
    Source,
    Usage,
    Wanted,
)
from sancho.replicas.service.holds import insert
from sancho.replicas.store import listing, rows
from sancho.rses import service as rses
from sancho.rses.model import Domain, Operation, Rse
from sancho.sites import service as sites

READ_TOKEN_LIFETIME = timedelta(minutes=15)
"""How long a page of sources can be read."""
DATASETS_AT_ONCE = 500
"""Datasets that one question is about what RSEs have of them."""
PATHS_IN_TOKEN = 8
"""Files that share a token: with more it outgrows what servers take as a header, with fewer signing takes long."""


async def register(
    conn: Connection, caller: Principal, rse_name: str, files: Sequence[FileText], *, dataset: str | None = None,
    known: bool = False,
) -> list[int]:  # fmt: skip
    """Enter files that are on a storage already: DIDs, available replicas and usage; return their ids in order.

    They belong to the caller, who needs `replicas:create`, and go into `dataset`, made if need be. All of them or
    none: raises what `dids.service` does for a name, checksum or dataset that will not do, and `PathUnfit` or
    `PathTaken` for a path, naming the first. With `known`, a file may exist: then it gets one more replica. That raises
    `ReplicaDiffers` when it is another file, and `ReplicaExists` when the replica is there already. The replica of one
    that is still to be put there is copying until `settle_put` says otherwise, and given up after `PUT_TIME`.
    """
    names = [file.did for file in files] if dataset is None else [*(file.did for file in files), dataset]
    rse = await rses.get(conn, rse_name, field="rse")
    require(caller, "replicas:create", on=[*map(thing, names), f"site:{rse.site}"])
    return await _enter(conn, caller, rse, files, dataset=dataset, known=known)


async def expect(conn: Connection, caller: Principal, rse: Rse, files: Sequence[FileText]) -> list[int]:
    """As `register` with `known`, of copying replicas alone, for who has `uploads:create`."""
    require(caller, "uploads:create", on=[*(thing(file.did) for file in files), f"site:{rse.site}"])
    return await _enter(conn, caller, rse, [file._replace(copying=True) for file in files], dataset=None, known=True)


async def _enter(
    conn: Connection, caller: Principal, rse: Rse, files: Sequence[FileText], *, dataset: str | None, known: bool
) -> list[int]:
    vo = caller.vo
    scopes = await dids.scopes_for(conn, caller, [file.did for file in files])
    new = dids.new_files(files, scopes)
    into = None
    if dataset is not None:
        into = await dids.ensure_dataset(conn, caller, dataset)
    there = await _known(conn, vo, files, new) if known else {}
    made = await dids.register_files(
        conn, vo, caller.account_id, [file for file in new if (file.scope_id, file.name) not in there]
    )
    fresh = iter(made)
    ids = [there.get((file.scope_id, file.name)) or next(fresh) for file in new]
    keys = [ReplicaKey(did_id, rse.rse_id) for did_id in ids]
    await _insert(conn, vo, files, keys, fresh=not there)
    await _lie_at(conn, caller, rse, files, keys)
    on_tape = {key: file.on_tape for key, file in zip(keys, files, strict=True) if file.on_tape is not None}
    if on_tape:
        await rows.insert_tape_places(conn, vo, on_tape)
    if into is not None:
        await dids.attach(conn, vo, into.did_id, ids)
    await rows.add_usage(conn, vo, [Usage(rse.rse_id, len(ids), sum(file.size for file in files))])
    return ids


async def _insert(
    conn: Connection, vo: int, files: Sequence[FileText], keys: Sequence[ReplicaKey], *, fresh: bool
) -> None:
    """Make the replicas of files on one RSE, available or copying; `fresh`: none of the files was known."""
    for copying in sorted({file.copying for file in files}):
        here = [(key, file.size) for key, file in zip(keys, files, strict=True) if file.copying is copying]
        some, sizes = [key for key, _ in here], [size for _, size in here]
        if fresh and not copying:
            await rows.insert_on(conn, vo, some[0].rse_id, [key.did_id for key in some], sizes)
        else:
            await insert(conn, vo, some, sizes, ReplicaState.COPYING if copying else ReplicaState.AVAILABLE)
        if copying:
            await rows.set_tombstones(conn, vo, some, PUT_TIME)


async def _lie_at(
    conn: Connection, caller: Principal, rse: Rse, files: Sequence[FileText], keys: Sequence[ReplicaKey]
) -> None:
    """Keep where replicas lie that are said to, unless their ids say the same.

    Raises `PathUnfit`, or `PathTaken` for the first path at which another lies.
    """
    said: dict[ReplicaKey, tuple[int, str]] = {}
    for n, (file, key) in enumerate(zip(files, keys, strict=True)):
        if file.path is None:
            continue
        implied = rses.place(rse, caller.vo_name, *_split(file.did, key.did_id)).path
        if rses.path_below(rse, file.path) != implied:
            said[key] = n, rses.said_path(rse, caller.vo_name, file.path, field=f"files.{n}.path")
    if not said:
        return
    kept = set(await rows.insert_paths(conn, caller.vo, list(said), [path for _, path in said.values()]))
    for key, (n, path) in said.items():
        if key not in kept:
            raise PathTaken(did=files[n].did, path=path, field=f"files.{n}.path")


def _split(did: str, did_id: int) -> tuple[str, int, str]:
    scope, _, name = did.partition(":")
    return scope, did_id, name


async def _known(
    conn: Connection, vo: int, files: Sequence[FileText], new: Sequence[NewFile]
) -> dict[tuple[int, str], int]:
    """Ids of those files that exist, by scope id and name; raises `ReplicaDiffers` for the first that is another."""
    rows = await listing.known_files(conn, vo, [file.scope_id for file in new], [file.name for file in new])
    found = {(row[0], row[1]): row for row in rows}
    for n, (file, one) in enumerate(zip(files, new, strict=True)):
        there = found.get((one.scope_id, one.name))
        if there is None:
            continue
        _, _, _, kind, size, adler32, md5 = there
        if kind != DidKind.FILE:
            raise DidExists(did=file.did, field=f"files.{n}.did")
        other = bool(md5 and file.md5 and md5 != file.md5)
        if other or size != file.size or (adler32 and file.adler32 and adler32 != file.adler32):
            raise ReplicaDiffers(
                did=file.did, size=size or 0, checksum=md5 if other else adler32, field=f"files.{n}.did"
            )  # fmt: skip
    return {pair: row[2] for pair, row in found.items()}


async def list_replicas(conn: Connection, vo: int, did_ids: Sequence[int]) -> list[Replica]:
    """All replicas of these files, in order of file and RSE."""
    return await rows.list_replicas(conn, vo, did_ids)


async def usage(conn: Connection, vo: int) -> list[Usage]:
    """What a VO has on each RSE, in the commit it asks in: exact, and what is still being copied included."""
    return await rows.usage(conn, vo)


async def stream(
    conn: Connection, caller: Principal, found: Sequence[Did | KnownDid], *, archives: bool = False
) -> AsyncIterator[bytes]:
    """Every file that is one of these DIDs or lies below one, once, with its replicas, as lines of JSON.

    Read from a server-side cursor, in constant memory. The URL of a replica is the prefix of its RSE followed by its
    own `path`, or else by the file's. With `archives`, those that a file lies in come in the same way.
    """
    known = {rse.rse_id: rse.name for rse in await rses.rses(conn)}
    leaves = await _leaves(conn, caller.vo, found)
    async for lines in listing.stream_replicas(conn, caller, leaves, known, archives=archives):
        yield lines


async def _leaves(conn: Connection, vo: int, found: Sequence[Did | KnownDid]) -> tuple[list[int], list[int]]:
    """The datasets that are among these DIDs or below one, and the files that are among them."""
    above = [did.did_id for did in found if did.kind is not DidKind.FILE]
    files = [did.did_id for did in found if did.kind is DidKind.FILE]
    return (await dids.datasets(conn, vo, above) if above else []), files


async def copies(
    conn: Connection, vo: int, found: Sequence[Did | KnownDid], wanted: Wanted
) -> AsyncIterator[list[FileCopies]]:
    """Every file that is one of these DIDs or lies below one, once, with the replicas that are wanted: many at a time.

    Read from a server-side cursor, in constant memory.
    """
    datasets, files = await _leaves(conn, vo, found)
    async for some in listing.stream_copies(conn, vo, datasets, files, wanted):
        yield some


async def dataset_copies(
    conn: Connection, vo: int, found: Sequence[Did] | None, rse_ids: Sequence[int]
) -> AsyncIterator[list[DatasetCopy]]:
    """What RSEs have of the datasets among or below these DIDs (None: of all), some datasets at a time.

    Nothing is asked about more than `DATASETS_AT_ONCE` of them, and what is read is not kept.
    """
    if found is not None:
        for some in plan.parts(await dids.datasets(conn, vo, [did.did_id for did in found]), DATASETS_AT_ONCE):
            yield await listing.dataset_copies(conn, vo, some, rse_ids)
        return
    after = 0
    while some := await listing.dataset_ids(conn, vo, after, DATASETS_AT_ONCE):
        yield await listing.dataset_copies(conn, vo, some, rse_ids)
        after = some[-1]


async def located(
    conn: Connection, caller: Principal, urls: Sequence[str], *, rse: str | None = None
) -> dict[str, Located]:
    """The files whose place on an RSE is one of these URLs, by URL, whether or not they lie there now.

    With `rse`, of that one alone: raises `RseNotFound`.
    """
    known = [await rses.get(conn, rse, field="rse")] if rse is not None else await rses.rses(conn)
    return await known_at(conn, caller.vo, caller.vo_name, known, urls)


async def known_at(
    conn: Connection, vo: int, vo_name: str, places: Sequence[Rse], urls: Sequence[str]
) -> dict[str, Located]:
    """As `located`, of a VO, on these RSEs."""
    meant = [(url, one, path) for url in urls for one in places if (path := rses.path_below(one, url)) is not None]
    said = [(one.rse_id, path) for _, one, path in meant]
    implied = [(rse_id, did_id) for rse_id, path in said if (did_id := rses.file_at(path)) is not None]
    here = {one.rse_id: one for one in places}
    there = {
        (rse_id, rses.place(here[rse_id], vo_name, scope, did_id, name, path).path): (did_id, scope, name)
        for did_id, rse_id, path, scope, name in await listing.lying_at(conn, vo, said, implied)
    }
    return {
        url: Located(url, ReplicaKey(there[one.rse_id, path][0], one.rse_id), one.name, *there[one.rse_id, path][1:])
        for url, one, path in meant
        if (one.rse_id, path) in there
    }


async def lying_on(
    conn: Connection, caller: Principal, rse: Rse, names: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    """The paths, as `Place.path`, of those of these files, (scope, name), that have a replica on an RSE."""
    found = await listing.lying_on(conn, caller.vo, rse.rse_id, names)
    return {
        (scope, name): rses.place(rse, caller.vo_name, scope, did_id, name, path).path
        for scope, name, did_id, path in found
    }


async def access(
    conn: Connection, caller: Principal, signer: Signer, did_ids: Sequence[int], *, page: tuple[int, int],
    near: str | None = None,
) -> list[Readable]:  # fmt: skip
    """Where the files among or below these DIDs can be read: nearest to a site first, without one by name of the RSE.

    As many files as `page` says, whose ids are above the one it says. A file that cannot be read now has no sources.
    Raises `SiteNotFound`, blaming `near`.
    """
    after, limit = page
    files = await dids.file_page(conn, caller.vo, did_ids, after=after, limit=limit)
    replicas = await rows.list_replicas(conn, caller.vo, [file.did_id for file in files])
    known = await rses.by_id(conn, sorted({replica.rse_id for replica in replicas}))
    by_name = sorted(known.values(), key=lambda rse: rse.name)
    reached = rses.reached(by_name, Operation.READ)
    if near is not None:
        site = await sites.get_site(conn, near, field="near")
        rank = await rses.nearness(conn, by_name, site.site_id)
        by_name.sort(key=lambda rse: rank[rse.rse_id])
        here = [rse for rse in by_name if rse.site_id == site.site_id]
        reached |= rses.reached(here, Operation.READ, Domain.LAN)
    ordered = [reached[rse.rse_id] for rse in by_name if rse.rse_id in reached]
    sources = _sources(caller, signer, files, replicas, ordered)
    return [
        Readable(file.did_id, file.did, file.size, file.adler32, tuple(sources.get(file.did_id, ()))) for file in files
    ]


async def archives(
    conn: Connection, caller: Principal, signer: Signer, did_ids: Sequence[int], *, near: str | None = None
) -> dict[int, list[Readable]]:
    """The archives that these files lie in, by id of the file, and where those can be read, as `access` says it.

    What lies in an archive is called there by its name. Files in none are missing.
    """
    found = await dids.archives_of(conn, caller.vo, did_ids)
    ids = sorted({archive.did_id for inside in found.values() for archive in inside})
    if not ids:
        return {}
    read = {
        one.did_id: one for one in await access(conn, caller, signer, ids, page=(0, len(ids)), near=near)
    }  # fmt: skip
    return {did_id: [read[archive.did_id] for archive in inside] for did_id, inside in found.items()}


def _sources(
    caller: Principal,
    signer: Signer,
    files: Sequence[NamedFile],
    replicas: Sequence[Replica],
    ordered: Sequence[Rse],
) -> dict[int, list[Source]]:
    by_id = {file.did_id: file for file in files}
    found: dict[int, list[Source]] = {}
    for rse in ordered:
        here = [r for r in replicas if r.rse_id == rse.rse_id and r.state is ReplicaState.AVAILABLE]
        for some in plan.parts(here if rse.readable else [], PATHS_IN_TOKEN):
            at = [(r.did_id, by_id[r.did_id], r.path) for r in some]
            places = [(i, rses.place(rse, caller.vo_name, file.scope, i, file.name, path)) for i, file, path in at]
            token = rses.token(
                signer,
                rse,
                subject=f"{caller.vo_name}:{caller.account}",
                lifetime=READ_TOKEN_LIFETIME,
                read=[place.path for _, place in places],
            )
            for did_id, place in places:
                found.setdefault(did_id, []).append(Source(rse.name, rse.site, place.url, token))
    return found
