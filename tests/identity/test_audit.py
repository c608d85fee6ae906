"""The audit log: a row for each decision about a write, in its transaction; sealed, and whoever tampers is found."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from sancho.decisions import service, store
from sancho.kit import audit
from sancho.kit.db import Database, fetch_value
from tests.served import Served


async def rows(served: Served, *, vo: str = "belle", of: str | None = None, **wanted: Any) -> list[dict[str, Any]]:
    """What root of a VO reads in its log, or in that `of` another."""
    named = {} if of is None else {"vo": of}
    answer = await served.send("GET", "/audit", vo=vo, account="root", params=wanted | named)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def verify(served: Served, head: str | None = None, *, vo: str = "belle") -> dict[str, Any]:
    params = {} if head is None else {"head": head}
    answer = await served.send("GET", "/audit/verify", vo=vo, account="root", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def make_dataset(served: Served, name: str, *, vo: str = "belle", account: str = "alice") -> int:
    body = {"did": f"mc:{name}", "kind": "dataset"}
    return (await served.send("POST", "/dids", vo=vo, account=account, json=body)).status_code


async def apply(served: Served, *documents: dict[str, Any]) -> int:
    sent = {"documents": list(documents)}
    return (await served.send("POST", "/configuration/apply", account="root", json=sent)).status_code


@contextmanager
def as_owner(served: Served) -> Iterator["psycopg.Connection[Any]"]:
    with psycopg.connect(served.owner_url, options="-c search_path=sancho", autocommit=True) as conn:
        yield conn


def tamper(served: Served, statement: LiteralString) -> None:
    with as_owner(served) as conn:
        assert conn.execute(statement).rowcount > 0


async def with_batches(served: Served, count: int = 4) -> None:
    """A chain of belle of several batches with three rows each, and one of gridpp."""
    for n in range(count):
        for k in range(3):
            assert await make_dataset(served, f"d{n}.{k}") == 201
        assert await make_dataset(served, f"d{n}", vo="gridpp") == 201
        assert await service.seal(served.deployment) == 2


# ---- what is written


async def test_an_allowed_write_leaves_a_row_in_its_transaction(served: Served) -> None:
    headers = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    body = {"did": "mc:run7", "kind": "dataset"}
    assert (await served.send("POST", "/dids", json=body, headers=headers)).status_code == 201

    row = (await rows(served))[0]
    assert (row["account"], row["permission"], row["on"], row["allowed"]) == (
        "alice",
        "dids:create",
        "did:mc:run7",
        True,
    )
    assert (row["route"], row["items"], row["why"]) == (
        "POST /v1/dids", 1, "Account alice has dids:create by group users."
    )  # fmt: skip
    assert (row["client"], row["trace_id"]) == ("127.0.0.1", "0af7651916cd43dd8448eb211c80319c")


async def test_a_write_that_fails_leaves_no_row(served: Served) -> None:
    assert await make_dataset(served, "run7") == 201
    assert await make_dataset(served, "run7") == 409

    assert len(await rows(served)) == 1


async def test_a_denial_leaves_a_row_though_nothing_else_was_done(served: Served) -> None:
    answer = await served.send("POST", "/scopes", json={"name": "mine"})
    assert answer.status_code == 403

    row = (await rows(served, allowed=False))[0]
    assert (row["account"], row["permission"], row["on"]) == ("alice", "dids:manage", "did:mine:")
    assert "No group of account alice has dids:manage" in row["why"]


async def test_a_denial_of_a_read_is_written_and_an_allowed_read_is_not(served: Served) -> None:
    assert (await served.send("GET", "/configuration", account="root")).status_code == 200
    assert (await served.send("GET", "/configuration")).status_code == 403
    assert (await served.send("GET", "/jobs")).status_code == 200

    assert [(r["permission"], r["route"]) for r in await rows(served)] == [
        ("configuration:apply", "GET /v1/configuration")
    ]


async def test_a_call_about_many_things_leaves_one_row(served: Served) -> None:
    description = {"name": "j", "command": ["true"], "outputs": [{"path": "o", "did": "mc:out.{number}"}]}
    sent = {"description": description, "parameters": [{} for _ in range(20)]}
    answer = await served.send("POST", "/jobs", json=sent)
    assert answer.status_code == 201, answer.text
    jobs = answer.json()["job_ids"]
    assert (await served.send("POST", "/jobs/kill", json={"job_ids": jobs})).status_code == 200

    killed, submitted = await rows(served)
    assert (submitted["permission"], submitted["on"], submitted["items"]) == ("jobs:create", "did:mc:out.1", 20)
    assert (killed["permission"], killed["on"], killed["items"]) == ("jobs:manage", f"job:{jobs[0]}", 20)
    assert killed["why"] == "It belongs to alice."


async def test_a_policy_is_named_where_it_denied(served: Served) -> None:
    spec = {"effect": "deny", "permissions": ["dids:create"], "things": ["mc:raw"], "reason": "raw data are read-only"}
    assert await apply(served, {"kind": "Policy", "name": "raw", "spec": spec}) == 200

    assert await make_dataset(served, "raw/x") == 403
    assert await make_dataset(served, "other") == 201
    denied = (await rows(served, allowed=False))[0]
    assert denied["why"] == "Policy raw denies dids:create on did:mc:raw/x: raw data are read-only"


async def test_an_administrator_of_the_installation_is_named_with_its_vo(served: Served) -> None:
    answer = await served.send("POST", "/accounts/bob/suspend", vo="instance", account="root", params={"vo": "belle"})
    assert answer.status_code == 200, answer.text

    assert [(r["account"], r["on"]) for r in await rows(served)] == [("instance:root", "account:bob")]


async def test_ones_own_password_is_a_decision_too(served: Served) -> None:
    first, second = {"password": "correct horse"}, {"password": "battery staple", "current_password": "correct horse"}
    assert (await served.send("POST", "/accounts/bob/password", account="root", json=first)).status_code == 204
    assert (await served.send("POST", "/accounts/bob/password", account="bob", json=second)).status_code == 204

    assert (await rows(served, account="root"))[0]["why"] == "Account root has accounts:manage by group admins."
    assert (await rows(served, account="bob"))[0]["why"] == "It belongs to bob."


async def test_nothing_is_noted_for_a_task_or_a_pilot(database: Database) -> None:
    """A transaction without a trail writes nothing, so pilots' calls have no statement more."""
    asked: list[Any] = []

    async def before_commit(conn: Any, vos: Any) -> None:
        asked.append(vos)
        await service.write_down(conn, vos)

    database._before_commit = before_commit
    async with database.transaction([1]) as conn:
        audit.note(audit.Entry(vo=1, account="a", permission="p", allowed=True, why="w"))
    async with database.transaction([1]) as conn:
        assert await fetch_value(conn, "SELECT count(*) FROM audit_row") == 0
    assert asked == [(1,), (1,)]


