"""Rules wait for approval, move, are reduced, given away and locked; their history says who did it."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sancho.kit.access import NotYours, Principal
from sancho.kit.db import Connection, Database
from sancho.kit.deployment import Deployment
from sancho.kit.errors import PermissionMissing
from sancho.replicas import service as replicas
from sancho.replicas.model import ReplicaKey
from sancho.rses.errors import RseExpressionEmpty, RseExpressionInvalid
from sancho.rules import service
from sancho.rules.errors import (
    NotFewerCopies,
    QuotaExceeded,
    RuleLocked,
    RuleMoving,
    RuleNotFound,
    RuleNotInForce,
    RuleNotWaiting,
    TooFewRses,
)
from sancho.rules.model import Change, EventKind, Rule, RuleState
from sancho.rules.tasks import expire
from tests.dids.given import deferred, given_collection, person
from tests.rules.given import (
    BOTH,
    SIZE,
    Later,
    arrive,
    check_exact,
    fail,
    given_dataset,
    given_files,
    given_quota,
    given_rule,
    room,
)
from tests.served import Served
from tests.world import World


def root(world: World) -> Principal:
    return person(world, "root", "*")


async def events(conn: Connection, world: World, **of: int) -> list[tuple[EventKind, str | None]]:
    found = await service.history(conn, world.belle, **of, page=(0, 100))
    return [(event.kind, event.by) for event in found]


async def state(conn: Connection, world: World, rule_id: int) -> RuleState:
    return (await service.get(conn, world.belle, rule_id)).state


async def keys_on(conn: Connection, world: World, rule: Rule, rse: str) -> list[ReplicaKey]:
    found = await service.list_locks(conn, world.belle, rule.rule_id)
    return [ReplicaKey(lock.did_id, lock.rse_id) for lock in found if lock.rse == rse]


# ---- approval


async def test_a_rule_that_waits_holds_nothing_until_it_is_approved(served: Served, world: World) -> None:
    database = served.deployment.database
    async with database.transaction([0, 1]) as conn:
        run, *_ = await given_dataset(conn, world, "run1", 2)
        await given_quota(conn, world, "all", 10 * SIZE)
        rule = await given_rule(conn, world, "mc:run1", to="A-DISK", ask_approval=True, lifetime=timedelta(days=1))
        new = await given_files(conn, world, ["late"], into=run)
        await service.extend(conn, world.belle, parent_ids=[run], file_ids=new)
        assert (rule.state, rule.locks, await room(conn, world, "all")) == (RuleState.WAITING, 0, 10 * SIZE)
        await check_exact(conn)
        with pytest.raises(PermissionMissing):
            await service.approve(conn, person(world, "alice"), rule.rule_id)

        approved = await service.approve(conn, root(world), rule.rule_id)

        assert approved.state is RuleState.INJECTING
        assert await deferred(conn, "rules:place") == [{"vo": 1, "rule_id": rule.rule_id}]
    await service.place(served.deployment, world.belle, rule.rule_id)
    async with database.transaction([0, 1]) as conn:
        now = await service.get(conn, world.belle, rule.rule_id)
        assert (now.state, now.ok, await room(conn, world, "all")) == (RuleState.OK, 3, 7 * SIZE)
        assert await events(conn, world, rule_id=rule.rule_id) == [
            (EventKind.MADE, "alice"), (EventKind.APPROVED, "root")
        ]  # fmt: skip
        await check_exact(conn)


async def test_a_denied_rule_is_gone_and_its_history_says_why(conn: Connection, world: World) -> None:
    run = await given_collection(conn, world, "run1")
    rule = await given_rule(conn, world, "mc:run1", ask_approval=True)
    with pytest.raises(PermissionMissing):
        await service.deny(conn, person(world, "alice"), rule.rule_id, "no")

    await service.deny(conn, root(world), rule.rule_id, "too large")

    with pytest.raises(RuleNotFound):
        await service.get(conn, world.belle, rule.rule_id)
    *_, last = await service.history(conn, world.belle, did_id=run, page=(0, 100))
    assert (last.kind, last.by, last.detail, last.rule_id) == (EventKind.DENIED, "root", "too large", rule.rule_id)
    with pytest.raises(RuleNotFound):
        await service.approve(conn, root(world), rule.rule_id)
    with pytest.raises(RuleNotFound):
        await service.history(conn, world.belle, rule_id=10**9, page=(0, 10))


async def test_only_what_waits_is_decided_about_and_a_bad_wish_does_not_wait(conn: Connection, world: World) -> None:
    await given_dataset(conn, world, "run1", 1)
    rule = await given_rule(conn, world, "mc:run1", to="A-DISK")
    with pytest.raises(RuleNotWaiting):
        await service.approve(conn, root(world), rule.rule_id)
    with pytest.raises(RuleNotWaiting):
        await service.deny(conn, root(world), rule.rule_id, None)
    with pytest.raises(RseExpressionEmpty):
        await given_rule(conn, world, "mc:run1", to="tier=9", ask_approval=True)
    waiting = await given_rule(conn, world, "mc:run1", to="A-DISK", ask_approval=True)
    for refused in (service.move(conn, root(world), waiting.rule_id, "B-DISK"),
                    service.reduce(conn, root(world), waiting.rule_id, 1)):  # fmt: skip
        with pytest.raises(RuleNotInForce):
            await refused
    await service.delete(conn, person(world, "alice"), waiting.rule_id, grace=timedelta(hours=1))
    with pytest.raises(RuleNotFound):
        await service.get(conn, world.belle, waiting.rule_id)


async def test_of_two_approvals_at_once_one_counts(database: Database, world: World) -> None:
    async with database.transaction([0, 1]) as conn:
        await given_dataset(conn, world, "run1", 1)
        rule = await given_rule(conn, world, "mc:run1", to="A-DISK", ask_approval=True)

    async def decide(work: Any) -> str:
        try:
            async with database.transaction([1]) as conn:
                await work(conn)
        except (RuleNotWaiting, RuleNotFound) as e:
            return e.code
        return "done"

    async def approve(conn: Connection) -> None:
        await service.approve(conn, root(world), rule.rule_id)

    async def deny(conn: Connection) -> None:
        await service.deny(conn, root(world), rule.rule_id, None)

    said = await asyncio.gather(*(decide(work) for work in (approve, approve, approve, deny)))
    assert said.count("done") == 1
    async with database.transaction([1]) as conn:
        decided = [kind for kind, _ in await events(conn, world, rule_id=rule.rule_id)]
        assert len(decided) == 2


# ---- moving


async def moved(deployment: Deployment) -> None:
    """The task runs that lets go what has moved, and then removes it."""
    await expire(deployment)


@pytest.fixture
def deployment(served: Served) -> Deployment:
    clock = Later()
    clock.ahead = timedelta(minutes=1)
    return replace(served.deployment, clock=clock)


async def test_a_rule_moves_and_the_old_one_goes_once_the_new_one_is_ok(deployment: Deployment, world: World) -> None:
    database = deployment.database
    async with database.transaction([0, 1]) as conn:
        await given_dataset(conn, world, "run1", 2)
        old = await given_rule(conn, world, "mc:run1", to="A-DISK", lifetime=timedelta(days=9), comment="mine")
        new = await service.move(conn, person(world, "alice"), old.rule_id, "B-DISK")
        assert (new.replaces, new.state, new.comment, new.copies) == (old.rule_id, RuleState.REPLICATING, "mine", 1)
        assert old.expires_at is not None
        assert new.expires_at is not None
        assert abs(new.expires_at - old.expires_at) < timedelta(minutes=1)
        assert (await service.get(conn, world.belle, old.rule_id)).replaced_by == new.rule_id
        with pytest.raises(RuleMoving):
            await service.move(conn, root(world), old.rule_id, "B-DISK")
    await moved(deployment)
    async with database.transaction([0, 1]) as conn:
        assert await state(conn, world, old.rule_id) is RuleState.OK
        await arrive(conn, world, await keys_on(conn, world, new, "B-DISK"))

    assert await service.replace_moved(deployment) == 1  # and here the worker is killed, before anything is removed
    assert await service.replace_moved(deployment) == 0
    await moved(deployment)

    async with database.transaction([0, 1]) as conn:
        with pytest.raises(RuleNotFound):
            await service.get(conn, world.belle, old.rule_id)
        assert (await service.get(conn, world.belle, new.rule_id)).replaces is None
        assert [kind for kind, _ in await events(conn, world, rule_id=old.rule_id)] == [
            EventKind.MADE, EventKind.MOVED, EventKind.REPLACED, EventKind.ENDED
        ]  # fmt: skip
        await check_exact(conn)


async def test_a_stuck_rule_moves_to_where_its_files_are(deployment: Deployment, world: World) -> None:
    async with deployment.database.transaction([0, 1]) as conn:
        await given_dataset(conn, world, "run1", 2)
        old = await given_rule(conn, world, "mc:run1", to="B-DISK")
        await fail(conn, world, await keys_on(conn, world, old, "B-DISK"))
        assert await state(conn, world, old.rule_id) is RuleState.STUCK
        new = await service.move(conn, person(world, "alice"), old.rule_id, "A-DISK")
        assert new.state is RuleState.OK

    await moved(deployment)

    async with deployment.database.transaction([0, 1]) as conn:
        with pytest.raises(RuleNotFound):
            await service.get(conn, world.belle, old.rule_id)
        await check_exact(conn)


async def test_a_locked_rule_stays_whatever_its_time_and_however_it_moved(deployment: Deployment, world: World) -> None:
    alice = person(world, "alice")
    lock, unlock = Change(frozenset({"locked"}), locked=True), Change(frozenset({"locked"}), locked=False)
    async with deployment.database.transaction([0, 1]) as conn:
        await given_dataset(conn, world, "run1", 1)
        ending = await given_rule(conn, world, "mc:run1", to="A-DISK", lifetime=timedelta(seconds=1))
        old = await given_rule(conn, world, "mc:run1", to="B-DISK")
        await service.move(conn, alice, old.rule_id, "A-DISK")
        for rule in (ending, old):
            assert (await service.change(conn, alice, rule.rule_id, lock)).locked
        for refused in (service.delete(conn, alice, old.rule_id), service.move(conn, alice, old.rule_id, "A-DISK"),
                        service.reduce(conn, alice, old.rule_id, 1)):  # fmt: skip
            with pytest.raises(RuleLocked):
                await refused
        assert old.rule_id not in (await service.withdraw(conn, alice, "mc:run1")).withdrawn

    await moved(deployment)

    async with deployment.database.transaction([0, 1]) as conn:
        for rule in (ending, old):
            await service.change(conn, alice, rule.rule_id, unlock)
    await moved(deployment)
    async with deployment.database.transaction([0, 1]) as conn:
        with pytest.raises(RuleNotFound):
            await service.get(conn, world.belle, ending.rule_id)
        await check_exact(conn)


async def test_what_a_move_cannot_have_is_refused_and_only_owners_move(conn: Connection, world: World) -> None:
    await given_dataset(conn, world, "run1", 1)
    rule = await given_rule(conn, world, "mc:run1", to="A-DISK")
    with pytest.raises(NotYours):
        await service.move(conn, person(world, "bob"), rule.rule_id, "B-DISK")
    with pytest.raises(RseExpressionInvalid):
        await service.move(conn, root(world), rule.rule_id, "tier=")
    with pytest.raises(RuleNotFound):
        await service.move(conn, root(world), 10**9, "B-DISK")


# ---- fewer copies, other owners


async def test_a_reduced_rule_keeps_what_is_there_and_gives_the_rest_back(conn: Connection, world: World) -> None:
    await given_dataset(conn, world, "run1", 2)
    await given_quota(conn, world, "all", 10 * SIZE)
    rule = await given_rule(conn, world, "mc:run1", copies=2)
    assert await room(conn, world, "all") == 6 * SIZE

    fewer = await service.reduce(conn, person(world, "alice"), rule.rule_id, 1)

    assert (fewer.copies, fewer.rses, fewer.state, fewer.locks) == (1, ("A-DISK",), RuleState.OK, 2)
    assert await room(conn, world, "all") == 8 * SIZE
    await check_exact(conn)
    assert (EventKind.REDUCED, "alice") in await events(conn, world, rule_id=rule.rule_id)


async def test_a_rule_leaves_the_rses_that_are_excluded(conn: Connection, world: World) -> None:
    await given_dataset(conn, world, "run1", 2)
    rule = await given_rule(conn, world, "mc:run1", copies=2)

    fewer = await service.reduce(conn, root(world), rule.rule_id, 1, exclude="A-DISK")

    assert (fewer.rses, fewer.rse_expression) == (("B-DISK",), rf"({BOTH})\(A-DISK)")
    assert fewer.state is RuleState.REPLICATING
    await check_exact(conn)
    with pytest.raises(NotFewerCopies):
        await service.reduce(conn, root(world), rule.rule_id, 1)
    with pytest.raises(RseExpressionEmpty):
        await service.reduce(conn, root(world), rule.rule_id, 1, exclude="B-DISK")
    both = await given_rule(conn, world, "mc:run1", copies=2)
    with pytest.raises(TooFewRses):
        await service.reduce(conn, root(world), both.rule_id, 2, exclude="B-DISK")


async def test_much_is_let_go_in_the_background(served: Served, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sancho.rules.service.moving.LARGE", 2)
    monkeypatch.setattr("sancho.rules.service.moving.BATCH", 2)
    async with served.deployment.database.transaction([0, 1]) as conn:
        await given_dataset(conn, world, "run1", 5)
        rule = await given_rule(conn, world, "mc:run1", copies=2)
        fewer = await service.reduce(conn, root(world), rule.rule_id, 1)
        assert fewer.locks == 10
        assert await deferred(conn, "rules:trim") == [{"vo": 1, "rule_id": rule.rule_id}]

    await service.trim(served.deployment, world.belle, rule.rule_id)
    await service.trim(served.deployment, world.belle, rule.rule_id)
    await service.trim(served.deployment, world.belle, 10**9)

    async with served.deployment.database.transaction([0, 1]) as conn:
        now = await service.get(conn, world.belle, rule.rule_id)
        assert (now.locks, now.state) == (5, RuleState.OK)
        await check_exact(conn)


async def test_a_rule_is_given_away_by_who_may_and_the_other_pays(conn: Connection, world: World) -> None:
    await given_dataset(conn, world, "run1", 2)
    await given_quota(conn, world, "alice", 5 * SIZE, account="alice")
    await given_quota(conn, world, "bob", 5 * SIZE, account="bob")
    rule = await given_rule(conn, world, "mc:run1", to="A-DISK")
    to_bob = Change(frozenset({"account"}), account="bob")
    with pytest.raises(PermissionMissing):
        await service.change(conn, person(world, "alice"), rule.rule_id, to_bob)

    assert (await service.change(conn, root(world), rule.rule_id, to_bob)).account == "bob"

    assert (await room(conn, world, "alice"), await room(conn, world, "bob")) == (5 * SIZE, 3 * SIZE)
    await check_exact(conn)
    with pytest.raises(NotYours):
        await service.delete(conn, person(world, "alice"), rule.rule_id)
    await given_quota(conn, world, "alice", 1, account="alice")
    with pytest.raises(QuotaExceeded):
        await service.change(conn, root(world), rule.rule_id, Change(frozenset({"account"}), account="alice"))


async def test_what_is_stuck_is_tried_at_once_when_somebody_says_so(conn: Connection, world: World) -> None:
    await given_dataset(conn, world, "run1", 2)
    rule = await given_rule(conn, world, "mc:run1", to="B-DISK")
    await fail(conn, world, await keys_on(conn, world, rule, "B-DISK"))

    assert (await service.retry(conn, person(world, "alice"), rule.rule_id)).state is RuleState.REPLICATING
    await check_exact(conn)
    with pytest.raises(NotYours):
        await service.retry(conn, person(world, "bob"), rule.rule_id)


async def test_a_rule_that_ends_after_a_grace_holds_till_then(conn: Connection, world: World) -> None:
    _, *files = await given_dataset(conn, world, "run1", 1)
    rule = await given_rule(conn, world, "mc:run1", to="A-DISK")
    await service.delete(conn, person(world, "alice"), rule.rule_id, grace=timedelta(hours=1))
    ends = (await service.get(conn, world.belle, rule.rule_id)).expires_at
    assert ends is not None
    assert (await replicas.list(conn, world.belle, files))[0].lock_count == 1
    assert (EventKind.WITHDRAWN, "alice") in await events(conn, world, rule_id=rule.rule_id)
