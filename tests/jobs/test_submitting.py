"""Submitting several descriptions at once: what JDLs that differ become."""

from dataclasses import replace

import pytest

from sancho.dids.errors import DidNotFound
from sancho.jobs import plan, service
from sancho.jobs.errors import NoSiteCanRun, ParameterMissing
from sancho.jobs.model import JobState, Requirement
from sancho.kit.db import Connection, fetch_value, fetch_values
from sancho.kit.errors import PermissionMissing
from tests.jobs.given import PLAIN, SIMULATION, queues, user
from tests.world import World


async def test_descriptions_that_differ_are_submitted_together_in_their_order(conn: Connection, world: World) -> None:
    large = replace(PLAIN, name="large", requirements=Requirement(memory=2_000_000))
    wanted = [
        (replace(PLAIN, name="one", command=("echo", "{word}")), [{"word": "a"}, {"word": "b"}]),
        (large, [{}]),
        (replace(SIMULATION, name="three"), [{}]),
        (replace(PLAIN, name="four", job_group="mine", environment={"A": "1"}), [{}]),
    ]
    made = await service.submit_many(conn, user(world), wanted)

    assert [len(ids) for ids in made] == [2, 1, 1, 1]
    shown = [await service.get(conn, user(world), job_id) for ids in made for job_id in ids]
    assert [one.description["name"] for one in shown] == ["one", "one", "large", "three", "four"]
    assert [one.parameters for one in shown[:2]] == [{"number": 1, "word": "a"}, {"number": 2, "word": "b"}]
    assert (shown[4].description["job_group"], shown[4].description["environment"]) == ("mine", {"A": "1"})
    assert len(await queues(conn)) == 2
    assert await fetch_values(conn, "SELECT DISTINCT state FROM job") == [JobState.WAITING.value]
    counted = "SELECT sum(waiting) FROM task_queue_slot WHERE vo = 1"
    assert await fetch_value(conn, counted) == 5


async def test_of_descriptions_together_one_that_cannot_be_is_refused_as_alone(conn: Connection, world: World) -> None:
    fine = [(replace(PLAIN, name=name), [{}]) for name in ("one", "two")]
    with pytest.raises(ParameterMissing):
        await service.submit_many(conn, user(world), [*fine, (replace(PLAIN, command=("{none}",)), [{}])])
    for change, error in (
        ({"requirements": Requirement(cores=64)}, NoSiteCanRun),
        ({"inputs": ("mc:no",)}, DidNotFound),
    ):
        with pytest.raises(error):
            async with conn.transaction():
                await service.submit_many(conn, user(world), [(replace(one, **change), rows) for one, rows in fine])
    nobody = replace(user(world), permissions=frozenset[str]())
    with pytest.raises(PermissionMissing, match="jobs:create"):
        await service.submit_many(conn, nobody, fine)


def test_descriptions_are_alike_unless_they_need_something_else() -> None:
    same = replace(PLAIN, name="x", command=("y",), job_group="z", environment={"A": "1"}, output_sandbox=("*.log",))
    assert plan.likeness(same) == plan.likeness(PLAIN)
    for change in (
        {"inputs": ("mc:a",)},
        {"sandbox": "00" * 32},
        {"priority": 1},
        {"type": "User"},
        {"group": "users"},
    ):
        assert plan.likeness(replace(PLAIN, **change)) != plan.likeness(PLAIN)
    assert plan.likeness(replace(SIMULATION, name="x")) != plan.likeness(SIMULATION)
