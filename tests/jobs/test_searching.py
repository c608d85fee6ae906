"""Searches for jobs: what they find is what a small model of them says, whatever is asked."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sancho.jobs import service
from sancho.jobs.model import JobState, Reason, Requirement, Result, Usage
from sancho.kit.db import Connection
from sancho.kit.query import All, Either, Not, Predicate, Query, parse, render
from tests.jobs.given import PLAIN, SIMULATION, started, submitted, user
from tests.world import World

Document = Mapping[str, Any]
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

    @settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(QUERIES)
    def gather(query: Query) -> None:
        queries.append(query)

    gather()
    for query in queries:
        await check(query)
