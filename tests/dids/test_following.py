"""Who follows DIDs, and what has become of those."""

from datetime import UTC, datetime, timedelta

import pytest

from sancho.dids import service
from sancho.dids.errors import DidMalformed, DidNotFound
from sancho.dids.model import Attachment, Child, DidKind, FollowedDid
from sancho.dids.store import personal
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.kit.personal import Person
from tests.dids.given import given_collection, given_files, person
from tests.world import World

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


async def followed(conn: Connection, who: Principal, since: datetime | None = None) -> list[FollowedDid]:
    return await service.list_followed(conn, who, since=since, page=(0, 10))


async def age(conn: Connection) -> None:
    """Let everything have happened long ago."""
    for statement in ("UPDATE did SET created_at = %s", "UPDATE collection_tally SET changed_at = %s"):
        await conn.execute(statement.encode(), [LONG_AGO])


async def test_what_is_filled_emptied_or_closed_has_changed(conn: Connection, world: World) -> None:
    alice, yesterday = person(world, "alice"), datetime.now(UTC) - timedelta(days=1)
    filled, emptied = await given_collection(conn, world, "filled"), await given_collection(conn, world, "emptied")
    for name, kind in (("closed", DidKind.DATASET), ("idle", DidKind.DATASET), ("box", DidKind.CONTAINER)):
        await given_collection(conn, world, name, kind)
    files = await given_files(conn, world, "a", "b")
    for did_id in (filled, emptied):
        await service.attach(conn, world.belle, did_id, files[:1])
    await service.start_following(conn, alice, [f"mc:{n}" for n in ("filled", "emptied", "closed", "idle", "box", "a")])
    await age(conn)
    assert await followed(conn, alice, since=yesterday) == []

    await service.attach(conn, world.belle, filled, files)
    await service.detach(conn, world.belle, emptied, files[:1])
    await service.set_open(conn, alice, "mc:closed", is_open=False)
    await service.attach_all(conn, alice, [Attachment("mc:box", [Child("mc:idle")])])

    changed = {one.did: one.open for one in await followed(conn, alice, since=yesterday)}
    assert changed == {"mc:filled": True, "mc:emptied": True, "mc:closed": False, "mc:box": True}
    assert {one.did for one in await followed(conn, alice)} == {*changed, "mc:idle", "mc:a"}
    below = await service.tallies(conn, world.belle, [filled])
    assert (below[filled].files, below[filled].size) == (2, 30)


async def test_each_account_follows_for_itself_until_it_does_no_more(conn: Connection, world: World) -> None:
    alice, bob = person(world, "alice"), person(world, "bob")
    did_id = await given_collection(conn, world, "ds")
    for who in (alice, bob, alice):
        await service.start_following(conn, who, ["mc:ds"])
    assert await service.followers(conn, world.belle, "mc:ds") == ["alice", "bob"]
    with pytest.raises(DidNotFound):
        await service.start_following(conn, person(world, "alice", vo=world.gridpp), ["mc:ds"])
    for wrong in (["mc:ds", "mc:no"], ["mc:ds", "nonsense"]):
        with pytest.raises((DidNotFound, DidMalformed)):
            await service.start_following(conn, alice, wrong)

    await conn.execute("UPDATE did SET erased = true WHERE did_id = %s", [did_id])
    assert [one.erased for one in await followed(conn, alice, since=datetime.now(UTC) + timedelta(days=1))] == [True]
    await service.stop_following(conn, alice, ["mc:ds", "mc:no"])
    assert (await followed(conn, alice), len(await followed(conn, bob))) == ([], 1)
    with pytest.raises(DidMalformed):
        await service.stop_following(conn, alice, ["nonsense"])
    leaver = Person(vo=world.belle, vo_name="belle", account_id=bob.account_id, name="bob")
    assert await personal.stop_following(conn, leaver) == 1
