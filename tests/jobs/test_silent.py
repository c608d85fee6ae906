"""Jobs that others run and that fall silent: tried again as their descriptions say, and late reports change nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sancho.jobs import plan, service
from sancho.jobs.model import Failure, Heartbeat, JobState, Reason, Report, Requirement, Retry, Slot
from sancho.kit.clock import SystemClock
from sancho.kit.db import Connection, execute, fetch_value
from tests.jobs.given import PLAIN, started, submitted, user
from tests.jobs.test_status import asks, counters_are_counts, states
from tests.world import World

LEASE = timedelta(hours=6)
DAY = timedelta(days=1)
ONCE = replace(PLAIN, max_attempts=1)


async def run_by_others(conn: Connection, world: World, *job_ids: int) -> None:
    """Let somebody take jobs over the wire."""
    for job_id in job_ids:
        words = asks(job_id, JobState.MATCHED, JobState.RUNNING, seconds=0)
        await service.report(conn, user(world, "root"), words, now=datetime.now(UTC))


async def age(conn: Connection, hours: float, *job_ids: int) -> None:
    """Let all that was ever said of jobs be so long ago."""
    for table, column in (
        ("job", "changed_at"), ("job_heartbeat", "at"), ("job_history", "at"), ("job_silence", "at"),
    ):  # fmt: skip
        query = f"UPDATE {table} SET {column} = {column} - %(h)s * interval '1 h' WHERE job_id = ANY(%(ids)s)"
        await execute(conn, query, {"h": hours, "ids": list(job_ids)})  # pyright: ignore[reportArgumentType]


async def lose(conn: Connection, vo: int = 1) -> list[int]:
    return await service.lose_silent(conn, vo, LEASE, SystemClock())


async def test_only_what_others_run_and_is_silent_is_given_up(conn: Connection, world: World) -> None:
    ids = (await submitted(conn, world, ONCE, count=6)).job_ids
    waiting, silent, beating, telling, young, ours = ids
    await service.hold(conn, user(world), [waiting])
    await run_by_others(conn, world, silent, beating, telling, young)
    assert (await started(conn, world)).job_id == ours
    await age(conn, 7, waiting, silent, beating, telling, ours)
    await service.beat(conn, user(world), [Heartbeat(job_id=beating, load=1.0)])
    now = datetime.now(UTC)
    told = Report(job_id=telling, at=now - timedelta(hours=5), source="agent", asked="Running", state=JobState.RUNNING)
    await service.report(conn, user(world), [told], now=now)

    assert await lose(conn, vo=2) == []
    assert await lose(conn) == [silent]
    assert await lose(conn) == []
    assert await states(conn, *ids) == ["held", "failed", "running", "running", "running", "matched"]
    detail = await service.get(conn, user(world), silent)
    assert detail.job.detail == "pilot_lost: no sign of life for 6:00:00"
    assert await service.values(conn, 1, [silent], ["minor"]) == [["Stalled: no sign of life"]]


async def test_it_is_tried_again_as_often_as_its_description_says(conn: Connection, world: World) -> None:
    description = replace(PLAIN, retry=Retry(site=2), max_attempts=10)
    (job,) = (await submitted(conn, world, description)).job_ids
    for left in ("waiting", "waiting", "failed"):
        await run_by_others(conn, world, job)
        await age(conn, 7, job)
        assert await lose(conn) == [job]
        assert await states(conn, job) == [left]
        await counters_are_counts(conn)
    assert await service.reschedule(conn, user(world), [job]) == [job]
    await run_by_others(conn, world, job)
    await age(conn, 7, job)
    await execute(conn, "UPDATE reschedule SET at = at - interval '7 h'")
    await lose(conn)
    assert await states(conn, job) == ["waiting"]
    attempt = await started(conn, world)
    await service.lose(conn, 1, [attempt.attempt_id], reason=Reason.PILOT_LOST, detail="gone")
    assert await states(conn, job) == ["waiting"]
    assert await fetch_value(conn, "SELECT count(*) FROM job_silence") == 4


async def test_all_attempts_together_count_those_of_others(conn: Connection, world: World) -> None:
    (job,) = (await submitted(conn, world, replace(PLAIN, max_attempts=2))).job_ids
    await run_by_others(conn, world, job)
    await age(conn, 7, job)
    await lose(conn)
    attempt = await started(conn, world)
    await service.lose(conn, 1, [attempt.attempt_id], reason=Reason.PILOT_LOST, detail="gone")
    assert await states(conn, job) == ["failed"]


async def test_late_reports_change_nothing_and_who_comes_back_is_told(conn: Connection, world: World) -> None:
    again, over = (await submitted(conn, world)).job_ids[0], (await submitted(conn, world, ONCE)).job_ids[0]
    await run_by_others(conn, world, again, over)
    await age(conn, 7, again, over)
    assert await lose(conn) == [again, over]
    assert await states(conn, again, over) == ["waiting", "failed"]
    root = user(world, "root")
    for job in (again, over):
        late = asks(job, JobState.RUNNING, JobState.COMPLETING, JobState.DONE, seconds=1)
        await service.report(conn, root, late, now=datetime.now(UTC))
    assert await states(conn, again, over) == ["waiting", "failed"]
    beats = [Heartbeat(job_id=again), Heartbeat(job_id=over)]
    assert [one.job_id for one in await service.beat(conn, root, beats)] == [over]
    # Whoever runs it after that was not meant.
    await service.reschedule(conn, root, [over])
    assert await service.beat(conn, root, beats) == []
    assert {(await started(conn, world)).job_id for _ in range(2)} == {again, over}


def test_no_site_is_avoided_for_what_nobody_knows() -> None:
    slots = [Slot(ce=f"CE-{n}", site=f"S{n}", cores=1, memory=10**10, walltime=DAY, tags=frozenset()) for n in (1, 2)]
    silence = Failure(job_id=1, reason=Reason.PILOT_LOST, site=None, site_id=None, recent=True)
    failed = replace(silence, reason=Reason.UPLOAD_FAILED, site="S1", site_id=7)
    assert plan.to_avoid([silence, silence], [Requirement()], slots) == ()
    assert plan.to_avoid([silence, failed], [Requirement()], slots) == (7,)
    assert plan.to_avoid([failed, silence], [Requirement()], slots) == ()
