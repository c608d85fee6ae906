"""A job's life, from submit to its end, on a real database."""

from dataclasses import replace
from datetime import timedelta

import pytest

from sancho.dids import service as dids
from sancho.dids.errors import DidNotFound
from sancho.dids.model import DidKind, NewFile, Search
from sancho.jobs import service
from sancho.jobs.errors import (
    AttemptEnded,
    JobNotFound,
    KeyUsed,
    NoSiteCanRun,
    OutputPromisedTwice,
    OutputsDiffer,
    SandboxMissing,
    TooManyInputs,
)
from sancho.jobs.model import AttemptState, JobState, Reason, Requirement, Result, Usage
from sancho.kit.access import NotYours
from sancho.kit.db import Connection, fetch_rows, fetch_value
from sancho.kit.errors import PermissionMissing
from sancho.kit.query import parse
from sancho.replicas import service as replicas
from sancho.replicas.model import ReplicaKey, ReplicaState
from sancho.rses.errors import RseExpressionEmpty
from sancho.uploads.errors import IntentGivenUp
from tests.jobs.given import PLAIN, SIMULATION, dataset, queues, started, submitted, taken, uploaded, user
from tests.world import World


async def state(conn: Connection, job_id: int) -> JobState:
    return JobState(await fetch_value(conn, "SELECT state FROM job WHERE job_id = %(id)s", {"id": job_id}))


async def by_state(conn: Connection, where: str | None = None) -> dict[JobState, int]:
    counted = await service.summarise(conn, 1, parse(where) if where else None, {}, by=["state"])
    return {state: number for (state,), number in counted}


async def test_submitted_jobs_wait_in_the_order_of_their_parameters(conn: Connection, world: World) -> None:
    made = await submitted(conn, world, count=3)
    first = await service.get(conn, user(world), made.job_ids[0])
    assert (first.job.state, first.parameters) == (JobState.WAITING, {"number": 1})
    assert [h.state for h in first.history] == [JobState.WAITING]
    assert await by_state(conn, f"submission = {made.submission_id}") == {JobState.WAITING: 3}


async def test_the_same_key_submits_once(conn: Connection, world: World) -> None:
    first = await submitted(conn, world, count=2, key="12345678")
    again = await submitted(conn, world, count=2, key="12345678")
    assert again.job_ids == first.job_ids
    assert again.repeated
    assert await by_state(conn) == {JobState.WAITING: 2}


async def test_a_key_that_came_with_something_else_is_refused(conn: Connection, world: World) -> None:
    first = await submitted(conn, world, count=2, key="12345678")
    other = replace(PLAIN, command=("false",))
    for description, count in ((PLAIN, 3), (other, 2)):
        with pytest.raises(KeyUsed, match=f"submission {first.submission_id}") as caught:
            await submitted(conn, world, description, count=count, key="12345678")
        assert (caught.value.status, caught.value.field) == (409, "idempotency_key")
    rows = [{"b": 1, "a": 2}]
    one = await service.submit(conn, user(world), PLAIN, rows, key="abcdefgh")
    again = await service.submit(conn, user(world), PLAIN, [{"a": 2, "b": 1}], key="abcdefgh")
    assert again.job_ids == one.job_ids


