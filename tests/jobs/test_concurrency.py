"""What two connections at once may do to jobs, with real commits."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from random import Random

from sancho.dids import service as dids
from sancho.jobs import service
from sancho.jobs.errors import AttemptEnded
from sancho.jobs.model import Reason, Result, Retry, Started
from sancho.kit.db import Collision, Connection, Database, execute, fetch_rows, fetch_value, fetch_values
from sancho.kit.errors import Conflict, Unavailable
from tests.jobs.given import PLAIN, dataset, queues, started, submitted, taken, user
from tests.jobs.test_again import check_counters
from tests.world import World


async def test_no_job_is_given_to_two_pilots(database: Database, world: World) -> None:
    async with database.transaction([1]) as conn:
        await submitted(conn, world, count=30)

    async def take(pilot: int) -> list[Started]:
        mine: list[Started] = []
        while True:
            async with database.transaction([1]) as conn:
                found = await taken(conn, world, pilot_id=pilot)
            if found is None:
                return mine
            mine.append(found)

    given = [job.job_id for jobs in await asyncio.gather(*(take(n) for n in range(4))) for job in jobs]
    assert len(given) == len(set(given)) == 30


async def test_a_queue_that_is_filled_while_it_falls_asleep_stays_awake(database: Database, world: World) -> None:
    async with database.transaction([1]) as conn:
        await submitted(conn, world)
        await started(conn, world)
        filled = await queues(conn)
    async with database.transaction([1]) as filling:
        await submitted(filling, world)
        async with database.transaction([1]) as matching:
            assert await taken(matching, world, pilot_id=2) is None
    async with database.transaction([1]) as conn:
        assert await queues(conn) == filled
        assert await taken(conn, world, pilot_id=3) is not None


async def test_a_kill_and_a_match_never_both_win(database: Database, world: World) -> None:
    for _ in range(5):
        async with database.transaction([1]) as conn:
            made = await submitted(conn, world)

        async def kill(job_ids: list[int]) -> None:
            async with database.transaction([1]) as conn:
                await service.kill(conn, user(world), job_ids)

        async def match() -> None:
            async with database.transaction([1]) as conn:
                await taken(conn, world, pilot_id=1)

        await asyncio.gather(kill(made.job_ids), match())
        async with database.transaction([1]) as conn:
            state = await fetch_value(conn, "SELECT state FROM job WHERE job_id = %(id)s", {"id": made.job_ids[0]})
            alive = await fetch_value(conn, "SELECT count(*) FROM attempt WHERE ended_at IS NULL")
            assert (state, alive) in {("K", 0), ("M", 1)}
            await service.kill(conn, user(world), made.job_ids)


async def test_counters_equal_counts_after_everything_happened_at_once(database: Database, world: World) -> None:
    async def life(n: int) -> None:
        async with database.transaction([1]) as conn:
            made = await submitted(conn, world, count=3)
        async with database.transaction([1]) as conn:
            attempt = await taken(conn, world, pilot_id=n)
        if attempt is not None and n % 2:
            async with database.transaction([1]) as conn:
                await service.lose(conn, 1, [attempt.attempt_id], reason=Reason.PILOT_LOST, detail="gone")
        async with database.transaction([1]) as conn:
            await service.kill(conn, user(world), made.job_ids[:1])

    await asyncio.gather(*(life(n) for n in range(8)))
    async with database.transaction([1]) as conn:
        counted = await fetch_value(conn, "SELECT sum(waiting) FROM task_queue_slot")
        assert counted == await fetch_value(conn, "SELECT count(*) FROM waiting_job")
        lost = await fetch_rows(
            conn,
            """
            SELECT job_id FROM job j WHERE (state = 'W') <> EXISTS (SELECT FROM waiting_job w WHERE w.job_id = j.job_id)
                OR (state IN ('M', 'R', 'C')) <> EXISTS (
                    SELECT FROM attempt a WHERE a.job_id = j.job_id AND a.ended_at IS NULL)
            """,
        )
        assert lost == []


async def test_jobs_submitted_over_several_connections_are_listed_newest_first(
    servers: list[Database], world: World
) -> None:
    made: list[int] = []
    for server in servers * 2:
        async with server.transaction([1]) as conn:
            made += (await submitted(conn, world)).job_ids
    async with servers[0].transaction([1]) as conn:
        listed, _ = await service.search_page(conn, 1, None, {}, sort="-id", page=(None, 10))
    assert listed == made[::-1]


async def test_only_the_ids_of_dids_are_drawn_ahead(conn: Connection) -> None:
    ahead = "SELECT sequencename FROM pg_sequences WHERE schemaname = 'sancho' AND cache_size > 1"
    assert await fetch_values(conn, ahead) == ["did_id"]


async def test_jobs_that_are_held_released_put_back_killed_matched_and_failed_at_once_are_counted_right(
    database: Database, world: World
) -> None:
    """Whatever loses a race is told so, and no counter drifts."""
    async with database.transaction([1]) as conn:
        await execute(conn, "UPDATE vo SET max_reschedules = 1000 WHERE vo = 1")
        did_id = await dataset(conn, world, "mc:data", {"A-DISK": [1]})
        tried = replace(PLAIN, max_attempts=100, retry=Retry(job=1))
        ids = (await submitted(conn, world, tried, count=6)).job_ids
        ids += (await submitted(conn, world, replace(tried, inputs=("mc:data",)), count=6)).job_ids

    chance = Random(20261128)

    async def once(step: Callable[[Connection], Awaitable[object]]) -> None:
        with suppress(Conflict, Unavailable, AttemptEnded):
            async with database.transaction([1]) as conn:
                await step(conn)

    def some() -> list[int]:
        return chance.sample(ids, 4)

    async def run_and_fail(pilot: int, site: str, reason: Reason | None) -> None:
        attempt = None
        with suppress(Collision):
            async with database.transaction([1]) as conn:
                attempt = await taken(conn, world, pilot_id=pilot, site=site)
        if attempt is not None:
            result, number = Result(reason=reason), attempt.attempt_id
            await once(lambda conn: service.finish(conn, 1, number, result, pilot_id=pilot, checksums={}))

    async def change(n: int) -> None:
        root = user(world, "root")
        steps: list[Callable[[Connection], Awaitable[object]]] = [
            lambda conn: service.hold(conn, root, some()),
            lambda conn: service.release(conn, root, ids),
            lambda conn: service.reschedule_each(conn, root, some(), force=n == 1),
            lambda conn: service.kill(conn, root, some()[:1]),
            lambda conn: service.forgive(conn, 1, after=timedelta(seconds=-1)),
            lambda conn: service.resolve_all(conn, 1),
        ]
        for step in steps:
            await once(step)

    async def work(n: int) -> None:
        for site, reason in (("SITE-A", Reason.UPLOAD_FAILED), ("SITE-B", Reason.PILOT_LOST), ("SITE-A", None),
                             ("SITE-B", Reason.PAYLOAD_FAILED)):  # fmt: skip
            await run_and_fail(10 + n, site, reason)

    for round_ in range(6):
        await asyncio.gather(*(change(n) for n in range(3)), *(work(n) for n in range(3)))
        if round_ == 2:
            async with database.transaction([1]) as conn:
                await dids.close(conn, 1, did_id)
        async with database.transaction([1]) as conn:
            await check_counters(conn)
            assert await fetch_value(conn, TWICE) == 0


TWICE = """
    SELECT count(*) FROM job j
     WHERE (j.state IN ('M', 'R', 'C')) <> EXISTS (
           SELECT FROM attempt a WHERE a.job_id = j.job_id AND a.vo = j.vo AND a.ended_at IS NULL)
"""
"""Jobs that run without an attempt, or have one and do not run; two open ones an index forbids."""
