"""Files on tape are recalled for the jobs that want them: once, in their order, within bounds, and let go after."""

from dataclasses import replace

from sancho.dids import service as dids
from sancho.dids.model import FileText
from sancho.jobs import service
from sancho.jobs.model import JobState
from sancho.kit.db import Connection, fetch_rows, fetch_value
from sancho.replicas import service as replicas
from sancho.replicas.model import ReplicaKey, ReplicaState
from sancho.rules import service as rules
from sancho.rules.model import DEMAND_ACCOUNT, GRACE, RuleState
from tests.explain.given import why
from tests.jobs.given import PLAIN, submitted, user
from tests.rules.given import check_exact, given_quota
from tests.world import World

READS = replace(PLAIN, name="reads", inputs=("mc:raw",))


async def tape(conn: Connection, world: World, *, files: int = 4, recalls: int = 100) -> list[int]:
    """B-DISK is a tape, and a closed dataset `mc:raw` is on it, the last file first; the ids in the order of names."""
    said = f'{{"istape": true, "recall_to": "A-DISK", "recalls": {recalls}}}'
    await conn.execute("UPDATE rse SET attributes = attributes || %s::jsonb WHERE name = 'B-DISK'", [said])
    texts = [
        FileText(f"mc:raw/{n}", 100, None, on_tape=(f"L{n // 2}", files - n) if n else None) for n in range(files)
    ]  # fmt: skip
    ids = await replicas.register(conn, user(world, "root"), "B-DISK", texts, dataset="mc:raw")
    did = (await dids.resolve(conn, 1, ["mc:raw"], field="did"))[0]
    await dids.close(conn, 1, did.did_id)
    return ids


async def recalled(conn: Connection) -> list[int]:
    """The files of all transfer requests, in the order in which they are carried."""
    query = """
        SELECT q.did_id FROM transfer_ready r JOIN transfer_request q USING (vo, request_id)
         ORDER BY r.priority, r.request_id"""
    return [did_id for (did_id,) in await fetch_rows(conn, query)]


async def arrives(conn: Connection, world: World, ids: list[int]) -> None:
    keys = [ReplicaKey(did_id, world.resource["A-DISK"]) for did_id in ids]
    await replicas.arrive(conn, 1, keys)
    await rules.settle(conn, 1, keys)


async def test_each_file_is_recalled_once_in_the_order_of_the_tape_whatever_the_number_of_jobs(
    conn: Connection, world: World
) -> None:
    ids = await tape(conn, world)
    jobs = [(await submitted(conn, world, READS, count=50)).job_ids[0] for _ in range(3)]
    assert (await service.get(conn, user(world), jobs[0])).job.state is JobState.PENDING
    await service.want_inputs(conn, 1)
    assert await rules.recall(conn, 1) == 4
    assert await rules.recall(conn, 1) == 0
    # of tape L0 file 1; of L1 file 3 at position 1, then 2; last file 0, of which nobody said where it is
    assert await recalled(conn) == [ids[1], ids[3], ids[2], ids[0]]
    told = await why(conn, world, jobs[0])
    assert told.blockers[0].says == "4 of its 4 input files are on tape only, from which they are recalled in turn."
    has = "A-DISK has it, copying, B-DISK (tape) has it, available"
    assert f"mc:raw/3: {has}, being recalled to A-DISK, number 2 of those that wait" in told.blockers[0].things
    await check_exact(conn)

    await arrives(conn, world, ids)
    assert await service.resolve_all(conn, 1) == 1
    assert (await service.get(conn, user(world), jobs[0])).job.state is JobState.WAITING
    inputs = await service.input_files(conn, 1, jobs[0], site_id=world.resource["SITE-B"])
    assert {tuple(file.rse_ids) for file in inputs} == {(world.resource["A-DISK"],)}
    [pinned] = await rules.list_rules(conn, 1, page=(None, 10))
    assert (pinned.account, pinned.state, pinned.ok) == (DEMAND_ACCOUNT, RuleState.OK, 4)
    assert await rules.recall(conn, 1) == 0
    assert await fetch_value(conn, "SELECT count(*) FROM replica") == 8

    await service.kill(conn, user(world), [job_id for (job_id,) in await fetch_rows(conn, "SELECT job_id FROM job")])
    await service.want_inputs(conn, 1)
    assert await fetch_value(conn, "SELECT expires_at - now() FROM rule") == GRACE


async def test_as_many_come_at_once_as_the_tape_takes_and_the_rest_as_these_arrive(
    conn: Connection, world: World
) -> None:
    ids = await tape(conn, world, recalls=1)
    await submitted(conn, world, READS)
    await service.want_inputs(conn, 1)
    order = [ids[1], ids[3], ids[2], ids[0]]
    for n, did_id in enumerate(order):
        assert await rules.recall(conn, 1) == 1
        assert await rules.recall(conn, 1) == 0
        assert await recalled(conn) == [did_id]
        await arrives(conn, world, [did_id])
        assert await service.resolve_all(conn, 1) == (n == 3)
    await check_exact(conn)


async def test_recalls_stay_within_quotas_and_what_is_there_can_be_started_on(conn: Connection, world: World) -> None:
    ids = await tape(conn, world)
    await given_quota(conn, world, "whole", 250, to="A-DISK")
    [job_id] = (await submitted(conn, world, replace(READS, start_with="50%"))).job_ids
    await service.want_inputs(conn, 1)
    assert await rules.recall(conn, 1) == 2
    assert await recalled(conn) == [ids[1], ids[3]]
    await arrives(conn, world, [ids[1], ids[3]])
    assert await rules.recall(conn, 1) == 0
    assert await service.resolve_all(conn, 1) == 1
    assert (await service.get(conn, user(world), job_id)).job.state is JobState.WAITING
    await check_exact(conn)


async def test_nothing_is_recalled_that_nobody_wants_or_that_is_on_a_disk(conn: Connection, world: World) -> None:
    ids = await tape(conn, world)
    assert await rules.recall(conn, 1) == 0
    made = await submitted(conn, world, READS)
    await replicas.add(conn, 1, [ReplicaKey(ids[0], world.resource["A-DISK"])], [100], ReplicaState.AVAILABLE)
    await service.kill(conn, user(world), made.job_ids)
    await service.want_inputs(conn, 1)
    assert await rules.recall(conn, 1) == 0
    await submitted(conn, world, READS)
    await service.want_inputs(conn, 1)
    assert await rules.recall(conn, 1) == 3
    assert ids[0] not in await recalled(conn)


async def test_without_a_word_files_go_to_disks_of_the_site_and_wait_where_there_are_none(
    conn: Connection, world: World
) -> None:
    await tape(conn, world)
    await conn.execute("UPDATE rse SET attributes = attributes - 'recall_to' WHERE name = 'B-DISK'")
    await submitted(conn, world, READS)
    await service.want_inputs(conn, 1)
    assert await rules.recall(conn, 1) == 0
    await conn.execute("UPDATE rse SET site_id = %s WHERE name = 'A-DISK'", [world.resource["SITE-B"]])
    assert await rules.recall(conn, 1) == 4
