"""Why a job does not run yet, in a sentence."""

from dataclasses import replace

import pytest

from sancho.dids import service as dids
from sancho.dids.model import Member, NewFile, Packed
from sancho.jobs import service
from sancho.jobs.model import Description, JobState, Requirement
from sancho.kit.db import Connection, execute
from sancho.replicas import service as replicas
from sancho.replicas.model import ReplicaKey, ReplicaState
from tests.jobs.given import PLAIN, dataset, started, submitted, user
from tests.world import World

AT_A = replace(PLAIN, requirements=Requirement(memory=1_000_000, sites=("SITE-A",)))


async def waiting(conn: Connection, world: World, description: Description) -> int:
    job_id = (await submitted(conn, world, description)).job_ids[0]
    assert (await service.get(conn, user(world), job_id)).job.state is JobState.WAITING
    return job_id


async def reason(conn: Connection, world: World, job_id: int) -> str | None:
    return (await service.get(conn, user(world), job_id)).reason


async def as_owner(conn: Connection, change: str) -> None:
    """Change the topology, which the instance owns."""
    await execute(conn, change)  # pyright: ignore[reportArgumentType]


async def test_a_job_that_fits_waits_for_a_free_slot_at_the_ces_that_are_named(conn: Connection, world: World) -> None:
    assert await reason(conn, world, await waiting(conn, world, PLAIN)) == (
        "no pilot at A-CE or B-CE has had a free slot for it yet"
    )
    assert await reason(conn, world, await waiting(conn, world, AT_A)) == (
        "no pilot at A-CE has had a free slot for it yet"
    )


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("UPDATE resource SET enabled = false WHERE name = 'SITE-A'", "site SITE-A is disabled"),
        ("UPDATE resource SET enabled = false WHERE name = 'A-CE'", "it is disabled"),
        ("UPDATE compute_element SET enabled = false", "it is disabled"),
        ("UPDATE compute_element SET max_pilots = 0", "it may have no pilots (max_pilots is 0)"),
        ("UPDATE compute_element SET memory = 1000", "1000 of 1000000 bytes of memory"),
    ],
)
async def test_a_job_that_no_ce_can_run_now_waits_for_the_one_that_lacks_least(
    conn: Connection, world: World, change: str, why: str
) -> None:
    job_id = await waiting(conn, world, AT_A)
    await as_owner(conn, change)
    assert await reason(conn, world, job_id) == (
        f"no compute element can run it now: the nearest is A-CE at SITE-A, but {why}"
    )


async def test_a_job_whose_vo_has_no_ce_left_says_so(conn: Connection, world: World) -> None:
    job_id = await waiting(conn, world, PLAIN)
    await as_owner(conn, "DELETE FROM compute_element")
    assert await reason(conn, world, job_id) == ("no compute element can run it now: your VO has no compute element")


async def test_a_job_whose_inputs_have_gone_since_waits_for_them(conn: Connection, world: World) -> None:
    name = await dataset(conn, world, "mc:raw", {"A-DISK": [1, 2]})
    job_id = (await submitted(conn, world, replace(PLAIN, inputs=("mc:raw",)))).job_ids[0]
    assert await reason(conn, world, job_id) == "dataset mc:raw is still open"
    await execute(conn, "UPDATE did SET open = false WHERE did_id = %(id)s", {"id": name})
    await service.resolve_all(conn, 1)
    assert await reason(conn, world, job_id) == "no pilot at A-CE or B-CE has had a free slot for it yet"

    await execute(conn, "UPDATE replica SET state = 'C' WHERE size = 2")
    assert await reason(conn, world, job_id) == "1 of its 2 input files is nowhere available at the moment"


async def test_a_job_says_which_of_its_inputs_lies_in_an_archive_only(conn: Connection, world: World) -> None:
    name = await dataset(conn, world, "mc:raw", {})
    scope, alice = world.scope[1, "mc"], world.account[1, "alice"]
    await dids.register_files(conn, 1, alice, [NewFile(None, scope, "a.zip", 9, None)])
    await dids.pack(conn, user(world), [Packed("mc:a.zip", [Member("mc:f", 5)])])
    f = await dids.get(conn, 1, "mc:f")
    await dids.attach(conn, 1, name, [f.did_id])
    await dids.close(conn, 1, name)
    job_id = (await submitted(conn, world, replace(PLAIN, inputs=("mc:raw",)))).job_ids[0]
    said = "mc:f lies in an archive only; a job reads the archive when its inputs name that"
    assert await reason(conn, world, job_id) == said

    key = ReplicaKey(f.did_id, world.resource["A-DISK"])
    await replicas.add(conn, 1, [key], [5], ReplicaState.AVAILABLE)
    await service.resolve_all(conn, 1)
    assert await reason(conn, world, job_id) == "no pilot at A-CE or B-CE has had a free slot for it yet"


async def test_a_job_that_runs_has_no_reason_to_wait(conn: Connection, world: World) -> None:
    job_id = await waiting(conn, world, PLAIN)
    await started(conn, world)
    assert await reason(conn, world, job_id) is None
