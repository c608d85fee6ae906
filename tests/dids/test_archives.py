"""Files that lie inside archives, and GUIDs: what is noted, what is refused, and what is found."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from sancho.dids import service
from sancho.dids.errors import (
    ArchiveNested,
    DidExists,
    DidMalformed,
    DidNotFound,
    FileDiffers,
    GuidMalformed,
    GuidTaken,
    GuidUnknown,
    NotAnArchive,
    ScopeNotFound,
    SizeMissing,
)
from sancho.dids.model import DidKind, Member, NewFile, Packed, Search, is_archive, read_guid
from sancho.kit.access import NotYours
from sancho.kit.db import Connection, Database
from sancho.kit.errors import PermissionMissing, SanchoError
from sancho.kit.query import parse
from tests.dids.given import given_collection, given_files, person
from tests.world import World

HEX = "2e2232aafac8324db452070304f8d745"
GUID = UUID(HEX)


async def pack(conn: Connection, world: World, archive: str, *members: Member, account: str = "alice") -> int:
    return await service.pack(conn, person(world, account), [Packed(archive, members)])


async def inside(conn: Connection, world: World, archive: str) -> list[tuple[str, int | None, str | None]]:
    found = await service.get(conn, world.belle, archive)
    parts = service.stream_members(conn, found)
    return [(one.name, one.size, one.adler32) async for part in parts for one in part]


def test_an_archive_is_known_by_how_its_name_ends() -> None:
    for name in ("a.zip", "x/a.tar", "a.tar.gz", "A.TGZ", "a.zip.1", "a.tar.bz2", "a.tar.xz"):
        assert is_archive(name), name
    for name in ("a.root", "zip", ".zip", "a.zip.root", "a.gz", "a.tar.1.root"):
        assert not is_archive(name), name


async def test_what_lies_in_an_archive_is_registered_and_found_from_both_sides(conn: Connection, world: World) -> None:
    zip_id, tar_id, known = await given_files(conn, world, "a.zip", "b.tar", "known")

    wanted = (Member("mc:new", 500, "0000000b"), Member("mc:known"))
    assert await pack(conn, world, "mc:a.zip", *wanted) == 2
    assert await pack(conn, world, "mc:a.zip", *wanted) == 0  # again
    assert await pack(conn, world, "mc:b.tar", Member("mc:known", 30)) == 1

    assert await inside(conn, world, "mc:a.zip") == [("known", 30, "89abcdef"), ("new", 500, "0000000b")]
    new = await service.get(conn, world.belle, "mc:new")
    assert (new.kind, new.size, new.account) == (DidKind.FILE, 500, "alice")
    found = await service.archives_of(conn, world.belle, [known, new.did_id, zip_id])
    assert {did_id: [one.did_id for one in archives] for did_id, archives in found.items()} == {
        known: [zip_id, tar_id], new.did_id: [zip_id],
    }  # fmt: skip
    assert await service.unpack(conn, person(world, "alice"), "mc:a.zip", ["mc:known"]) == 1
    assert await inside(conn, world, "mc:a.zip") == [("new", 500, "0000000b")]
    assert await inside(conn, world, "mc:b.tar") == [("known", 30, "89abcdef")]


async def test_each_file_that_cannot_lie_in_an_archive_is_named_and_nothing_is_noted(
    conn: Connection, world: World
) -> None:
    await given_files(conn, world, "a.zip", "b.zip", "plain", "in.zip")
    await given_files(conn, world, "theirs.zip", "theirs", vo=world.gridpp)
    await given_collection(conn, world, "ds.zip")
    await pack(conn, world, "mc:b.zip", Member("mc:in.zip"))
    good = Member("mc:good", 1)
    wanted: Sequence[tuple[str, Member, type[SanchoError], str]] = (
        ("mc:plain", good, NotAnArchive, "mc:plain"),
        ("mc:ds.zip", good, NotAnArchive, "it is a dataset"),
        ("mc:no.zip", good, DidNotFound, "mc:no.zip"),
        ("mc:theirs.zip", good, DidNotFound, "mc:theirs.zip"),
        ("mc:a.zip", Member("mc:ds.zip"), DidExists, "mc:ds.zip"),
        ("mc:a.zip", Member("mc:theirs"), SizeMissing, "mc:theirs"),
        ("mc:a.zip", Member("mc:plain", 31), FileDiffers, "mc:plain is 30, not 31"),
        ("mc:a.zip", Member("mc:plain", 30, "00000001"), FileDiffers, "89abcdef"),
        ("mc:a.zip", Member("mc:good", 2), FileDiffers, "mc:good is 1, not 2"),
        ("mc:a.zip", Member("nonsense", 1), DidMalformed, "nonsense"),
        ("mc:a.zip", Member("nowhere:a", 1), ScopeNotFound, "nowhere"),
        ("mc:a.zip", Member("mc:g", 1, guid="12"), GuidMalformed, "12"),
        ("mc:a.zip", Member("mc:a.zip"), ArchiveNested, "itself"),
        ("mc:a.zip", Member("mc:b.zip"), ArchiveNested, "files lie in it"),
        ("mc:in.zip", good, ArchiveNested, "mc:in.zip lies in an archive"),
    )
    for archive, bad, error, said in wanted:
        with pytest.raises(error) as e:
            async with conn.transaction():
                await pack(conn, world, archive, good, bad)
        assert said in str(e.value), e.value
    assert not await service.find_all(conn, world.belle, ["mc:good", "mc:g"])
    with pytest.raises(NotYours):
        await pack(conn, world, "mc:a.zip", good, account="bob")
    with pytest.raises(PermissionMissing):
        await service.pack(conn, person(world, "alice", "jobs:create"), [Packed("mc:a.zip", [good])])
    with pytest.raises(NotYours):
        await service.unpack(conn, person(world, "bob"), "mc:b.zip", ["mc:in.zip"])
    assert await inside(conn, world, "mc:a.zip") == []


async def test_an_error_blames_the_file_in_its_archive(conn: Connection, world: World) -> None:
    await given_files(conn, world, "a.zip", "b.zip")
    wanted = [Packed("mc:a.zip", [Member("mc:x", 1)]), Packed("mc:b.zip", [Member("mc:x", 1), Member("mc:y", 1, "no")])]
    with pytest.raises(SanchoError) as e:
        await service.pack(conn, person(world, "alice"), wanted, field="archives.{}.files.{}".format)
    assert e.value.field == "archives.1.files.1.adler32"


# ---- GUIDs


async def registered(conn: Connection, world: World, name: str, guid: UUID | None, **more: Any) -> int:
    vo = more.get("vo", world.belle)
    files = [NewFile(None, world.scope[vo, "mc"], name, 1, None, guid)]
    return (await service.register_files(conn, vo, world.account[vo, "alice"], files))[0]


def test_a_guid_is_read_with_hyphens_or_without() -> None:
    assert read_guid(HEX) == read_guid(str(GUID).upper()) == GUID
    for text in ("", HEX[:-1], f"{HEX}0", f"{{{GUID}}}", f"urn:uuid:{GUID}", str(GUID).replace("-", "", 1), "g" * 32):
        assert read_guid(text) is None, text


async def test_a_file_is_found_by_its_guid_within_its_vo_alone(conn: Connection, world: World) -> None:
    with pytest.raises(GuidUnknown):
        await service.of_guid(conn, world.belle, HEX)
    await registered(conn, world, "theirs", GUID, vo=world.gridpp)
    for text in (HEX, "nonsense"):
        with pytest.raises(GuidUnknown):
            await service.of_guid(conn, world.belle, text)
    await registered(conn, world, "a", GUID)
    await registered(conn, world, "b", None)
    assert (await service.of_guid(conn, world.belle, str(GUID))).did == "mc:a"
    assert (await service.get(conn, world.belle, "mc:a")).guid == GUID

    for query, names in (
        (f"guid = {HEX}", ["a"]),
        (f"guid in ({GUID})", ["a"]),
        ("~(guid exists) & kind = file", ["b"]),
    ):
        found = (await service.search_page(conn, world.belle, Search(wanted=parse(query)), limit=9)).dids
        assert [did.name for did in found] == names, query


async def test_a_guid_is_given_once(conn: Connection, world: World) -> None:
    await registered(conn, world, "a", GUID)
    with pytest.raises(GuidTaken) as e:
        async with conn.transaction():
            await registered(conn, world, "b", GUID)
    assert ("mc:b" in str(e.value), str(GUID) in str(e.value), e.value.field) == (True, True, "files.0.guid")
    with pytest.raises(DidExists):
        await registered(conn, world, "a", UUID(int=7))


# ---- what is new


async def test_the_newest_come_first_of_a_vo_alone(conn: Connection, world: World) -> None:
    await given_files(conn, world, "a", "b")
    await given_collection(conn, world, "ds")
    await given_files(conn, world, "theirs", vo=world.gridpp)

    async def newest(*kinds: DidKind, limit: int = 9) -> list[str]:
        return [did.name for did in await service.newest(conn, world.belle, kinds or list(DidKind), limit=limit)]

    assert set(await newest()) == {"ds", "b", "a"}
    assert await newest(DidKind.FILE) == ["b", "a"]
    assert await newest(DidKind.FILE, limit=1) == ["b"]
    assert await newest(DidKind.DATASET) == ["ds"]
    assert await newest(DidKind.CONTAINER) == []


async def test_the_newest_come_first_whatever_connections_made_them(servers: list[Database], world: World) -> None:
    made: list[str] = []
    for server in servers * 3:
        made.append(f"ds{len(made)}")
        async with server.transaction([1]) as conn:
            await given_collection(conn, world, made[-1])
    async with servers[0].transaction([1]) as conn:
        listed = await service.newest(conn, 1, [DidKind.DATASET], limit=5)
    assert [did.name for did in listed] == made[:-6:-1]
