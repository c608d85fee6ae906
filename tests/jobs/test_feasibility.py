"""What no site can ever run is refused, unless it is to wait, and the answer says how many sites could run it."""

from dataclasses import replace

from sancho.jobs.model import Requirement
from sancho.kit.db import Connection, execute
from tests.jobs.given import PLAIN, submitted
from tests.world import World


async def test_a_job_that_no_site_can_run_waits_when_it_says_so(conn: Connection, world: World) -> None:
    giant = replace(PLAIN, requirements=Requirement(cores=64))
    made = await submitted(conn, world, giant, anyway=True)
    assert (made.sites, len(made.job_ids)) == (0, 1)
    assert (await submitted(conn, world)).sites == 2
    at_a = replace(PLAIN, requirements=Requirement(memory=1_000_000, sites=("SITE-A",)))
    assert (await submitted(conn, world, at_a)).sites == 1


async def test_before_a_vo_has_any_ce_its_jobs_wait_for_the_first(conn: Connection, world: World) -> None:
    await execute(conn, "DELETE FROM compute_element")
    assert (await submitted(conn, world, key="12345678")).sites == 0
    assert (await submitted(conn, world, key="12345678")).sites is None