async def test_no_secret_and_no_body_reaches_the_log(served: Served) -> None:
    secret = "correct horse battery"
    await served.send("POST", "/accounts/bob/password", account="root", json={"password": secret})
    await served.send("POST", "/scopes", json={"name": "mine"})

    with as_owner(served) as conn:
        written = str(conn.execute("SELECT r::text FROM audit_row r").fetchall())
    assert "account:bob" in written
    assert secret not in written
    assert served.token() not in written


async def test_the_log_is_searched_by_page_and_by_what_is_wanted(served: Served) -> None:
    for n in range(5):
        await make_dataset(served, f"run{n}", account="alice" if n % 2 else "bob")
    await served.send("POST", "/scopes", json={"name": "mine"})

    answer = (await served.send("GET", "/audit", account="root", params={"limit": 2})).json()
    following = (await served.send("GET", "/audit", account="root", params={"cursor": answer["next"]})).json()
    numbers = [r["audit_id"] for r in (*answer["items"], *following["items"])]
    assert numbers == sorted(numbers, reverse=True)
    assert (len(numbers), following["next"]) == (6, None)
    assert [r["on"] for r in await rows(served, account="bob")] == ["did:mc:run4", "did:mc:run2", "did:mc:run0"]
    assert len(await rows(served, on="mc:run")) == 5
    assert len(await rows(served, permission="dids:manage", allowed=False)) == 1
    assert await rows(served, until="2020-01-01T00:00:00Z") == []
    assert len(await rows(served, since="2020-01-01T00:00:00Z")) == 6


