"""Jobs that have no rows yet: whatever is done, they are what jobs with rows are."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sancho.explain.store import jobs as explanations
from sancho.jobs import service
from sancho.jobs.api import changing
from sancho.jobs.api.changing import JobsChosen
from sancho.jobs.errors import JobNotFound, KeyUsed, RangesNotYet, TooManyJobs
from sancho.jobs.model import JobState, Report, Result, Started
from sancho.jobs.service import submitting as submitting_service
from sancho.jobs.store import claiming, personal, ranges
from sancho.kit.access import NotYours, Principal
from sancho.kit.db import Connection, Database, fetch_rows, fetch_value
from sancho.kit.deployment import Deployment
from sancho.kit.personal import Person
from sancho.kit.query import parse
from tests.jobs.given import PLAIN, SIMULATION, started, submitted, taken, user
from tests.jobs.test_again import check_counters
from tests.served import Served
from tests.world import World

NOBODY = cast(Deployment, SimpleNamespace(job_lookups={}))
HOW = {"kill": changing.KILL, "hold": changing.HOLD, "release": changing.RELEASE}
WHERES = [
    "state = waiting", "state in (held, killed)", "~(state = waiting)", "name = plain", "attempts = 0", "site exists",
    "number = 1", "number > 1 & state = waiting", "id >= {3}", "id in ({0}, {2}, {4})", "id < {5} & ~(state = held)",
    "param.said exists", "~(param.said = 1)", "submission = {s}", "minor = fine | state = held",
    "submission = {s} & id = {2}",
    "group = users & account = alice", "error exists", "type exists", "id between {1} and {6}", "id = {2} | number = 1",
    "id > {1} & number < 4 & id in ({1}, {2}, {3}, {9})", "~(id = {3})",
]  # fmt: skip
TURNS = 5
SORTS = ("id", "-submitted_at", "-id", "changed_at")
SUMMARIES = (["state"], ["number", "state"], ["name", "attempts", "tags", "param.said"])
ORDERS = ([("number", True), ("id", False)], [("id", True), ("state", False)], [("state", False)])
_some = st.lists(st.integers(0, 11), min_size=1, max_size=4, unique=True)
STEPS = st.one_of(
    st.tuples(st.just("submit"), st.integers(1, 7)),
    st.tuples(st.just("match"), st.integers(1, 3)),
    st.tuples(st.sampled_from(["kill", "hold", "release", "reschedule", "say", "tell"]), _some),
    st.tuples(st.sampled_from(["kill where", "hold where", "release where"]), st.sampled_from(WHERES)),
    st.tuples(st.just("finish"), st.just(0)),
)
SCRIPTS = st.lists(STEPS, min_size=2, max_size=9).map(lambda steps: [("submit", 6), *steps])


@pytest.fixture
def early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few jobs are many."""
    monkeypatch.setattr(submitting_service, "LATE", 2)
    monkeypatch.setattr(claiming, "AHEAD", 2)


