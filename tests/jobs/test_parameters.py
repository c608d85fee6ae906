"""What is said of jobs by name, and searches that are named."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sancho.jobs import service
from sancho.jobs.errors import (
    JobNotFound,
    NotToBeShown,
    ParameterUnfit,
    TooManyParameters,
    TooManyViews,
    ViewNotFound,
)
from sancho.jobs.model import JobView, SaidBy
from sancho.jobs.service import saved
from sancho.jobs.service.parameters import said_of
from sancho.kit.access import NotYours
from sancho.kit.db import Connection, fetch_rows
from sancho.kit.query import parse
from sancho.kit.search import SearchFieldUnknown
from tests.jobs.given import NOW, submitted, user
from tests.served import Served
from tests.world import World

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.text(max_size=20), JSON)
def test_whatever_is_said_is_kept_or_refused(name: str, value: Any) -> None:
    try:
        said = said_of(1, name, value)
    except ParameterUnfit:
        return
    said.value.encode()
    assert said.word is None or len(said.word) <= 200


async def test_what_is_said_by_other_names_stays(conn: Connection, world: World) -> None:
    one, two = (await submitted(conn, world, count=2)).job_ids
    alice = user(world)
    await service.set_parameters(conn, alice, {one: {"a": 1, "b": "x", "c": {"d": [1]}}, two: {"a": True}})
    await service.set_parameters(conn, alice, {one: {"a": None, "b": "y", "e": 1.5}})
    await service.say(conn, 1, {two: {"f": "long " * 100}}, SaidBy.SYSTEM)
    assert await service.parameters_of(conn, 1, [one, two]) == {
        one: {"b": "y", "c": {"d": [1]}, "e": 1.5}, two: {"a": True, "f": "long " * 100}
    }  # fmt: skip
    kept = await fetch_rows(
        conn, "SELECT name, said_by FROM job_parameter WHERE job_id = %(id)s ORDER BY 1", {"id": two}
    )
    assert kept == [("a", "O"), ("f", "S")]
    assert (await service.get(conn, alice, one)).said["b"] == "y"


async def test_only_owners_managers_and_pilots_say_something(conn: Connection, world: World) -> None:
    (job,) = (await submitted(conn, world)).job_ids
    with pytest.raises(NotYours):
        await service.set_parameters(conn, user(world, "bob"), {job: {"a": 1}})
    with pytest.raises(JobNotFound):
        await service.set_parameters(conn, user(world, vo=2), {job: {"a": 1}})
    await service.set_parameters(conn, user(world, "root"), {job: {"a": 1}})
    assert (await service.parameters_of(conn, 1, [job]))[job] == {"a": 1}
    assert await service.parameters_of(conn, 2, [job]) == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("", 1), ("a b", 1), ("1a", 1), ("a" * 101, 1), ("a", "x" * 5000), ("a", 2**63), ("a", float("nan")),
        ("a", "\0"), ("a", "\ud800"), ("a", {"b": "\0"}), ("a", ["\ud800"]), ("a", {"b": "x" * 5000}), ("a\n", 1),
    ],
)  # fmt: skip
async def test_what_cannot_be_said_is_refused(conn: Connection, world: World, name: str, value: Any) -> None:
    (job,) = (await submitted(conn, world)).job_ids
    with pytest.raises(ParameterUnfit):
        await service.set_parameters(conn, user(world), {job: {"good": 1, name: value}})


async def test_a_job_does_not_say_too_much(conn: Connection, world: World) -> None:
    (job,) = (await submitted(conn, world)).job_ids
    await service.set_parameters(conn, user(world), {job: {f"a{n}": n for n in range(200)}})
    await service.set_parameters(conn, user(world), {job: {"a0": 7}})
    with pytest.raises(TooManyParameters):
        await service.set_parameters(conn, user(world), {job: {"b": 1}})
    with pytest.raises(TooManyParameters):
        await service.say(conn, 1, {job: {f"c{n}": n for n in range(10_001)}}, SaidBy.JOB)


def view(name: str, query: str = "state = failed", *columns: str) -> JobView:
    return JobView(name=name, query=query, sort="-id", columns=list(columns), changed_at=NOW)


async def test_views_are_kept_for_who_named_them(
    conn: Connection, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = user(world), user(world, "bob")
    await service.save_view(conn, alice, view("lost"), {})
    await service.save_view(conn, alice, view("lost", "error = pilot_lost", "site", "param.x"), {})
    assert await service.list_views(conn, alice) == [view("lost", "error = pilot_lost", "site", "param.x")]
    assert await service.list_views(conn, bob) == []
    with pytest.raises(ViewNotFound):
        await service.delete_view(conn, bob, "lost")
    with pytest.raises(SearchFieldUnknown):
        await service.save_view(conn, alice, view("bad", "stat = failed"), {})
    with pytest.raises(NotToBeShown):
        await service.save_view(conn, alice, view("bad", "", "input"), {})
    monkeypatch.setattr(saved, "MOST_VIEWS", 1)
    with pytest.raises(TooManyViews):
        await service.save_view(conn, alice, view("more"), {})
    await service.delete_view(conn, alice, "lost")


async def test_the_api_lists_counts_and_names_searches(served: Served) -> None:
    async with served.deployment.database.transaction([1]) as conn:
        ids = (await submitted(conn, served.world, count=3)).job_ids
    said = {"jobs": [{"job_id": ids[0], "parameters": {"HostName": "wn1", "CPUTime(s)": 5}}]}
    assert (await served.send("PATCH", "/jobs/parameters", json=said)).status_code == 204

    query = {"where": "param.CPUTime(s) > 4 & state = waiting", "columns": ["param.HostName", "cores", "state"]}
    answer = (await served.send("GET", "/jobs", params=query)).json()
    assert [(one["job_id"], one["values"]) for one in answer["items"]] == [
        (ids[0], {"param.HostName": "wn1", "cores": 1, "state": "waiting"})
    ]
    page = (await served.send("GET", "/jobs", params={"limit": 2, "sort": "-changed_at", "mine": True})).json()
    more = {"limit": 2, "sort": "-changed_at", "mine": True, "cursor": page["next"]}
    rest = (await served.send("GET", "/jobs", params=more)).json()
    assert [one["job_id"] for one in page["items"] + rest["items"]] == ids[::-1]
    assert rest["next"] is None
    counted = (await served.send("GET", "/jobs/summary", params={"by": ["state", "param.HostName"]})).json()
    assert counted == [
        {"state": "waiting", "param.HostName": "wn1", "count": 1},
        {"state": "waiting", "param.HostName": None, "count": 2},
    ]
    made = await served.send("PUT", "/jobs/views/mine", json={"where": "state = waiting", "columns": ["site"]})
    assert (made.status_code, made.json()["where"]) == (200, "state = waiting")
    assert [one["name"] for one in (await served.send("GET", "/jobs/views")).json()] == ["mine"]
    assert (await served.send("GET", "/jobs/views", account="bob")).json() == []
    assert (await served.send("DELETE", "/jobs/views/mine")).status_code == 204
    assert (await served.send("GET", f"/jobs/{ids[0]}")).json()["said"] == {"HostName": "wn1", "CPUTime(s)": 5}


def test_a_unit_is_part_of_a_name() -> None:
    assert parse("param.CPUTime(s) > 1 & (state in(done, failed))") == parse(
        '(param.CPUTime(s) > "1") & state in (done, failed)'
    )
