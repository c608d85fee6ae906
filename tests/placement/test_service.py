"""Inputs are copied to where jobs can run, for a VO that allows it, and let go when nobody wants them."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sancho.dids import service as dids
from sancho.jobs import service as jobs
from sancho.kit.db import Connection, Database, execute, fetch_rows, fetch_value
from sancho.parts import KINDS
from sancho.placement import service
from sancho.placement.tasks import place_all
from sancho.replicas.model import ReplicaKey
from sancho.rules import service as rules
from sancho.rules.model import COPY_GRACE, PLACEMENT_ACCOUNT, Rule, RuleState
from sancho.vos import service as vos
from sancho.vos.errors import DocumentInvalid
from sancho.vos.model import Document
from tests.conftest import eventually
from tests.explain.given import causes, why
from tests.jobs.given import PLAIN, dataset, started, submitted, user
from tests.rules.given import apply_quotas, arrive, check_exact
from tests.served import Served
from tests.world import World

AT_B = replace(
    PLAIN, name="reads", inputs=("mc:raw",), max_attempts=1, requirements=replace(PLAIN.requirements, sites=("SITE-B",))
)
ANYWHERE = replace(AT_B, requirements=replace(PLAIN.requirements, sites=()))


async def allow(conn: Connection, world: World, **spec: Any) -> None:
    document = Document(kind="DataPlacement", name="default", spec={"most": "1 kB"} | spec)
    await vos.apply(conn, user(world, "root"), [document], KINDS)


async def raw(conn: Connection, world: World) -> int:
    """A closed dataset of 200 bytes at SITE-A."""
    made = await dataset(conn, world, "mc:raw", {"A-DISK": [100, 100]})
    await dids.close(conn, 1, made)
    return made


async def looked(conn: Connection) -> list[tuple[str, int]]:
    """What is copied when it is looked, once demand was counted: to where, and how much."""
    await jobs.want_inputs(conn, 1)
    await service.keep(conn, 1)
    begun: list[tuple[str, int]] = []
    while (copy := await service.place(conn, 1, now=datetime.now(UTC))) is not None:
        begun.append((copy.rse, copy.size))
    return begun


async def copies(conn: Connection) -> list[Rule]:
    found = await rules.list_rules(conn, 1, page=(None, 100))
    return [rule for rule in found if rule.account == PLACEMENT_ACCOUNT]


async def lasts(conn: Connection) -> timedelta:
    return await fetch_value(
        conn, "SELECT r.expires_at - now() FROM rule r JOIN account a USING (account_id, vo) WHERE a.name = %(name)s",
        {"name": PLACEMENT_ACCOUNT},
    )  # fmt: skip


async def test_data_comes_once_to_where_jobs_can_run_and_goes_after_the_last_of_them(
    conn: Connection, world: World
) -> None:
    root = await raw(conn, world)
    made = await submitted(conn, world, AT_B, count=2)
    assert await looked(conn) == []  # nobody has allowed it
    await allow(conn, world, lifetime="2 d")
    assert await looked(conn) == [("B-DISK", 200)]
    assert await looked(conn) == []
    [rule] = await copies(conn)
    assert (rule.did, rule.rse_expression, rule.state) == ("mc:raw", "B-DISK", RuleState.REPLICATING)
    found = await why(conn, world, made.job_ids[0])
    assert found.says == "It waits: its data is being copied to B-DISK: 0 B of 200 B are there."
    assert found.blockers[0].hint == f"`sancho explain rule {rule.rule_id}` says how the copy fares."

    files = [file.did_id for file in await dids.files(conn, 1, [root])]
    await arrive(conn, world, [ReplicaKey(files[0], world.resource["B-DISK"])])
    assert "100 B of 200 B are there" in (await why(conn, world, made.job_ids[0])).says
    await arrive(conn, world, [ReplicaKey(files[1], world.resource["B-DISK"])])
    found = await why(conn, world, made.job_ids[0])
    assert causes(found) == ["slots"]
    assert found.facts["inputs copied"] == (f"mc:raw: 200 B of 200 B are at B-DISK (rule {rule.rule_id})",)
    await check_exact(conn)

    assert await lasts(conn) == timedelta(days=2)
    await jobs.kill(conn, user(world), made.job_ids)
    await looked(conn)
    assert await lasts(conn) == COPY_GRACE
    await looked(conn)
    await submitted(conn, world, AT_B)  # somebody comes again within the grace
    assert await looked(conn) == []
    assert await lasts(conn) == timedelta(days=2)
    await vos.apply(
        conn, user(world, "root"), [Document(kind="DataPlacement", name="default", remove=True)], KINDS
    )  # fmt: skip
    assert await fetch_rows(conn, "SELECT vo FROM data_placement") == []


async def test_jobs_that_can_run_where_their_data_is_need_no_copy_until_they_wait_for_long(
    conn: Connection, world: World
) -> None:
    await raw(conn, world)
    await allow(conn, world, full_after="1 h")
    await submitted(conn, world, ANYWHERE, count=3)
    assert await looked(conn) == []
    later = datetime.now(UTC) + timedelta(hours=2)
    await execute(
        conn, "UPDATE compute_element SET max_pilots = 0 WHERE ce_id = %(id)s", {"id": world.resource["B-CE"]}
    )
    assert await service.place(conn, 1, now=later) is None  # nor would anywhere else take them
    await execute(conn, "UPDATE compute_element SET max_pilots = 4")
    copy = await service.place(conn, 1, now=later)
    assert copy is not None
    assert copy.rse == "B-DISK"


async def test_jobs_that_begin_slowly_find_their_sites_full(conn: Connection, world: World) -> None:
    await raw(conn, world)
    await allow(conn, world, full_after="1 h")
    await submitted(conn, world, ANYWHERE, count=30)
    await started(conn, world)
    await execute(conn, "UPDATE attempt SET started_at = now() - interval '1 min'")
    assert await looked(conn) == []  # 29 that wait, each for two minutes
    await execute(conn, "UPDATE attempt SET started_at = now() - interval '2 min'")
    assert await looked(conn) == [("B-DISK", 200)]


@pytest.mark.parametrize("spec", [{"most": 199}, {"rse_expression": "A-DISK"}, {"rse_expression": "country=FR"}])
async def test_a_vo_says_how_much_is_copied_and_to_where(
    conn: Connection, world: World, spec: dict[str, Any]
) -> None:  # fmt: skip
    await raw(conn, world)
    await submitted(conn, world, AT_B)
    await allow(conn, world, **spec)
    assert await looked(conn) == []
    await allow(conn, world)
    assert await looked(conn) == [("B-DISK", 200)]
    other = await dataset(conn, world, "mc:other", {"A-DISK": [500]})
    await dids.close(conn, 1, other)
    await submitted(conn, world, replace(AT_B, inputs=("mc:other",)))
    await allow(conn, world, most=699)
    assert await looked(conn) == []  # with what is copied already it is too much
    await allow(conn, world, most=700)
    assert await looked(conn) == [("B-DISK", 500)]


async def test_quotas_of_the_vo_bound_copies(conn: Connection, world: World) -> None:
    await raw(conn, world)
    await allow(conn, world)
    await apply_quotas(conn, world, {"all": rules.QUOTA.model(rse_expression="B-DISK", size=100)})
    await submitted(conn, world, AT_B)
    assert await looked(conn) == []
    await apply_quotas(conn, world, {"all": rules.QUOTA.model(rse_expression="B-DISK", size=200)})
    assert await looked(conn) == [("B-DISK", 200)]


async def test_an_expression_that_cannot_be_read_is_refused(conn: Connection, world: World) -> None:
    with pytest.raises(Exception, match="expression") as caught:
        await allow(conn, world, rse_expression="a=(")
    assert not isinstance(caught.value, DocumentInvalid)


async def test_the_other_vo_is_not_touched(served: Served, world: World) -> None:
    async with served.deployment.database.transaction([0, 1, 2]) as conn:
        await raw(conn, world)
        await allow(conn, world)
        await submitted(conn, world, AT_B)
        await jobs.want_inputs(conn, 1)
    await place_all(served.deployment)
    async with served.deployment.database.transaction([1, 2]) as conn:
        assert await fetch_rows(conn, "SELECT vo FROM rule") == [(1,)]
        assert await service.place(conn, 2, now=datetime.now(UTC)) is None


async def test_who_has_a_collection_and_wants_a_rule_does_not_wait_for_who_places(served: Served, world: World) -> None:
    database = served.deployment.database
    async with database.transaction([0, 1, 2]) as conn:
        root = await raw(conn, world)
        await allow(conn, world, lifetime="2 d")
        old = await dataset(conn, world, "mc:old", {"A-DISK": [1]})
        await rules.alone(conn, 1)
        [rule_id] = await rules.copy_for_jobs(conn, 1, [old], "B-DISK", timedelta(days=1))  # nobody wants it any more
        await submitted(conn, world, AT_B)
        await jobs.want_inputs(conn, 1)
    async with database.transaction([1]) as conn:
        await execute(conn, "SELECT FROM did WHERE did_id = %(id)s FOR NO KEY UPDATE", {"id": root})
        placing = asyncio.ensure_future(place_all(served.deployment))
        await eventually(lambda: waits(database))
        await execute(conn, "SET LOCAL lock_timeout = '100ms'")
        await execute(conn, "SELECT FROM rule WHERE rule_id = %(id)s FOR NO KEY UPDATE", {"id": rule_id})
    await placing
    async with database.transaction([1]) as conn:
        assert {(rule.did, rule.state) for rule in await copies(conn)} >= {("mc:raw", RuleState.REPLICATING)}


async def waits(database: Database) -> bool:
    async with database.transaction([]) as conn:
        return await fetch_value(
            conn,
            """
            SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)
                            WHERE NOT l.granted AND a.datname = current_database())
            """,
        )


async def test_several_inputs_are_copied_together_and_rules_that_are_there_live_longer(
    conn: Connection, world: World
) -> None:
    ids = [await dataset(conn, world, f"mc:{name}", {"A-DISK": [n]}) for n, name in enumerate(("one", "two"), 1)]
    await rules.alone(conn, 1)
    [first] = await rules.copy_for_jobs(conn, 1, ids[1:], "B-DISK", timedelta(hours=1))

    made = await rules.copy_for_jobs(conn, 1, ids, "B-DISK", timedelta(days=1))

    assert made[1] == first
    assert {(rule.did, rule.state) for rule in await copies(conn)} == {
        ("mc:one", RuleState.REPLICATING), ("mc:two", RuleState.REPLICATING),
    }  # fmt: skip
    ends = await fetch_rows(conn, "SELECT expires_at = now() + interval '1 day' FROM rule WHERE expires_at IS NOT NULL")
    assert ends == [(True,), (True,)]