async def test_only_who_may_read_the_log_does_and_only_that_of_their_vo(served: Served) -> None:
    await make_dataset(served, "ours")

    for path in ("/audit", "/audit/verify"):
        assert (await served.send("GET", path)).json()["code"] == "permission_missing"
    assert await rows(served, vo="gridpp") == []
    assert (await served.send("GET", "/audit", account="root", params={"acount": "x"})).status_code == 422
    assert (await served.send("GET", "/audit/verify", account="root", params={"head": "x"})).status_code == 422


async def test_an_administrator_of_the_installation_reads_the_log_of_any_vo_and_others_their_own(
    served: Served,
) -> None:
    await make_dataset(served, "ours")
    await make_dataset(served, "theirs", vo="gridpp")
    await service.seal(served.deployment)

    for vo, thing in (("belle", "did:mc:ours"), ("gridpp", "did:mc:theirs")):
        assert [r["on"] for r in await rows(served, vo="instance", of=vo, permission="dids:create")] == [thing]
        answer = await served.send("GET", "/audit/verify", vo="instance", account="root", params={"vo": vo})
        assert (answer.json()["intact"], answer.json()["rows"]) == (True, 1)
    assert [r["on"] for r in await rows(served, of="belle")] == ["did:mc:ours"]
    for path in ("/audit", "/audit/verify"):
        for by, vo in (("belle", "gridpp"), ("belle", "instance"), ("instance", "nowhere")):
            refused = await served.send("GET", path, vo=by, account="root", params={"vo": vo})
            assert (refused.status_code, refused.json()["code"]) == (404, "vo_not_found")
        assert (await served.send("GET", path, params={"vo": "belle"})).json()["code"] == "permission_missing"


async def test_the_servers_role_can_neither_change_nor_delete_rows(served: Served) -> None:
    await make_dataset(served, "run7")
    await service.seal(served.deployment)

    statements: list[Any] = [
        f"{what} {table}{more}"
        for table in ("audit_row", "audit_batch", "audit_gap")
        for what, more in (("DELETE FROM", ""), ("UPDATE", " SET vo = 1"), ("TRUNCATE", ""))
    ]
    for statement in statements:
        with pytest.raises(InsufficientPrivilege):
            async with served.deployment.database.transaction([1]) as conn:
                await conn.execute(statement)
    with as_owner(served) as owner:
        names = owner.execute("SELECT relname FROM pg_class WHERE relname ~ '^audit_row_2'").fetchall()
        assert len(names) > 5
        assert not owner.execute(
            "SELECT 1 FROM pg_class WHERE relname ~ '^audit_row_' AND relkind = 'r'"
            " AND has_table_privilege('sancho', oid, 'SELECT, INSERT, UPDATE, DELETE')"
        ).fetchall()


# ---- sealing and checking


async def test_a_log_that_nobody_touched_is_intact(served: Served) -> None:
    assert await verify(served) == {
        "intact": True, "batches": 0, "rows": 0, "dropped": 0, "head": None, "broken": None, "why": None
    }  # fmt: skip
    await with_batches(served, 3)

    found = await verify(served)
    assert (found["intact"], found["batches"], found["rows"]) == (True, 3, 9)
    assert (await verify(served, found["head"]))["intact"]
    assert (await verify(served, vo="gridpp"))["rows"] == 3
    assert await service.seal(served.deployment) == 0


