"""Why a job waits, with a real queue behind it: what is said is what the matcher does."""

from dataclasses import replace
from datetime import timedelta

import pytest

from sancho.dids import service as dids
from sancho.jobs import service as jobs
from sancho.jobs.errors import JobNotFound
from sancho.jobs.model import After, GpuNeed, Part, Reason, Requirement, Result
from sancho.kit.db import Connection, execute
from sancho.matching.model import PATIENCE
from tests.explain.given import causes, helps, only, unfollowed, why
from tests.jobs.given import PLAIN, SIMULATION, dataset, started, submitted, user
from tests.matching.test_limits import apply, limit
from tests.matching.test_service import match
from tests.world import World

AT_A = replace(PLAIN, requirements=Requirement(memory=1_000_000, sites=("SITE-A",)))


async def test_a_job_that_fits_waits_for_a_slot_and_says_where(conn: Connection, world: World) -> None:
    job_id = (await submitted(conn, world)).job_ids[0]
    said = await why(conn, world, job_id)
    assert causes(said) == ["slots"]
    assert said.says == "It waits: no pilot has had a free slot for it yet."
    assert [one.partition(":")[0] for one in said.blockers[0].things] == ["A-CE", "B-CE"]
    assert [(one.ce, one.changes) for one in said.would] == [("A-CE", ()), ("B-CE", ())]
    assert said.facts["sites that could run it"] == ("SITE-A", "SITE-B")
    found = await match(conn, world)
    assert found is not None
    assert found.job_id == job_id


async def test_a_job_says_which_jobs_come_before_it(conn: Connection, world: World) -> None:
    ids = (await submitted(conn, world, count=7)).job_ids
    later = Part(description=PLAIN, parameters=[{}], after=[After(job_id=job_id) for job_id in ids])
    (job_id,) = (await jobs.submit_part(conn, user(world), later)).job_ids
    said = await why(conn, world, job_id)
    assert causes(said) == ["jobs", "slots"]
    assert said.says == "It waits: 7 other jobs have to come before it."
    assert said.blockers[0].things[0] == f"job {ids[0]} is waiting, and has to be done"
    assert said.blockers[0].things[-1] == "and 2 more"
    assert said.would[0].says == "It would start at SITE-A (A-CE) if the jobs before it had ended well"


async def test_pilots_are_counted_those_with_jobs_of_the_vo_too(conn: Connection, world: World) -> None:
    job_id = (await submitted(conn, world, AT_A, 2)).job_ids[1]
    await execute(conn, "SELECT set_config('sancho.vo', '0,1,2', true)")
    await execute(
        conn,
        """
        INSERT INTO pilot (vo, state, ce_id, site_id, stamp, secret_hash)
        SELECT 0, 'R', ce_id, site_id, 'stamp' || ce_id || n, '' FROM compute_element, generate_series(1, 2) n
        """,
    )
    await execute(conn, "SELECT set_config('sancho.vo', '1', true)")
    (slots,) = (await why(conn, world, job_id)).blockers[:1]
    assert slots.things == ("A-CE: 2 of at most 4 pilots",)


@pytest.mark.parametrize(
    ("need", "helped", "better"),
    [
        (
            Requirement(memory=4_000_000_000), "It would start at SITE-A (A-CE) if it asked for at most 2 GB of memory",
            Requirement(memory=2_000_000_000),
        ),
        (
            Requirement(memory=1, cores=3), "It would start at SITE-A (A-CE) if it asked for at most 1 core",
            Requirement(memory=1),
        ),
        (
            Requirement(memory=1, walltime=timedelta(hours=5)),
            "It would start at SITE-A (A-CE) if it asked for at most 1 h of wall time", Requirement(memory=1),
        ),
        (
            Requirement(memory=1, tags=("gpu", "env:demo")),
            "It would start at SITE-A (A-CE) if it did not ask for the tag gpu",
            Requirement(memory=1, tags=("env:demo",)),
        ),
        (
            Requirement(memory=1, gpus=GpuNeed(count=2)),
            "It would start at SITE-A (A-CE) if it did not ask for 2 GPUs", Requirement(memory=1),
        ),
        (
            Requirement(memory=4_000_000_000, architecture="a"),
            (
                "It would start at SITE-A (A-CE) if it did not ask for the architecture a and it asked for at most"
                " 2 GB of memory"
            ),
            Requirement(memory=2_000_000_000),
        ),
    ],
)  # fmt: skip
async def test_what_no_ce_can_run_says_what_it_asks_too_much_of_and_runs_when_it_asks_for_less(
    conn: Connection, world: World, need: Requirement, helped: str, better: Requirement
) -> None:
    job_id = (await submitted(conn, world, replace(PLAIN, requirements=need), anyway=True)).job_ids[0]
    said = await why(conn, world, job_id)
    assert causes(said) == ["requirement"]
    assert said.blockers[0].says == "None of the 2 compute elements of your VO can run what it asks for."
    assert said.blockers[0].things
    assert helps(said)[0] == helped
    assert await match(conn, world) is None

    less = (await submitted(conn, world, replace(PLAIN, requirements=better))).job_ids[0]
    found = await match(conn, world)
    assert found is not None
    assert found.job_id == less


