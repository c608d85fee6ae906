"""What two connections at once may do to jobs, with real commits."""

import asyncio

from sancho.jobs import service
from sancho.jobs.model import Reason, Started
from sancho.kit.db import Connection, Database, fetch_rows, fetch_value, fetch_values
from tests.jobs.given import queues, started, submitted, taken, user
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
