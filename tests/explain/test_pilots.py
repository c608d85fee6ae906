"""Why a pilot gets no job: what nearly fits is told, and what would help is true."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sancho.explain import service
from sancho.explain.model import Explanation
from sancho.jobs.model import Requirement
from sancho.kit.access import Principal
from sancho.kit.db import Connection, execute, fetch_value, serving
from sancho.kit.errors import PermissionMissing
from sancho.matching import service as matching
from sancho.pilots.errors import PilotNotFound
from tests.explain.given import causes, helps, unfollowed
from tests.jobs.given import PLAIN, submitted, user
from tests.matching.test_service import match
from tests.world import World


async def pilot_at(conn: Connection, world: World, ce: str, *, state: str = "R", ago: timedelta | None = None) -> int:
    """A pilot of the instance, which gave a sign of life so long ago, or never."""
    async with serving(conn, [0]):
        pilot_id = await fetch_value(
            conn,
            """
            INSERT INTO pilot (vo, state, ce_id, site_id, stamp, secret_hash)
            SELECT 0, %(state)s, ce_id, site_id, 'stamp-of-' || ce_id, '' FROM compute_element WHERE ce_id = %(ce)s
            RETURNING pilot_id
            """,
            {"ce": world.resource[ce], "state": state},
        )
        if ago is not None:
            await execute(
                conn,
                "INSERT INTO pilot_beat VALUES (0, %(id)s, %(at)s)",
                {"id": pilot_id, "at": datetime.now(UTC) - ago},
            )
    return pilot_id


def root(world: World) -> Principal:
    return user(world, "root")


@pytest.fixture
async def pilot(conn: Connection, world: World) -> int:
    await execute(conn, "SELECT set_config('sancho.vo', '1', true)")
    return await pilot_at(conn, world, "A-CE", ago=timedelta(seconds=1))


async def why(conn: Connection, world: World, pilot_id: int) -> Explanation:
    return await service.explain_pilot(conn, root(world), unfollowed(), pilot_id)


async def test_a_pilot_says_what_it_offers_and_that_no_job_waits(conn: Connection, world: World, pilot: int) -> None:
    said = await why(conn, world, pilot)
    assert (said.state, causes(said), said.says) == ("running", ["state"], "No job of your VO waits.")
    facts = said.facts
    assert (facts["cores"], facts["memory"], facts["wall time"], facts["tags"]) == (
        1, "2 GB", "1 h", ("env:demo", "site:SITE-A"),
    )  # fmt: skip
    assert "last contact" in facts


async def test_a_pilot_that_a_job_fits_gets_it_when_it_asks(conn: Connection, world: World, pilot: int) -> None:
    await submitted(conn, world, count=3)
    said = await why(conn, world, pilot)
    assert said.blockers == ()
    assert said.says.startswith("3 waiting jobs of your VO fit")
    assert await match(conn, world, vos=(1,)) is not None


async def test_what_nearly_fits_is_told_the_nearest_first_and_is_true(
    conn: Connection, world: World, pilot: int
) -> None:
    far = replace(PLAIN, requirements=Requirement(memory=1, cores=8, tags=("gpu",)))
    near = replace(PLAIN, requirements=Requirement(memory=2_500_000_000))
    (first,) = (await submitted(conn, world, far, anyway=True)).job_ids
    (second,) = (await submitted(conn, world, near, anyway=True)).job_ids
    said = await why(conn, world, pilot)
    assert causes(said) == ["requirement"]
    assert helps(said) == [
        f"It would get job {second} of alice if it asked for at most 2 GB of memory",
        f"It would get job {first} of alice if it did not ask for the tag gpu and it asked for at most 1 core",
    ]
    assert await match(conn, world, vos=(1,)) is None
    await submitted(conn, world, replace(PLAIN, requirements=Requirement(memory=2_000_000_000)))
    assert await match(conn, world, vos=(1,)) is not None


@pytest.mark.parametrize(
    ("state", "ago", "cause", "says"),
    [
        ("S", None, "state", "The batch system behind B-CE has not started it."),
        ("R", timedelta(minutes=5), "sign_of_life", "It has given no sign of life for 5 min."),
        ("R", None, "sign_of_life", "It has given no sign of life yet."),
        ("L", None, "state", "It has ended, and is lost."),
    ],
)
async def test_a_pilot_that_is_not_at_work_says_why(
    conn: Connection, world: World, state: str, ago: timedelta | None, cause: str, says: str
) -> None:
    said = await why(conn, world, await pilot_at(conn, world, "B-CE", state=state, ago=ago))
    assert causes(said)[0] == cause
    assert said.says == says


async def test_a_pilot_on_a_ce_that_is_not_granted_does_not_exist_and_others_need_the_permission(
    conn: Connection, world: World, pilot: int
) -> None:
    with pytest.raises(PermissionMissing, match="pilots:read"):
        await service.explain_pilot(conn, user(world), unfollowed(), pilot)
    with pytest.raises(PilotNotFound):
        await why(conn, world, 10**9)
    async with serving(conn, [0]):
        await execute(
            conn, "DELETE FROM resource_grant WHERE resource_id = %(ce)s AND to_vo = 1", {"ce": world.resource["A-CE"]}
        )
    with pytest.raises(PilotNotFound):
        await why(conn, world, pilot)


async def test_a_board_that_is_followed_is_believed(conn: Connection, world: World, pilot: int) -> None:
    await submitted(conn, world)
    board = await matching.read(conn)
    board.followed = True
    await submitted(conn, world, count=4)
    said = await service.explain_pilot(conn, root(world), board, pilot)
    assert said.facts["waiting jobs that fit"] == 1
