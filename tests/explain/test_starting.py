"""When a waiting job may start: right within a factor of two in a steady state, in words where nobody can know."""

import heapq
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sancho.dids import service as dids
from sancho.explain.model import Start
from sancho.explain.plan.starting import Arrival, Outlook, Pace, expect
from sancho.jobs.model import Requirement
from sancho.kit.db import Connection, execute
from sancho.rules import service as rules
from sancho.rules.model import RuleRequest
from tests.explain.given import why
from tests.jobs.given import PLAIN, dataset, submitted, user
from tests.matching.test_service import match
from tests.world import World

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LOOKED = timedelta(hours=2)


def seen(pace: Pace | None = None, **more: object) -> Outlook:
    return Outlook(now=NOW, pace=pace or Pace(looked=LOOKED), **more)  # pyright: ignore[reportArgumentType]


def middle(start: Start) -> timedelta:
    """What a range is around: its ends are as many times off."""
    assert start.earliest is not None
    assert start.latest is not None
    soon, late = start.earliest - NOW, start.latest - NOW
    return timedelta(seconds=(soon.total_seconds() * late.total_seconds()) ** 0.5)


def begins(slots: int, mean: float, jobs: int, draw: random.Random) -> list[float]:
    """Hours at which jobs of a queue begin, in slots that are always wanted."""
    free = [draw.random() * mean for _ in range(slots)]
    heapq.heapify(free)
    found: list[float] = []
    for _ in range(jobs):
        at = heapq.heappop(free)
        found.append(at)
        heapq.heappush(free, at + draw.gammavariate(4, mean / 4))
    return found


@pytest.mark.parametrize(("slots", "mean"), [(1, 0.1), (8, 0.5), (40, 1.0), (200, 4.0)])
def test_it_is_within_a_factor_of_two_in_a_steady_state(slots: int, mean: float) -> None:
    draw, hits, asked = random.Random(7), 0, 0
    for _ in range(30):
        times = begins(slots, mean, slots * 20 + 400, draw)
        now = times[slots * 5] + 5 * mean
        window = [at for at in times if now - 2 <= at <= now]
        ahead = draw.randrange(slots + 3, slots * 5 + 10)
        place = sum(at <= now for at in times) + ahead
        pace = Pace(looked=LOOKED, begun=len(window), first=NOW - timedelta(hours=now - window[0]), ended=1)
        start = expect(seen(pace, ahead=ahead))
        really = timedelta(hours=times[place] - now)
        assert start.earliest is not None
        assert start.latest is not None
        hits += middle(start) / 2 <= really <= middle(start) * 2
        asked += 1
    assert hits >= 0.9 * asked


def test_a_burst_of_pilots_is_no_rate() -> None:
    pace = Pace(looked=LOOKED, begun=50, first=NOW - timedelta(seconds=10))
    found = expect(seen(pace, ahead=99, walltime=timedelta(hours=3)))
    assert found.latest == NOW + timedelta(hours=6)
    ended = expect(seen(replace(pace, ended=1), ahead=99, walltime=timedelta(hours=3)))
    assert ended.latest is not None
    assert ended.latest < NOW + timedelta(hours=1)


def test_what_cannot_be_known_is_said_in_words() -> None:
    assert expect(seen()) == Start(says="It cannot be known: no pilot took such a job for 2 h.")
    assert expect(seen(coming=2)).says.endswith("for 2 h; 2 pilots for it may be on the way.")
    assert expect(seen(stopped="Account a is suspended.")).says == "It cannot be known: account a is suspended."
    assert "nothing is about to bring" in expect(seen(arrival=Arrival(size=5, unasked=2))).says
    assert "nothing came there for 2 h" in expect(seen(arrival=Arrival(size=5))).says


def test_inputs_come_at_the_rate_of_late() -> None:
    arrival = Arrival(size=36 * 10**9, moved=10**10, first=NOW - timedelta(seconds=1000))
    found = expect(seen(arrival=arrival))
    assert middle(found) == timedelta(hours=1)
    assert (
        found.says == "36 GB of its inputs are still to come, at about 10 MB/s as of late; after that it needs a slot."
    )


