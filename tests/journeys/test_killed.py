"""A process that dies within what a request or a task does, or right after it: asked again, it has happened once.

`test_crash` kills real processes while a grid works, at points that such a grid passes by itself. Here the points are
those of what somebody has to ask for, or that take long to come about: whoever passes one ends there, and its
connection with it, as of a process that was killed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sancho.dids import service as dids
from sancho.jobs import service as jobs
from sancho.jobs import tasks
from sancho.jobs.model import After, JobState, Part, Reason
from sancho.kit import faults
from sancho.kit.db import Connection, execute, fetch_rows, fetch_value
from sancho.rules import service as rules
from tests.dids.given import given_files, person
from tests.jobs.given import PLAIN, dataset, started, submitted, user
from tests.jobs.test_forgetting import grow_old, still_there
from tests.jobs.test_silent import age, run_by_others
from tests.jobs.test_status import counters_are_counts
from tests.jobs.test_tapes import READS, recalled, tape
from tests.rules.given import check_exact
from tests.rules.test_archives_end import packed
from tests.served import Served

pytestmark = pytest.mark.xdist_group("killed")
POINTS = frozenset({
    "web.committed", "jobs.rescheduled", "jobs.followed", "jobs.datasets-closed", "jobs.forgotten", "jobs.silent-lost",
    "rules.unpacked",
})  # fmt: skip
"""Those that are passed here alone."""
HIT: set[str] = set()


class Killed(BaseException):
    """The process ended here."""


class Killer:
    """Kills whoever passes a point, once."""

    def __init__(self) -> None:
        """Let everybody live."""
        self.armed: str | None = None

    def __call__(self, name: str) -> None:
        """Somebody passes a point."""
        if name == self.armed:
            self.armed = None
            HIT.add(name)
            raise Killed(name)


@pytest.fixture
def killer() -> Iterator[Killer]:
    made = Killer()
    faults.install(made)
    yield made
    faults.install(None)


def parts() -> dict[str, tuple[str, dict[str, Any]]]:
    """Every way to submit jobs, each with a key."""
    plain = {"name": "plain", "command": ["true"], "requirements": {"memory": "1 MB"}}
    tool = {"class": "CommandLineTool", "cwlVersion": "v1.2", "baseCommand": "true", "inputs": {}, "outputs": {}}
    graph = [
        {"description": plain | {"name": name}, "idempotency_key": f"graph-key-{name}", "after": after}
        for name, after in (("a", []), ("b", ["a"]))
    ]
    return {
        "rows": ("/jobs", {"description": plain, "parameters": [{"n": 1}], "idempotency_key": "key-rows"}),
        "range": ("/jobs", {"description": plain, "parameters": {"count": 150}, "idempotency_key": "key-range"}),
        "graph": ("/jobs/graph", {"submissions": graph}),
        "cwl": ("/jobs/cwl", {"tool": tool, "idempotency_key": "key-of-cwl"}),
    }  # fmt: skip


async def numbers(served: Served) -> tuple[int, int]:
    """Submissions, and jobs with those that have no rows yet."""
    async with served.deployment.database.transaction([1]) as conn:
        rows = await fetch_rows(conn, "SELECT count(*), coalesce(sum(jobs), 0)::int FROM submission")
        await counters_are_counts(conn)
        await no_job_is_lost(conn)
    return rows[0][0], rows[0][1]


async def no_job_is_lost(conn: Connection) -> None:
    """Each waiting job is in its queue, once, and each other one in none."""
    wrong = await fetch_rows(
        conn,
        """
        SELECT j.job_id, j.state, count(w.job_id) FROM job j
          LEFT JOIN waiting_job w ON w.job_id = j.job_id AND w.vo = j.vo
         GROUP BY 1, 2 HAVING count(w.job_id) <> (j.state = 'W')::int
        """,
    )
    assert wrong == []


async def ask(served: Served, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    answer = await served.send("POST", path, json=body)
    assert answer.status_code < 300, answer.text
    return answer.json()


async def test_what_is_submitted_again_after_a_death_is_submitted_once(served: Served, killer: Killer) -> None:
    known: dict[str, Any] = {}
    for what, (path, body) in parts().items():
        before = await numbers(served)
        killer.armed = "jobs.submitted"
        with pytest.raises(Killed):
            await served.send("POST", path, json=body)
        assert await numbers(served) == before, what
        killer.armed = "web.committed"
        with pytest.raises(Killed):
            await served.send("POST", path, json=body)
        after = await numbers(served)
        known[what] = await ask(served, path, body)
        assert await numbers(served) == after != before, what
        assert '"repeated":true' in (await served.send("POST", path, json=body)).text
    of_range, of_row = known["range"]["first"], known["rows"]["job_ids"][0]
    clone = {"job_ids": [of_row, of_range], "idempotency_key": "key-clone"}
    before = await numbers(served)
    killer.armed = "web.committed"
    with pytest.raises(Killed):
        await served.send("POST", "/jobs/clone", json=clone)
    made = await ask(served, "/jobs/clone", clone)
    assert (len(made["clones"]), made["repeated"]) == (2, True)
    assert await numbers(served) == (before[0] + 2, before[1] + 2)


async def test_changes_that_are_asked_for_again_are_made_once(served: Served, killer: Killer) -> None:
    async with served.deployment.database.transaction([1]) as conn:
        ids = (await submitted(conn, served.world, count=2)).job_ids
    whole = {"job_ids": ids}
    for verb, state, changed in (("hold", "H", 0), ("release", "W", 0), ("kill", "K", 0), ("reschedule", "W", 2)):
        killer.armed = "web.committed"
        with pytest.raises(Killed):
            await served.send("POST", f"/jobs/{verb}", json=whole)
        assert len((await ask(served, f"/jobs/{verb}", whole))["changed"]) == changed
        async with served.deployment.database.transaction([1]) as conn:
            assert await fetch_rows(conn, "SELECT DISTINCT state FROM job") == [(state,)]
        await numbers(served)
    async with served.deployment.database.transaction([1]) as conn:
        assert await fetch_value(conn, "SELECT count(*) FROM job_command") == 2
        counted = await fetch_rows(conn, "SELECT number, attempts FROM reschedule")
    killer.armed = "jobs.rescheduled"
    with pytest.raises(Killed):
        await served.send("POST", "/jobs/reschedule", json=whole)
    async with served.deployment.database.transaction([1]) as conn:
        assert await fetch_rows(conn, "SELECT number, attempts FROM reschedule") == counted
    await numbers(served)


async def test_a_command_whose_answer_was_lost_is_told_again(served: Served, killer: Killer) -> None:
    async with served.deployment.database.transaction([1]) as conn:
        (job,) = (await submitted(conn, served.world)).job_ids
        await run_by_others(conn, served.world, job)
        await jobs.kill(conn, user(served.world), [job])
    headers = {"authorization": f"Bearer {served.token()}"}

    async def beat() -> list[int]:
        answer = await served.client.patch("/api/jobs/heartbeat", json={str(job): {}}, headers=headers)
        assert answer.status_code == 200, answer.text
        return [one["job_id"] for one in answer.json()]

    killer.armed = "web.committed"
    with pytest.raises(Killed):
        await beat()
    assert await beat() == []
    async with served.deployment.database.transaction([1]) as conn:
        await execute(conn, "UPDATE job_command SET delivered_at = delivered_at - interval '61 s'")
    assert await beat() == [job]
    assert await beat() == []


async def test_tasks_that_die_between_two_steps_go_on_where_they_were(
    served: Served, killer: Killer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sancho.jobs.service.edges.NOTES_AT_ONCE", 1)
    monkeypatch.setattr("sancho.jobs.service.forgetting.BATCH", 2)
    world, database = served.world, served.deployment.database
    first = replace(PLAIN, name="first", max_attempts=1)
    async with database.transaction([1]) as conn:
        made = await jobs.submit_all(
            conn, user(world),
            [
                part
                for n in range(3)
                for part in (
                    Part(description=replace(first, name=f"first{n}"), parameters=[{}]),
                    Part(description=replace(PLAIN, name=f"then{n}"), parameters=[{}], after=[After(name=f"first{n}")]),
                )
            ],
        )  # fmt: skip
        await jobs.kill(conn, user(world), [one.job_ids[0] for one in made[::2]])
    killer.armed = "jobs.followed"
    with pytest.raises(Killed):
        await tasks.follow(served.deployment, vo=1)
    async with database.transaction([1]) as conn:
        assert await fetch_value(conn, "SELECT count(*) FROM job WHERE state = 'P'") == 2
    await tasks.follow(served.deployment, vo=1)
    async with database.transaction([1]) as conn:
        assert await fetch_rows(conn, "SELECT state, count(*) FROM job GROUP BY 1 ORDER BY 1") == [("F", 3), ("K", 3)]
        assert await fetch_value(conn, "SELECT count(*) FROM job_ended") == 0
        old = (await submitted(conn, world, count=5)).job_ids
        await jobs.kill(conn, user(world), old)
        await grow_old(conn, old)
    await numbers(served)

    keep = timedelta(days=30)
    killer.armed = "jobs.forgotten"
    with pytest.raises(Killed):
        await jobs.forget_old_jobs(served.deployment, 1, keep)
    async with database.transaction([1]) as conn:
        assert await still_there(conn, old) == old[2:]
    assert await jobs.forget_old_jobs(served.deployment, 1, keep) == 3
    assert await numbers(served) == (6, 6)


async def test_what_falls_silent_is_lost_once(served: Served, killer: Killer) -> None:
    world, database = served.world, served.deployment.database
    async with database.transaction([1]) as conn:
        again, over = (
            (await submitted(conn, world)).job_ids[0],
            (await submitted(conn, world, replace(PLAIN, max_attempts=1))).job_ids[0],
        )
        await run_by_others(conn, world, again, over)
        await age(conn, 7, again, over)
    killer.armed = "jobs.silent-lost"
    with pytest.raises(Killed):
        await tasks.lose_silent(served.deployment)
    await numbers(served)
    for _ in range(2):
        await tasks.lose_silent(served.deployment)
    await numbers(served)
    async with database.transaction([1]) as conn:
        assert await fetch_rows(conn, "SELECT job_id, state FROM job ORDER BY 1") == [(again, "W"), (over, "F")]
        assert await fetch_rows(conn, "SELECT job_id FROM job_silence ORDER BY 1") == [(again,), (over,)]
        assert await fetch_rows(conn, "SELECT job_id FROM job_command") == [(over,)]
        attempt = await started(conn, world)
        await jobs.lose(conn, 1, [attempt.attempt_id], reason=Reason.PILOT_LOST, detail="gone")


async def test_what_is_on_tape_is_recalled_once_and_datasets_open_doors_once(served: Served, killer: Killer) -> None:
    world, database = served.world, served.deployment.database
    async with database.transaction([0, 1]) as conn:
        ids = await tape(conn, world)
        await submitted(conn, world, READS, count=3)
        await jobs.want_inputs(conn, 1)
    killer.armed = "rules.pinned"
    with pytest.raises(Killed):
        await rules.pin(served.deployment, 1)
    for _ in range(2):
        await rules.pin(served.deployment, 1)
    async with database.transaction([1]) as conn:
        assert sorted(await recalled(conn)) == sorted(ids)
        await check_exact(conn)

        did_id = await dataset(conn, world, "mc:later", {"A-DISK": [1]})
        made = await submitted(conn, world, replace(READS, inputs=("mc:later",)))
        await dids.close(conn, 1, did_id)
    killer.armed = "jobs.datasets-closed"
    with pytest.raises(Killed):
        await tasks.wake(served.deployment, vo=1)
    async with database.transaction([1]) as conn:
        assert (await jobs.get(conn, user(world), made.job_ids[0])).job.state is JobState.PENDING
    await tasks.wake(served.deployment, vo=1)
    async with database.transaction([1]) as conn:
        assert (await jobs.get(conn, user(world), made.job_ids[0])).job.state is JobState.WAITING
    await numbers(served)


async def test_a_large_archive_ends_once(served: Served, killer: Killer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sancho.rules.service.erasing.UNPACKED_AT_ONCE", 2)
    world, database = served.world, served.deployment.database
    async with database.transaction([1]) as conn:
        await given_files(conn, world, "a.zip")
        await packed(conn, world, "a.zip", *"fghij")
        await dids.erase(conn, person(world, "alice"), ["mc:a.zip"], after=timedelta(0))
    killer.armed = "rules.unpacked"
    with pytest.raises(Killed):
        await rules.erase(served.deployment)
    async with database.transaction([1]) as conn:
        assert await fetch_value(conn, "SELECT count(*) FROM constituent") == 3
        await execute(conn, "UPDATE ending SET look_at = now()")  # the dead one's lease is over
    while await rules.erase(served.deployment):
        pass
    async with database.transaction([1]) as conn:
        assert await dids.find_all(conn, world.belle, ["mc:a.zip", *(f"mc:{name}" for name in "fghij")]) == []
        assert await fetch_value(conn, "SELECT count(*) FROM constituent") == 0


def test_every_point_of_these_was_hit() -> None:
    assert HIT >= POINTS
