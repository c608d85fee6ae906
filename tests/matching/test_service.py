"""Which job a pilot gets, with real replicas behind the decision."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from sancho.dids import service as dids
from sancho.jobs import service as jobs
from sancho.jobs.model import Requirement
from sancho.kit.db import Connection, execute, fetch_value
from sancho.matching import service
from sancho.matching.model import PATIENCE, Offer
from sancho.matching.store import TRIED_OF_A_GROUP
from tests.jobs.given import PLAIN, dataset, submitted, user
from tests.world import World


def offer(world: World, site: str = "SITE-A", **more: object) -> Offer:
    said: dict[str, object] = {
        "pilot_id": 1, "site_id": world.resource[site], "vos": (1, 2), "cores": 1, "memory": 2_000_000_000,
        "walltime": timedelta(hours=1), "tags": ("env:demo",), **more,
    }  # fmt: skip
    return Offer(**said)  # pyright: ignore[reportArgumentType]


async def test_without_jobs_there_is_no_match(conn: Connection, world: World) -> None:
    assert await service.match(conn, offer(world)) is None


@pytest.mark.parametrize(
    "need",
    [
        Requirement(memory=1, cores=2),
        Requirement(memory=2_000_000_001),
        Requirement(memory=1, walltime=timedelta(hours=1, seconds=1)),
        Requirement(memory=1, sites=("SITE-B",)),
        Requirement(memory=1, banned_sites=("SITE-A",)),
        Requirement(memory=1, tags=("gpu",)),
    ],
)
async def test_a_job_that_needs_more_than_the_offer_is_not_matched(
    conn: Connection, world: World, need: Requirement
) -> None:
    await execute(
        conn,
        "SELECT set_config('sancho.vo', '0,1,2', true)",
    )
    await execute(conn, "UPDATE compute_element SET cores = 9, memory = 9e9, walltime = '9 h', tags = '{gpu}'")
    await submitted(conn, world, replace(PLAIN, requirements=need))
    assert await service.match(conn, offer(world, vos=(1,))) is None


async def test_a_pilot_gets_only_jobs_of_the_vos_it_serves(conn: Connection, world: World) -> None:
    await submitted(conn, world)
    assert await service.match(conn, offer(world, vos=(2,))) is None
    assert await service.match(conn, offer(world, vos=(1,))) is not None


async def test_a_job_with_inputs_runs_where_most_of_its_bytes_are(conn: Connection, world: World) -> None:
    did_id = await dataset(conn, world, "mc:data", {"A-DISK": [1, 2], "B-DISK": [30]})
    await dids.close(conn, 1, did_id)
    await submitted(conn, world, replace(PLAIN, inputs=("mc:data",)))
    assert await service.match(conn, offer(world, "SITE-A")) is None
    assert await service.match(conn, offer(world, "SITE-B")) is not None


async def test_a_job_whose_input_went_away_is_not_matched(conn: Connection, world: World) -> None:
    did_id = await dataset(conn, world, "mc:data", {"A-DISK": [1]})
    await dids.close(conn, 1, did_id)
    await submitted(conn, world, replace(PLAIN, inputs=("mc:data",)))
    await execute(conn, "UPDATE replica SET state = 'B'")
    assert await service.match(conn, offer(world)) is None


async def test_a_higher_priority_goes_first_within_a_group(conn: Connection, world: World) -> None:
    await submitted(conn, world)
    urgent = await submitted(conn, world, replace(PLAIN, priority=5))
    found = await service.match(conn, offer(world))
    assert found is not None
    assert found.job_id == urgent.job_ids[0]


async def test_vos_have_equal_chances_however_long_their_queues_are(conn: Connection, world: World) -> None:
    await submitted(conn, world, count=200)
    for n in range(3):
        await jobs.submit(conn, user(world, vo=2), replace(PLAIN, priority=n), [{}] * 20)
    given = Counter[int]()
    for _ in range(80):
        found = await service.match(conn, offer(world))
        assert found is not None
        given[found.vo] += 1
    assert 20 < given[1] < 60  # binomial(80, 1/2): outside with probability below 1e-5


async def test_a_job_whose_data_is_elsewhere_runs_anywhere_once_it_has_waited_long(
    conn: Connection, world: World
) -> None:
    did_id = await dataset(conn, world, "mc:data", {"A-DISK": [1], "B-DISK": [30]})
    await dids.close(conn, 1, did_id)
    await submitted(conn, world, replace(PLAIN, inputs=("mc:data",)))
    late = {"patience": PATIENCE}
    await execute(conn, "UPDATE job SET changed_at = now() - %(patience)s::interval + interval '1 s'", late)
    assert await service.match(conn, offer(world, "SITE-A")) is None
    await execute(conn, "UPDATE job SET changed_at = now() - %(patience)s::interval", late)
    assert await service.match(conn, offer(world, "SITE-A")) is not None


async def test_an_rse_that_cannot_be_read_is_no_better_site(conn: Connection, world: World) -> None:
    did_id = await dataset(conn, world, "mc:data", {"A-DISK": [1], "B-DISK": [30]})
    await dids.close(conn, 1, did_id)
    await submitted(conn, world, replace(PLAIN, inputs=("mc:data",)))
    await execute(conn, "SELECT set_config('sancho.vo', '0,1,2', true)")
    await execute(conn, "UPDATE rse SET readable = false WHERE name = 'B-DISK'")
    assert await service.match(conn, offer(world, "SITE-A")) is not None


async def test_queues_that_go_elsewhere_do_not_block_other_groups(conn: Connection, world: World) -> None:
    did_id = await dataset(conn, world, "mc:data", {"B-DISK": [30]})
    await dids.close(conn, 1, did_id)
    for cores in range(TRIED_OF_A_GROUP + 1):
        need = Requirement(memory=1 + cores)
        await submitted(conn, world, replace(PLAIN, inputs=("mc:data",), requirements=need, priority=9))
    free = await jobs.submit(conn, user(world, "root"), PLAIN, [{}])
    found = await service.match(conn, offer(world, "SITE-A"))
    assert found is not None
    assert found.job_id == free.job_ids[0]


async def test_empty_queues_sleep_until_somebody_fills_them(conn: Connection, world: World) -> None:
    await submitted(conn, world)
    assert await service.match(conn, offer(world)) is not None
    awake = "SELECT count(*) FROM task_queue WHERE active"
    assert await fetch_value(conn, awake) == 1
    assert await service.match(conn, offer(world)) is None
    assert await fetch_value(conn, awake) == 0
    await submitted(conn, world)
    assert await service.match(conn, offer(world)) is not None
