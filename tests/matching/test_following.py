"""A matcher that follows the queues: what it hears, and that it asks the database for nothing when nothing fits."""

import asyncio
from datetime import timedelta

import pytest
from pydantic import ValidationError

from sancho.jobs import service as jobs
from sancho.jobs.model import Slot
from sancho.kit.db import Database, all_vos, execute, fetch_rows
from sancho.matching import service
from sancho.matching.model import HALF_LIFE
from sancho.matching.tasks import following
from tests.conftest import eventually
from tests.jobs.given import PLAIN, user
from tests.served import Served
from tests.world import World

SLOT = Slot(
    ce="", site="", cores=1, memory=2_000_000_000, walltime=timedelta(hours=1), tags=frozenset({"env:demo"})
)  # fmt: skip


async def submit(database: Database, world: World, count: int = 1, vo: int = 1) -> list[int]:
    async with database.transaction([vo]) as conn:
        return (await jobs.submit(conn, user(world, vo=vo), PLAIN, [{}] * count)).job_ids


async def test_a_matcher_hears_of_new_jobs_and_of_those_that_were_there(database: Database, world: World) -> None:
    matcher = service.matcher_of(lambda _vo: 1.0)
    await submit(database, world)
    async with following(database, matcher):
        await eventually(lambda: matcher.followed)
        assert {key[0] for key in matcher.board.queues} == {1}
        await submit(database, world, vo=2)
        await eventually(lambda: {key[0] for key in matcher.board.queues} == {1, 2}, within=5)
    assert not matcher.followed


async def test_a_matcher_whose_connections_break_says_so_and_follows_again(database: Database, world: World) -> None:
    matcher = service.matcher_of(lambda _vo: 1.0)
    async with following(database, matcher):
        await eventually(lambda: matcher.followed)
        async with database.transaction([0]) as conn:
            await execute(
                conn,
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND query LIKE 'LISTEN%%'
                """,
            )
        await eventually(lambda: not matcher.followed, within=5)
        await submit(database, world)
        await eventually(lambda: matcher.followed and len(matcher.board.queues) == 1)


async def test_a_board_that_cannot_be_read_is_not_believed(database: Database, world: World) -> None:
    matcher = service.matcher_of(lambda _vo: 1.0)
    with pytest.raises(ValidationError):
        async with following(database, matcher):
            await eventually(lambda: matcher.followed)
            await submit(database, world)
            async with database.transaction([1]) as conn:
                await execute(conn, """UPDATE task_queue SET requirements = '[{"cores": "many"}]'""")
                await execute(conn, "SELECT pg_notify('task_queue', q.vo || '.' || q.task_queue_id) FROM task_queue q")
            matcher.board.keep(())
            await eventually(lambda: not matcher.followed, within=15)


async def test_two_processes_never_give_the_same_job(servers: list[Database], world: World) -> None:
    given = await submit(servers[0], world, count=20)
    matchers = []
    for database in servers:
        async with database.transaction([1]) as conn:
            matchers.append(await service.read(conn))

    async def take(n: int) -> list[int]:
        found: list[int] = []
        while True:
            async with servers[n].transaction([1]) as conn:
                offer = matchers[n].offer(world.resource["A-CE"], n, (1,), SLOT)
                assert offer is not None
                started = await service.match(conn, matchers[n], offer)
            if started is None:
                return found
            found.append(started.job_id)

    taken = await asyncio.gather(*(take(n) for n in range(3)))
    assert sorted(job_id for some in taken for job_id in some) == given
    assert matchers[0].board.demand(matchers[0].offer(world.resource["A-CE"], 1, (1,), SLOT)) == []


async def test_what_an_owner_has_grows_into_an_average_and_fades(database: Database, world: World) -> None:
    await submit(database, world)
    everyone = await all_vos(database)

    async def averages(passed: timedelta) -> list[float]:
        async with database.transaction(everyone) as conn:
            await execute(conn, "UPDATE share_average SET at = now() - %(passed)s::interval", {"passed": passed})
            await service.average(conn)
            return [row[0] for row in await fetch_rows(conn, "SELECT cores FROM share_average")]

    async with database.transaction(everyone) as conn:
        matcher = await service.read(conn)
        offer = matcher.offer(world.resource["A-CE"], 1, (1,), SLOT)
        assert offer is not None
        started = await service.match(conn, matcher, offer)
        assert started is not None
        await service.average(conn)
    assert await averages(HALF_LIFE) == [pytest.approx(0.5)]
    assert await averages(HALF_LIFE) == [pytest.approx(0.75)]
    async with database.transaction([1]) as conn:
        await jobs.kill(conn, user(world), [started.job_id])
    assert await averages(HALF_LIFE) == [pytest.approx(0.375)]
    assert await averages(20 * HALF_LIFE) == [], "what is next to nothing is forgotten"


async def test_a_pilot_that_nothing_fits_costs_no_statement(served: Served) -> None:
    matcher: service.Matcher = served.app.state.matcher
    database = served.deployment.database
    token = await _pilot(served)
    body = {"cores": 1, "memory": 2_000_000_000, "walltime": 3600, "tags": ["env:demo"], "held": [], "answered": True}
    async with following(database, matcher):
        await eventually(lambda: matcher.followed)
        assert (await served.send("POST", "/pilot/match", token=token, json=body)).status_code == 204
        before = _leases(database)
        for _ in range(5):
            assert (await served.send("POST", "/pilot/match", token=token, json=body)).status_code == 204
        assert _leases(database) == before
        await submit(database, served.world)
        await eventually(lambda: bool(matcher.board.queues))
        assert (await served.send("POST", "/pilot/match", token=token, json=body)).status_code == 200


def _leases(database: Database) -> int:
    """How often a connection was taken from the pool."""
    return database._pool.get_stats()["requests_num"]


async def _pilot(served: Served) -> str:
    async with served.deployment.database.transaction([0]) as conn:
        rows = await fetch_rows(
            conn,
            """
            INSERT INTO pilot (vo, state, ce_id, site_id, stamp, secret_hash)
            SELECT 0, 'N', ce_id, site_id, 'p', sha256('x') FROM compute_element ORDER BY ce_id LIMIT 1
            RETURNING stamp
            """,
        )
    answer = await served.client.post("/v1/pilot/login", json={"stamp": rows[0][0], "secret": "x"})
    return str(answer.json()["token"])
