"""Jobs that are held, released and put back to their start, and what is tried again after a failure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sancho.dids import service as dids
from sancho.jobs import service
from sancho.jobs.errors import (
    AttemptEnded,
    JobNotFound,
    NotReschedulable,
    OutputPromisedTwice,
    RescheduledTooOften,
)
from sancho.jobs.model import AttemptState, Description, JobState, Reason, Result, Retry
from sancho.kit.access import NotYours
from sancho.kit.db import Connection, execute, fetch_rows, fetch_value
from sancho.kit.errors import PermissionMissing
from sancho.kit.query import parse
from tests.jobs.given import PLAIN, SIMULATION, dataset, started, submitted, taken, uploaded, user
from tests.world import World

ATTEMPTS = replace(PLAIN, max_attempts=20)


async def states(conn: Connection, job_ids: Sequence[int]) -> list[JobState]:
    rows = await fetch_rows(conn, "SELECT state FROM job WHERE job_id = ANY(%(ids)s) ORDER BY job_id", {"ids": job_ids})
    return [JobState(letter) for (letter,) in rows]


async def check_counters(conn: Connection) -> None:
    """What is counted of each queue is what waits in it; and each job in a queue is in its own, and waits."""
    counted = dict(
        await fetch_rows(
            conn, "SELECT task_queue_id, sum(waiting) FROM task_queue_slot GROUP BY 1 HAVING sum(waiting) <> 0"
        )
    )
    waiting = """
        SELECT task_queue_id, sum(n) FROM (
            SELECT task_queue_id, 1 FROM waiting_job
             UNION ALL
            SELECT task_queue_id, last_id - first_id + 1 FROM job_range WHERE state = 'W') AS w (task_queue_id, n)
         GROUP BY 1
    """
    assert counted == dict(await fetch_rows(conn, waiting))
    astray = """
        SELECT (SELECT count(*) FROM job j LEFT JOIN waiting_job w USING (task_queue_id, vo, job_id)
                 WHERE (j.state = 'W') <> (w.job_id IS NOT NULL))
             + (SELECT count(*) FROM job j LEFT JOIN pending_job p USING (vo, job_id)
                 WHERE (j.state = 'P') <> (p.job_id IS NOT NULL OR (j.state = 'P' AND EXISTS (
                       SELECT FROM job_edge e WHERE e.job_id = j.job_id AND e.vo = j.vo AND NOT e.met))))
             + (SELECT count(*) FROM job_range g JOIN job j ON j.job_id BETWEEN g.first_id AND g.last_id)
             + (SELECT count(*) FROM job_range g JOIN job_range o
                    ON o.range_id > g.range_id AND o.first_id <= g.last_id AND o.last_id >= g.first_id)
    """
    assert await fetch_value(conn, astray) == 0
    asleep = """
        SELECT count(*) FROM task_queue q
         WHERE NOT q.active AND (EXISTS (SELECT FROM waiting_job w WHERE w.task_queue_id = q.task_queue_id)
                OR EXISTS (SELECT FROM job_range g WHERE g.task_queue_id = q.task_queue_id AND g.state = 'W'))
    """
    assert await fetch_value(conn, asleep) == 0


async def failed(
    conn: Connection, world: World, reason: Reason, *, site: str = "SITE-A", pilot_id: int = 1
) -> tuple[int, JobState]:
    """The next job fails at a site: which, and what becomes of it."""
    attempt = await taken(conn, world, site=site, pilot_id=pilot_id)
    assert attempt is not None
    ended = await service.finish(
        conn, 1, attempt.attempt_id, Result(reason=reason), pilot_id=pilot_id, checksums={}
    )  # fmt: skip
    return attempt.job_id, ended


# ---- held and released


async def test_a_held_job_is_given_to_nobody_until_it_is_released(conn: Connection, world: World) -> None:
    ids = (await submitted(conn, world, count=2)).job_ids
    assert await service.hold(conn, user(world), ids[:1]) == ids[:1]
    assert await states(conn, ids) == [JobState.HELD, JobState.WAITING]
    await check_counters(conn)
    assert (await started(conn, world)).job_id == ids[1]
    assert await taken(conn, world) is None
    await service.rest(conn, 1)

    assert await service.hold(conn, user(world), ids) == []
    assert await service.release(conn, user(world), ids) == ids[:1]
    await check_counters(conn)
    assert (await started(conn, world)).job_id == ids[0]
    said = (await service.get(conn, user(world), ids[0])).history
    assert [(h.state.word, h.detail) for h in said[1:3]] == [
        ("held", "held by alice"),
        ("waiting", "released by alice"),
    ]


async def test_a_job_that_is_held_while_its_inputs_come_is_pending_or_waits_when_it_is_released(
    conn: Connection, world: World
) -> None:
    did_id = await dataset(conn, world, "mc:data", {"A-DISK": [1]})
    ids = (await submitted(conn, world, replace(PLAIN, inputs=("mc:data",)), count=3)).job_ids
    assert await service.hold(conn, user(world), ids[:2]) == ids[:2]
    assert await service.release(conn, user(world), ids[:1]) == ids[:1]
    assert await states(conn, ids) == [JobState.PENDING, JobState.HELD, JobState.PENDING]
    await check_counters(conn)

    await dids.close(conn, 1, did_id)
    await service.resolve_all(conn, 1)
    assert await states(conn, ids) == [JobState.WAITING, JobState.HELD, JobState.WAITING]
    await service.release(conn, user(world), ids)
    assert await states(conn, ids) == [JobState.WAITING] * 3
    await check_counters(conn)


async def test_a_held_job_can_be_killed_and_is_counted_and_found(conn: Connection, world: World) -> None:
    ids = (await submitted(conn, world, count=2)).job_ids
    await service.hold(conn, user(world), ids)
    assert await service.summarise(conn, 1, parse("state = held"), {}, by=["state"]) == [([JobState.HELD], 2)]
    assert await service.kill(conn, user(world), ids[:1]) == ids[:1]
    assert await states(conn, ids) == [JobState.KILLED, JobState.HELD]
    await check_counters(conn)


@pytest.mark.parametrize("change", [service.hold, service.release, service.reschedule])
async def test_jobs_of_others_are_not_changed(conn: Connection, world: World, change: Any) -> None:
    ids = (await submitted(conn, world)).job_ids
    with pytest.raises(NotYours):
        await change(conn, user(world, "bob"), ids)
    for stranger in (user(world, "root", 2), user(world, vo=2)):
        with pytest.raises(JobNotFound):
            await change(conn, stranger, ids)
    assert await states(conn, ids) == [JobState.WAITING]


async def test_a_search_chooses_what_can_be_changed_and_ones_own(conn: Connection, world: World) -> None:
    ids = (await submitted(conn, world, count=3)).job_ids
    bobs = (await service.submit(conn, user(world, "bob"), PLAIN, [{}])).job_ids
    await service.kill(conn, user(world), ids[:1])
    waiting = {JobState.WAITING}

    async def chosen(name: str, where: str = "name = plain", vo: int = 1) -> list[int]:
        found, following = await service.chosen(
            conn, user(world, name, vo), parse(where), {}, states=waiting, cursor=None
        )  # fmt: skip
        assert following is None
        return found

    assert await chosen("alice") == ids[1:]
    assert await chosen("alice", "state = killed | state = waiting") == ids[1:]
    assert await chosen("root") == [*ids[1:], *bobs]
    assert await chosen("root", vo=2) == []


# ---- rescheduled


async def test_a_job_goes_back_to_its_start_as_often_as_its_vo_says(conn: Connection, world: World) -> None:
    await execute(conn, "UPDATE vo SET max_reschedules = 2 WHERE vo = 1")
    ids = (await submitted(conn, world)).job_ids
    for _ in range(2):
        assert (await failed(conn, world, Reason.PAYLOAD_FAILED))[1] is JobState.FAILED
        assert await service.reschedule(conn, user(world), ids) == ids
        await check_counters(conn)
    await failed(conn, world, Reason.PAYLOAD_FAILED)
    with pytest.raises(RescheduledTooOften, match="2 times"):
        await service.reschedule(conn, user(world), ids)
    with pytest.raises(PermissionMissing):
        await service.reschedule(conn, user(world), ids, anew=True)
    assert await service.reschedule(conn, user(world, "root"), ids, anew=True) == ids
    assert await service.values(conn, 1, ids, ["reschedules", "attempts"]) == [[0, 3]]
    view = await service.get(conn, user(world), ids[0])
    assert [a.state for a in view.attempts] == [AttemptState.FAILED] * 3
    assert [h.detail for h in view.history if h.state is JobState.WAITING][1:] == [
        "rescheduled by alice", "rescheduled by alice", "rescheduled by root"
    ]  # fmt: skip


async def test_the_attempts_of_a_job_that_went_back_begin_anew(conn: Connection, world: World) -> None:
    ids = (await submitted(conn, world, replace(PLAIN, max_attempts=2))).job_ids
    for wanted in (JobState.WAITING, JobState.FAILED):
        assert (await failed(conn, world, Reason.UPLOAD_FAILED))[1] is wanted
    await service.reschedule(conn, user(world), ids)
    for wanted in (JobState.WAITING, JobState.FAILED):
        assert (await failed(conn, world, Reason.UPLOAD_FAILED))[1] is wanted


async def test_jobs_that_wait_or_are_held_go_back_and_those_that_are_done_or_run_do_not(
    conn: Connection, world: World
) -> None:
    done, running, held, waiting = (await submitted(conn, world, count=4)).job_ids
    attempt = await started(conn, world)
    await service.finish(conn, 1, attempt.attempt_id, Result(), pilot_id=1, checksums={})
    attempt = await started(conn, world, pilot_id=2)
    await service.hold(conn, user(world), [held])
    changed, refused = await service.reschedule_each(conn, user(world), [done, running, held, waiting])
    assert changed == [held, waiting]
    assert {job: type(why) for job, why in refused.items()} == {done: NotReschedulable, running: NotReschedulable}
    assert await states(conn, [done, running, held, waiting]) == [
        JobState.DONE, JobState.MATCHED, JobState.WAITING, JobState.WAITING
    ]  # fmt: skip
    await check_counters(conn)
    with pytest.raises(NotReschedulable, match=f"Job {done} is done"):
        await service.reschedule(conn, user(world), [waiting, done])
    with pytest.raises(PermissionMissing):
        await service.reschedule(conn, user(world), [running], force=True)

    assert await service.reschedule(conn, user(world, "root"), [running], force=True) == [running]
    assert await states(conn, [running]) == [JobState.WAITING]
    with pytest.raises(AttemptEnded):
        await service.finish(conn, 1, attempt.attempt_id, Result(), pilot_id=2, checksums={})
    await check_counters(conn)


async def test_outputs_are_made_once_however_often_their_job_goes_back(conn: Connection, world: World) -> None:
    ids = (await submitted(conn, world, SIMULATION)).job_ids
    attempt = await started(conn, world)
    early = await uploaded(conn, world, attempt)
    await service.reschedule(conn, user(world, "root"), ids, force=True)
    again = await started(conn, world, pilot_id=2)
    intents = await uploaded(conn, world, again)
    assert intents != early
    sums = dict.fromkeys(intents, "00000001")
    result = Result(intents=tuple(intents))
    assert await service.finish(conn, 1, again.attempt_id, result, pilot_id=2, checksums=sums) is JobState.DONE
    assert await fetch_value(conn, "SELECT count(*) FROM did WHERE kind = 'F'") == 1
    with pytest.raises(NotReschedulable):
        await service.reschedule(conn, user(world, "root"), ids, force=True)


async def test_of_killed_jobs_those_go_back_whose_outputs_nobody_has_promised_since(
    conn: Connection, world: World
) -> None:
    first, second = (await submitted(conn, world, SIMULATION, count=2)).job_ids
    await service.kill(conn, user(world), [first, second])
    await submitted(conn, world, SIMULATION)
    changed, refused = await service.reschedule_each(conn, user(world), [first, second])
    assert changed == [second]
    assert isinstance(refused[first], OutputPromisedTwice)
    assert await states(conn, [first, second]) == [JobState.KILLED, JobState.WAITING]
    await check_counters(conn)


# ---- tried again


@pytest.mark.parametrize(
    ("retry", "reason", "tries"),
    [
        (Retry(), Reason.PAYLOAD_FAILED, 1),
        (Retry(job=2), Reason.PAYLOAD_FAILED, 3),
        (Retry(job=9), Reason.KILLED, 1),
        (Retry(site=1), Reason.UPLOAD_FAILED, 2),
        (Retry(site=0), Reason.UPLOAD_FAILED, 1),
        (Retry(), Reason.UPLOAD_FAILED, 20),
        (Retry(), Reason.INPUT_GONE, 2),
    ],
)
async def test_a_job_is_tried_as_often_as_it_says_of_that_fault(
    conn: Connection, world: World, retry: Retry, reason: Reason, tries: int
) -> None:
    await submitted(conn, world, replace(ATTEMPTS, retry=retry))
    for _ in range(tries - 1):
        assert (await failed(conn, world, reason))[1] is JobState.WAITING
        await check_counters(conn)
    assert (await failed(conn, world, reason))[1] is JobState.FAILED
    await check_counters(conn)


async def test_a_job_is_tried_again_when_its_payload_says_so_by_its_exit_code(conn: Connection, world: World) -> None:
    await submitted(conn, world, replace(ATTEMPTS, retry=Retry(temporary=(75,), permanent=(4,))))
    for code, state in [(75, JobState.WAITING), (75, JobState.WAITING), (4, JobState.FAILED)]:
        attempt = await taken(conn, world)
        assert attempt is not None
        result = Result(reason=Reason.PAYLOAD_FAILED, exit_code=code)
        assert await service.finish(conn, 1, attempt.attempt_id, result, pilot_id=1, checksums={}) is state
    await check_counters(conn)


async def test_an_input_that_is_nowhere_is_the_datas_fault_and_not_the_sites(conn: Connection, world: World) -> None:
    did_id = await dataset(conn, world, "mc:data", {"A-DISK": [1]})
    await dids.close(conn, 1, did_id)
    ids = (await submitted(conn, world, replace(ATTEMPTS, inputs=("mc:data",), retry=Retry(data=0)))).job_ids
    assert (await failed(conn, world, Reason.INPUT_UNAVAILABLE))[1] is JobState.WAITING
    attempt = await taken(conn, world, site="SITE-B")
    assert attempt is not None
    await execute(conn, "UPDATE replica SET state = 'B'")
    result = Result(reason=Reason.INPUT_UNAVAILABLE)
    assert await service.finish(conn, 1, attempt.attempt_id, result, pilot_id=1, checksums={}) is JobState.FAILED
    assert await service.values(conn, 1, ids, ["error"]) == [["input_gone"]]


async def banned(conn: Connection, job_id: int) -> list[str]:
    """The sites, by id, where the queue of a job bans it."""
    return await fetch_value(
        conn,
        "SELECT requirements -> 0 -> 'banned_sites' FROM task_queue q JOIN job j USING (task_queue_id, vo)"
        " WHERE j.job_id = %(id)s",
        {"id": job_id},
    )


async def test_a_site_that_failed_a_job_is_avoided_for_a_while_if_another_can_run_it(
    conn: Connection, world: World
) -> None:
    (job,) = (await submitted(conn, world, ATTEMPTS)).job_ids
    a, b = (str(world.resource[site]) for site in ("SITE-A", "SITE-B"))
    await failed(conn, world, Reason.UPLOAD_FAILED, site="SITE-A")
    assert await banned(conn, job) == [a]
    await check_counters(conn)
    await failed(conn, world, Reason.UPLOAD_FAILED, site="SITE-B")
    assert await banned(conn, job) == [b], "both failed it, so the last one alone is avoided"
    assert await service.forgive(conn, 1) == []
    assert await service.forgive(conn, 1, after=timedelta(seconds=-1)) == [job]
    assert await banned(conn, job) == []
    await check_counters(conn)
    assert await service.forgive(conn, 1, after=timedelta(seconds=-1)) == []

    await failed(conn, world, Reason.UPLOAD_FAILED, site="SITE-A")
    await failed(conn, world, Reason.PAYLOAD_FAILED, site="SITE-B")
    await service.reschedule(conn, user(world), [job])
    assert await banned(conn, job) == []
    await check_counters(conn)


@pytest.mark.parametrize(
    ("description", "reason"),
    [
        (replace(ATTEMPTS, requirements=replace(PLAIN.requirements, sites=("SITE-A",))), Reason.UPLOAD_FAILED),
        (replace(ATTEMPTS, retry=Retry(job=5)), Reason.PAYLOAD_FAILED),
    ],
)
async def test_no_site_is_avoided_where_there_is_no_other_or_it_was_not_its_fault(
    conn: Connection, world: World, description: Description, reason: Reason
) -> None:
    (job,) = (await submitted(conn, world, description)).job_ids
    assert await failed(conn, world, reason) == (job, JobState.WAITING)
    assert await banned(conn, job) == []
    assert await fetch_value(conn, "SELECT count(*) FROM task_queue") == 1


async def test_jobs_of_one_queue_that_one_site_failed_wait_in_one_queue(conn: Connection, world: World) -> None:
    ids = (await submitted(conn, world, ATTEMPTS, count=3)).job_ids
    for avoided in ([], [str(world.resource["SITE-A"])]):
        attempts = [(await started(conn, world)).attempt_id for _ in ids]
        assert await service.lose(conn, 1, attempts, reason=Reason.PILOT_LOST, detail="gone") == ids
        assert await banned(conn, ids[0]) == avoided
    assert await fetch_value(conn, "SELECT count(DISTINCT task_queue_id) FROM job") == 1
    await check_counters(conn)
