"""Limits of how many jobs run at once: exact, whoever matches, and wherever."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from sancho.jobs import service as jobs
from sancho.kit.access import Principal
from sancho.kit.db import Connection, Database, again, fetch_value
from sancho.matching import service
from sancho.matching.tasks import following
from sancho.parts import KINDS
from sancho.vos import service as vos
from sancho.vos.errors import DocumentInUse, ReferenceUnknown
from sancho.vos.model import Document
from tests.conftest import eventually
from tests.jobs.given import PLAIN, user
from tests.matching.test_following import SLOT, submit
from tests.matching.test_service import Offered
from tests.world import World


async def apply(conn: Connection, caller: Principal, kind: str, name: str, **more: Any) -> None:
    await vos.apply(conn, caller, [Document(kind=kind, name=name, **more)], KINDS)


async def limit(conn: Connection, world: World, name: str = "few", **spec: Any) -> None:
    await apply(conn, user(world, "root"), "RunningLimit", name, spec=spec)


async def given(conn: Connection, world: World, matcher: service.Matcher, site: str = "SITE-A") -> int:
    """How many jobs pilots at a site get until there is none."""
    number = 0
    while await Offered(conn, world, site).match(matcher) is not None:
        number += 1
    return number


async def merging(conn: Connection, world: World, count: int) -> None:
    await jobs.submit(conn, user(world), replace(PLAIN, type="merge"), [{}] * count)


async def test_a_limit_of_a_type_at_a_site_is_of_no_other(conn: Connection, world: World) -> None:
    await limit(conn, world, most=2, site="SITE-A", type="merge")
    await merging(conn, world, 5)
    await jobs.submit(conn, user(world), PLAIN, [{}] * 3)
    matcher = await service.read(conn)
    assert await given(conn, world, matcher) == 2 + 3
    assert await given(conn, world, matcher, "SITE-B") == 3


async def test_what_is_not_named_is_counted_together(conn: Connection, world: World) -> None:
    await limit(conn, world, most=3, group="users")
    await limit(conn, world, "fewer", most=2, site="SITE-A")
    await merging(conn, world, 5)
    await jobs.submit(conn, user(world, vo=2), PLAIN, [{}])
    matcher = await service.read(conn)
    assert await given(conn, world, matcher) == 2 + 1, "another VO's job does not count"
    assert await given(conn, world, matcher, "SITE-B") == 1


async def test_a_job_that_ends_makes_room_and_a_limit_that_goes_does(conn: Connection, world: World) -> None:
    await limit(conn, world, most=1)
    await merging(conn, world, 4)
    matcher = await service.read(conn)
    assert await given(conn, world, matcher) == 1
    running = await fetch_value(conn, "SELECT job_id FROM attempt WHERE ended_at IS NULL")
    await jobs.kill(conn, user(world), [running])
    assert await given(conn, world, await service.read(conn)) == 1
    await apply(conn, user(world, "root"), "RunningLimit", "few", remove=True)
    assert await given(conn, world, await service.read(conn)) == 2


async def test_none_at_all_may_run(conn: Connection, world: World) -> None:
    await limit(conn, world, most=0)
    await merging(conn, world, 1)
    matcher = await service.read(conn)
    assert await given(conn, world, matcher) == 0
    assert matcher.board.full


async def test_a_limit_names_what_there_is_and_keeps_it(conn: Connection, world: World) -> None:
    with pytest.raises(ReferenceUnknown, match="nobody"):
        await limit(conn, world, most=1, group="nobody")
    with pytest.raises(ReferenceUnknown, match="NOWHERE"):
        await limit(conn, world, most=1, site="NOWHERE")
    root = user(world, "root")
    await apply(conn, root, "Group", "mergers", spec={"permissions": []})
    await limit(conn, world, most=1, group="mergers")
    with pytest.raises(DocumentInUse):
        await apply(conn, root, "Group", "mergers", remove=True)


async def test_processes_together_never_give_more_than_a_limit(servers: list[Database], world: World) -> None:
    async with servers[0].transaction([1]) as conn:
        await limit(conn, world, most=7)
    await submit(servers[0], world, count=20)
    matchers: list[service.Matcher] = []
    for database in servers:
        async with database.transaction([1]) as conn:
            matchers.append(await service.read(conn))

    async def take(n: int) -> int:
        async def match() -> bool:
            async with servers[n].transaction([1]) as conn:
                offer = matchers[n].offer(world.resource["A-CE"], n, (1,), SLOT)
                assert offer is not None
                return await service.match(conn, matchers[n], offer) is not None

        number = 0
        while await again(match):
            number += 1
        return number

    assert sum(await asyncio.gather(*(take(n) for n in (0, 1, 2, 0, 1, 2)))) == 7


async def test_room_is_seen_soon(database: Database, world: World) -> None:
    async with database.transaction([1]) as conn:
        await limit(conn, world, most=1)
    await submit(database, world, count=2)
    matcher = service.matcher_of(lambda _vo: 1.0)
    offer = None
    async with following(database, matcher):
        await eventually(lambda: matcher.followed)
        offer = matcher.offer(world.resource["A-CE"], 1, (1,), SLOT)
        assert offer is not None
        async with database.transaction([1]) as conn:
            started = await service.match(conn, matcher, offer)
        assert started is not None
        assert not matcher.board.fitting(offer)
        async with database.transaction([1]) as conn:
            await jobs.kill(conn, user(world), [started.job_id])
        await eventually(lambda: bool(matcher.board.fitting(offer)), within=5)
