"""Jobs that ended long ago go with all that is kept of them; what made a file stays with the file."""

from collections.abc import Sequence
from datetime import timedelta

import psycopg
import pytest
from psycopg import sql

from sancho.jobs import service
from sancho.jobs.model import JobState, Result
from sancho.kit.db import Connection, execute, fetch_rows, fetch_value, fetch_values
from sancho.kit.query import parse
from tests.jobs.given import PLAIN, SIMULATION, started, submitted, uploaded, user
from tests.served import Served
from tests.world import World

KEEP = timedelta(days=30)


async def done(conn: Connection, world: World, number: int = 1) -> list[int]:
    """Jobs that have made a file each."""
    made = await submitted(conn, world, SIMULATION, number)
    for _ in made.job_ids:
        attempt = await started(conn, world)
        intents = await uploaded(conn, world, attempt)
        sums = dict.fromkeys(intents, "00000001")
        ended = await service.finish(
            conn, 1, attempt.attempt_id, Result(intents=tuple(intents)), pilot_id=1, checksums=sums
        )
        assert ended is JobState.DONE
    return list(made.job_ids)


async def killed(conn: Connection, world: World, number: int = 1) -> list[int]:
    """Jobs that were killed, each while it ran."""
    made = await submitted(conn, world, count=number)
    for job in made.job_ids:
        attempt = await started(conn, world)
        await service.set_parameters(conn, user(world), {job: {"note": "kept"}})
        await service.begin(conn, 1, attempt.attempt_id, pilot_id=1)
    await service.kill(conn, user(world), made.job_ids)
    return list(made.job_ids)


async def grow_old(conn: Connection, jobs: Sequence[int]) -> None:
    """Say that jobs ended 40 days ago."""
    await execute(
        conn, "UPDATE job SET changed_at = now() - interval '40 days' WHERE job_id = ANY(%(jobs)s)", {"jobs": jobs}
    )


async def still_there(conn: Connection, jobs: Sequence[int]) -> list[int]:
    """Which of these jobs there are."""
    return await fetch_values(
        conn, "SELECT job_id FROM job WHERE job_id = ANY(%(jobs)s) ORDER BY job_id", {"jobs": jobs}
    )


async def tables_that_know(conn: Connection, column: str, ids: Sequence[int]) -> set[str]:
    """Tables with a row of a job's, whichever tables there are; a week of history is not told from another."""
    known: set[str] = set()
    tables = await fetch_rows(
        conn,
        """
        SELECT table_name FROM information_schema.columns
         WHERE table_schema = 'sancho' AND column_name = %(column)s ORDER BY 1
        """,
        {"column": column},
    )
    for (table,) in tables:
        query = sql.SQL("SELECT count(*) FROM {} WHERE {} = ANY(%(ids)s)")
        if await fetch_value(conn, query.format(sql.Identifier(table), sql.Identifier(column)), {"ids": ids}):
            known.add("job_history" if table.startswith("job_history") else table)
    return known


async def test_old_jobs_go_and_those_that_made_files_stay_with_them(served: Served) -> None:
    world, database = served.world, served.deployment.database
    async with database.transaction([1]) as conn:
        old, young, made = await killed(conn, world, 3), await killed(conn, world), await done(conn, world)
        waiting = list((await submitted(conn, world)).job_ids)
        attempts = await fetch_values(
            conn, "SELECT attempt_id FROM attempt WHERE job_id = ANY(%(jobs)s)", {"jobs": old}
        )
        await grow_old(conn, [*old, *made, *waiting])

    assert await service.forget_old_jobs(served.deployment, 1, KEEP) == 3
    assert await service.forget_old_jobs(served.deployment, 1, KEEP) == 0
    assert await service.forget_old_jobs(served.deployment, 2, KEEP) == 0

    async with database.transaction([1]) as conn:
        assert await still_there(conn, [*old, *young, *made, *waiting]) == [*young, *made, *waiting]
        left = await tables_that_know(conn, "job_id", old)
        assert left <= {"job_history", "ledger"}, "what was accounted stays, and history goes by the week"
        assert await tables_that_know(conn, "attempt_id", attempts) == set()
        assert await fetch_value(conn, "SELECT count(*) FROM submission") == 3, "those that have jobs"
        await execute(conn, "UPDATE did SET erased = true WHERE kind = 'F'")
    assert (await served.send("GET", f"/jobs/{old[0]}")).status_code == 404
    assert await service.forget_old_jobs(served.deployment, 1, KEEP) == 1
    assert (await served.send("GET", f"/jobs/{made[0]}")).status_code == 404


async def test_more_than_a_transaction_takes_go_too(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sancho.jobs.service.forgetting.BATCH", 2)
    async with served.deployment.database.transaction([1]) as conn:
        kept = await done(conn, served.world, 3)
        made = await submitted(conn, served.world, count=7)
        await service.kill(conn, user(served.world), made.job_ids)
        await grow_old(conn, [*kept, *made.job_ids])
    assert await service.forget_old_jobs(served.deployment, 1, KEEP) == 7
    async with served.deployment.database.transaction([1]) as conn:
        assert await still_there(conn, [*kept, *made.job_ids]) == kept


async def test_jobs_that_were_killed_before_they_had_rows_go_too(served: Served) -> None:
    world = served.world
    async with served.deployment.database.transaction([1]) as conn:
        made = await service.submit(conn, user(world), PLAIN, 1000)
        first = made.first
        await service.kill(conn, user(world), [first])
        waiting, states = parse("state = waiting"), [JobState.WAITING]
        await service.change_ranges(conn, user(world), waiting, {}, states=states, state=JobState.KILLED)
        assert await fetch_value(conn, "SELECT count(*) FROM job_range WHERE state = 'K'") == 1
        await grow_old(conn, [first])
    assert await service.forget_old_jobs(served.deployment, 1, KEEP) == 1, "the one that had a row"
    async with served.deployment.database.transaction([1]) as conn:
        assert await fetch_value(conn, "SELECT count(*) FROM submission") == 1
        await execute(conn, "UPDATE job_range SET changed_at = now() - interval '40 days'")
    assert await service.forget_old_jobs(served.deployment, 1, KEEP) == 999
    async with served.deployment.database.transaction([1]) as conn:
        assert await fetch_value(conn, "SELECT count(*) FROM submission") == 0


async def test_old_weeks_of_history_are_dropped_whole(served: Served) -> None:
    weeks = "SELECT relname FROM pg_class WHERE relname ~ '^job_history_[0-9]{8}$' AND relkind = 'r'"
    with psycopg.connect(served.owner_url, autocommit=True) as owner:
        before = {row[0] for row in owner.execute(weeks)}
        owner.execute(
            "CREATE TABLE sancho.job_history_20200106 PARTITION OF sancho.job_history"
            " FOR VALUES FROM ('2020-01-06') TO ('2020-01-13')"
        )
        assert await service.drop_old_history(served.deployment, KEEP) == 1
        assert {row[0] for row in owner.execute(weeks)} == before
    assert await service.drop_old_history(served.deployment, KEEP) == 0
    with pytest.raises(psycopg.errors.RaiseException):
        await service.drop_old_history(served.deployment, timedelta(hours=1))
