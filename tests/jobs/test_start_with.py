"""A job may start with a part of its inputs, and is told exactly which."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sancho.dids import service as dids
from sancho.jobs import plan, service
from sancho.jobs.model import JobState, Reason, Result, Started
from sancho.kit.db import Connection, fetch_rows, fetch_value, fetch_values
from sancho.matching import service as matching
from sancho.matching.model import Choice
from sancho.matching.store.choosing import CHOICE, parameters
from sancho.replicas import service as replicas
from sancho.replicas.model import ReplicaKey
from tests.explain.given import why
from tests.jobs.given import PLAIN, dataset, submitted, user
from tests.world import World

READS = replace(PLAIN, name="reads", inputs=("mc:raw",), start_with="50%")


async def raw(conn: Connection, world: World, *, there: int, away: int) -> list[int]:
    """A closed dataset `mc:raw`, of whose files some are for a time not available; their ids, those first."""
    made = await dataset(conn, world, "mc:raw", {"A-DISK": [100] * away, "B-DISK": [100] * there})
    await dids.close(conn, 1, made)
    ids = [file.did_id for file in await dids.files(conn, 1, [made])]
    await conn.execute("UPDATE replica SET state = 'T' WHERE did_id = ANY(%s)", [ids[:away]])
    return ids


async def back(conn: Connection, did_ids: list[int]) -> None:
    await conn.execute("UPDATE replica SET state = 'A' WHERE did_id = ANY(%s)", [did_ids])


async def matched(conn: Connection, world: World, job_id: int) -> Started | None:
    """A pilot at SITE-A asks for the job, by the query that matches ask with."""
    key = 1, await fetch_value(conn, "SELECT task_queue_id FROM job WHERE job_id = %(id)s", {"id": job_id})
    looked = await matching.look(conn, key)
    assert looked is not None
    choices = [Choice(queue=looked.queue, way=0, cores=1)]
    return await service.start(conn, CHOICE, parameters(choices), pilot_id=1, site_id=world.resource["SITE-A"])


async def reads(conn: Connection, world: World, job_id: int) -> list[int]:
    return [f.did_id for f in await service.input_files(conn, 1, job_id, site_id=world.resource["SITE-A"])]


@given(st.integers(1, 10_000), st.integers(1, 100))
def test_a_part_is_rounded_up_and_at_least_one_file(files: int, percent: int) -> None:
    least = plan.enough(f"{percent}%", files)
    assert 1 <= least <= files
    assert least * 100 >= files * percent
    assert least == 1 or (least - 1) * 100 < files * percent
    assert plan.enough(str(percent), files) == min(percent, files)
    assert plan.enough(None, files) == files


async def test_a_job_starts_with_the_part_that_is_there_and_keeps_reading_that(conn: Connection, world: World) -> None:
    ids = await raw(conn, world, there=2, away=2)
    [job_id] = (await submitted(conn, world, READS)).job_ids
    assert (await service.get(conn, user(world), job_id)).job.state is JobState.WAITING
    waiting = await service.get(conn, user(world), job_id)
    assert waiting.reason is None or "nowhere available" not in waiting.reason
    attempt = await matched(conn, world, job_id)
    assert attempt is not None
    assert await reads(conn, world, job_id) == ids[2:]
    await back(conn, ids)
    assert await reads(conn, world, job_id) == ids[2:]  # what it was told does not change while it runs
    given = "SELECT did_id FROM attempt_input WHERE attempt_id = %(id)s ORDER BY 1"
    assert await fetch_values(conn, given, {"id": attempt.attempt_id}) == ids[2:]


async def test_its_next_attempt_is_told_anew(conn: Connection, world: World) -> None:
    ids = await raw(conn, world, there=2, away=2)
    [job_id] = (await submitted(conn, world, READS)).job_ids
    first = await matched(conn, world, job_id)
    assert first is not None
    await back(conn, ids)
    failed = Result(reason=Reason.PILOT_LOST)
    await service.lose(conn, 1, [first.attempt_id], reason=failed.reason or Reason.PILOT_LOST, detail="gone")
    assert await matched(conn, world, job_id) is not None
    assert await reads(conn, world, job_id) == ids


async def test_a_job_waits_until_enough_is_there_and_says_how_much_is(conn: Connection, world: World) -> None:
    ids = await raw(conn, world, there=1, away=3)
    [job_id] = (await submitted(conn, world, READS)).job_ids
    found = await service.get(conn, user(world), job_id)
    assert found.job.state is JobState.PENDING
    told = await why(conn, world, job_id)
    assert told.blockers[0].says == "1 of its 4 input files are available, and it starts with 2."
    assert found.reason is not None
    assert "1 of 4 files are available, and 2 are enough" in found.reason
    await back(conn, ids[:1])
    assert await service.resolve_all(conn, 1) == 1
    assert await matched(conn, world, job_id) is not None
    assert await reads(conn, world, job_id) == [ids[0], ids[3]]


async def test_what_was_enough_must_still_be_there_at_the_match(conn: Connection, world: World) -> None:
    ids = await raw(conn, world, there=2, away=2)
    [job_id] = (await submitted(conn, world, READS)).job_ids
    await conn.execute("UPDATE replica SET state = 'T' WHERE did_id = %s", [ids[3]])
    assert await matched(conn, world, job_id) is None
    assert await fetch_rows(conn, "SELECT FROM attempt") == []
    told = await why(conn, world, job_id)
    assert told.facts["starts with"] == "2 of 4 files, of which 1 is there"


async def test_a_number_of_files_is_as_good_and_all_of_them_is_the_default(conn: Connection, world: World) -> None:
    await raw(conn, world, there=2, away=2)
    for start_with, state in (("2", JobState.WAITING), ("3", JobState.PENDING), (None, JobState.PENDING)):
        [job_id] = (await submitted(conn, world, replace(READS, start_with=start_with))).job_ids
        assert (await service.get(conn, user(world), job_id)).job.state is state


async def test_a_dataset_that_is_open_is_not_started_on(conn: Connection, world: World) -> None:
    await dataset(conn, world, "mc:raw", {"A-DISK": [100]})
    [job_id] = (await submitted(conn, world, READS)).job_ids
    assert "is still open" in (await why(conn, world, job_id)).blockers[0].says


async def test_an_input_of_the_part_that_is_gone_is_told_apart(conn: Connection, world: World) -> None:
    ids = await raw(conn, world, there=2, away=2)
    [job_id] = (await submitted(conn, world, READS)).job_ids
    attempt = await matched(conn, world, job_id)
    assert attempt is not None
    for reason, state in ((Reason.INPUT_UNAVAILABLE, "available"), (Reason.INPUT_GONE, "gone")):
        if state == "gone":
            attempt = await matched(conn, world, job_id)
            assert attempt is not None
            await replicas.mark_bad(conn, 1, [ReplicaKey(ids[2], world.resource["B-DISK"])])
        said = Result(reason=Reason.INPUT_UNAVAILABLE)
        await service.finish(conn, 1, attempt.attempt_id, said, pilot_id=1, checksums={})
        told = "SELECT reason FROM attempt WHERE attempt_id = %(id)s"
        assert await fetch_value(conn, told, {"id": attempt.attempt_id}) == reason.value


@pytest.mark.parametrize("change", [{"start_with": "50%"}, {"start_with": None}, {"start_with": "7"}])
async def test_the_same_again_is_the_same_submission(
    conn: Connection, world: World, change: dict[str, str | None]
) -> None:
    await raw(conn, world, there=2, away=0)
    said = replace(READS, **change)
    first = await submitted(conn, world, said, key="12345678")
    assert (await submitted(conn, world, said, key="12345678")).job_ids == first.job_ids
