"""What jobs want of data is counted, and kept for them as long as they want it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from sancho.dids import service as dids
from sancho.jobs import service
from sancho.jobs.model import JobState, Reason, Result
from sancho.kit.db import Connection, fetch_rows, fetch_value
from sancho.kit.deployment import Deployment
from sancho.replicas import service as replicas
from sancho.rules import service as rules
from sancho.rules.model import DEMAND_ACCOUNT, GRACE, Demand, Rule, RuleRequest, RuleState
from sancho.rules.tasks import expire, pin
from tests.explain.given import why
from tests.jobs.given import PLAIN, dataset, started, submitted, user
from tests.rules.given import Later, check_exact, given_quota
from tests.served import Served
from tests.world import World

READS = replace(PLAIN, name="reads", inputs=("mc:raw",), max_attempts=1)


async def raw(conn: Connection, world: World, *, on: str = "A-DISK", files: int = 2, open_: bool = False) -> int:
    """A dataset `mc:raw` with files of 100 bytes on an RSE, closed unless said."""
    made = await dataset(conn, world, "mc:raw", {on: [100] * files})
    if not open_:
        await dids.close(conn, 1, made)
    return made


async def held(conn: Connection, world: World) -> Rule:
    """A rule of alice's over it."""
    return await rules.create(conn, user(world), RuleRequest(did="mc:raw", rse_expression="A-DISK"))


async def counted(conn: Connection) -> list[Demand]:
    """What is wanted, once the task that counts it has run."""
    await service.want_inputs(conn, 1)
    rows = await fetch_rows(conn, "SELECT did_id, waiting, running, files, size FROM demand ORDER BY did_id")
    return [Demand(*row) for row in rows]


async def pins(conn: Connection) -> list[Rule]:
    found = await rules.list_rules(conn, 1, page=(None, 100))
    return [rule for rule in found if rule.account == DEMAND_ACCOUNT]


async def ends(conn: Connection, job_id: int) -> None:
    """A job that runs ends."""
    attempt = await fetch_value(
        conn, "SELECT attempt_id FROM attempt WHERE job_id = %(id)s AND ended_at IS NULL", {"id": job_id}
    )
    await service.finish(conn, 1, attempt, Result(reason=Reason.PAYLOAD_FAILED, exit_code=1), pilot_id=1, checksums={})


async def deletable(conn: Connection) -> int:
    """How many replicas the reaper may take at this moment."""
    return await fetch_value(conn, "SELECT count(*) FROM replica WHERE lock_count = 0 AND tombstone_at <= now()")


async def test_what_jobs_want_is_counted_by_the_names_that_they_gave_it(conn: Connection, world: World) -> None:
    root = await raw(conn, world)
    file = next(f.did_id for f in await dids.files(conn, 1, [root]))
    name = (await dids.by_id(conn, 1, [file]))[file].did
    await submitted(conn, world, READS, count=3)
    await submitted(conn, world, replace(READS, inputs=("mc:raw", name), priority=-1), count=2)
    assert await counted(conn) == [Demand(root, 5, 0, 2, 200), Demand(file, 2, 0, 1, 100)]
    job = await started(conn, world)
    assert await counted(conn) == [Demand(root, 4, 1, 2, 200), Demand(file, 2, 0, 1, 100)]
    await ends(conn, job.job_id)
    waiting = await fetch_rows(conn, "SELECT job_id FROM waiting_job ORDER BY job_id")
    await service.hold(conn, user(world), [waiting[0][0]])
    await service.kill(conn, user(world), [waiting[1][0]])
    assert await counted(conn) == [Demand(root, 2, 0, 2, 200), Demand(file, 2, 0, 1, 100)]
    await service.kill(conn, user(world), [job_id for (job_id,) in waiting[2:]])
    assert await counted(conn) == []


async def test_jobs_that_wait_for_an_open_dataset_want_it_too(conn: Connection, world: World) -> None:
    root = await raw(conn, world, open_=True)
    made = await submitted(conn, world, READS, count=2)
    assert await counted(conn) == [Demand(root, 2, 0, 2, 200)]
    await service.kill(conn, user(world), made.job_ids)
    assert await counted(conn) == []


async def test_nothing_is_pinned_that_nobody_may_delete_anyway(conn: Connection, world: World) -> None:
    root = await raw(conn, world)
    await submitted(conn, world, READS)
    await counted(conn)
    assert await rules.pin_some(conn, 1) == [root]
    assert await pins(conn) == []
    assert await rules.pin_some(conn, 1) == []  # it is looked at again later


async def test_what_a_withdrawn_rule_lets_go_of_stays_for_the_jobs_that_want_it(conn: Connection, world: World) -> None:
    root = await raw(conn, world)
    own = await held(conn, world)
    made = await submitted(conn, world, READS, count=2)
    await counted(conn)
    await rules.delete(conn, user(world), own.rule_id)
    assert await deletable(conn) == 0
    await rules.pin_some(conn, 1, [root])
    await rules.pin_some(conn, 1, [root])  # twice is as once
    [pinned] = await pins(conn)
    assert (pinned.did, pinned.ok, pinned.state, pinned.rses) == ("mc:raw", 2, RuleState.OK, ("A-DISK",))
    assert pinned.comment == "pinned for 2 waiting and 0 running jobs"
    assert pinned.expires_at is None
    kept = (await why(conn, world, made.job_ids[0])).facts["inputs kept"]
    assert kept == (f"mc:raw: pinned by rule {pinned.rule_id} for 2 waiting and 0 running jobs",)
    await check_exact(conn)

    await started(conn, world)
    await counted(conn)
    assert (await pins(conn))[0].comment == "pinned for 1 waiting and 1 running jobs"
    await service.kill(conn, user(world), made.job_ids)
    await counted(conn)
    [pinned] = await pins(conn)
    left = await fetch_value(conn, "SELECT expires_at - now() FROM rule WHERE pin")
    assert left == GRACE
    await submitted(conn, world, READS)  # somebody comes again within the grace
    await counted(conn)
    assert (await pins(conn)) == [replace(pinned, expires_at=None, comment="pinned for 1 waiting and 0 running jobs")]