@dataclass(kw_only=True)
class Side:
    """Jobs of one VO, by the order in which they were submitted: with rows from the start, or late."""

    conn: Connection
    world: World
    vo: int
    late: bool
    ids: list[int] = field(default_factory=list[int])
    submissions: list[int] = field(default_factory=list[int])
    running: list[Started] = field(default_factory=list[Started])

    @property
    def owner(self) -> Principal:
        return user(self.world, vo=self.vo)

    def places(self, job_ids: Sequence[int]) -> list[int]:
        return [self.ids.index(one) for one in job_ids]

    def some(self, places: Sequence[int]) -> list[int]:
        return sorted({self.ids[place % len(self.ids)] for place in places})

    def where(self, text: str) -> str:
        far = [*self.ids, *range(self.ids[-1] + 1, self.ids[-1] + 10)]
        return text.replace("{s}", str(self.submissions[0])).format(*far)

    async def do(self, what: str, said: Any) -> Any:
        conn, owner = self.conn, self.owner
        if what == "submit":
            made = await service.submit(conn, owner, PLAIN, said if self.late else [{}] * said, anyway=True)
            self.ids += made.job_ids
            self.submissions.append(made.submission_id)
            return len(made.job_ids)
        if what == "match":
            got = [one for _ in range(said) if (one := await taken(conn, self.world, vo=self.vo)) is not None]
            self.running += got
            return [(self.places([one.job_id]), one.number, one.parameters, one.description["name"]) for one in got]
        if what == "finish" and self.running:
            one = self.running.pop(0)
            if await service.find_attempt(conn, self.vo, one.attempt_id) is None:
                return None
            done = Result(exit_code=0)
            return await service.finish(conn, self.vo, one.attempt_id, done, pilot_id=1, checksums={})
        if what.endswith("where"):
            return await self.change(what.removesuffix(" where"), said)
        if what in ("kill", "hold", "release"):
            return self.places(await HOW[what].by(conn, owner, self.some(said)))
        if what == "reschedule":
            changed, refused = await service.reschedule_each(conn, owner, self.some(said))
            return sorted(self.places(changed)), sorted(self.places(list(refused)))
        if what == "say":
            await service.set_parameters(conn, owner, {one: {"said": 1} for one in self.some(said)})
        if what == "tell":
            now = datetime.now(UTC)
            reports = [Report(job_id=one, at=now, source="test", minor="fine") for one in self.some(said)]
            await service.report(conn, owner, reports, now=now)
        return None

    async def change(self, word: str, where: str) -> list[int]:
        body = JobsChosen(where=self.where(where))
        answer = await changing.change(self.conn, self.owner, NOBODY, body, HOW[word])
        assert answer.next is None
        members = [one for r in answer.ranges or [] for one in range(r.first, r.last + 1)]
        assert self.late or not members
        return sorted(self.places([*members, *answer.changed]))

    async def seen(self, turn: int) -> list[Any]:
        """All that may be seen of the jobs, but for ids and times; some of what may be asked, in turns."""
        conn, vo, all_of_it = self.conn, self.vo, list[Any]()
        for n, text in enumerate([None, *WHERES]):
            if n % TURNS != turn % TURNS:
                continue
            query = None if text is None else parse(self.where(text))
            sizes = [await service.count(conn, vo, query, {})]
            for sort in SORTS[turn % 2 :: 2]:
                pages, cursor = list[int](), None
                while True:
                    ids, cursor = await service.search_page(conn, vo, query, {}, sort=sort, page=(cursor, 5))
                    pages += ids
                    if cursor is None:
                        break
                sizes.append(len(pages))
                all_of_it.append((text, sort, self.places(pages)))
            assert len(set(sizes)) == 1, (text, sizes)
            for by in SUMMARIES[turn % 2 :]:
                all_of_it.append((text, by, await service.summarise(conn, vo, query, {}, by=by)))
        for order in (ORDERS[turn % 3],):
            part = await service.search_part(conn, vo, None, {}, order=order, part=(3, 4))
            all_of_it.append(("part", self.places(part)))
        names = ["state", "number", "attempts", "priority", "minor", "param.said", "group", "site", "cores"]
        all_of_it.append(await service.values(conn, vo, self.ids, names))
        jobs = await service.list_jobs(conn, vo, self.ids)
        all_of_it.append([(one.name, one.state, one.number, one.attempts, one.detail is None) for one in jobs])
        specs = await service.list_specs(conn, vo, self.ids)
        all_of_it.append([(one.number, one.parameters, one.state, one.attempts) for one in specs])
        logged = await service.histories(conn, vo, self.ids)
        all_of_it.append([sorted((one.state.value, one.detail or "") for one in logged[job]) for job in self.ids])
        return all_of_it


