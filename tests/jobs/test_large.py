"""Many jobs of which few have ended: the planner expects of a search what there is, so that it goes the right way."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from sancho.jobs.model import JobState
from sancho.jobs.service import searching
from sancho.kit.db import ADAPTERS, Connection, fetch_values
from sancho.kit.query import All, Either, Not, Predicate, Query, parse
from tests.conftest import ALL_VOS, Databases
from tests.jobs.given import submitted
from tests.world import World

DAYS = [f"2026-01-{n:02}" for n in range(1, 6)]
PATH = "-c search_path=sancho,procrastinate"
FILL = """
INSERT INTO job (vo, state, attempts, task_queue_id, account_id, job_id, changed_at) OVERRIDING SYSTEM VALUE
SELECT vo, (ARRAY['D', 'D', 'F', 'W', 'W', 'W', 'W', 'W', 'W', 'W'])[1 + n %% 10]::"char", 1, task_queue_id, account_id,
       %(id)s + n, now() - n %% 90 * interval '1 day'
  FROM job CROSS JOIN generate_series(1, 8000) AS g (n) WHERE job_id = %(id)s
"""


def terms(inner: st.SearchStrategy[Query]) -> st.SearchStrategy[tuple[Query, ...]]:
    return st.lists(inner, min_size=2, max_size=3).map(tuple)


WORDS = st.sampled_from([state.word for state in JobState])
TESTS = st.one_of(
    st.builds(Predicate, st.just("state"), st.sampled_from(["=", "!="]), st.tuples(WORDS)),
    st.builds(Predicate, st.just("state"), st.just("in"), st.lists(WORDS, min_size=1, max_size=3).map(tuple)),
    st.builds(
        Predicate, st.sampled_from(["ended_at", "changed_at"]), st.sampled_from(["<", ">="]),
        st.tuples(st.sampled_from(DAYS)),
    ),
    st.just(Predicate("ended_at", "exists", ())),
)  # fmt: skip
QUERIES: st.SearchStrategy[Query] = st.recursive(
    TESTS, lambda inner: st.one_of(terms(inner).map(All), terms(inner).map(Either), inner.map(Not)), max_leaves=8
)


def meets(query: Query, state: JobState, changed_at: str) -> bool:
    match query:
        case All(several):
            return all(meets(one, state, changed_at) for one in several)
        case Either(several):
            return any(meets(one, state, changed_at) for one in several)
        case Not(one):
            return not meets(one, state, changed_at)
        case Predicate("state", operator, words):
            return (state.word in words) is (operator != "!=")
        case Predicate("ended_at", _, _) if not state.final:
            return False
        case Predicate(_, "exists", _):
            return True
        case Predicate(_, operator, (day,)):
            return changed_at < day if operator == "<" else changed_at >= day
        case Predicate():
            raise AssertionError(query)


@given(QUERIES, st.sampled_from(JobState), st.sampled_from(DAYS))
def test_what_is_said_once_means_the_same(query: Query, state: JobState, changed_at: str) -> None:
    assert meets(searching.said_once(query), state, changed_at) is meets(query, state, changed_at)


@pytest.fixture
async def many(databases: Databases, world: World) -> AsyncIterator[Connection]:
    """8 000 jobs, of which two in ten are done and one has failed, and the planner knows it."""
    name = databases.clone()
    async with await psycopg.AsyncConnection.connect(databases.url(name), options=PATH, context=ADAPTERS) as conn:
        await conn.execute(f"SELECT set_config('sancho.vo', '{ALL_VOS}', false)")
        job = (await submitted(conn, world)).job_ids[0]
        await conn.commit()
        owner = databases.url(name, "sancho_owner")
        async with await psycopg.AsyncConnection.connect(owner, options=PATH, autocommit=True) as filling:
            await filling.execute(FILL, {"id": job})
            await filling.execute("ANALYZE job")
        yield conn
    databases.drop(name)


async def test_of_ended_jobs_as_many_are_expected_as_there_are(many: Connection) -> None:
    soon = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    for where, number in (
        ("state = done", 1600), ("ended_at >= 2020-01-01 & state = done", 1600),
        (f"ended_at < {soon} & state in (done, failed)", 2400), ("ended_at >= 2020-01-01", 2400),
        ("(ended_at < 2020-01-01 | attempts = 1) & state = done", 1600),
    ):  # fmt: skip
        wanted = await searching.prepare(many, 1, parse(where), {})
        query = sql.SQL("EXPLAIN (FORMAT JSON) SELECT FROM job j WHERE j.vo = %(vo)s AND {}")
        plan = await fetch_values(many, query.format(wanted.condition.sql), wanted.params(1))
        assert number * 0.7 < plan[0][0]["Plan"]["Plan Rows"] < number * 1.4, where
