"""Explanations over the API: who sees what, hostile ids, and how much is asked of the database."""

from dataclasses import replace
from typing import Any

import pytest
from psycopg import AsyncCursor

from sancho.explain import service
from sancho.kit.db import Connection, execute
from sancho.rules import service as rules
from sancho.rules.model import RuleRequest
from tests.explain.given import unfollowed, why
from tests.jobs.given import PLAIN, dataset, submitted, user
from tests.served import Served
from tests.world import World


class Counting(AsyncCursor[Any]):
    """A cursor that counts what is asked with it."""

    count = 0

    async def execute(self, *args: Any, **more: Any) -> Any:
        Counting.count += 1
        return await super().execute(*args, **more)


async def counted(conn: Connection, what: Any) -> int:
    """How many statements something takes."""
    conn.cursor_factory, Counting.count = Counting, 0
    try:
        await what
    finally:
        conn.cursor_factory = AsyncCursor
    return Counting.count


async def more_of_everything(conn: Connection, world: World) -> None:
    """Fifty CEs, fifty queues with jobs, and a hundred files more."""
    await execute(conn, "SELECT set_config('sancho.vo', '0,1', true)")
    await execute(
        conn,
        """
        WITH made AS (
            INSERT INTO resource (vo, kind, site_id, name)
            SELECT 0, 'C', r.resource_id, 'CE-' || n FROM resource r, generate_series(1, 50) n WHERE r.name = 'SITE-A'
            RETURNING resource_id, site_id),
        granted AS (INSERT INTO resource_grant (vo, to_vo, resource_id) SELECT 0, 1, resource_id FROM made)
        INSERT INTO compute_element (vo, ce_id, site_id, cores, max_pilots, memory, walltime, plugin)
        SELECT 0, resource_id, site_id, 1, 4, 1000 + resource_id, '1 h', 'local' FROM made
        """,
    )
    await execute(conn, "SELECT set_config('sancho.vo', '1', true)")
    for n in range(50):
        await submitted(conn, world, replace(PLAIN, priority=n))
    await dataset(conn, world, "mc:more", {"A-DISK": [1] * 100})


async def test_the_statements_do_not_grow_with_ces_queues_and_files(conn: Connection, world: World) -> None:
    await execute(conn, "SELECT set_config('sancho.vo', '1', true)")
    await dataset(conn, world, "mc:data", {"A-DISK": [1, 2]})
    job_id = (await submitted(conn, world)).job_ids[0]
    alice = user(world)
    first = (await rules.create(conn, alice, RuleRequest(did="mc:data", rse_expression="B-DISK"))).rule_id
    few = [
        await counted(conn, why(conn, world, job_id)),
        await counted(conn, service.explain_rule(conn, alice, first)),
        await counted(conn, service.explain_file(conn, alice, "mc:data_A-DISK_0")),
    ]
    await more_of_everything(conn, world)
    second = (await rules.create(conn, alice, RuleRequest(did="mc:more", rse_expression="B-DISK"))).rule_id
    many = [
        await counted(conn, why(conn, world, job_id)),
        await counted(conn, service.explain_rule(conn, alice, second)),
        await counted(conn, service.explain_file(conn, alice, "mc:more_A-DISK_0")),
    ]
    assert few == many
    assert max(few) <= 30
    assert not unfollowed().followed


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/explain/job/999999999", 404, "job_not_found"),
        ("/explain/rule/999999999", 404, "rule_not_found"),
        ("/explain/pilot/999999999", 404, "pilot_not_found"),
        ("/explain/file/mc:nothing", 404, "did_not_found"),
        ("/explain/file/nothing", 422, "did_malformed"),
        ("/explain/file/" + "x" * 3000, 422, "did_malformed"),
        ("/explain/file/mc:a%00b", 422, None),
        ("/explain/job/0", 422, "invalid_request"),
        ("/explain/job/-1", 422, "invalid_request"),
        ("/explain/job/1e3", 422, "invalid_request"),
        ("/explain/job/9223372036854775807", 422, "invalid_request"),
        ("/explain/rule/99999999999999999999999999", 422, "invalid_request"),
        ("/explain/pilot/1;DROP", 422, "invalid_request"),
        ("/explain/vo/belle", 404, "not_found"),
        ("/explain/job/1?verbose=1", 422, "parameter_unknown"),
    ],
)
async def test_hostile_and_unknown_ids_are_refused_clearly(
    served: Served, path: str, status: int, code: str | None
) -> None:
    answer = await served.send("GET", path, account="root")
    assert answer.status_code == status, answer.text
    assert code is None or answer.json()["code"] == code


async def test_what_is_explained_says_the_same_to_whoever_may_see_it(served: Served) -> None:
    said = {"name": "big", "command": ["x"], "requirements": {"memory": "4 GB"}}
    refused = await served.send("POST", "/jobs", json={"description": said})
    assert (refused.status_code, refused.json()["code"]) == (422, "no_site_can_run")
    assert refused.json()["facts"]["ces"].startswith("A-CE: 2000000000 of 4000000000 bytes of memory; B-CE:")
    made = await served.send("POST", "/jobs", json={"description": said, "anyway": True})
    assert (made.status_code, made.json()["sites"]) == (201, 0)
    path = f"/explain/job/{made.json()['job_ids'][0]}"
    for account in ("alice", "bob"):
        found = (await served.send("GET", path, account=account)).json()
        assert found["blockers"][0]["cause"] == "requirement"
        assert found["would"][0] == {
            "says": "It would start at SITE-A (A-CE) if it asked for at most 2 GB of memory",
            "changes": [{"part": "memory", "says": "it asked for at most 2 GB of memory"}],
            "ce": "A-CE", "site": "SITE-A",
        }  # fmt: skip
    theirs = await served.send("GET", path, vo="gridpp")
    assert (theirs.status_code, theirs.json()["code"]) == (404, "job_not_found")
    refused = await served.send("GET", "/explain/pilot/1")
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_missing")