async def test_jobs_without_rows_are_what_jobs_with_rows_are(conn: Connection, world: World, early: None) -> None:
    scripts: list[list[tuple[str, Any]]] = []

    @settings(max_examples=8, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(SCRIPTS)
    def gather(script: list[tuple[str, Any]]) -> None:
        scripts.append(script)

    gather()
    for turn, script in enumerate(scripts):
        async with conn.transaction(force_rollback=True):
            late, twin = (Side(conn=conn, world=world, vo=vo, late=vo == 1) for vo in (1, 2))
            for what, said in script:
                assert await late.do(what, said) == await twin.do(what, said), (what, said, script)
            for mine, other in zip(await late.seen(turn), await twin.seen(turn), strict=True):
                assert mine == other, script
            await check_counters(conn)


async def test_many_jobs_are_one_row_with_ids_without_a_gap(conn: Connection, world: World) -> None:
    made = await submitted(conn, world)
    many = await service.submit(conn, user(world), PLAIN, 1_000_000, key="a million")
    after = await submitted(conn, world)
    assert (many.job_ids, many.count, many.first) == ([], 1_000_000, made.job_ids[0] + 1)
    assert after.job_ids == [many.first + 1_000_000]
    assert await fetch_value(conn, "SELECT count(*) FROM job") == 2
    again = await service.submit(conn, user(world), PLAIN, 1_000_000, key="a million")
    assert (again.submission_id, again.first, again.count, again.repeated) == (
        many.submission_id, many.first, 1_000_000, True
    )  # fmt: skip
    with pytest.raises(KeyUsed):
        await service.submit(conn, user(world), PLAIN, 999_999, key="a million")
    assert await service.summarise(conn, 1, None, {}, by=["state", "group"]) == [
        ([JobState.WAITING, "users"], 1_000_002)
    ]
    middle = many.first + 500_000
    await service.kill(conn, user(world), [middle])
    for text, sort, found in (
        (f"submission = {many.submission_id}", "id", [many.first, many.first + 1]),
        (f"id > {middle - 2}", "id", [middle - 1, middle]),
        (f"id >= {middle} & state = waiting", "id", [middle + 1, middle + 2]),
        ("number < 10", "-id", [after.job_ids[0], many.first + 9]),
    ):
        query = parse(text)
        assert (await service.search_page(conn, 1, query, {}, sort=sort, page=(None, 2)))[0] == found, text
    detail = await service.get(conn, user(world), middle + 1)
    assert (detail.parameters, detail.job.number, detail.attempts) == ({"number": 500_002}, 500_001, [])
    assert [(one.state, one.attempt) for one in detail.history] == [(JobState.WAITING, 0)]
    with pytest.raises(JobNotFound):
        await service.kill(conn, user(world), [after.job_ids[0] + 1])
    with pytest.raises(NotYours):
        await service.hold(conn, user(world, "bob"), [middle + 1])
    await check_counters(conn)


async def test_what_else_is_known_of_jobs_knows_those_without_rows(conn: Connection, world: World) -> None:
    before = await submitted(conn, world)
    many = await service.submit(conn, user(world), PLAIN, 200)
    person = Person(vo=1, vo_name="belle", account_id=world.account[1, "alice"], name="alice")
    assert await personal.count_unended(conn, person) == 201
    told = [line async for line in personal.stream_person(conn, person) if line["what"] == "jobs"]
    assert [(line["first"], line["last"], line["state"]) for line in told] == [
        (many.first, many.first + 199, "waiting")
    ]
    queue = await fetch_value(conn, "SELECT task_queue_id FROM job WHERE job_id = %(id)s", {"id": before.job_ids[0]})
    assert await explanations.jobs_before(conn, 1, queue, many.first + 100) == 101
    facts = await explanations.job_facts(conn, 1, many.first + 100)
    assert facts is not None
    assert facts.task_queue_id == queue
    assert await service.existing(conn, 1, [many.first + 199, many.first + 200]) == {many.first + 199}
    assert [one.job_id for one in await service.sandboxes_of(conn, 1, [many.first])] == [many.first]
    started_first = await started(conn, world)
    assert started_first.job_id == before.job_ids[0]
    await service.rest(conn, 1)
    assert await fetch_value(conn, "SELECT count(*) FROM task_queue WHERE active") == 1
    assert (await started(conn, world, pilot_id=2)).parameters == {"number": 1}


async def test_what_may_not_be_late_is_written_at_once_and_bounded(
    conn: Connection, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = await service.submit(conn, user(world), SIMULATION, 101)
    assert len(written.job_ids) == 101
    assert await fetch_value(conn, "SELECT count(*) FROM job") == 101
    with pytest.raises(TooManyJobs):
        await service.submit(conn, user(world), SIMULATION, 10_001)

    async def not_yet(*_: object, **__: object) -> None:
        """As a database answers whose servers are being replaced."""

    monkeypatch.setattr(ranges, "insert", not_yet)
    assert len((await service.submit(conn, user(world), PLAIN, 150, key="meanwhile")).job_ids) == 150
    assert await fetch_value(conn, "SELECT count(*) FROM job") == 251
    with pytest.raises(RangesNotYet):
        await service.submit(conn, user(world), PLAIN, 10_001)


async def test_jobs_without_rows_are_matched_killed_and_submitted_by_many_at_once(
    database: Database, world: World, early: None
) -> None:
    async def submit() -> list[int]:
        async with database.transaction([1]) as conn:
            return (await service.submit(conn, user(world), PLAIN, 12)).job_ids

    async def take(pilot: int) -> list[int]:
        mine: list[int] = []
        while True:
            async with database.transaction([1]) as conn:
                found = await taken(conn, world, pilot_id=pilot)
            if found is None:
                return mine
            mine.append(found.job_id)

    async def kill(job_ids: Sequence[int]) -> int:
        number = 0
        for job_id in job_ids:
            async with database.transaction([1]) as conn:
                number += len(await service.kill(conn, user(world), [job_id]))
        return number

    async def change_all(word: str) -> None:
        async with database.transaction([1]) as conn:
            await changing.change(conn, user(world), NOBODY, JobsChosen(where="state in (waiting, held)"), HOW[word])

    first, second = await asyncio.gather(submit(), submit())
    ids = sorted([*first, *second])
    assert ids == list(range(ids[0], ids[0] + 24))
    await asyncio.gather(
        take(1), take(2), take(3), kill(first[3:9:2]), kill(second[8:2:-2]), change_all("hold"), change_all("release")
    )
    await change_all("release")
    await take(4)
    async with database.transaction([1]) as conn:
        await check_counters(conn)
        states = await service.summarise(conn, 1, None, {}, by=["state"])
        assert sum(number for _, number in states) == 24
        assert {state for (state,), _ in states} <= {JobState.MATCHED, JobState.KILLED}
        assert await fetch_value(conn, "SELECT count(*) FROM job_range") == 0
        again = await fetch_rows(conn, "SELECT job_id FROM attempt GROUP BY 1 HAVING count(*) > 1")
        assert again == []


async def test_a_million_jobs_are_submitted_found_and_killed_by_three_calls(served: Served) -> None:
    said = {
        "description": {"name": "many", "command": ["true"], "requirements": {"memory": "1 MB"}},
        "parameters": {"count": 1_000_000},
    }
    made = (await served.send("POST", "/jobs", json=said)).json()
    assert (made["job_ids"], made["count"]) == ([], 1_000_000)
    page = (await served.send("GET", "/jobs", params={"limit": 3, "columns": ["cores"]})).json()
    last = made["first"] + 999_999
    assert [(one["job_id"], one["state"], one["values"]) for one in page["items"]] == [
        (last - n, "waiting", {"cores": 1}) for n in range(3)
    ]
    answer = await served.send("POST", "/jobs/kill", json={"where": f"submission = {made['submission_id']}"})
    assert answer.json() == {"changed": [], "ranges": [{"first": made["first"], "last": last}]}
    counted = (await served.send("GET", "/jobs/summary")).json()
    assert counted == [{"state": "killed", "count": 1_000_000}]
    said["parameters"] = {"count": 1_000_001}
    refused = await served.send("POST", "/jobs", json=said)
    assert (refused.status_code, refused.json()["code"]) == (413, "too_many_jobs")
