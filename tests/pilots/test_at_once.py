"""Matches that are wanted at the same time share an exchange with the database, and give what they would give alone."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from sancho.jobs.model import Description, Slot
from sancho.kit.access import Principal
from sancho.kit.db import execute, fetch_rows, fetch_values
from sancho.matching import service as matching
from sancho.matching.service import Matcher
from sancho.pilots import service
from sancho.pilots.errors import PilotUnknown
from sancho.pilots.service.assigning import Assignment
from sancho.pilots.service.serving import Asked
from tests.jobs.given import PLAIN, SIMULATION, submitted
from tests.served import Served

SLOT = Slot(ce="", site="", cores=1, memory=2_000_000_000, walltime=timedelta(hours=1), tags=frozenset())


@pytest.fixture
async def callers(served: Served) -> list[Principal]:
    """Twelve pilots that run on one CE."""
    async with served.deployment.database.transaction([0]) as conn:
        rows = await fetch_rows(
            conn,
            """
            INSERT INTO pilot (vo, state, ce_id, site_id, stamp, secret_hash)
            SELECT 0, 'R', ce_id, site_id, 'at-once-' || n, ''
              FROM generate_series(1, 12) n CROSS JOIN (SELECT * FROM compute_element ORDER BY ce_id LIMIT 1) ce
            RETURNING pilot_id, ce_id
            """,
        )
    return [
        Principal(
            vo=0, vo_name="instance", account_id=0, account="", groups=(), vos=(0, 1, 2), permissions=frozenset(),
            pilot_id=pilot_id, ce_id=ce_id,
        )
        for pilot_id, ce_id in rows
    ]  # fmt: skip


async def matcher_for(served: Served, job: Description = PLAIN) -> Matcher:
    """What a process that follows the queues knows, with eight jobs that wait."""
    async with served.deployment.database.transaction([1]) as conn:
        await submitted(conn, served.world, job, 8)
    async with served.deployment.database.transaction([0, 1, 2]) as conn:
        matcher = await matching.read(conn)
    matcher.followed = True
    return matcher


async def ask(served: Served, matcher: Matcher, callers: Sequence[Principal]) -> list[Assignment]:
    asked = Asked(slot=SLOT, held=[], answered=True)
    got = await asyncio.gather(*(service.match(served.deployment, matcher, one, asked) for one in callers))
    return [one for one in got if one is not None]


async def transactions(served: Served) -> int:
    """In how many transactions the attempts that there are were made."""
    async with served.deployment.database.transaction([1]) as conn:
        return len(set(await fetch_values(conn, "SELECT xmin::text FROM attempt")))


async def test_each_gets_a_job_of_its_own_in_few_transactions(served: Served, callers: list[Principal]) -> None:
    matcher = await matcher_for(served)
    given = await ask(served, matcher, callers)
    assert len({one.job_id for one in given}) == len(given) == 8, "as many as there are"
    assert {(one.command[0], one.vo) for one in given} == {("true", "belle")}
    assert await transactions(served) == 1
    assert await ask(served, matcher, callers) == []


async def test_what_it_must_leave_is_read_afterwards(served: Served, callers: list[Principal]) -> None:
    given = await ask(served, await matcher_for(served, SIMULATION), callers[:3])
    assert [[promised.path for promised in one.outputs] for one in given] == [["out.root"]] * 3
    assert await transactions(served) == 1


async def test_pilots_that_are_unfit_or_gone_get_nothing(served: Served, callers: list[Principal]) -> None:
    matcher = await matcher_for(served)
    async with served.deployment.database.transaction([0]) as conn:
        ids = {"unfit": callers[0].pilot_id, "gone": callers[1].pilot_id}
        await execute(conn, "UPDATE pilot SET unfit_at = now() WHERE pilot_id = %(unfit)s", ids)
        await execute(conn, "UPDATE pilot SET ended_at = now(), state = 'D' WHERE pilot_id = %(gone)s", ids)
    assert await ask(served, matcher, callers[:1]) == []
    with pytest.raises(PilotUnknown):
        await ask(served, matcher, callers[1:2])
    assert len(await ask(served, matcher, callers[2:])) == 8


async def test_a_limit_is_counted_as_ever(served: Served, callers: list[Principal]) -> None:
    async with served.deployment.database.transaction([1]) as conn:
        await execute(conn, "INSERT INTO running_limit (vo, name, most) VALUES (1, 'few', 3)")
    assert len(await ask(served, await matcher_for(served), callers)) == 3


async def test_one_whose_pilot_is_busy_holds_nobody_up(served: Served, callers: list[Principal]) -> None:
    matcher = await matcher_for(served)
    async with served.deployment.database.transaction([0, 1, 2]) as conn:
        await execute(conn, "SELECT FROM pilot WHERE pilot_id = %(id)s FOR NO KEY UPDATE", {"id": callers[0].pilot_id})
        busy = asyncio.create_task(ask(served, matcher, callers[:1]))
        assert len(await ask(served, matcher, callers[1:4])) == 3
        assert not busy.done()
    assert len(await busy) == 1


async def test_what_a_pilot_never_heard_of_is_given_again(served: Served, callers: list[Principal]) -> None:
    matcher = await matcher_for(served)
    for answered in (False, True):
        asked = Asked(slot=SLOT, held=[], answered=answered)
        lost = await service.match(served.deployment, matcher, callers[answered], asked)
        asked = Asked(slot=SLOT, held=[], answered=False)
        again = await service.match(served.deployment, matcher, callers[answered], asked)
        assert lost is not None
        assert again is not None
        assert again.attempt_id == lost.attempt_id
        asked = Asked(slot=SLOT, held=[lost.attempt_id], answered=False)
        other = await service.match(served.deployment, matcher, callers[answered], asked)
        assert other is not None
        assert other.job_id != lost.job_id
    assert await transactions(served) == 4