async def test_of_files_with_several_replicas_those_are_kept_where_most_of_the_dataset_is(
    conn: Connection, world: World
) -> None:
    root = await dataset(conn, world, "mc:raw", {"A-DISK": [100], "B-DISK": [100, 100]})
    await dids.close(conn, 1, root)
    both = await rules.create(conn, user(world), RuleRequest(did="mc:raw", rse_expression="*", copies=2))
    await conn.execute("DELETE FROM transfer_ready; DELETE FROM transfer_request; UPDATE replica SET state = 'A'")
    await conn.execute("UPDATE rule SET ok = ok + replicating, replicating = 0")
    await conn.execute("DELETE FROM replica r USING rse WHERE rse.rse_id = r.rse_id AND lock_count = 0")
    await submitted(conn, world, READS)
    await counted(conn)
    await rules.delete(conn, user(world), both.rule_id)
    await rules.pin_some(conn, 1, [root])
    [pinned] = await pins(conn)
    assert pinned.ok == 3
    assert len(pinned.rses) == 1
    await check_exact(conn)


async def test_a_vo_without_room_is_told_by_the_rule(conn: Connection, world: World) -> None:
    root = await raw(conn, world)
    own = await held(conn, world)
    await submitted(conn, world, READS)
    await counted(conn)
    await rules.delete(conn, user(world), own.rule_id)
    await given_quota(conn, world, "whole", 150)
    await rules.pin_some(conn, 1, [root])
    [pinned] = await pins(conn)
    assert (pinned.state, pinned.ok) == (RuleState.STUCK, 0)
    assert pinned.error is not None
    assert "quota whole" in pinned.error
    await given_quota(conn, world, "whole", 200)
    await rules.pin_some(conn, 1, [root])
    [pinned] = await pins(conn)
    assert (pinned.state, pinned.ok, pinned.error) == (RuleState.OK, 2, None)
    await check_exact(conn)


async def test_two_names_of_a_file_pin_it_once_and_one_takes_over_from_the_other(
    conn: Connection, world: World
) -> None:
    root = await raw(conn, world, files=1)
    own = await held(conn, world)
    [file] = [f.did_id for f in await dids.files(conn, 1, [root])]
    name = (await dids.by_id(conn, 1, [file]))[file].did
    first = await submitted(conn, world, READS)
    await submitted(conn, world, replace(READS, inputs=(name,)))
    await counted(conn)
    await rules.delete(conn, user(world), own.rule_id)
    await rules.pin_some(conn, 1, [root, file])
    assert [(p.did, p.locks) for p in await pins(conn)] == [("mc:raw", 1)]
    await service.kill(conn, user(world), first.job_ids)
    await counted(conn)
    [pinned] = await pins(conn)
    await rules.delete(conn, user(world, "root"), pinned.rule_id)
    assert await deletable(conn) == 0
    await rules.pin_some(conn, 1, [file])
    assert [(p.did, p.locks) for p in await pins(conn)] == [(name, 1)]


async def test_the_other_vo_neither_wants_nor_pins(conn: Connection, world: World) -> None:
    await raw(conn, world)
    await submitted(conn, world, READS)
    await counted(conn)
    await service.want_inputs(conn, 2)
    assert await fetch_rows(conn, "SELECT DISTINCT vo FROM demand") == [(1,)]
    assert await rules.pin_some(conn, 2) == []


@pytest.fixture
def clock() -> Later:
    return Later()


@pytest.fixture
def deployment(served: Served, clock: Later) -> Deployment:
    return replace(served.deployment, clock=clock)


async def test_a_rule_ends_while_jobs_wait_and_the_files_stay_until_the_last_of_them_has_ended(
    deployment: Deployment, clock: Later, world: World
) -> None:
    async with deployment.database.transaction([0, 1]) as conn:
        root = await raw(conn, world)
        await rules.create(
            conn, user(world), RuleRequest(did="mc:raw", rse_expression="A-DISK", lifetime=timedelta(hours=2))
        )
        jobs = await submitted(conn, world, READS, count=2)
        await service.want_inputs(conn, 1)
    clock.ahead = timedelta(hours=2)
    await expire(deployment)  # and a worker dies before it has pinned anything: the replicas are spared for an hour
    async with deployment.database.transaction([0, 1]) as conn:
        assert await deletable(conn) == 0
    await pin(deployment, vo=1, did_ids=[root])
    clock.ahead = timedelta(days=30)
    await expire(deployment)
    assert await replicas.reap(deployment) == 0
    async with deployment.database.transaction([0, 1]) as conn:
        job = await started(conn, world)
        await ends(conn, job.job_id)
        await service.kill(conn, user(world), [one for one in jobs.job_ids if one != job.job_id])
        assert (await service.get(conn, user(world), job.job_id)).job.state is JobState.FAILED
        await service.want_inputs(conn, 1)
        assert len(await pins(conn)) == 1
    await expire(deployment)
    clock.ahead = timedelta(days=31)
    assert await replicas.reap(deployment) == 2
    async with deployment.database.transaction([0, 1]) as conn:
        assert await pins(conn) == []
        await check_exact(conn)
