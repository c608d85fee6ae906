"""Tasks are queued with the transaction that makes them necessary, carried out once, and taken over from the dead."""

from datetime import timedelta

import pytest
from psycopg.sql import SQL

from sancho.kit import telemetry
from sancho.kit.access import Signer
from sancho.kit.db import Connection, Database, execute, fetch_rows, fetch_value, fetch_values
from sancho.kit.deployment import Deployment
from sancho.kit.extensions import Extensions
from sancho.kit.tasks import PRIORITY, Tasks, defer
from sancho.kit.worker import make_app, queues_of, revive, take_over, work
from sancho.parts import TASKS
from tests.world import World

LONGEST_CHANNEL = 63
"""Bytes of a name that PostgreSQL keeps apart from others."""
SEEN: list[tuple[str, object]] = []
HEALTHY: set[str] = set()
tasks = Tasks("trial")


@tasks.task("note")
async def note(deployment: Deployment, *, what: str) -> None:
    SEEN.append((what, telemetry.traceparent()))


@tasks.task("stubborn")
async def stubborn(deployment: Deployment, *, what: str) -> None:
    if what not in HEALTHY:
        raise ZeroDivisionError
    SEEN.append((what, None))


@tasks.task("share")
async def share(deployment: Deployment, *, vo: int, what: str) -> None:
    SEEN.append((what, vo))


@tasks.task("tick", every=timedelta(seconds=30))
async def tick(deployment: Deployment) -> None:
    SEEN.append(("tick", None))


@pytest.fixture
def deployment(database: Database) -> Deployment:
    SEEN.clear()
    nothing: Signer = None  # pyright: ignore[reportAssignmentType]
    objects = None
    return Deployment(
        database=database, public_url="", signer=nothing, extensions=Extensions(), objects=objects  # pyright: ignore[reportArgumentType]
    )  # fmt: skip


async def run(deployment: Deployment, url: str) -> None:
    await work(make_app(url, [tasks]), deployment, concurrency=2, wait=False)


async def test_a_task_runs_after_its_transaction_committed(
    deployment: Deployment, database: Database, database_url: str, world: World
) -> None:
    async with database.transaction([world.belle]) as conn:
        await defer(conn, "trial:note", what="hello")
    await run(deployment, database_url)
    assert [what for what, _ in SEEN if what != "tick"] == ["hello"]


