"""Lifetime exceptions: asked for, decided once, and kept against the worker that ends DIDs."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from sancho.dids import service
from sancho.dids.errors import (
    DidNotFound,
    ErasureBegun,
    LifetimeExceptionDecided,
    LifetimeExceptionNotFound,
    UntilPast,
)
from sancho.dids.model import LifetimeException, LifetimeExceptionState
from sancho.kit.access import Principal
from sancho.kit.db import Connection, Database
from sancho.kit.errors import PermissionMissing
from tests.dids.given import given_collection, person
from tests.dids.waiting import until_one_waits
from tests.world import World

DAY = timedelta(days=1)
NOW = datetime.now(UTC)
UNTIL = NOW + 90 * DAY


async def given_endings(conn: Connection, world: World, *names: str, after: timedelta = DAY) -> list[int]:
    """Datasets of alice that are to be erased; returns their ids."""
    made = [await given_collection(conn, world, name) for name in names]
    await service.erase(conn, person(world, "alice"), [f"mc:{name}" for name in names], after=after)
    return made


async def ask(conn: Connection, caller: Principal, *dids: str, until: datetime = UNTIL) -> LifetimeException:
    return await service.ask_exception(conn, caller, dids, until=until, reason="for the thesis", now=NOW)


async def approve(conn: Connection, caller: Principal, one: LifetimeException) -> LifetimeException:
    return await service.approve_exception(conn, caller, one.exception_id, answer="granted", now=NOW)


async def ends(conn: Connection, world: World, *names: str) -> list[datetime | None]:
    return [did.ends_at for did in await service.resolve(conn, world.belle, [f"mc:{name}" for name in names])]


async def begin(conn: Connection, world: World, did_id: int) -> None:
    """The worker has taken a DID apart in part."""
    await service.put_off(conn, world.belle, {did_id: None}, until=NOW, begun=True)


async def test_approval_moves_the_end_of_what_would_end_earlier_and_nothing_else(
    conn: Connection, world: World
) -> None:
    bob, root = person(world, "bob"), person(world, "root", "dids:manage")
    await given_endings(conn, world, "soon")
    await given_endings(conn, world, "late", after=365 * DAY)
    await given_collection(conn, world, "forever")
    before = await ends(conn, world, "soon", "late", "forever")

    one = await ask(conn, bob, "mc:soon", "mc:late", "mc:forever", "mc:soon")
    assert (one.account, one.state, one.reason, one.dids) == (
        "bob",
        LifetimeExceptionState.WAITING,
        "for the thesis",
        3,
    )
    assert await ends(conn, world, "soon", "late", "forever") == before

    done = await approve(conn, root, one)
    assert (done.state, done.decided_by, done.answer) == (LifetimeExceptionState.APPROVED, "root", "granted")
    assert done.decided_at is not None
    assert await ends(conn, world, "soon", "late", "forever") == [UNTIL, before[1], None]
    assert await service.claim_ended(conn, [world.belle], now=NOW + 2 * DAY, until=UNTIL, each=10) == {}


async def test_a_rejected_exception_changes_no_end(conn: Connection, world: World) -> None:
    root = person(world, "root", "dids:manage")
    await given_endings(conn, world, "soon")
    before = await ends(conn, world, "soon")

    one = await ask(conn, person(world, "bob"), "mc:soon")
    done = await service.reject_exception(conn, root, one.exception_id, answer="no room")

    assert (done.state, done.answer, done.decided_by) == (LifetimeExceptionState.REJECTED, "no room", "root")
    assert await ends(conn, world, "soon") == before


async def test_an_exception_is_decided_once(conn: Connection, world: World) -> None:
    root = person(world, "root", "dids:manage")
    await given_endings(conn, world, "soon")
    one = await ask(conn, person(world, "bob"), "mc:soon")
    await service.reject_exception(conn, root, one.exception_id, answer=None)

    with pytest.raises(LifetimeExceptionDecided, match=f"{one.exception_id} is rejected already"):
        await approve(conn, root, one)
    with pytest.raises(LifetimeExceptionDecided):
        await service.reject_exception(conn, root, one.exception_id, answer=None)


async def test_only_who_manages_dids_decides_and_only_who_may_make_some_asks(conn: Connection, world: World) -> None:
    await given_endings(conn, world, "soon")
    with pytest.raises(PermissionMissing):
        await ask(conn, person(world, "bob", "jobs:create"), "mc:soon")
    one = await ask(conn, person(world, "bob"), "mc:soon")

    for account in ("bob", "alice"):  # who asks, and whose data it is
        with pytest.raises(PermissionMissing):
            await approve(conn, person(world, account), one)
        with pytest.raises(PermissionMissing):
            await service.reject_exception(conn, person(world, account), one.exception_id, answer=None)


async def test_what_is_wrong_is_named_and_nothing_is_asked(conn: Connection, world: World) -> None:
    alice = person(world, "alice")
    _, begun = await given_endings(conn, world, "soon", "begun")
    await begin(conn, world, begun)

    with pytest.raises(DidNotFound, match="mc:nowhere"):
        await ask(conn, alice, "mc:soon", "mc:nowhere")
    with pytest.raises(ErasureBegun, match="mc:begun"):
        await ask(conn, alice, "mc:soon", "mc:begun")
    for until in (NOW, NOW - DAY):
        with pytest.raises(UntilPast):
            await ask(conn, alice, "mc:soon", until=until)
    assert await service.list_exceptions(conn, world.belle, page=(None, 10)) == []


async def test_one_did_that_is_lost_meanwhile_leaves_the_others_as_they_were(conn: Connection, world: World) -> None:
    root = person(world, "root", "dids:manage")
    _, other = await given_endings(conn, world, "soon", "other")
    before = await ends(conn, world, "soon")
    one = await ask(conn, person(world, "bob"), "mc:soon", "mc:other")

    await begin(conn, world, other)
    with pytest.raises(ErasureBegun, match="mc:other"):
        await approve(conn, root, one)
    ended = await service.lock_ended(conn, world.belle, [other], now=NOW + 2 * DAY)
    await service.end(conn, world.belle, ended)
    with pytest.raises(DidNotFound, match="mc:other"):
        await approve(conn, root, one)

    assert await ends(conn, world, "soon") == before
    assert (await service.get_exception(conn, world.belle, one.exception_id)).state is LifetimeExceptionState.WAITING
    assert [(did.did, did.erased) for did in await service.kept(conn, world.belle, one.exception_id)] == [
        ("mc:soon", False), ("mc:other", True)
    ]  # fmt: skip


async def test_an_exception_whose_time_is_over_can_only_be_rejected(conn: Connection, world: World) -> None:
    root = person(world, "root", "dids:manage")
    await given_endings(conn, world, "soon")
    one = await ask(conn, person(world, "bob"), "mc:soon")

    with pytest.raises(UntilPast):
        await service.approve_exception(conn, root, one.exception_id, answer=None, now=UNTIL)
    assert (await service.reject_exception(conn, root, one.exception_id, answer=None)).state.word == "rejected"


async def test_exceptions_are_found_by_state_account_and_did(conn: Connection, world: World) -> None:
    root, bob, alice = person(world, "root", "dids:manage"), person(world, "bob"), person(world, "alice")
    await given_endings(conn, world, "a", "b")
    first, second = await ask(conn, bob, "mc:a", "mc:b"), await ask(conn, alice, "mc:b")
    await approve(conn, root, first)

    async def found(limit: int = 10, before: int | None = None, **which: object) -> list[int]:
        some = await service.list_exceptions(conn, world.belle, page=(before, limit), **which)  # pyright: ignore[reportArgumentType]
        return [one.exception_id for one in some]

    both = [second.exception_id, first.exception_id]
    assert await found() == both
    assert await found(1) + await found(1, before=both[0]) == both
    assert await found(did="mc:a") == [first.exception_id]
    assert await found(did="mc:b") == both
    assert await found(account="alice") == [second.exception_id]
    assert await found(state=LifetimeExceptionState.APPROVED) == [first.exception_id]
    assert await service.list_exceptions(conn, world.gridpp, page=(None, 10)) == []
    with pytest.raises(LifetimeExceptionNotFound):
        await service.get_exception(conn, world.gridpp, first.exception_id)

    entries = [one async for some in service.stream_exceptions(conn, world.belle) for one in some]
    assert [(one.exception_id, one.name) for one in entries] == [(both[0], "b"), (both[1], "a"), (both[1], "b")]
    waiting = service.stream_exceptions(conn, world.belle, states=[LifetimeExceptionState.WAITING])
    assert [one.account async for some in waiting for one in some] == ["alice"]


async def test_who_approves_waits_for_the_worker_and_is_told_what_has_ended(database: Database, world: World) -> None:
    root = person(world, "root", "dids:manage")
    async with database.transaction([world.belle]) as conn:
        soon, _ = await given_endings(conn, world, "soon", "other")
        one = await ask(conn, person(world, "bob"), "mc:soon", "mc:other")
        before = await ends(conn, world, "other")

    async def approved() -> None:
        async with database.transaction([world.belle]) as conn:
            await approve(conn, root, one)

    async with database.transaction([world.belle]) as conn:
        ended = await service.lock_ended(conn, world.belle, [soon], now=NOW + 2 * DAY)
        approving = asyncio.create_task(approved())
        await until_one_waits(database)
        await service.end(conn, world.belle, ended)
    with pytest.raises(DidNotFound, match="mc:soon"):
        await approving
    async with database.transaction([world.belle]) as conn:
        assert await ends(conn, world, "other") == before


async def test_the_worker_waits_for_who_approves_and_leaves_what_is_kept(database: Database, world: World) -> None:
    async with database.transaction([world.belle]) as conn:
        (soon,) = await given_endings(conn, world, "soon")
        one = await ask(conn, person(world, "bob"), "mc:soon")

    async def look() -> int:
        async with database.transaction([world.belle]) as conn:
            return len(await service.lock_ended(conn, world.belle, [soon], now=NOW + 2 * DAY))

    async with database.transaction([world.belle]) as conn:
        await approve(conn, person(world, "root", "dids:manage"), one)
        looking = asyncio.create_task(look())
        await until_one_waits(database)
    assert await looking == 0


async def test_of_two_who_decide_at_once_one_is_told_that_the_other_has(database: Database, world: World) -> None:
    root = person(world, "root", "dids:manage")
    async with database.transaction([world.belle]) as conn:
        await given_endings(conn, world, "soon")
        one = await ask(conn, person(world, "bob"), "mc:soon")

    async def rejected() -> None:
        async with database.transaction([world.belle]) as conn:
            await service.reject_exception(conn, root, one.exception_id, answer=None)

    async with database.transaction([world.belle]) as conn:
        await approve(conn, root, one)
        rejecting = asyncio.create_task(rejected())
        await until_one_waits(database)
    with pytest.raises(LifetimeExceptionDecided, match="approved already"):
        await rejecting
