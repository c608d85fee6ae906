"""The end of archives, and of what lies in them: nothing is lost that somebody wants."""

from datetime import UTC, datetime, timedelta

import pytest

from sancho.dids import service as dids
from sancho.dids.errors import ErasureBegun
from sancho.dids.model import DidKind, Ended, Member, Packed
from sancho.kit.db import Connection
from sancho.replicas import service as replicas
from sancho.replicas.model import ReplicaKey, ReplicaState
from sancho.rules.service import erasing
from tests.dids.given import given_collection, given_files, person
from tests.served import Served
from tests.world import World

FEW = 2
"""What stands for the files that one transaction takes out of an archive."""


async def packed(conn: Connection, world: World, archive: str, *names: str, account: str = "alice") -> None:
    members = [Member(f"mc:{name}", 5) for name in names]
    await dids.pack(conn, person(world, account, "*"), [Packed(f"mc:{archive}", members)])


async def erased(conn: Connection, world: World, *names: str) -> int:
    """Let DIDs end now; how many have."""
    who = person(world, "root", "*")
    found = await dids.erase(conn, who, [f"mc:{name}" for name in names], after=timedelta(0))
    return await ended(conn, world, *[did.did_id for did in found])


async def ended(conn: Connection, world: World, *did_ids: int) -> int:
    return await erasing.end(conn, world.belle, list(did_ids), datetime.now(UTC))


async def there(conn: Connection, world: World, *names: str) -> list[str]:
    return sorted(did.name for did in await dids.find_all(conn, world.belle, [f"mc:{name}" for name in names]))


async def held(conn: Connection, world: World, name: str) -> str | None:
    return (await dids.get(conn, world.belle, f"mc:{name}")).held


async def test_an_archive_takes_along_what_lies_nowhere_else(conn: Connection, world: World) -> None:
    _, _, kept = await given_files(conn, world, "a.zip", "b.zip", "kept")
    await replicas.add(conn, world.belle, [ReplicaKey(kept, world.resource["A-DISK"])], [30], ReplicaState.AVAILABLE)
    await packed(conn, world, "a.zip", "both", "only")
    await dids.pack(conn, person(world, "alice"), [Packed("mc:a.zip", [Member("mc:kept")])])
    await packed(conn, world, "b.zip", "both")

    assert await erased(conn, world, "a.zip") == 1
    next_ = {did.name: did for did in await dids.find_all(conn, world.belle, ["mc:only", "mc:both", "mc:kept"])}
    assert {name: did.ends_at is not None for name, did in next_.items()} == {
        "only": True,
        "both": False,
        "kept": False,
    }
    assert await ended(conn, world, next_["only"].did_id) == 1
    assert await there(conn, world, "a.zip", "only", "both", "kept") == ["both", "kept"]
    assert set(await dids.archives_of(conn, world.belle, [did.did_id for did in next_.values()])) == {
        next_["both"].did_id
    }


async def test_an_archive_is_held_by_what_somebody_wants_of_it(conn: Connection, world: World) -> None:
    await given_files(conn, world, "a.zip", "b.zip")
    await packed(conn, world, "a.zip", "wanted", "rest")
    ds = await given_collection(conn, world, "ds")
    [wanted] = await dids.find_all(conn, world.belle, ["mc:wanted"])
    await dids.attach(conn, world.belle, ds, [wanted.did_id])
    await packed(conn, world, "b.zip", "of-root", account="root")

    assert await erased(conn, world, "a.zip", "b.zip") == 0
    assert await held(conn, world, "a.zip") == "mc:wanted lies in it, and nowhere else"
    assert await held(conn, world, "b.zip") == "mc:of-root lies in it, and nowhere else"

    await dids.detach(conn, world.belle, ds, [wanted.did_id])
    assert await erased(conn, world, "a.zip") == 1
    assert await erased(conn, world, "b.zip", "of-root") == 2  # both at once
    assert await there(conn, world, "a.zip", "b.zip", "of-root") == []


async def test_what_was_to_follow_its_archive_and_lies_in_another_lives_on(conn: Connection, world: World) -> None:
    await given_files(conn, world, "a.zip", "b.zip")
    await packed(conn, world, "a.zip", "f")
    assert await erased(conn, world, "a.zip") == 1
    await packed(conn, world, "b.zip", "f")
    [f] = await dids.find_all(conn, world.belle, ["mc:f"])
    assert f.ends_at is not None
    assert await ended(conn, world, f.did_id) == 0
    assert (await dids.get(conn, world.belle, "mc:f")).ends_at is None