async def test_a_task_of_a_failed_transaction_never_runs(
    deployment: Deployment, database: Database, database_url: str, world: World
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction([world.belle]) as conn:
            await defer(conn, "trial:note", what="never")
            raise ZeroDivisionError
    await run(deployment, database_url)
    assert "never" not in [what for what, _ in SEEN]


async def test_a_worker_leaves_tasks_alone_that_it_does_not_know(
    deployment: Deployment, database: Database, database_url: str, world: World
) -> None:
    newer = Tasks("newer")

    @newer.task("note")
    async def later(deployment: Deployment, *, what: str) -> None:
        SEEN.append((what, "newer"))

    waiting = "SELECT task_name, status, attempts FROM procrastinate_jobs WHERE args ? 'what'"
    async with database.transaction([world.belle]) as conn:
        await defer(conn, "newer:note", what="of the next release")
        await defer(conn, "trial:note", what="known")
        await execute(
            conn,
            """
            INSERT INTO procrastinate_jobs (queue_name, task_name, args)
            VALUES ('default', 'trial:note', '{"what": "of the last release"}')
        """,
        )
    await run(deployment, database_url)
    assert {what for what, _ in SEEN if what != "tick"} == {"known", "of the last release"}
    async with database.transaction([world.belle]) as conn:
        assert await fetch_rows(conn, waiting) == [("newer:note", "todo", 0)]
    await work(make_app(database_url, [tasks, newer]), deployment, concurrency=2, wait=False)
    assert ("of the next release", "newer") in SEEN
    async with database.transaction([world.belle]) as conn:
        assert await fetch_rows(conn, waiting) == []


def test_each_task_is_told_of_on_a_channel_of_its_name() -> None:
    queues = queues_of(make_app("postgresql:///", TASKS))
    assert {"rules:settle", "kit:rescue", "default"} <= set(queues)
    assert all(len(f"procrastinate_queue_v1#{queue}".encode()) <= LONGEST_CHANNEL for queue in queues)


async def test_the_same_piece_of_work_waits_once(database: Database, world: World) -> None:
    async with database.transaction([world.belle]) as conn:
        await defer(conn, "trial:note", once="hello", what="hello")
        await defer(conn, "trial:note", once="hello", what="hello")
        assert await fetch_value(conn, "SELECT count(*) FROM procrastinate_jobs") == 1


async def test_the_trace_goes_along_with_the_task(
    deployment: Deployment, database: Database, database_url: str, world: World
) -> None:
    telemetry.configure(service="trial")
    async with database.transaction([world.belle]) as conn:
        with telemetry.span("asking"):
            asked = telemetry.traceparent()
            await defer(conn, "trial:note", what="traced")
    await run(deployment, database_url)
    traced = next(trace for what, trace in SEEN if what == "traced")
    assert asked is not None
    assert str(traced).split("-")[1] == asked.split("-")[1]


async def test_the_work_of_a_dead_worker_is_taken_over(
    deployment: Deployment, database: Database, database_url: str, world: World
) -> None:
    async with database.transaction([world.belle]) as conn:
        await defer(conn, "trial:note", once="twin", what="twin")  # which is asked for once more, while it is under way
        await defer(conn, "trial:note", what="orphan")
        await fetch_rows(
            conn,
            """
            WITH dead AS (
                INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour') RETURNING id)
            UPDATE procrastinate_jobs SET status = 'doing', worker_id = dead.id FROM dead RETURNING 1
            """,
        )
        await defer(conn, "trial:note", once="twin", what="twin")
    app = make_app(database_url, [tasks])
    async with app.open_async():
        await take_over(app)
    SEEN.clear()
    await run(deployment, database_url)
    assert sorted(what for what, _ in SEEN if what in ("orphan", "twin")) == ["orphan", "twin"]


async def test_what_failed_too_often_is_not_lost_but_tried_again_by_and_by(
    deployment: Deployment, database: Database, database_url: str, world: World
) -> None:
    async with database.transaction([world.belle]) as conn:
        await defer(conn, "trial:stubborn", what="no")
        await defer(conn, "trial:stubborn", what="yes")
        await fetch_rows(conn, "UPDATE procrastinate_jobs SET status = 'failed', attempts = 10 RETURNING 1")
    HEALTHY.clear()
    HEALTHY.add("yes")
    app = make_app(database_url, [tasks])

    async with app.open_async():
        assert await revive(app) == 2
    before = [telemetry.TASKS.labels("trial:stubborn", outcome)._value.get() for outcome in ("done", "failed")]
    await run(deployment, database_url)
    after = [telemetry.TASKS.labels("trial:stubborn", outcome)._value.get() for outcome in ("done", "failed")]

    assert [what for what, _ in SEEN if what != "tick"] == ["yes"]
    done, failed = (b - a for a, b in zip(before, after, strict=True))
    assert (done, failed >= 1) == (1, True)  # at a quarter of an hour, the clock has it tried once more
    async with database.transaction([world.belle]) as conn:
        left = "SELECT args->>'what' FROM procrastinate_jobs WHERE task_name = 'trial:stubborn'"
        assert await fetch_rows(conn, left) == [("no",)]


async def test_a_task_of_the_clock_that_failed_waits_for_the_clock(
    deployment: Deployment, database: Database, database_url: str, world: World
) -> None:
    _ = deployment
    app = make_app(database_url, [tasks])
    async with database.transaction([world.belle]) as conn:
        await defer(conn, "trial:tick", once="trial:tick")
        await fetch_rows(conn, "UPDATE procrastinate_jobs SET status = 'failed' RETURNING 1")

    async with app.open_async():
        assert await revive(app) == 0

    async with database.transaction([world.belle]) as conn:
        assert await fetch_rows(conn, "SELECT status FROM procrastinate_jobs") == [("failed",)]
        await fetch_rows(conn, "UPDATE procrastinate_events SET at = now() - interval '2 days' RETURNING 1")
    async with app.open_async():
        await revive(app)
    async with database.transaction([world.belle]) as conn:
        assert await fetch_rows(conn, "SELECT status FROM procrastinate_jobs") == []


async def test_vos_take_turns_however_many_tasks_of_one_wait(
    deployment: Deployment, database: Database, database_url: str, world: World
) -> None:
    async with database.transaction([world.belle]) as conn:
        for n in range(200):
            await defer(conn, "trial:share", vo=world.belle, what=f"belle {n}")
    async with database.transaction([world.gridpp]) as conn:
        for n in range(3):
            await defer(conn, "trial:share", vo=world.gridpp, what=f"gridpp {n}")
        await defer(conn, "trial:note", what="nobody's")

    await work(make_app(database_url, [tasks]), deployment, concurrency=1, wait=False)

    order = [what for what, _ in SEEN if what != "tick"]
    assert len(order) == 204
    assert [order.index(f"gridpp {n}") for n in range(3)] == [1, 4, 6]
    assert order.index("nobody's") == 2
    assert [what for what in order if "belle" in str(what)] == [f"belle {n}" for n in range(200)]


async def test_a_vo_that_comes_late_does_not_overtake_by_more_than_its_turn(
    deployment: Deployment, database: Database, world: World
) -> None:
    _ = deployment
    async with database.transaction([world.belle, world.gridpp]) as conn:
        for n in range(100):
            await defer(conn, "trial:share", vo=world.belle, what=f"belle {n}")
        # Half of them are done; one failed, and is to be tried again later.
        await execute(conn, "DELETE FROM procrastinate_jobs WHERE priority > -50 AND priority < -1")
        later = "UPDATE procrastinate_jobs SET scheduled_at = now() + interval '1 hour' WHERE priority = -1"
        await execute(conn, later)
        for n in range(2):
            await defer(conn, "trial:share", vo=world.gridpp, what=f"gridpp {n}")

        priorities = "SELECT priority FROM procrastinate_jobs WHERE args->>'what' LIKE 'gridpp%' ORDER BY id"
        assert await fetch_values(conn, priorities) == [-50, -51]


async def test_looking_for_the_turn_of_a_task_reads_two_rows(conn: Connection) -> None:
    await execute(
        conn,
        """
        INSERT INTO procrastinate_jobs (queue_name, task_name, priority, args)
        SELECT 'default', 'trial:share', -n, jsonb_build_object('vo', 1) FROM generate_series(1, 20000) AS n
        """,
    )
    for vo in ("1", "2"):
        plan = "\n".join(await fetch_values(conn, SQL("EXPLAIN (ANALYZE, TIMING off) " + PRIORITY), {"vo": vo}))
        assert "Seq Scan" not in plan
        assert "Rows Removed" not in plan
