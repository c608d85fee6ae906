"""Jobs that others run and that fall silent: tried again as their descriptions say, and late reports change nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sancho.jobs import plan, service
from sancho.jobs.model import Command, Failure, Heartbeat, JobState, Reason, Report, Requirement, Retry, Slot
from sancho.kit.clock import SystemClock
from sancho.kit.db import Connection, execute, fetch_value
from tests.jobs.given import PLAIN, started, submitted, user
from tests.jobs.test_status import asks, counters_are_counts, reporter, states
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
        ("job_taking", "taken_at"),
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
    assert [one.job_id for one in await service.beat(conn, root, beats)] == [over, again]
    # Whoever runs it after that was not meant, and whoever ran it before still is.
    await service.reschedule(conn, root, [over])
    assert await service.beat(conn, root, beats) == [Command(command_id=0, job_id=job_id) for job_id in (again, over)]
    attempts = [await started(conn, world) for _ in range(2)]
    assert {one.job_id for one in attempts} == {again, over}
    assert await service.commands_for_pilot(conn, 1, [one.attempt_id for one in attempts]) == []


def says(job: int, state: JobState | None = None, minor: str | None = None, source: str = "JobWrapper") -> list[Report]:
    return [Report(job_id=job, at=datetime.now(UTC), source=source, state=state, minor=minor, asked=state and "x")]


async def test_whoever_lost_a_job_is_told_and_changes_nothing_of_who_has_it_since(
    conn: Connection, world: World
) -> None:
    ours, theirs, untaken = (await submitted(conn, world, count=3)).job_ids
    bob, root = reporter(world), user(world, "root")
    for job in (ours, theirs):
        await service.report(conn, bob, says(job, JobState.MATCHED), now=datetime.now(UTC))
    signs = [Heartbeat(job_id=job, memory=5) for job in (ours, theirs, untaken)]
    assert await service.beat_once(conn, bob, signs) == []
    await age(conn, 7, ours, theirs)
    assert await lose(conn) == [ours, theirs]
    told = [Command(command_id=0, job_id=ours), Command(command_id=0, job_id=theirs)]
    for _ in range(2):
        assert await service.beat_once(conn, bob, signs) == told
    for state in (JobState.FAILED, JobState.KILLED, None):
        now = datetime.now(UTC)
        assert await service.report(conn, bob, says(ours, state, "over"), now=now) == {ours}
    assert await states(conn, ours, theirs) == ["waiting", "waiting"]

    again = [*says(theirs, JobState.MATCHED, "anew"), *says(theirs, JobState.RUNNING)]
    assert await service.report(conn, root, again, now=datetime.now(UTC)) == set()
    await service.hold(conn, root, [untaken])
    attempt = await started(conn, world)
    await service.begin(conn, 1, attempt.attempt_id, pilot_id=1)
    assert await service.beat_once(conn, bob, signs) == told
    assert await service.beat_once(conn, root, [Heartbeat(job_id=theirs)]) == []
    for job in (ours, theirs):
        for state in (JobState.COMPLETING, JobState.DONE, JobState.FAILED, JobState.KILLED, None):
            now = datetime.now(UTC)
            assert await service.report(conn, bob, says(job, state, "over"), now=now) == {job}
    assert await states(conn, ours, theirs) == ["running", "running"]
    assert await service.values(conn, 1, [theirs], ["minor"]) == [["anew"]]
    assert await service.report(conn, root, says(theirs, JobState.DONE), now=datetime.now(UTC)) == set()
    killed = says(ours, JobState.KILLED, source="Unknown")
    assert await service.report(conn, user(world), killed, now=datetime.now(UTC)) == set()
    assert await states(conn, ours, theirs) == ["killed", "done"]


def test_no_site_is_avoided_for_what_nobody_knows() -> None:
    slots = [Slot(ce=f"CE-{n}", site=f"S{n}", cores=1, memory=10**10, walltime=DAY, tags=frozenset()) for n in (1, 2)]
    silence = Failure(job_id=1, reason=Reason.PILOT_LOST, site=None, site_id=None, recent=True)
    failed = replace(silence, reason=Reason.UPLOAD_FAILED, site="S1", site_id=7)
    assert plan.to_avoid([silence, silence], [Requirement()], slots) == ()
    assert plan.to_avoid([silence, failed], [Requirement()], slots) == (7,)
    assert plan.to_avoid([failed, silence], [Requirement()], slots) == ()


async def test_whose_payload_has_ended_or_who_reports_late_lives(conn: Connection, world: World) -> None:
    ended, late = (await submitted(conn, world, ONCE, count=2)).job_ids
    await run_by_others(conn, world, ended, late)
    now = datetime.now(UTC)
    done = Report(job_id=ended, at=now, source="JobWrapper", asked="Completed", state=JobState.COMPLETING)
    await service.report(conn, user(world, "root"), [done], now=now)
    await age(conn, 7, ended, late)
    step = Report(job_id=late, at=now - timedelta(hours=6, minutes=30), source="agent", application="step 7")
    await service.report(conn, user(world, "root"), [step], now=now)

    assert await lose(conn) == []
    assert await states(conn, ended, late) == ["completing", "running"]