async def test_a_dataset_does_not_take_along_what_lies_in_an_archive(conn: Connection, world: World) -> None:
    archive, loose = await given_files(conn, world, "a.zip", "loose")
    await packed(conn, world, "a.zip", "f")
    f = await dids.get(conn, world.belle, "mc:f")
    ds = await given_collection(conn, world, "ds")
    await dids.attach(conn, world.belle, ds, [archive, loose, f.did_id])
    assert await erased(conn, world, "ds") == 1
    assert await ended(conn, world, archive, loose, f.did_id) == 2
    assert await there(conn, world, "a.zip", "loose", "f") == ["f"]  # it ends with its archive, a step later
    assert await ended(conn, world, f.did_id) == 1


async def test_a_file_that_ends_leaves_its_archive_as_it_is(conn: Connection, world: World) -> None:
    archive, *_ = await given_files(conn, world, "a.zip")
    await packed(conn, world, "a.zip", "f", "g")
    assert await erased(conn, world, "f") == 1
    found = await dids.get(conn, world.belle, "mc:a.zip")
    assert [one.name async for part in dids.stream_members(conn, found) for one in part] == ["g"]
    await dids.end(conn, world.belle, [Ended(archive, DidKind.FILE, found.account_id, follows=False)])
    assert await there(conn, world, "a.zip") == []


async def test_a_large_archive_is_emptied_batch_by_batch(
    conn: Connection, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing, "UNPACKED_AT_ONCE", FEW)
    [archive] = await given_files(conn, world, "a.zip")
    await packed(conn, world, "a.zip", *"fghij")
    await dids.erase(conn, person(world, "alice"), ["mc:a.zip"], after=timedelta(0))
    now = datetime.now(UTC)
    [last] = await dids.find_all(conn, world.belle, ["mc:j"])
    ds = await given_collection(conn, world, "ds")
    await dids.attach(conn, world.belle, ds, [last.did_id])

    assert await erasing.unpack_some(conn, world.belle, archive, now) is True
    assert await dids.count_inside(conn, world.belle, [archive], most=9) == {archive: 5 - FEW}
    with pytest.raises(ErasureBegun):
        await dids.restore(conn, person(world, "alice"), ["mc:a.zip"])
    assert await erasing.unpack_some(conn, world.belle, archive, now) is True
    assert await erasing.unpack_some(conn, world.belle, archive, now) is None  # somebody has come to want it
    assert await held(conn, world, "a.zip") == "mc:j lies in it, and nowhere else"
    await dids.detach(conn, world.belle, ds, [last.did_id])
    assert await erasing.unpack_some(conn, world.belle, archive, now) is False
    assert await ended(conn, world, archive) == 1
    found = await dids.find_all(conn, world.belle, [f"mc:{name}" for name in "fghij"])
    assert {did.ends_at is not None for did in found} == {True}
    assert await ended(conn, world, *(did.did_id for did in found)) == 5


async def test_large_archives_end_whole_or_not_at_all(
    served: Served, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing, "UNPACKED_AT_ONCE", FEW)
    database = served.deployment.database
    async with database.transaction([0, 1, 2]) as conn:
        await given_files(conn, world, "a.zip", "b.zip", "c.zip", "loose")
        await packed(conn, world, "a.zip", *"fghij")
        await packed(conn, world, "b.zip", *"klmno")
        await packed(conn, world, "c.zip", *"pq")
        ds = await given_collection(conn, world, "ds")
        [wanted] = await dids.find_all(conn, world.belle, ["mc:o"])
        await dids.attach(conn, world.belle, ds, [wanted.did_id])
        names = [f"mc:{name}" for name in ("a.zip", "b.zip", "c.zip", "loose")]
        await dids.erase(conn, person(world, "alice"), names, after=timedelta(0))
    gone = 0
    while more := await erasing.erase(served.deployment):
        gone += more
    async with database.transaction([1]) as conn:
        assert gone == 3 + len("fghij") + len("pq")
        assert await held(conn, world, "b.zip") == "mc:o lies in it, and nowhere else"
        assert await there(conn, world, *"fghijklmnopq") == [*"klmno"]
        inside = dids.stream_members(conn, await dids.get(conn, world.belle, "mc:b.zip"))
        assert [one.name async for part in inside for one in part] == [*"klmno"]  # nothing was taken out of it