PACES = st.builds(
    Pace, looked=st.just(LOOKED), begun=st.integers(0, 2000), ended=st.integers(0, 5),
    first=st.none() | st.integers(0, 7200).map(lambda s: NOW - timedelta(seconds=s)),
)  # fmt: skip
ARRIVALS = st.builds(
    Arrival, size=st.integers(0, 2**62), unasked=st.integers(0, 2), moved=st.integers(0, 2**62),
    first=st.none() | st.integers(0, 7200).map(lambda s: NOW - timedelta(seconds=s)),
)  # fmt: skip


@given(PACES, st.none() | ARRIVALS, st.integers(0, 10**9), st.booleans())
@settings(max_examples=200)
def test_whatever_happened_it_says_something_of_the_future(
    pace: Pace, arrival: Arrival | None, ahead: int, more: bool
) -> None:
    found = expect(seen(pace, arrival=arrival, ahead=ahead, more=more, walltime=timedelta(days=300)))
    assert found.says
    assert (found.earliest is None) <= (found.latest is None)
    if found.earliest is not None:
        assert found.earliest >= NOW
        assert found.latest is None or found.latest >= found.earliest


async def test_a_job_in_its_queue_is_told_when_by_what_began(conn: Connection, world: World) -> None:
    made = (await submitted(conn, world, count=12)).job_ids
    assert (await why(conn, world, made[0])).start == Start(
        says="It cannot be known: no pilot took such a job for 2 h."
    )
    for _ in range(10):
        assert await match(conn, world, vos=(1,)) is not None
    await execute(
        conn,
        """
        UPDATE attempt
           SET started_at = now() - interval '10 min' * attempt_id / (SELECT max(a.attempt_id) FROM attempt a)
        """,
    )
    await execute(conn, "UPDATE attempt SET ended_at = now() WHERE attempt_id % 2 = 0")
    found = (await why(conn, world, made[11])).start
    assert found is not None
    assert found.latest is not None
    assert found.says.startswith("10 such jobs began in the last 10 min")
    assert found.says.endswith("and 1 other goes first.")
    assert found.latest - datetime.now(UTC) < timedelta(minutes=5)
    urgent = replace(PLAIN, priority=3)
    await submitted(conn, world, urgent, count=4)
    later = (await why(conn, world, made[11])).start
    assert later is not None
    assert "and 5 others go first" in later.says


async def test_a_job_that_nothing_can_run_is_told_so(conn: Connection, world: World) -> None:
    big = replace(PLAIN, requirements=Requirement(memory=10**15))
    job_id = (await submitted(conn, world, big, anyway=True)).job_ids[0]
    found = (await why(conn, world, job_id)).start
    assert found is not None
    assert found.says.startswith("It cannot be known: none of the 2 compute elements of your VO can run")


async def test_inputs_to_come_are_counted_with_what_came(conn: Connection, world: World) -> None:
    await dids.close(conn, 1, await dataset(conn, world, "mc:data", {"A-DISK": [10**9, 10**9]}))
    job_id = (await submitted(conn, world, replace(PLAIN, inputs=("mc:data",)))).job_ids[0]
    await execute(conn, "UPDATE replica SET state = 'T'")
    found = (await why(conn, world, job_id)).start
    assert found is not None
    assert "it reads 2 files that are nowhere available, which nothing is about to bring" in found.says
    await rules.create(conn, user(world), RuleRequest(did="mc:data", rse_expression="B-DISK"))
    found = (await why(conn, world, job_id)).start
    assert found is not None
    assert "nothing came there for 2 h" in found.says
    await execute(
        conn,
        """
        INSERT INTO ledger (vo, kind, account_id, rse_id, at, files, size)
        SELECT 1, 'T', %(account)s, %(rse)s, now() - interval '1000 s', 1, 1000000000
        """,
        {"account": world.account[1, "alice"], "rse": world.resource["B-DISK"]},
    )
    found = (await why(conn, world, job_id)).start
    assert found is not None
    assert found.says.startswith("2 GB of its inputs are still to come, at about ")
