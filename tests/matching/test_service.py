"""Which job a pilot gets, with real replicas behind the decision."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from sancho.dids import service as dids
from sancho.jobs import service as jobs
from sancho.jobs.model import Requirement, Slot, Started
from sancho.kit.db import Connection, execute, fetch_value
from sancho.matching import service
from sancho.matching.model import PATIENCE
from tests.jobs.given import PLAIN, dataset, submitted, user
from tests.world import World


@dataclass
class Offered:
    """A pilot at a site that asks for jobs."""

    conn: Connection
    world: World
    site: str = "SITE-A"
    vos: tuple[int, ...] = (1, 2)

    async def match(self, matcher: service.Matcher | None = None, **more: object) -> Started | None:
        """Give it a job, by a board that is new unless it is said."""
        said: dict[str, object] = {
            "cores": 1, "memory": 2_000_000_000, "walltime": timedelta(hours=1), "tags": frozenset({"env:demo"}),
            **more,
        }  # fmt: skip
        matcher = matcher or await service.read(self.conn)
        slot = Slot(ce="", site="", **said)  # pyright: ignore[reportArgumentType]
        ce = {"SITE-A": "A-CE", "SITE-B": "B-CE"}[self.site]
        offer = matcher.offer(self.world.resource[ce], 1, self.vos, slot)
        assert offer is not None
        return await service.match(self.conn, matcher, offer)


async def match(conn: Connection, world: World, site: str = "SITE-A", vos: tuple[int, ...] = (1, 2)) -> Started | None:
    """Give a pilot at a site a job."""
    return await Offered(conn, world, site, vos).match()


async def test_without_jobs_there_is_no_match(conn: Connection, world: World) -> None:
    assert await match(conn, world) is None


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
    assert await match(conn, world, vos=(1,)) is None


async def test_a_pilot_gets_only_jobs_of_the_vos_it_serves(conn: Connection, world: World) -> None:
    await submitted(conn, world)
    assert await match(conn, world, vos=(2,)) is None
    assert await match(conn, world, vos=(1,)) is not None


async def test_a_job_with_inputs_runs_where_most_of_its_bytes_are(conn: Connection, world: World) -> None:
    did_id = await dataset(conn, world, "mc:data", {"A-DISK": [1, 2], "B-DISK": [30]})
    await dids.close(conn, 1, did_id)
    await submitted(conn, world, replace(PLAIN, inputs=("mc:data",)))
    assert await match(conn, world, "SITE-A") is None
    assert await match(conn, world, "SITE-B") is not None


async def test_a_job_whose_input_went_away_is_not_matched(conn: Connection, world: World) -> None:
    did_id = await dataset(conn, world, "mc:data", {"A-DISK": [1]})
    await dids.close(conn, 1, did_id)
    await submitted(conn, world, replace(PLAIN, inputs=("mc:data",)))
    await execute(conn, "UPDATE replica SET state = 'B'")
    assert await match(conn, world) is None


async def test_a_higher_priority_goes_first_among_ones_own_jobs(conn: Connection, world: World) -> None:
    await submitted(conn, world)
    urgent = await submitted(conn, world, replace(PLAIN, priority=5))
    found = await match(conn, world)
    assert found is not None
    assert found.job_id == urgent.job_ids[0]


async def test_vos_take_turns_however_long_their_queues_are(conn: Connection, world: World) -> None:
    await submitted(conn, world, count=60)
    for n in range(3):
        await jobs.submit(conn, user(world, vo=2), replace(PLAIN, priority=n), [{}] * 20)
    matcher, given = await service.read(conn), Counter[int]()
    for _ in range(40):
        found = await Offered(conn, world).match(matcher)
        assert found is not None
        given[found.vo] += 1
    assert given == {1: 20, 2: 20}


async def test_an_owner_who_has_nothing_goes_before_one_who_has_much(conn: Connection, world: World) -> None:
    await submitted(conn, world, count=30)
    await execute(
        conn,
        """
        UPDATE membership SET group_id = (SELECT group_id FROM account_group WHERE vo = 1 AND name = 'users')
         WHERE vo = 1
        """,
    )
    matcher = await service.read(conn)
    for _ in range(20):
        assert await Offered(conn, world, vos=(1,)).match(matcher) is not None
    late = await jobs.submit(conn, user(world, "bob"), PLAIN, [{}] * 5)
    for job_id in late.job_ids:
        found = await match(conn, world, vos=(1,))
        assert found is not None
        assert found.job_id == job_id


async def test_a_job_whose_data_is_elsewhere_runs_anywhere_once_it_has_waited_long(
    conn: Connection, world: World
) -> None:
    did_id = await dataset(conn, world, "mc:data", {"A-DISK": [1], "B-DISK": [30]})
    await dids.close(conn, 1, did_id)
    await submitted(conn, world, replace(PLAIN, inputs=("mc:data",)))
    late = {"patience": PATIENCE}
    await execute(conn, "UPDATE job SET changed_at = now() - %(patience)s::interval + interval '1 minute'", late)
    assert await match(conn, world, "SITE-A") is None
    await execute(conn, "UPDATE job SET changed_at = now() - %(patience)s::interval", late)
    assert await match(conn, world, "SITE-A") is not None


async def test_an_rse_that_cannot_be_read_is_no_better_site(conn: Connection, world: World) -> None:
    did_id = await dataset(conn, world, "mc:data", {"A-DISK": [1], "B-DISK": [30]})
    await dids.close(conn, 1, did_id)
    await submitted(conn, world, replace(PLAIN, inputs=("mc:data",)))
    await execute(conn, "SELECT set_config('sancho.vo', '0,1,2', true)")
    await execute(conn, "UPDATE rse SET readable = false WHERE name = 'B-DISK'")
    assert await match(conn, world, "SITE-A") is not None


async def test_queues_that_go_elsewhere_do_not_block_others(conn: Connection, world: World) -> None:
    did_id = await dataset(conn, world, "mc:data", {"B-DISK": [30]})
    await dids.close(conn, 1, did_id)
    for n in range(service.TRIED + 1):
        need = Requirement(memory=1 + n)
        await submitted(conn, world, replace(PLAIN, inputs=("mc:data",), requirements=need, priority=9))
    free = await submitted(conn, world)
    found = await match(conn, world)
    assert found is not None
    assert found.job_id == free.job_ids[0]


async def test_empty_queues_sleep_until_somebody_fills_them(conn: Connection, world: World) -> None:
    await submitted(conn, world)
    assert await match(conn, world) is not None
    awake = "SELECT count(*) FROM task_queue WHERE active"
    assert await fetch_value(conn, awake) == 1
    await jobs.rest(conn, 1)
    assert await fetch_value(conn, awake) == 0
    assert await match(conn, world) is None
    await submitted(conn, world)
    assert await match(conn, world) is not None


async def test_what_a_board_does_not_know_yet_is_passed_over_and_heard_of_again(conn: Connection, world: World) -> None:
    first = await submitted(conn, world)
    matcher = await service.read(conn)
    await jobs.kill(conn, user(world), first.job_ids)
    asking = Offered(conn, world)
    assert await asking.match(matcher) is None
    second = await submitted(conn, world)
    assert await asking.match(matcher) is None, "the queue was seen empty"
    await service.read_some(conn, matcher, list(matcher.board.queues))
    found = await asking.match(matcher)
    assert found is not None
    assert found.job_id == second.job_ids[0]
