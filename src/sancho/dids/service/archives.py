"""Files that lie inside archives: packed as they are registered, or later; found from either side.

A file needs no replica of its own when it lies in an archive that has one. Archives hold files one level deep.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from sancho.dids.errors import ArchiveNested, DidExists, DidNotFound, FileDiffers, NotAnArchive, SizeMissing
from sancho.dids.model import Did, DidKind, FileText, Listed, Member, Packed, is_archive
from sancho.dids.service.catalogue import find_all, get, new_files, register_files, require_changes, resolve
from sancho.dids.service.scopes import scopes_for
from sancho.dids.store import archives
from sancho.kit.access import Principal, require
from sancho.kit.db import Connection
from sancho.kit.policy import did as thing

Field = Callable[[int, int], str]
"""The field that an error about a file blames, by the numbers of the archive and of the file in it."""


async def pack(
    conn: Connection, caller: Principal, wanted: Sequence[Packed], *, field: Field = lambda _, __: "files"
) -> int:
    """Note that files lie in archives, all or none; say of how many this was not known. For the archives' owners.

    Files that are not known yet are registered, without replicas: they belong to the caller, who needs `dids:create`
    and a scope that it may use. Raises `NotAnArchive`, `ArchiveNested`, `SizeMissing`, `FileDiffers` for a file that
    is not what is said of it, and what `register_files` and `scopes_for` do.
    """
    roots = await resolve(conn, caller.vo, [one.archive for one in wanted], field="archive")
    require_changes(caller, list({root.did_id: root for root in roots}.values()))
    for root in roots:
        _require_archive(root)
    places = [(n, m) for n, one in enumerate(wanted) for m in range(len(one.members))]
    members = [wanted[n].members[m] for n, m in places]
    named = [field(n, m) for n, m in places]
    known = {did.did: did for did in await find_all(conn, caller.vo, [one.did for one in members], field="files")}
    await _lock(conn, caller.vo, [*roots, *known.values()])
    ids = await _members(conn, caller, members, named, known)
    pairs: dict[tuple[int, int], tuple[Did, str, str]] = {}
    for (n, _), did_id, member, where in zip(places, ids, members, named, strict=True):
        pairs[roots[n].did_id, did_id] = (roots[n], member.did, where)
    await _refuse_nested(conn, caller.vo, pairs)
    return len(await archives.insert(conn, caller.vo, sorted(pairs)))


async def _lock(conn: Connection, vo: int, dids: Sequence[Did]) -> None:
    there = await archives.lock(conn, vo, [did.did_id for did in dids])
    for did in dids:
        if did.did_id not in there:
            raise DidNotFound(did=did.did, field="files")


async def _members(
    conn: Connection, caller: Principal, members: Sequence[Member], named: Sequence[str], known: Mapping[str, Did]
) -> list[int]:
    """Ids of files that are to lie in archives, in the order given; those that are not known are made."""
    new: dict[str, tuple[FileText, str]] = {}
    for one, where in zip(members, named, strict=True):
        if one.did in known:
            _check(known[one.did], one, where)
        elif one.did not in new:
            if one.size is None:
                raise SizeMissing(did=one.did, field=where)
            new[one.did] = (FileText(one.did, one.size, one.adler32, guid=one.guid, md5=one.md5), where)
        else:
            _check_same(new[one.did][0], one, where)
    made = dict(zip(new, await _register(conn, caller, list(new.values())), strict=True))
    return [made[one.did] if one.did in made else known[one.did].did_id for one in members]


async def _register(conn: Connection, caller: Principal, new: Sequence[tuple[FileText, str]]) -> list[int]:
    if not new:
        return []
    files, named = [file for file, _ in new], [where for _, where in new]
    require(caller, "dids:create", on=[thing(file.did) for file in files])
    scopes = await scopes_for(conn, caller, [file.did for file in files], field=lambda n: f"{named[n]}.did")
    ready = new_files(files, scopes, field=lambda n: named[n])
    return await register_files(conn, caller.vo, caller.account_id, ready, field=lambda n: named[n])


def _check(known: Did, said: Member, field: str) -> None:
    if known.kind is not DidKind.FILE:
        raise DidExists(did=known.did, field=field)
    told = (known.size, said.size), (known.adler32, said.adler32), (known.md5, said.md5)
    for what, (is_, was) in zip(("size", "adler32", "md5"), told, strict=True):
        if was is not None and is_ is not None and is_ != was:
            raise FileDiffers(did=known.did, what=what, known=str(is_), said=str(was), field=field)


def _check_same(first: FileText, again: Member, field: str) -> None:
    if again.size is not None and again.size != first.size:
        raise FileDiffers(did=again.did, what="size", known=str(first.size), said=str(again.size), field=field)


def _require_archive(root: Did) -> None:
    if root.kind is not DidKind.FILE:
        raise NotAnArchive(did=root.did, reason=f"it is a {root.kind.word}")
    if not is_archive(root.name):
        raise NotAnArchive(did=root.did, reason="its name does not end like that of one, such as .zip, .tar or .tar.gz")


async def _refuse_nested(conn: Connection, vo: int, pairs: dict[tuple[int, int], tuple[Did, str, str]]) -> None:
    """See that nothing is both an archive and in one; what was known is locked."""
    archive_ids, file_ids = {pair[0] for pair in pairs}, {pair[1] for pair in pairs}
    packed = {*await archives.packed(conn, vo, list(archive_ids)), *file_ids}
    holding = {*await archives.holding(conn, vo, list(file_ids)), *archive_ids}
    for (archive_id, did_id), (root, did, where) in pairs.items():
        if archive_id == did_id:
            raise ArchiveNested(did=did, archive=root.did, reason="nothing lies in itself", field=where)
        if archive_id in packed:
            raise ArchiveNested(did=did, archive=root.did, reason=f"{root.did} lies in an archive itself", field=where)
        if did_id in holding:
            raise ArchiveNested(did=did, archive=root.did, reason="files lie in it", field=where)


async def unpack(conn: Connection, caller: Principal, archive: str, dids: Sequence[str]) -> int:
    """Note that files do not lie in an archive; say of how many it was believed. For the archive's owner."""
    root = await get(conn, caller.vo, archive, field="archive")
    require_changes(caller, [root])
    _require_archive(root)
    found = await resolve(conn, caller.vo, dids, field="files")
    return await archives.delete(conn, caller.vo, root.did_id, [did.did_id for did in found])


def stream_members(conn: Connection, archive: Did) -> AsyncIterator[list[Listed]]:
    """The files that lie in an archive, by id; read it to its end, in a snapshot."""
    return archives.members(conn, archive.vo, archive.did_id)


async def count_inside(conn: Connection, vo: int, did_ids: Sequence[int], *, most: int) -> dict[int, int]:
    """How many files lie in each of these DIDs in which any do; `most` stands for so many or more."""
    return await archives.count_inside(conn, vo, did_ids, most)


async def inside(conn: Connection, vo: int, archive_id: int, *, after: int = 0, limit: int) -> list[int]:
    """Ids of the first files in an archive that are above `after`."""
    return await archives.inside(conn, vo, archive_id, after, limit)


async def archives_of(conn: Connection, vo: int, did_ids: Sequence[int]) -> dict[int, list[Listed]]:
    """The archives that these files lie in, by id of the file; those that lie in none are missing."""
    found: dict[int, list[Listed]] = {}
    for did_id, archive in await archives.archives(conn, vo, did_ids):
        found.setdefault(did_id, []).append(archive)
    return found