async def test_a_job_bound_to_a_site_that_is_off_waits_for_that(conn: Connection, world: World) -> None:
    job_id = (await submitted(conn, world, AT_A)).job_ids[0]
    await execute(conn, "UPDATE resource SET enabled = false WHERE name = 'SITE-A'")
    said = await why(conn, world, job_id)
    assert causes(said) == ["off"]
    assert said.blockers[0].things == ("A-CE: site SITE-A is disabled",)
    assert helps(said)[:2] == [
        "It would start at SITE-A (A-CE) if site SITE-A were enabled",
        "It would start at SITE-B (B-CE) if its `sites` had SITE-B among them",
    ]
    await execute(conn, "UPDATE resource SET enabled = true WHERE name = 'SITE-A'")
    await execute(conn, "UPDATE compute_element SET max_pilots = 0")
    assert helps(await why(conn, world, job_id))[0] == "It would start at SITE-A (A-CE) if A-CE might have pilots"
    await execute(conn, "DELETE FROM compute_element")
    assert only(await why(conn, world, job_id), "requirement").says == "Your VO has no compute element."


async def test_a_job_whose_input_is_elsewhere_says_from_when_on_it_runs_anywhere(
    conn: Connection, world: World
) -> None:
    await dids.close(conn, 1, await dataset(conn, world, "mc:data", {"A-DISK": [1], "B-DISK": [30]}))
    at_a = replace(AT_A, inputs=("mc:data",))
    job_id = (await submitted(conn, world, at_a)).job_ids[0]
    said = await why(conn, world, job_id)
    assert causes(said) == ["distance"]
    assert said.blockers[0].says == "Most of its input is at SITE-B, where no slot fits it."
    assert (said.blockers[0].hint or "").startswith("From ")
    assert helps(said)[0] == "It would start at SITE-A (A-CE) if most of its input were at SITE-A"
    assert said.facts["inputs at"] == ("SITE-B: 30 B", "SITE-A: 1 B")
    assert await match(conn, world) is None

    await execute(conn, "UPDATE job SET changed_at = now() - %(late)s::interval", {"late": PATIENCE})
    assert causes(await why(conn, world, job_id)) == ["slots"]
    assert await match(conn, world) is not None


async def test_a_job_whose_inputs_are_not_there_names_them_and_who_could_give_them_back(
    conn: Connection, world: World
) -> None:
    data = await dataset(conn, world, "mc:data", {"A-DISK": [1, 2], "B-DISK": [30]})
    job_id = (await submitted(conn, world, replace(PLAIN, inputs=("mc:data",)))).job_ids[0]
    said = await why(conn, world, job_id)
    assert (said.state, causes(said)[0]) == ("pending", "inputs")
    assert "dataset mc:data is still open" in said.blockers[0].says
    assert "sancho data close" in (said.blockers[0].hint or "")

    await dids.close(conn, 1, data)
    await jobs.resolve_all(conn, 1)
    assert causes(await why(conn, world, job_id)) == ["slots"]

    here = {"rse_id": world.resource["A-DISK"]}
    await execute(conn, "UPDATE replica SET state = 'T' WHERE rse_id = %(rse_id)s", here)
    said = await why(conn, world, job_id)
    assert said.says == "It waits: 2 of its 3 input files are nowhere available."
    assert causes(said) == ["inputs", "slots"]
    assert said.blockers[0].things[0] == "mc:data_A-DISK_0: A-DISK has it, unavailable"
    assert "It would start at SITE-B (B-CE) if what A-DISK has of its inputs were available" in helps(said)
    assert await match(conn, world, "SITE-B") is None
    await execute(conn, "UPDATE replica SET state = 'A' WHERE rse_id = %(rse_id)s", here)
    assert await match(conn, world, "SITE-B") is not None


async def test_whose_turn_it_is_is_told(conn: Connection, world: World) -> None:
    await execute(
        conn,
        """
        UPDATE membership SET group_id = (SELECT group_id FROM account_group WHERE vo = 1 AND name = 'users')
         WHERE vo = 1
        """,
    )
    first = (await submitted(conn, world, count=3)).job_ids
    assert await match(conn, world) is not None  # alice has one, so bob goes first
    await jobs.submit(conn, user(world, "bob"), PLAIN, [{}])
    said = await why(conn, world, first[2])
    assert causes(said) == ["slots", "share", "order"]
    assert only(said, "share").says.startswith("One other of your VO goes first")
    assert only(said, "order").says == "1 of the same kind came before it."

    await submitted(conn, world, replace(PLAIN, priority=5))
    orders = [one.says for one in (await why(conn, world, first[2])).blockers if one.cause == "order"]
    assert orders[0] == "Other jobs of alice have a higher priority."


