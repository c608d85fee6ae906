"""What collections held at a time, and what only grows."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from sancho.dids import service
from sancho.dids.errors import CollectionMonotonic
from sancho.dids.model import Attachment, Child, DidKind, NewCollection
from sancho.kit.db import Connection
from tests.dids.given import given_collection, given_files, person
from tests.world import World


async def moment(conn: Connection) -> datetime:
    """A time between what was done and what will be."""
    row = await (await conn.execute("SELECT clock_timestamp()")).fetchone()
    assert row is not None
    return row[0]


async def files_at(conn: Connection, did: str, at: datetime | None) -> list[str]:
    found = await service.get(conn, 1, did)
    return [json.loads(line)["did"] async for part in service.stream_file_lines(conn, found, at=at) for line in part]


async def inside_at(conn: Connection, did: str, at: datetime | None, **page: int) -> list[str]:
    found = await service.get_collection(conn, 1, did)
    parts = [part async for part in service.stream_contents(conn, found, at=at, **page)]
    return [item["did"] for item in json.loads(b"".join(parts))["items"]]


async def test_contents_are_listed_as_they_were_at_a_time(conn: Connection, world: World) -> None:
    a, b, c = await given_files(conn, world, "a", "b", "c")
    ds = await given_collection(conn, world, "ds")
    box = await given_collection(conn, world, "box", DidKind.CONTAINER)
    before = await moment(conn)
    await service.attach(conn, 1, ds, [a, b])
    await service.attach(conn, 1, box, [ds])
    full = await moment(conn)
    await service.detach(conn, 1, ds, [a])
    await service.attach(conn, 1, ds, [c])
    changed = await moment(conn)
    await service.detach(conn, 1, box, [ds])
    await service.attach(conn, 1, ds, [a])
    await service.detach(conn, 1, ds, [a, c])

    for did, list_ in (("mc:ds", inside_at), ("mc:ds", files_at), ("mc:box", files_at)):
        assert await list_(conn, did, before) == []
        assert await list_(conn, did, full) == ["mc:a", "mc:b"]
        assert await list_(conn, did, changed) == ["mc:b", "mc:c"]
    assert await inside_at(conn, "mc:box", full) == ["mc:ds"]
    assert await files_at(conn, "mc:ds", None) == await inside_at(conn, "mc:ds", None) == ["mc:b"]
    assert await files_at(conn, "mc:box", None) == []
    assert await files_at(conn, "mc:a", None) == await files_at(conn, "mc:a", before) == ["mc:a"]
    assert await inside_at(conn, "mc:ds", full, limit=1) == ["mc:a"]
    assert await inside_at(conn, "mc:ds", full, after=a, limit=5) == ["mc:b"]
    gone = [one async for part in service.stream_detached(conn, await service.get(conn, 1, "mc:ds")) for one in part]
    assert [(one.did, one.size) for one in gone] == [("mc:a", 10), ("mc:a", 10), ("mc:c", 30)]
    assert all(one.attached_at and one.attached_at < one.detached_at for one in gone)


async def test_files_of_several_datasets_are_told_once_as_of_a_time(
    conn: Connection, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sancho.dids.service.history.PART", 2)
    ids = await given_files(conn, world, *"abcdef")
    one, two = [await given_collection(conn, world, name) for name in ("one", "two")]
    box = await given_collection(conn, world, "box", DidKind.CONTAINER)
    await service.attach(conn, 1, one, ids[:4])
    await service.attach(conn, 1, two, ids[2:])
    await service.attach(conn, 1, box, [one, two])
    full = await moment(conn)
    await service.detach(conn, 1, one, ids[:4])
    await service.detach(conn, 1, two, ids[2:3])

    assert await files_at(conn, "mc:box", full) == [f"mc:{name}" for name in "abcdef"]
    assert await files_at(conn, "mc:box", None) == ["mc:d", "mc:e", "mc:f"]


async def test_files_of_many_datasets_that_were_filled_in_turn_are_told_once_and_many_at_a_time(
    conn: Connection, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sancho.dids.store.walking.NEAR", 2)
    names = [f"f{n:02}" for n in range(60)]
    ids = await given_files(conn, world, *names)
    box = await given_collection(conn, world, "box", DidKind.CONTAINER)
    for n in range(3):
        ds = await given_collection(conn, world, f"ds{n}")
        await service.attach(conn, 1, ds, sorted({*ids[n::3], *ids[:20]}))
        await service.attach(conn, 1, box, [ds])
    stream = service.stream_file_lines(conn, await service.get(conn, 1, "mc:box"))
    (part,) = [part async for part in stream]
    assert sorted(json.loads(line)["did"] for line in part) == [f"mc:{name}" for name in names]
    (files,) = [part async for part in service.stream_files(conn, 1, [await service.get(conn, 1, "mc:box")])]
    assert sorted(file.name for _, file in files) == names


async def test_a_time_from_before_times_were_noted_counts_for_ever(conn: Connection, world: World) -> None:
    (a,) = await given_files(conn, world, "a")
    ds = await given_collection(conn, world, "ds")
    await service.attach(conn, 1, ds, [a])
    await conn.execute("UPDATE attachment SET attached_at = '-infinity'")

    assert await inside_at(conn, "mc:ds", datetime(1990, 1, 1, tzinfo=UTC)) == ["mc:a"]
    await service.detach(conn, 1, ds, [a])
    assert await files_at(conn, "mc:ds", datetime(1990, 1, 1, tzinfo=UTC)) == ["mc:a"]
    [[one]] = [part async for part in service.stream_detached(conn, await service.get(conn, 1, "mc:ds"))]
    assert one.attached_at is None


async def test_what_only_grows_takes_in_and_gives_nothing_back(conn: Connection, world: World) -> None:
    alice = person(world, "alice")
    a, b = await given_files(conn, world, "a", "b")
    new = [NewCollection("mc:grows", DidKind.DATASET, monotonic=True, lifetime=timedelta(days=1))]
    await service.create_all(conn, alice, new)
    grows = await service.get(conn, 1, "mc:grows")
    assert (grows.monotonic, grows.ends_at is not None) == (True, True)
    await service.attach_all(conn, alice, [Attachment("mc:grows", [Child("mc:a"), Child("mc:b")])])

    with pytest.raises(CollectionMonotonic, match="mc:grows only grows"):
        await service.detach(conn, 1, grows.did_id, [a])
    with pytest.raises(CollectionMonotonic):
        await service.detach_all(conn, alice, "mc:grows", ["mc:b"])
    await service.close(conn, 1, grows.did_id)
    assert await files_at(conn, "mc:grows", None) == ["mc:a", "mc:b"]
    other = await given_collection(conn, world, "other")
    await service.attach(conn, 1, other, [b])
    assert not (await service.get(conn, 1, "mc:other")).monotonic
    assert (await service.set_monotonic(conn, alice, "mc:other")).monotonic
    with pytest.raises(CollectionMonotonic):
        await service.detach(conn, 1, other, [b])