TAMPERING: dict[str, tuple[LiteralString, int, str]] = {
    "a changed row": (
        "UPDATE audit_row SET account = 'bob' WHERE thing = 'did:mc:d1.1' AND vo = 1", 2, "rows of batch 2",
    ),
    "a denial made an allowance": (
        "UPDATE audit_row SET allowed = NOT allowed WHERE thing = 'did:mc:d2.0' AND vo = 1", 3, "rows of batch 3",
    ),
    "a changed time": (
        "UPDATE audit_row SET at = at - interval '1 us' WHERE thing = 'did:mc:d0.2' AND vo = 1", 1, "rows of batch 1",
    ),
    "a removed row": ("DELETE FROM audit_row WHERE thing = 'did:mc:d1.2' AND vo = 1", 2, "2 rows; 3 were sealed"),
    "rows in another order": (
        """UPDATE audit_row AS a SET thing = b.thing FROM audit_row AS b
            WHERE a.vo = 1 AND b.vo = 1 AND (a.thing, b.thing) IN
                  (('did:mc:d1.0', 'did:mc:d1.1'), ('did:mc:d1.1', 'did:mc:d1.0'))""", 2, "rows of batch 2",
    ),
    "a row put in later": (
        """INSERT INTO audit_row (vo, allowed, items, audit_id, account, permission, thing, why)
           SELECT 1, true, 1, max(audit_id), 'bob', 'rules:create', 'did:mc:x', 'put in'
             FROM audit_row WHERE thing = 'did:mc:d1.2' AND vo = 1""", 2, "4 rows; 3 were sealed",
    ),
    "a removed batch": ("DELETE FROM audit_batch WHERE number = 2 AND vo = 1", 2, "Batch 2 is missing"),
    "a removed first batch": ("DELETE FROM audit_batch WHERE number = 1 AND vo = 1", 1, "Batch 1 is missing"),
    "batches in another order": (
        "UPDATE audit_batch SET number = CASE number WHEN 2 THEN -3 ELSE -2 END WHERE number IN (2, 3) AND vo = 1",
        2, "",
    ),
    "a changed hash": (
        "UPDATE audit_batch SET sha256 = sha256(sha256) WHERE number = 4 AND vo = 1", 4, "rows of batch 4",
    ),
    "a moved border": (
        "UPDATE audit_batch SET last_id = last_id - 1 WHERE number = 2 AND vo = 1", 2, "2 rows; 3 were sealed",
    ),
    "a row of another VO": (
        "UPDATE audit_row SET vo = 2 WHERE thing = 'did:mc:d1.1' AND vo = 1", 2, "2 rows; 3 were sealed",
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", TAMPERING)
async def test_tampering_is_found_where_it_began(served: Served, how: str) -> None:
    statement, broken, why = TAMPERING[how]
    await with_batches(served)
    tamper(served, statement)
    if how == "batches in another order":
        tamper(served, "UPDATE audit_batch SET number = -number WHERE number < 0")

    found = await verify(served)

    assert (found["intact"], found["broken"]) == (False, broken), found
    assert why in found["why"]


async def test_an_end_that_was_cut_off_is_found_by_who_remembers_it(served: Served) -> None:
    await with_batches(served, 3)
    head = (await verify(served))["head"]
    tamper(served, "DELETE FROM audit_row WHERE thing LIKE 'did:mc:d2%' AND vo = 1")
    tamper(served, "DELETE FROM audit_batch WHERE number = 3 AND vo = 1")

    assert (await verify(served))["intact"]
    found = await verify(served, head)
    assert (found["intact"], found["broken"], found["why"]) == (False, 3, "Batch 3, which is remembered, is missing.")

    for n in range(3):
        await make_dataset(served, f"new{n}")
    await service.seal(served.deployment)
    found = await verify(served, head)
    assert (found["intact"], found["why"]) == (False, "Batch 3 is not the one that is remembered.")


async def test_a_row_that_is_committed_late_is_sealed_all_the_same(database: Database) -> None:
    def entry(n: int) -> audit.Entry:
        return audit.Entry(vo=1, account="alice", permission="rules:create", allowed=True, why="w", thing=f"did:mc:{n}")

    origin = {"route": None, "trace_id": None, "client": None}
    async with database.transaction([0, 1, 2]) as late:
        await store.insert_rows(late, [entry(1)], origin)
        with pytest.raises(Exception, match="LockNotAvailable"):
            async with database.transaction([0]) as conn:
                await store.settled(conn)
    async with database.transaction([1]) as conn:
        await store.insert_rows(conn, [entry(2)], origin)
    async with database.transaction([0]) as conn:
        highest = await store.settled(conn)
    async with database.transaction([0, 1, 2]) as conn:
        assert [r.thing async for r in store.stream_unsealed(conn, highest)] == ["did:mc:1", "did:mc:2"]


async def test_sealers_and_writers_at_once_lose_nothing(served: Served) -> None:
    async def write(n: int) -> None:
        for k in range(4):
            assert await make_dataset(served, f"w{n}.{k}") == 201

    async def seal() -> None:
        for _ in range(6):
            await service.seal(served.deployment)

    await asyncio.gather(*(write(n) for n in range(4)), seal(), seal())
    await service.seal(served.deployment)

    found = await verify(served)
    assert (found["intact"], found["rows"]) == (True, 16)