async def test_whoever_may_not_submit_is_told_which_permission_is_missing(conn: Connection, world: World) -> None:
    with pytest.raises(PermissionMissing, match="jobs:create"):
        await service.submit(conn, replace(user(world), permissions=frozenset()), PLAIN, [{}])


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"requirements": Requirement(cores=64)}, NoSiteCanRun),
        ({"inputs": ("mc:nothing",)}, DidNotFound),
        ({"sandbox": "00" * 32}, SandboxMissing),
    ],
)
async def test_a_job_that_cannot_be_is_refused_and_leaves_nothing(
    conn: Connection, world: World, change: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        async with conn.transaction():
            await submitted(conn, world, replace(PLAIN, **change))
    assert await fetch_value(conn, "SELECT count(*) FROM submission") == 0


async def test_a_rule_that_matches_no_rse_is_refused_at_submission(conn: Connection, world: World) -> None:
    output = replace(SIMULATION.outputs[0], rule=replace(SIMULATION.outputs[0].rule, rse_expression="tier=9"))  # pyright: ignore[reportArgumentType]
    with pytest.raises(RseExpressionEmpty) as caught:
        await submitted(conn, world, replace(SIMULATION, outputs=(output,)))
    assert caught.value.field == "description.outputs.0.rule.rse_expression"


async def test_two_jobs_cannot_promise_the_same_file(conn: Connection, world: World) -> None:
    await submitted(conn, world, SIMULATION, count=2)
    with pytest.raises(OutputPromisedTwice, match="mc:sim_1"):
        async with conn.transaction():
            await submitted(conn, world, SIMULATION, count=1)
    twice = replace(SIMULATION, outputs=(replace(SIMULATION.outputs[0], did="mc:same"),))
    with pytest.raises(OutputPromisedTwice, match="mc:same"):
        async with conn.transaction():
            await submitted(conn, world, twice, count=2)


async def test_a_job_is_given_to_one_pilot_and_an_empty_queue_falls_asleep(conn: Connection, world: World) -> None:
    made = await submitted(conn, world)
    given = await started(conn, world)
    assert (given.job_id, given.number) == (made.job_ids[0], 1)
    assert await state(conn, given.job_id) is JobState.MATCHED
    assert await taken(conn, world, pilot_id=2, site="SITE-B") is None
    await service.rest(conn, 1)
    assert await queues(conn) == []
    await submitted(conn, world)
    assert len(await queues(conn)) == 1


async def test_a_finished_job_commits_outputs_rule_provenance_usage_and_state_at_once(
    conn: Connection, world: World
) -> None:
    made = await submitted(conn, world, SIMULATION)
    attempt = await started(conn, world)
    await service.begin(conn, 1, attempt.attempt_id, pilot_id=1)
    intents = await uploaded(conn, world, attempt)
    await service.complete(conn, 1, attempt.attempt_id, pilot_id=1)
    result = Result(
        exit_code=0, intents=tuple(intents), usage=Usage(wall=timedelta(seconds=9)), tail="bye\x00", log_size=4
    )
    ended = await service.finish(
        conn, 1, attempt.attempt_id, result, pilot_id=1, checksums=dict.fromkeys(intents, "00000001")
    )

    assert ended is JobState.DONE
    view = await service.get(conn, user(world), made.job_ids[0])
    assert [h.state for h in view.history] == [
        JobState.WAITING, JobState.MATCHED, JobState.RUNNING, JobState.COMPLETING, JobState.DONE,
    ]  # fmt: skip
    assert view.outputs[0][3] is not None
    assert await service.producers(conn, user(world), ["mc:sim_1"]) == {"mc:sim_1": made.job_ids[0]}
    locks = await fetch_rows(
        conn, "SELECT l.rse_id, r.state FROM lock l JOIN replica r USING (did_id, vo, rse_id) ORDER BY r.state"
    )
    assert locks == [(world.resource["A-DISK"], "A"), (world.resource["B-DISK"], "C")]
    assert await fetch_value(conn, "SELECT count(*) FROM transfer_request") == 1
    assert await fetch_value(conn, "SELECT sum(wall) FROM ledger WHERE kind = 'J'") == timedelta(seconds=9)
    tail = await service.log(conn, user(world), made.job_ids[0], None)
    assert tail is not None
    assert tail.tail == "bye\N{REPLACEMENT CHARACTER}"


async def test_outputs_are_found_by_the_job_that_made_them(conn: Connection, world: World) -> None:
    made = await submitted(conn, world, SIMULATION)
    attempt = await started(conn, world)
    intents = await uploaded(conn, world, attempt)
    await service.finish(
        conn, 1, attempt.attempt_id, Result(intents=tuple(intents)), pilot_id=1,
        checksums=dict.fromkeys(intents, "00000001"),
    )  # fmt: skip

    async def found(where: str, vo: int = world.belle) -> list[str]:
        search = Search(wanted=parse(where), kinds=(DidKind.FILE,))
        return [did.did for did in (await dids.search_page(conn, vo, search, service.SEARCH_FIELDS, limit=10)).dids]

    job = made.job_ids[0]
    for where in (
        f"job.id = {job}", "job.site = SITE-A", "job.account = alice", "job.ended_at >= 2020-01-01",
        f"job.site like SITE* & ~(job.id != {job})",
    ):  # fmt: skip
        assert await found(where) == ["mc:sim_1"], where
        assert await found(where, world.gridpp) == []
    for where in (f"job.id = {job + 1}", "job.site = SITE-B", "job.account = bob", "~(job.id exists)"):
        assert await found(where) == [], where


async def test_finishing_twice_changes_nothing_the_second_time(conn: Connection, world: World) -> None:
    await submitted(conn, world, SIMULATION)
    attempt = await started(conn, world)
    intents = await uploaded(conn, world, attempt)
    for _ in range(2):
        ended = await service.finish(
            conn, 1, attempt.attempt_id, Result(intents=tuple(intents)), pilot_id=1,
            checksums=dict.fromkeys(intents, "00000001"),
        )  # fmt: skip
        assert ended is JobState.DONE
    assert await fetch_value(conn, "SELECT count(*) FROM did WHERE kind = 'F'") == 1
    assert await fetch_value(conn, "SELECT count(*) FROM ledger WHERE kind = 'J'") == 1


async def test_a_job_is_not_done_without_all_its_outputs(conn: Connection, world: World) -> None:
    await submitted(conn, world, SIMULATION)
    attempt = await started(conn, world)
    with pytest.raises(OutputsDiffer):
        await service.finish(conn, 1, attempt.attempt_id, Result(), pilot_id=1, checksums={})


async def test_the_dataset_closes_with_the_last_output_and_the_analysis_may_start(
    conn: Connection, world: World
) -> None:
    await submitted(conn, world, SIMULATION, count=2)
    analysis = await submitted(conn, world, replace(PLAIN, name="analysis", inputs=("mc:sim",)))
    for n in range(2):
        assert await state(conn, analysis.job_ids[0]) is JobState.PENDING
        view = await service.get(conn, user(world), analysis.job_ids[0])
        assert view.reason == "dataset mc:sim is still open"
        attempt = await started(conn, world, pilot_id=n)
        intents = await uploaded(conn, world, attempt)
        sums = dict.fromkeys(intents, "00000001")
        await service.finish(conn, 1, attempt.attempt_id, Result(intents=tuple(intents)), pilot_id=n, checksums=sums)
        await service.close_datasets(conn, 1)
        await service.resolve_all(conn, 1)

    assert await state(conn, analysis.job_ids[0]) is JobState.WAITING
    assert len(await service.input_files(conn, 1, analysis.job_ids[0], site_id=world.resource["SITE-A"])) == 2


async def test_a_fault_of_the_grid_is_tried_again_until_tries_are_used_up(conn: Connection, world: World) -> None:
    made = await submitted(conn, world, replace(PLAIN, max_attempts=2))
    for n, expected in ((1, JobState.WAITING), (2, JobState.FAILED)):
        attempt = await started(conn, world)
        assert attempt.number == n
        await service.lose(conn, 1, [attempt.attempt_id], reason=Reason.PILOT_LOST, detail="gone")
        assert await state(conn, made.job_ids[0]) is expected


async def test_a_payload_that_fails_is_not_tried_again(conn: Connection, world: World) -> None:
    await submitted(conn, world)
    attempt = await started(conn, world)
    result = Result(reason=Reason.PAYLOAD_FAILED, exit_code=7, detail="exit code 7")
    assert await service.finish(conn, 1, attempt.attempt_id, result, pilot_id=1, checksums={}) is JobState.FAILED
    view = await service.get(conn, user(world), attempt.job_id)
    assert view.job.detail == "payload_failed: exit code 7"
    assert view.attempts[0].exit_code == 7


async def test_results_of_a_lost_attempt_are_refused_and_its_uploads_given_up(conn: Connection, world: World) -> None:
    await submitted(conn, world, SIMULATION)
    lost = await started(conn, world)
    intents = await uploaded(conn, world, lost)
    await service.lose(conn, 1, [lost.attempt_id], reason=Reason.PILOT_LOST, detail="gone")
    again = await started(conn, world, pilot_id=2)
    for attempt, pilot, error in ((lost, 1, AttemptEnded), (again, 2, IntentGivenUp)):
        with pytest.raises(error):
            async with conn.transaction():
                await service.finish(
                    conn, 1, attempt.attempt_id, Result(intents=tuple(intents)), pilot_id=pilot,
                    checksums=dict.fromkeys(intents, "00000001"),
                )  # fmt: skip
    assert await fetch_value(conn, "SELECT count(*) FROM did WHERE kind = 'F'") == 0


async def test_another_pilot_cannot_finish_an_attempt(conn: Connection, world: World) -> None:
    await submitted(conn, world)
    attempt = await started(conn, world, pilot_id=1)
    with pytest.raises(AttemptEnded):
        await service.finish(conn, 1, attempt.attempt_id, Result(), pilot_id=2, checksums={})


async def test_a_killed_job_leaves_its_queue_and_its_promises_are_free(conn: Connection, world: World) -> None:
    made = await submitted(conn, world, SIMULATION, count=2)
    attempt = await started(conn, world)
    assert await service.kill(conn, user(world), made.job_ids) == sorted(made.job_ids)
    assert {await state(conn, j) for j in made.job_ids} == {JobState.KILLED}
    with pytest.raises(AttemptEnded):
        await service.begin(conn, 1, attempt.attempt_id, pilot_id=1)
    assert await taken(conn, world, pilot_id=2) is None
    await submitted(conn, world, SIMULATION, count=2)


@pytest.mark.parametrize("reason", [Reason.KILLED, Reason.PILOT_STOPPED, None])
async def test_a_job_killed_by_its_user_ends_as_killed_whatever_its_pilot_says(
    conn: Connection, world: World, reason: Reason | None
) -> None:
    made = await submitted(conn, world, replace(PLAIN, max_attempts=3))
    attempt = await started(conn, world)
    await service.kill(conn, user(world), made.job_ids)

    with pytest.raises(AttemptEnded):
        await service.finish(conn, 1, attempt.attempt_id, Result(reason=reason), pilot_id=1, checksums={})

    view = await service.get(conn, user(world), attempt.job_id)
    assert (view.job.state, view.job.detail) == (JobState.KILLED, "killed by alice")
    assert [a.state for a in view.attempts] == [AttemptState.KILLED]


async def test_a_rescheduled_job_promises_again_and_runs_as_a_new_attempt(conn: Connection, world: World) -> None:
    made = await submitted(conn, world, SIMULATION)
    await service.kill(conn, user(world), made.job_ids)
    assert await service.reschedule(conn, user(world), made.job_ids) == made.job_ids
    attempt = await started(conn, world)
    intents = await uploaded(conn, world, attempt)
    ended = await service.finish(
        conn, 1, attempt.attempt_id, Result(intents=tuple(intents)), pilot_id=1,
        checksums=dict.fromkeys(intents, "00000001"),
    )  # fmt: skip
    assert ended is JobState.DONE


async def test_jobs_of_others_are_left_alone(conn: Connection, world: World) -> None:
    made = await submitted(conn, world)
    with pytest.raises(NotYours, match="belongs to account alice"):
        await service.kill(conn, user(world, "bob"), made.job_ids)
    with pytest.raises(JobNotFound):
        await service.kill(conn, user(world, "root", 2), made.job_ids)
    with pytest.raises(JobNotFound):
        await service.get(conn, user(world, "root", 2), made.job_ids[0])
    assert await service.kill(conn, user(world, "root"), made.job_ids) == made.job_ids


async def test_inputs_become_ready_when_a_dataset_is_closed_by_hand(conn: Connection, world: World) -> None:
    did_id = await dataset(conn, world, "mc:data", {"A-DISK": [1, 2], "B-DISK": [3]})
    made = await submitted(conn, world, replace(PLAIN, inputs=("mc:data",)))
    assert await state(conn, made.job_ids[0]) is JobState.PENDING
    await dids.close(conn, 1, did_id)
    assert await service.resolve_all(conn, 1) == 1
    assert await state(conn, made.job_ids[0]) is JobState.WAITING


async def test_a_job_that_reads_too_many_files_is_refused_or_fails_when_they_have_become_too_many(
    conn: Connection, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sancho.jobs.service.shared.MOST_INPUTS", 2)
    growing = await dataset(conn, world, "mc:data", {"A-DISK": [1, 2]})
    made = await submitted(conn, world, replace(PLAIN, inputs=("mc:data",)))
    [more] = await dids.register_files(
        conn, 1, world.account[1, "alice"], [NewFile(None, world.scope[1, "mc"], "more", 1, None)]
    )
    await dids.attach(conn, 1, growing, [more])
    with pytest.raises(TooManyInputs) as refused:
        await submitted(conn, world, replace(PLAIN, name="late", inputs=("mc:data",)))
    assert refused.value.facts["what"] == "A job with 3 input files"

    await dids.close(conn, 1, growing)
    assert await service.resolve_all(conn, 1) == 0
    view = await service.get(conn, user(world), made.job_ids[0])
    assert (view.job.state, view.job.detail) == (JobState.FAILED, str(refused.value))


async def test_jobs_that_read_the_same_share_one_input_set(conn: Connection, world: World) -> None:
    did_id = await dataset(conn, world, "mc:data", {"A-DISK": [1, 2]})
    await dids.close(conn, 1, did_id)
    for _ in range(2):
        made = await submitted(conn, world, replace(PLAIN, inputs=("mc:data",)))
        assert await state(conn, made.job_ids[0]) is JobState.WAITING
    assert await fetch_value(conn, "SELECT count(*) FROM input_set") == 1


async def test_copies_of_an_input_are_told_nearest_first(conn: Connection, world: World) -> None:
    did_id = await dataset(conn, world, "mc:data", {"A-DISK": [1]})
    await dids.close(conn, 1, did_id)
    made = await submitted(conn, world, replace(PLAIN, inputs=("mc:data",)))
    a, b = world.resource["A-DISK"], world.resource["B-DISK"]
    near, far, unlinked = [
        await fetch_value(
            conn,
            """
            WITH made AS (
                INSERT INTO resource (vo, kind, site_id, name) VALUES (0, 'R', %(site)s, %(name)s)
                RETURNING resource_id),
            stored AS (
                INSERT INTO rse (vo, rse_id, site_id, name, audience)
                SELECT 0, resource_id, %(site)s, %(name)s, '' FROM made RETURNING rse_id),
            linked AS (
                INSERT INTO distance (vo, distance, source_rse_id, destination_rse_id)
                SELECT 0, %(distance)s::int, rse_id, %(to)s FROM stored WHERE %(distance)s::int IS NOT NULL)
            SELECT rse_id FROM stored
            """,
            {"name": name, "site": world.resource["SITE-B"], "to": a, "distance": distance},
        )
        for name, distance in (("NEAR", 3), ("FAR", 8), ("UNLINKED", None))
    ]
    (file,) = await service.input_files(conn, 1, made.job_ids[0], site_id=world.resource["SITE-A"])
    keys = [ReplicaKey(file.did_id, rse_id) for rse_id in (unlinked, far, near, b)]
    await replicas.add(conn, 1, keys, [1] * len(keys), ReplicaState.AVAILABLE)

    (file,) = await service.input_files(conn, 1, made.job_ids[0], site_id=world.resource["SITE-A"])

    assert file.rse_ids == [a, b, near, far, unlinked]
