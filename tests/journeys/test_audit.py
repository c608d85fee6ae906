"""Every route that changes something is asked once: each leaves a row in the audit log, by one statement."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from sancho.app import PUBLIC_PATHS
from tests.journeys.asking import NATIVE, PRESIGNED, Ask, good
from tests.journeys.given import OFFER, Filled, Grid

pytestmark = pytest.mark.xdist_group("audit")

READS = {
    "POST /jobs/producers", "POST /replicas/access", "POST /replicas/list", "POST /replicas/signed-urls",
    "POST /auth/introspect", "POST /tallies", "POST /metadata/list",
}  # fmt: skip
"""They change nothing; what they ask with is too long for a URL."""
ISSUES = {"POST /pilot/login"}
"""Gives a machine the credential under which it is audited."""
PUBLIC = {r for r in NATIVE if f"/v1{r.partition(' ')[2]}" in PUBLIC_PATHS} - ISSUES
"""Logins, which have no caller yet."""
MACHINES = {route for route in NATIVE if re.search(" /pilot/| /job(/|$)", route)} - ISSUES
WRITES = sorted(
    {route for route in NATIVE if not route.startswith("GET ")} - READS - PUBLIC - MACHINES - PRESIGNED,
    # What is gone cannot be changed: one thing is changed first, then many, and what deletes comes last.
    key=lambda route: (
        ["PATCH", "POST", "PUT", "DELETE"].index(route.partition(" ")[0]),
        "{" not in route,
        "freeze" in route,
        route,
    ),
)


@pytest.fixture
def belle(grid: Grid) -> Filled:
    return grid.belle


@pytest.fixture
def log(grid: Grid) -> Iterator["Log"]:
    with psycopg.connect(grid.owner_url, autocommit=True, options="-c search_path=sancho") as conn:
        yield Log(conn)


class Log:
    """The audit log as its owner sees it, with a count of the statements that write to it."""

    def __init__(self, conn: "psycopg.Connection[Any]") -> None:
        self.conn = conn
        conn.execute("CREATE SEQUENCE IF NOT EXISTS statements MINVALUE 0")
        conn.execute("GRANT USAGE ON SEQUENCE statements TO sancho")
        conn.execute(
            "CREATE OR REPLACE FUNCTION count_statement() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN PERFORM nextval('statements'); RETURN NULL; END$$"
        )
        conn.execute(
            "CREATE OR REPLACE TRIGGER count_statement AFTER INSERT ON audit_row FOR EACH STATEMENT"
            " EXECUTE FUNCTION count_statement()"
        )
        self.before = self.last()

    def last(self) -> int:
        found = self.conn.execute("SELECT coalesce(max(audit_id), 0) FROM audit_row").fetchone()
        assert found is not None
        self.conn.execute("SELECT setval('statements', 0)")
        return found[0]

    def new(self) -> list[tuple[Any, ...]]:
        return self.conn.execute(
            "SELECT account, permission, allowed, route, items FROM audit_row WHERE audit_id > %s ORDER BY audit_id",
            [self.before],
        ).fetchall()

    @property
    def statements(self) -> int:
        found = self.conn.execute("SELECT last_value FROM statements").fetchone()
        assert found is not None
        return found[0]


async def sent(belle: Filled, one: Ask) -> None:
    answer = await one.send(belle)
    assert answer.status_code < 400, (one.route, answer.text)


@pytest.mark.parametrize("route", WRITES)
async def test_a_write_leaves_a_row_by_one_statement(belle: Filled, log: Log, route: str) -> None:
    one = good(belle).get(route)
    if one is None:
        return  # `test_isolation` says that nobody has written a request for it

    answer = await one.send(belle)

    assert answer.status_code < 400, answer.text
    who = "pilot" if one.account is None else one.account
    written = log.new()
    method, _, path = route.partition(" ")
    assert log.statements == 1
    assert len({permission for _, permission, *_ in written}) == len(written) > 0, "a row for each decision"
    for account, _, allowed, where, _ in written:
        assert (account.partition(":")[0], allowed, where) == (who, True, f"{method} /v1{path}")


@pytest.mark.parametrize("route", sorted(READS | {r for r in NATIVE if r.startswith("GET ")} - PUBLIC - MACHINES))
async def test_a_read_leaves_none(belle: Filled, log: Log, route: str) -> None:
    if one := good(belle).get(route):
        await one.send(belle)

    assert (log.new(), log.statements) == ([], 0)


async def test_machine_traffic_costs_no_statement_more(belle: Filled, log: Log) -> None:
    every = good(belle)
    for route in ("POST /pilot/beat", "POST /pilot/match"):
        await sent(belle, replace(every[route], body={} if route.endswith("beat") else OFFER))

    assert (log.new(), log.statements) == ([], 0)


async def test_a_submission_of_many_jobs_costs_one_statement(belle: Filled, log: Log) -> None:
    one = good(belle)["POST /jobs"]
    body = {k: v for k, v in one.body.items() if k not in ("idempotency_key", "after")} | {
        "parameters": [{"seed": 1, "number": number} for number in range(1000, 1050)]
    }

    await sent(belle, replace(one, body=body))

    assert log.statements == 1
    assert {row[1]: row[4] for row in log.new()} == {"jobs:create": 53, "dids:manage": 1}
