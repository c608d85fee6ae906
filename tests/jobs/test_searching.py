"""Searches for jobs: what they find is what a small model of them says, whatever is asked."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from sancho.jobs import service
from sancho.jobs.errors import CursorMalformed, NotToBeShown
from sancho.jobs.model import JobState, Reason, Requirement, Result, Usage
from sancho.jobs.service import searching
from sancho.kit.db import Connection, TooSlow
from sancho.kit.query import All, Either, Not, Predicate, Query, QueryMalformed, parse, render
from sancho.kit.search import (
    REGEX,
    SQL_LIKE,
    PatternUnfit,
    SearchFieldUnknown,
    SearchOperatorUnfit,
    SearchValueUnfit,
)
from tests.jobs.given import PLAIN, SIMULATION, dataset, started, submitted, taken, user
from tests.world import World

Document = Mapping[str, Any]
SLOW = sql.SQL("(SELECT true FROM pg_sleep(5))")
PATTERNS = ["plain*", "*i*", "*", "pl*n", "p_ain", "*n", "payload*"]
VALUES: Mapping[type, list[str]] = {
    int: ["0", "1", "2", "3", "5", "16000000"], float: ["0", "60", "3600", "1.5"],
    str: ["plain", "simulation", "done", "SITE-A", "alice", "users", "payload_failed", "p%", "nothing"],
}  # fmt: skip
KINDS: Mapping[str, type] = {
    "name": str, "site": str, "account": str, "group": str, "error": str, "attempts": int, "priority": int,
    "cores": int, "memory": int, "walltime": float, "number": int, "exit_code": int, "wall": float,
}  # fmt: skip


def _tests(name: str, kind: type) -> st.SearchStrategy[Predicate]:
    value = st.sampled_from(VALUES[kind])
    return st.one_of(
        st.builds(Predicate, st.just(name), st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), st.tuples(value)),
        st.builds(Predicate, st.just(name), st.just("in"), st.lists(value, min_size=1, max_size=3).map(tuple)),
        st.builds(Predicate, st.just(name), st.just("between"), st.tuples(value, value)),
        st.just(Predicate(name, "exists", ())),
        *([st.builds(Predicate, st.just(name), st.just("like"), st.tuples(st.sampled_from(PATTERNS)))] * (kind is str)),
    )


SAID = ["5", "7.5", "five", "true", "node1", "10", "2026-01-01"]
_said = st.sampled_from(SAID)
PARAMETERS = [
    st.one_of(
        st.builds(
            Predicate, st.just(f"param.{name}"), st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), st.tuples(_said)
        ),
        st.builds(Predicate, st.just(f"param.{name}"), st.just("in"), st.lists(_said, min_size=1).map(tuple)),
        st.just(Predicate(f"param.{name}", "exists", ())),
        st.just(Predicate(f"param.{name}", "like", ("*e*",))),
    )
    for name in ("events", "HostName")
]
_state = st.sampled_from([state.word for state in JobState])
STATES = st.one_of(
    st.builds(Predicate, st.just("state"), st.sampled_from(["=", "!="]), st.tuples(_state)),
    st.builds(Predicate, st.just("state"), st.just("in"), st.lists(_state, min_size=1, max_size=3).map(tuple)),
)
TAGS = st.sampled_from([Predicate("tags", "contains", ("gpu",)), Predicate("tags", "exists", ())])
EVERYTHING = [*(_tests(name, kind) for name, kind in KINDS.items()), *PARAMETERS, STATES, TAGS]
QUERIES: st.SearchStrategy[Query] = st.recursive(
    st.one_of(EVERYTHING),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda terms: All(tuple(terms))),
        st.lists(inner, min_size=2, max_size=3).map(lambda terms: Either(tuple(terms))),
        inner.filter(lambda term: not isinstance(term, Not)).map(Not),
    ),
    max_leaves=6,
)


def meets(query: Query, document: Document) -> bool:
    """The language, as its reference says it."""
    match query:
        case All(terms):
            return all(meets(term, document) for term in terms)
        case Either(terms):
            return any(meets(term, document) for term in terms)
        case Not(term):
            return not meets(term, document)
        case Predicate(name, "!=", texts):
            return not meets(Predicate(name, "=", texts), document)
        case Predicate(name, operator, texts):
            value = document.get(name)
            return value is not None and _meets(operator, texts, value, name)


def _meets(operator: str, texts: tuple[str, ...], value: Any, name: str) -> bool:
    if operator == "exists":
        return True
    if operator == "contains":
        return texts[0] in value
    if operator == "like":
        return isinstance(value, str) and _like(value, texts[0])
    kind = KINDS.get(name, str)
    if name.startswith("param."):
        numbers = [number for text in texts if (number := _number(text)) is not None]
        if operator in ("=", "in"):
            return value in texts if isinstance(value, str) else float(value) in numbers
        if (len(numbers) == len(texts)) is isinstance(value, str):
            return False
        return _ordered(operator, value if isinstance(value, str) else float(value), numbers or list(texts))
    return _ordered(operator, value, [text if kind is str else float(text) for text in texts])


def _number(text: str) -> float | None:
    if text in ("true", "false"):
        return float(text == "true")
    try:
        return float(text)
    except ValueError:
        return None


def _ordered(operator: str, have: Any, wanted: list[Any]) -> bool:
    return {
        "=": lambda: have == wanted[0], "<": lambda: have < wanted[0], "<=": lambda: have <= wanted[0],
        ">": lambda: have > wanted[0], ">=": lambda: have >= wanted[0], "in": lambda: have in wanted,
        "between": lambda: wanted[0] <= have <= wanted[-1],
    }[operator]()  # fmt: skip


def _like(value: str, pattern: str) -> bool:
    first, *rest = pattern.split("*")
    if not value.startswith(first):
        return False
    at = len(first)
    for n, part in enumerate(rest):
        at = value.find(part, at) if n < len(rest) - 1 else max(len(value) - len(part), at)
        if at < 0 or not value.startswith(part, at):
            return False
        at += len(part)
    return at == len(value)


async def given_jobs(conn: Connection, world: World) -> dict[int, Document]:
    """One job of each kind of life, and what a search may know of it."""
    alice, base = user(world), {"account": "alice", "group": "users", "number": 0}
    need = {"cores": 1, "memory": 1_000_000, "walltime": 3600.0}
    plain = {**base, **need, "name": "plain", "priority": 0, "tags": None}
    done, failed = (await submitted(conn, world, count=1)).job_ids[0], (await submitted(conn, world)).job_ids[0]
    for reason in (None, Reason.PAYLOAD_FAILED):
        attempt = await started(conn, world)
        result = Result(reason=reason, exit_code=0 if reason is None else 5, usage=Usage(wall=timedelta(seconds=60)))
        await service.finish(conn, 1, attempt.attempt_id, result, pilot_id=1, checksums={})
    waiting = (await submitted(conn, world)).job_ids[0]
    killed = (await submitted(conn, world, replace(SIMULATION, priority=5))).job_ids[0]
    await service.kill(conn, alice, [killed])
    tagged = replace(PLAIN, requirements=Requirement(memory=16_000_000, walltime=timedelta(seconds=60), tags=("x",)))
    other = (await submitted(conn, world, replace(tagged, requirements=replace(tagged.requirements, tags=())))).job_ids
    await service.set_parameters(conn, alice, {
        done: {"events": 5, "HostName": "node1"}, failed: {"events": 7.5, "HostName": "2026-01-01"},
        waiting: {"events": "5", "HostName": True}, killed: {"events": "five"},
    })  # fmt: skip
    ran = {"site": "SITE-A", "attempts": 1, "wall": 60.0}
    return {
        done: {**plain, **ran, "state": "done", "exit_code": 0, "param.events": 5, "param.HostName": "node1"},
        failed: {
            **plain, **ran, "state": "failed", "exit_code": 5, "error": "payload_failed", "param.events": 7.5,
            "param.HostName": "2026-01-01",
        },
        waiting: {**plain, "state": "waiting", "attempts": 0, "param.events": "5", "param.HostName": True},
        killed: {
            **plain, "name": "simulation", "state": "killed", "attempts": 0, "priority": 5, "param.events": "five"
        },
        other[0]: {**plain, "state": "waiting", "attempts": 0, "memory": 16_000_000, "walltime": 60.0},
    }  # fmt: skip


async def found(conn: Connection, query: Query | str | None, *, sort: str = "-id", vo: int = 1) -> list[int]:
    asked = parse(query) if isinstance(query, str) else query
    return (await service.search_page(conn, vo, asked, {}, sort=sort, page=(None, 1000)))[0]


async def test_a_search_finds_what_the_language_says(conn: Connection, world: World) -> None:
    jobs = await given_jobs(conn, world)

    async def check(query: Query) -> None:
        assert set(await found(conn, query)) == {job for job, said in jobs.items() if meets(query, said)}, render(query)

    queries: list[Query] = []

    @settings(max_examples=250, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(QUERIES)
    def gather(query: Query) -> None:
        queries.append(query)

    gather()
    for query in queries:
        await check(query)


async def test_pages_follow_each_other_in_either_order(conn: Connection, world: World) -> None:
    jobs = (await submitted(conn, world, count=5)).job_ids + (await submitted(conn, world, count=2)).job_ids
    for sort, wanted in (
        ("-id", jobs[::-1]), ("id", jobs), ("changed_at", jobs), ("-changed_at", jobs[::-1]),
        ("-submitted_at", jobs[::-1]), ("submitted_at", jobs),
    ):  # fmt: skip
        for where in (None, "state = waiting"):
            query, cursor, seen = parse(where) if where else None, None, list[int]()
            for _ in range(4):
                ids, cursor = await service.search_page(conn, 1, query, {}, sort=sort, page=(cursor, 3))
                seen += ids
                if cursor is None:
                    break
            assert seen == wanted, (sort, where)


async def test_many_jobs_are_walked_through_and_few_are_sorted(
    conn: Connection, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = (await submitted(conn, world, count=5)).job_ids
    for few, most in ((0, 2), (10**9, 100), (10**9, 2)):
        monkeypatch.setattr("sancho.jobs.store.searching.FEW", few)
        monkeypatch.setattr("sancho.jobs.store.searching.MOST", most)
        assert await found(conn, "state = waiting") == jobs[::-1]
        assert await found(conn, "state = waiting", sort="changed_at") == jobs
        part = await searching.search_part(
            conn, 1, parse("name = plain"), {}, order=[("site", True), ((JobState.WAITING,), False)], part=(1, 2)
        )
        assert part == jobs[1:3]


@pytest.mark.parametrize("cursor", ["x", "1_2", "", "9" * 30, "-1", "999999999999999999_1"])
async def test_a_cursor_of_another_list_is_refused(conn: Connection, cursor: str) -> None:
    sort = "-changed_at" if cursor.startswith("999999") else "-id"
    with pytest.raises(CursorMalformed):
        await service.search_page(conn, 1, None, {}, sort=sort, page=(cursor, 3))


async def test_jobs_are_found_by_what_they_read_and_make(conn: Connection, world: World) -> None:
    await dataset(conn, world, "mc:raw", {"A-DISK": [1, 1]})
    await dataset(conn, world, "mc:other", {"A-DISK": [1]})
    reads = replace(PLAIN, inputs=("mc:raw",))
    (reader,) = (await submitted(conn, world, reads)).job_ids
    makers = (await submitted(conn, world, SIMULATION, count=2)).job_ids
    assert await found(conn, "input = mc:raw") == [reader]
    assert await found(conn, "input exists") == [reader]
    assert await found(conn, "input in (mc:other, mc:nothing)") == []
    assert await found(conn, "output = mc:sim") == makers[::-1]
    assert await found(conn, "output = mc:sim_2") == [makers[1]]
    assert await found(conn, "output in (mc:sim_1, mc:sim_2) & output exists") == makers[::-1]
    assert await found(conn, "output != mc:sim_2") == [makers[0], reader]
    assert await found(conn, "output = nonsense | input = mc:nothing") == []


async def test_jobs_are_found_by_the_pilots_that_ran_them(conn: Connection, world: World) -> None:
    first, second = (await submitted(conn, world, count=2)).job_ids
    await taken(conn, world, pilot_id=5)
    await taken(conn, world, pilot_id=6)

    async def stamps(_: Connection, vo: int, names: Any) -> dict[str, list[int]]:
        return {name: [int(name[1:])] for name in names if vo == 1 and name.startswith("s")}

    async def by(where: str) -> list[int]:
        return (await service.search_page(conn, 1, parse(where), {"pilot.stamp": stamps}, sort="id", page=(None, 9)))[0]

    assert await by("pilot = 5") == [first]
    assert await by("pilot.stamp in (s5, s6)") == [first, second]
    assert await by("pilot.stamp != s5") == [second]
    assert await by("pilot.stamp = x") == []


async def test_one_vo_finds_no_job_of_another(conn: Connection, world: World) -> None:
    await given_jobs(conn, world)
    for where in (
        None,
        "site = SITE-A",
        "account = alice",
        "param.events exists",
        "output = mc:sim",
        "~(state = done)",
    ):
        assert await found(conn, where, vo=2) == []
    assert await service.summarise(conn, 2, None, {}, by=["state"]) == []


async def test_summaries_count_by_fields_and_parameters(conn: Connection, world: World) -> None:
    await given_jobs(conn, world)
    counted = await service.summarise(conn, 1, parse("name = plain"), {}, by=["state", "site"])
    assert counted == [
        ([JobState.DONE, "SITE-A"], 1), ([JobState.FAILED, "SITE-A"], 1), ([JobState.WAITING, None], 2)
    ]  # fmt: skip
    by_events = await service.summarise(conn, 1, None, {}, by=["param.events"])
    assert sorted(str(value) for (value,), _ in by_events) == ["5", "5", "7.5", "None", "five"]
    with pytest.raises(NotToBeShown):
        await service.summarise(conn, 1, None, {}, by=["tags:id"])


@pytest.mark.parametrize(
    ("where", "error"),
    [
        ("sate = done", SearchFieldUnknown), ("param. = x", SearchFieldUnknown), ("param.a..(b = 1", QueryMalformed),
        ("state = gone", SearchValueUnfit), ("state like d*", SearchOperatorUnfit), ("id = x", SearchValueUnfit),
        ("memory > much", SearchValueUnfit), ("walltime > x", SearchValueUnfit),
        ("param.x contains y", SearchOperatorUnfit),
        ("submitted_at > yesterday", SearchValueUnfit), ("input like mc*", SearchOperatorUnfit),
    ],
)  # fmt: skip
async def test_what_makes_no_sense_is_refused(conn: Connection, where: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        await found(conn, where)


async def test_sizes_and_durations_are_read_as_people_write_them(conn: Connection, world: World) -> None:
    jobs = await given_jobs(conn, world)
    (large,) = (job for job, said in jobs.items() if said["memory"] == 16_000_000)
    assert await found(conn, 'memory >= "16 MB" & walltime <= "1 min"') == [large]


async def test_patterns_of_the_database_are_tried_and_refused(conn: Connection, world: World) -> None:
    jobs = await given_jobs(conn, world)
    names = {job for job, said in jobs.items() if said["name"] == "plain"}
    assert set(await found(conn, Predicate("name", REGEX, ("^pl.*n$",)))) == names
    assert set(await found(conn, Predicate("name", SQL_LIKE, ("p_ai%",)))) == names
    assert await searching.matching(conn, REGEX, "^D", ["Done", "Killed"]) == ["Done"]
    for pattern in ("(", "[", "a{99999}"):
        with pytest.raises(PatternUnfit):
            await found(conn, Predicate("name", REGEX, (pattern,)))
    with pytest.raises(PatternUnfit):
        await searching.matching(conn, REGEX, "\0", ["x"])


async def test_a_search_that_takes_too_long_is_given_up(
    conn: Connection, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await given_jobs(conn, world)
    monkeypatch.setattr(searching, "LONGEST_SEARCH", 1)
    monkeypatch.setattr("sancho.jobs.store.searching.TRUE", SLOW)
    with pytest.raises(TooSlow):
        await found(conn, None)
    monkeypatch.undo()
    assert len(await found(conn, None)) == 5