async def test_a_job_that_runs_failed_or_was_killed_says_so(conn: Connection, world: World) -> None:
    run, kill = (await submitted(conn, world, count=2)).job_ids
    attempt = await started(conn, world)
    said = await why(conn, world, run)
    assert (said.state, said.says, said.blockers, said.would) == (
        "matched", "A pilot at SITE-A has it and readies its inputs.", (), (),
    )  # fmt: skip
    result = Result(reason=Reason.PAYLOAD_FAILED, exit_code=3, detail="exit code 3")
    await jobs.finish(conn, 1, attempt.attempt_id, result, pilot_id=1, checksums={})
    said = await why(conn, world, run)
    assert causes(said) == ["attempts"]
    assert said.blockers[0].says == "It failed in attempt 1 of at most 3: payload_failed: exit code 3."
    assert f"sancho job reschedule {run}" in (said.blockers[0].hint or "")
    await jobs.kill(conn, user(world), [kill])
    assert causes(await why(conn, world, kill)) == ["state"]


async def test_a_suspended_owner_and_a_full_quota_are_told(conn: Connection, world: World) -> None:
    job_id = (await submitted(conn, world, SIMULATION)).job_ids[0]
    await execute(
        conn,
        """
        WITH made AS (
            INSERT INTO quota (vo, name, rse_expression, size, account_id)
            VALUES (1, 'small', '*', 0, %(account)s) RETURNING vo, quota_id)
        INSERT INTO quota_rse (vo, quota_id, rse_id) SELECT vo, quota_id, %(rse)s FROM made
        """,
        {"account": world.account[1, "alice"], "rse": world.resource["A-DISK"]},
    )
    await execute(conn, "UPDATE account SET state = 'S' WHERE name = 'alice'")
    said = await why(conn, world, job_id)
    assert causes(said) == ["account", "slots", "quota"]
    assert only(said, "quota").things == ("quota small on *",)


async def test_a_job_of_another_vo_does_not_exist(conn: Connection, world: World) -> None:
    await execute(conn, "SELECT set_config('sancho.vo', '2', true)")
    theirs = (await jobs.submit(conn, user(world, vo=2), PLAIN, [{}])).job_ids[0]
    await execute(conn, "SELECT set_config('sancho.vo', '1', true)")
    with pytest.raises(JobNotFound):
        await why(conn, world, theirs)
    assert not unfollowed().followed


async def test_a_limit_is_named_where_it_is_full_and_what_would_start_the_job_says_so(
    conn: Connection, world: World
) -> None:
    await limit(conn, world, "few", most=1, site="SITE-A")
    running, job_id = (await submitted(conn, world, AT_A, 2)).job_ids
    assert causes(await why(conn, world, job_id)) == ["slots", "order"]
    found = await match(conn, world)
    assert found is not None
    assert found.job_id == running
    said = await why(conn, world, job_id)
    assert causes(said) == ["limit"]
    assert said.blockers[0].things == ("few: at most 1 at SITE-A",)
    assert said.would[0].says == "It would start at SITE-A (A-CE) if fewer than 1 jobs of limit few ran at SITE-A"
    assert await match(conn, world) is None
    await jobs.kill(conn, user(world), [running])
    assert causes(await why(conn, world, job_id)) == ["slots"]
    assert await match(conn, world) is not None


async def test_a_held_job_says_who_holds_it_and_what_lets_it_go(conn: Connection, world: World) -> None:
    job_id = (await submitted(conn, world)).job_ids[0]
    await jobs.hold(conn, user(world), [job_id])
    said = await why(conn, world, job_id)
    assert (causes(said), said.blockers[0].says) == (["state"], "It is held by alice.")
    assert said.blockers[0].hint == f"`sancho job release {job_id}` puts it back into its queue."


async def test_what_a_vo_weighs_is_told_with_its_parts(conn: Connection, world: World) -> None:
    two_hours = replace(PLAIN, requirements=Requirement(memory=1, walltime=timedelta(minutes=30)))
    job_id = (await submitted(conn, world, two_hours)).job_ids[0]
    assert "rank" not in (await why(conn, world, job_id)).facts
    await apply(conn, user(world, "root"), "RankWeights", "default", spec={"hour": 1, "money": 2, "carbon": 5})
    await execute(conn, "SELECT set_config('sancho.vo', '0,1', true)")
    await execute(
        conn, "UPDATE compute_element SET price = ce_id - (SELECT min(ce_id) FROM compute_element), carbon = 8"
    )
    await execute(conn, "SELECT set_config('sancho.vo', '1', true)")
    found = (await why(conn, world, job_id)).facts["rank"]
    assert isinstance(found, tuple)
    assert found[0] == "A-CE: 0.52 points: 0 h for its data, 0.5 h to run, 0 of money, 0.004 kg of CO2"
    assert [each.partition(":")[0] for each in found] == ["A-CE", "B-CE"]


async def test_a_far_job_waits_for_no_site(conn: Connection, world: World) -> None:
    await dids.close(conn, 1, await dataset(conn, world, "mc:data", {"A-DISK": [1], "B-DISK": [30]}))
    need = replace(AT_A.requirements, far=True)
    job_id = (await submitted(conn, world, replace(AT_A, inputs=("mc:data",), requirements=need))).job_ids[0]
    assert causes(await why(conn, world, job_id)) == ["slots"]
    found = await match(conn, world)
    assert found is not None
    assert found.job_id == job_id
