"""What is reported of jobs: the latest counts, in whatever order it comes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sancho.jobs import plan, service
from sancho.jobs.errors import JobNotFound
from sancho.jobs.model import MOST_AHEAD, TRANSITIONS, Heartbeat, JobState, Report, Standing, StatusKind
from sancho.kit.access import NotYours, PermissionMissing, Principal
from sancho.kit.db import Connection, execute, fetch_rows, fetch_value
from sancho.kit.query import parse
from tests.jobs.given import PLAIN, SIMULATION, queues, started, submitted, taken, user
from tests.served import Served
from tests.world import USERS, World

NOW = datetime.now(UTC)
TEXTS = st.sampled_from(["a", "b", "é", "z"]) | st.none()
REPORTS = st.lists(
    st.builds(
        Report,
        job_id=st.integers(1, 2),
        at=st.integers(0, 4).map(lambda n: NOW + timedelta(seconds=n)),
        source=st.sampled_from(["job", "pilot"]),
        minor=TEXTS,
        application=TEXTS,
    ),
    max_size=8,
)


def reporter(world: World) -> Principal:
    """Somebody who reports for pilots."""
    return replace(user(world, "bob"), permissions=frozenset({*USERS, "pilots:report"}))


@given(REPORTS, st.randoms())
def test_the_order_of_reports_does_not_matter(reports: list[Report], random: Any) -> None:
    shuffled = [*reports, *reports[:2]]
    random.shuffle(shuffled)
    first, second = plan.latest(reports), plan.latest(shuffled)
    assert {(s.job_id, s.kind): s for s in first} == {(s.job_id, s.kind): s for s in second}


@given(st.lists(st.integers(-100, 100_000), min_size=1, max_size=8))
def test_a_clock_that_is_ahead_is_bounded_and_keeps_its_order(seconds: list[int]) -> None:
    said = [Report(job_id=1, at=NOW + timedelta(seconds=n), source="x", minor=f"{n:06}") for n in sorted(seconds)]
    kept = plan.bounded(said, NOW)
    assert [one.minor for one in sorted(kept, key=lambda one: one.at)] == [one.minor for one in said]
    assert all(one.at <= NOW + MOST_AHEAD + timedelta(milliseconds=1) for one in kept)
    assert all(one == other for one, other in zip(kept, said, strict=True) if other.at <= NOW + MOST_AHEAD)


@given(
    st.sampled_from(JobState), st.lists(st.sampled_from(JobState), max_size=5), st.booleans(), st.booleans(),
    st.booleans(),
)  # fmt: skip
def test_reports_never_move_what_a_pilot_runs_nor_lose_outputs(
    state: JobState, wanted: list[JobState], is_open: bool, promises: bool, force: bool
) -> None:
    standing = Standing(job_id=1, state=state, changed_at=NOW, open=is_open, promises=promises)
    reports = [Report(job_id=1, at=NOW, source="x", state=one) for one in wanted]
    moved = plan.walk(standing, reports, force=force)
    late = [replace(one, at=NOW - timedelta(seconds=1)) for one in reports]
    assert plan.walk(standing, late, force=force) is None
    if moved is None:
        return
    assert not state.final
    assert moved[0] not in (JobState.WAITING, JobState.PENDING)
    if is_open:
        assert moved[0] is JobState.KILLED
    if promises:
        assert moved[0] is not JobState.DONE
    if len(wanted) == 1 and not force:
        assert moved[0] in TRANSITIONS[state]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(reports=REPORTS, cuts=st.lists(st.integers(0, 10), max_size=3), random=st.randoms())
async def test_calls_in_any_order_lead_to_the_same_job_and_history(
    conn: Connection, world: World, reports: list[Report], cuts: list[int], random: Any
) -> None:
    told: list[Any] = []
    base = datetime.now(UTC) + timedelta(seconds=1)
    reports = [replace(one, at=base + (one.at - NOW)) for one in reports]
    shuffled = [*reports, *reports[:3]]
    random.shuffle(shuffled)
    for order in (reports, shuffled):
        ids = (await submitted(conn, world, count=2)).job_ids
        mine = [replace(one, job_id=ids[one.job_id - 1]) for one in order]
        edges = [0, *sorted(cuts), len(mine)]
        for begin, end in pairwise(edges):
            if mine[begin:end]:
                await service.report(conn, user(world), mine[begin:end], now=base)
        now = await service.statuses(conn, 1, ids)
        lines = await fetch_rows(
            conn,
            """
            SELECT job_id, at, source, minor, application FROM job_history
             WHERE job_id = ANY(%(ids)s) AND source IS NOT NULL
            """,
            {"ids": ids},
        )
        told.append((
            {(s.job_id - ids[0], s.kind, s.at, s.said, s.source) for s in now},
            sorted((row[0] - ids[0], *map(str, row[1:])) for row in lines),
        ))  # fmt: skip
    assert told[0] == told[1]


async def test_a_minor_status_is_of_a_state_and_what_the_application_says_of_an_attempt(
    conn: Connection, world: World
) -> None:
    (job,) = (await submitted(conn, world)).job_ids
    attempt = await started(conn, world)
    said = Report(job_id=job, at=datetime.now(UTC), source="wrapper", minor="Staging in", application="event 1")
    await service.report(conn, reporter(world), [said], now=said.at)
    detail = await service.get(conn, user(world), job)
    assert {kind: s.said for kind, s in detail.statuses.items()} == {
        StatusKind.MINOR: "Staging in", StatusKind.APPLICATION: "event 1"
    }  # fmt: skip
    assert await found(conn, "minor = 'Staging in' & application like event*") == [job]
    assert await found(conn, "minor exists & heartbeat_at exists") == []
    assert (await service.values(conn, 1, [job], ["minor", "application"])) == [["Staging in", "event 1"]]

    await service.begin(conn, 1, attempt.attempt_id, pilot_id=1)
    assert (await service.values(conn, 1, [job], ["minor", "application"])) == [[None, "event 1"]]
    assert await found(conn, "minor = 'Staging in'") == []
    assert await found(conn, "~(minor exists)") == [job]
    old = replace(said, minor="older", at=said.at - timedelta(days=1))
    await service.report(conn, reporter(world), [old], now=said.at)
    detail = await service.get(conn, user(world), job)
    assert [(h.state.word, h.minor) for h in detail.history if h.source] == [
        ("running", "older"), ("matched", "Staging in")
    ]  # fmt: skip
    assert detail.job.detail is None


async def found(conn: Connection, where: str) -> list[int]:
    ids, _ = await service.search_page(conn, 1, parse(where), {}, sort="id", page=(None, 10))
    return ids


async def test_only_owners_managers_and_who_reports_for_pilots_report(conn: Connection, world: World) -> None:
    (job,) = (await submitted(conn, world)).job_ids
    said = Report(job_id=job, at=datetime.now(UTC), source="x", minor="m")
    with pytest.raises(NotYours):
        await service.report(conn, user(world, "bob"), [said], now=datetime.now(UTC))
    with pytest.raises(JobNotFound):
        await service.report(conn, user(world, vo=2), [said], now=datetime.now(UTC))
    with pytest.raises(PermissionMissing):
        await service.report(conn, user(world), [said], now=datetime.now(UTC), force=True)
    for caller in (user(world), user(world, "root"), reporter(world)):
        await service.report(conn, caller, [said], now=datetime.now(UTC))
    assert len(await service.statuses(conn, 1, [job])) == 1
    assert await service.statuses(conn, 2, [job]) == []


async def states(conn: Connection, *job_ids: int) -> list[str]:
    return [job.state.word for job in await service.list_jobs(conn, 1, job_ids)]


def asks(job: int, *words: JobState, seconds: float = 1) -> list[Report]:
    at = datetime.now(UTC) + timedelta(seconds=seconds)
    return [
        Report(job_id=job, at=at + timedelta(milliseconds=n), source="x", asked=w.word, state=w)
        for n, w in enumerate(words)
    ]


async def test_a_job_that_no_pilot_of_ours_runs_goes_as_is_reported(conn: Connection, world: World) -> None:
    one, two = (await submitted(conn, world, count=2)).job_ids
    root = user(world, "root")
    await service.report(conn, root, asks(one, JobState.MATCHED), now=datetime.now(UTC))
    assert await states(conn, one, two) == ["matched", "waiting"]
    assert (await started(conn, world)).job_id == two
    assert await taken(conn, world) is None
    await service.beat(conn, root, [service_beat(one)])
    assert await states(conn, one) == ["running"]
    await service.report(
        conn, root, asks(one, JobState.COMPLETING, JobState.DONE, JobState.RUNNING, seconds=9), now=datetime.now(UTC)
    )
    assert await states(conn, one) == ["done"]
    await service.report(conn, root, asks(one, JobState.FAILED, JobState.KILLED, seconds=20), now=datetime.now(UTC))
    assert await states(conn, one) == ["done"]
    await counters_are_counts(conn)


def service_beat(job: int) -> Heartbeat:
    return Heartbeat(job_id=job, load=1.5, tail="x" * 20_000)


async def counters_are_counts(conn: Connection) -> None:
    wrong = await fetch_rows(
        conn,
        """
        SELECT q.task_queue_id, sum(s.waiting)
          FROM task_queue q LEFT JOIN task_queue_slot s ON s.task_queue_id = q.task_queue_id AND s.vo = q.vo
         GROUP BY 1 HAVING coalesce(sum(s.waiting), 0) <> (
               SELECT count(*) FROM waiting_job w WHERE w.task_queue_id = q.task_queue_id) + (
               SELECT coalesce(sum(g.last_id - g.first_id + 1), 0) FROM job_range g
                WHERE g.task_queue_id = q.task_queue_id AND g.state = 'W')
        """,
    )
    assert wrong == []


async def test_what_a_pilot_runs_can_be_killed_by_a_report_and_no_more(conn: Connection, world: World) -> None:
    (job,) = (await submitted(conn, world)).job_ids
    attempt = await started(conn, world)
    root = user(world, "root")
    for word in (JobState.RUNNING, JobState.DONE, JobState.FAILED, JobState.WAITING):
        await service.report(conn, root, asks(job, word), now=datetime.now(UTC), force=True)
    assert await states(conn, job) == ["matched"]
    killed = replace(asks(job, JobState.KILLED)[0], minor="by hand")
    await service.report(conn, root, [killed], now=datetime.now(UTC))
    assert await states(conn, job) == ["killed"]
    assert await service.find_attempt(conn, 1, attempt.attempt_id) is None
    assert (await service.values(conn, 1, [job], ["minor"])) == [["by hand"]]
    assert [c.attempt_id for c in await service.commands_for_pilot(conn, 1, [attempt.attempt_id])] == [
        attempt.attempt_id
    ]
    assert await service.commands_for_pilot(conn, 2, [attempt.attempt_id]) == []


async def test_no_job_is_done_by_a_report_while_it_promises_outputs(conn: Connection, world: World) -> None:
    (job,) = (await submitted(conn, world, SIMULATION)).job_ids
    root = user(world, "root")
    await service.report(conn, root, asks(job, JobState.DONE), now=datetime.now(UTC), force=True)
    assert await states(conn, job) == ["waiting"]
    await service.report(conn, root, asks(job, JobState.FAILED), now=datetime.now(UTC))
    assert await states(conn, job) == ["failed"]
    assert await service.reschedule(conn, root, [job]) == [job]
    assert (await started(conn, world)).job_id == job
    await counters_are_counts(conn)


async def test_commands_are_said_until_they_are_acknowledged(conn: Connection, world: World) -> None:
    (job,) = (await submitted(conn, world, PLAIN)).job_ids
    alice = user(world)
    assert await service.beat(conn, alice, [service_beat(job)]) == []
    await service.kill(conn, alice, [job])
    first = await service.beat(conn, alice, [service_beat(job)])
    again = await service.beat(conn, alice, [service_beat(job)])
    assert [one.job_id for one in first] == [job]
    assert first == again
    assert await service.beat(conn, alice, [service_beat(job)], [first[0].command_id]) == []
    assert len(await service.own_tail(conn, 1, job) or "") == 16_384
    await service.acknowledge(conn, 1, [first[0].command_id])
    assert await service.forget_commands(conn, 1) == 0
    await execute(conn, "UPDATE job_command SET created_at = now() - interval '8 days'")
    assert await service.forget_commands(conn, 1) == 1
    await service.kill(conn, alice, [job])
    assert await fetch_value(conn, "SELECT count(*) FROM job_command") == 0
    assert await queues(conn) != []


async def test_the_api_takes_reports_and_signs_of_life(served: Served) -> None:
    async with served.deployment.database.transaction([1]) as conn:
        one, two = (await submitted(conn, served.world, count=2)).job_ids
    statuses = [{"job_id": one, "minor": "m", "application": "é"}, {"job_id": two, "minor": "n", "at": "2026-01-01"}]
    answer = await served.send("PATCH", "/jobs/statuses", json={"statuses": statuses})
    assert answer.status_code == 204, answer.text
    shown = (await served.send("GET", f"/jobs/{one}")).json()
    assert (shown["minor"]["text"], shown["minor"]["source"]) == ("m", "alice")
    assert (shown["application"]["text"], shown["heartbeat"]) == ("é", None)
    late = (await served.send("GET", f"/jobs/{two}")).json()
    assert (late["minor"], late["history"][0]["minor"], late["history"][0]["source"]) == (None, "n", "alice")
    counted = (await served.send("GET", "/jobs/summary", params={"by": ["minor"]})).json()
    assert counted == [{"minor": "m", "count": 1}, {"minor": None, "count": 1}]

    assert (await served.send("POST", "/jobs/kill", json={"job_ids": [two]})).status_code == 200
    beats = {"beats": [{"job_id": one, "load": 0.5, "memory": 7, "tail": "hello"}, {"job_id": two}]}
    said = (await served.send("PATCH", "/jobs/heartbeats", json=beats)).json()
    assert [(c["job_id"], c["command"]) for c in said["commands"]] == [(two, "kill")]
    beats["acknowledged"] = [said["commands"][0]["command_id"]]
    assert (await served.send("PATCH", "/jobs/heartbeats", json=beats)).json() == {"commands": []}
    assert (await served.send("PATCH", "/jobs/heartbeats", json=beats, account="bob")).status_code == 403
    assert (await served.send("PATCH", "/jobs/heartbeats", json=beats, vo="gridpp")).status_code == 404
    shown = (await served.send("GET", f"/jobs/{one}")).json()
    assert (shown["heartbeat"]["load"], shown["heartbeat"]["memory"]) == (0.5, 7)
    log = (await served.send("GET", f"/jobs/{one}/log", params={"follow": True})).json()
    assert (log["tail"], log["log_size"], log["final"]) == ("hello", 5, False)
