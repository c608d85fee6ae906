"""Uploads: intents, their hold on quota, what a commit registers, what happens to those never committed."""

from datetime import timedelta
from typing import Any

import pytest

from sancho.kit.db import Connection, execute, fetch_rows, fetch_value
from sancho.rules.errors import QuotaExceeded
from sancho.uploads import service, store
from sancho.uploads.errors import IntentGivenUp, IntentNotFound
from sancho.uploads.model import Intent, Wish
from tests.jobs.given import NOW
from tests.served import Served
from tests.world import World

BYTES = b"0123456789"
ADLER = "0aff020e"


def wish(world: World, name: str = "file", size: int = 10, **more: Any) -> Wish:
    return Wish(
        scope_id=world.scope[1, "mc"], scope="mc", name=name, size=size, adler32=ADLER,
        rse_id=world.resource["A-DISK"], **more,
    )  # fmt: skip


async def opened(conn: Connection, world: World, *wishes: Wish, **more: Any) -> list[Intent]:
    return await service.open_intents(conn, 1, world.account[1, "alice"], wishes or [wish(world)], now=NOW, **more)


async def quota(conn: Connection, world: World, size: int) -> None:
    await execute(
        conn,
        """
        WITH q AS (INSERT INTO quota (vo, account_id, size, name, rse_expression)
                   VALUES (1, %(account)s, %(size)s, 'small', '*') RETURNING quota_id),
             r AS (INSERT INTO quota_rse (vo, quota_id, rse_id) SELECT 1, quota_id, %(rse)s FROM q)
        INSERT INTO quota_slot (vo, slot, quota_id, room) SELECT 1, 0, quota_id, %(size)s FROM q
        """,
        {"account": world.account[1, "alice"], "size": size, "rse": world.resource["A-DISK"]},
    )


async def room(conn: Connection) -> int:
    return await fetch_value(conn, "SELECT sum(room) FROM quota_slot")


async def test_two_intents_for_one_name_have_two_paths_and_the_first_commit_wins(
    conn: Connection, world: World
) -> None:
    first, second = (await opened(conn, world))[0], (await opened(conn, world))[0]
    assert first.did_id != second.did_id
    await service.commit(conn, 1, [second.intent_id], {second.intent_id: ADLER})
    with pytest.raises(Exception, match="mc:file"):
        async with conn.transaction():
            await service.commit(conn, 1, [first.intent_id], {first.intent_id: ADLER})
    assert await fetch_rows(conn, "SELECT did_id FROM did WHERE kind = 'F'") == [(second.did_id,)]


async def test_an_intent_holds_quota_until_it_is_given_up_or_a_rule_pays(conn: Connection, world: World) -> None:
    await quota(conn, world, 25)
    first, second = await opened(conn, world, wish(world, "one"), wish(world, "two"))
    assert await room(conn) == 5
    with pytest.raises(QuotaExceeded):
        async with conn.transaction():
            await opened(conn, world, wish(world, "three"))
    await service.give_up(conn, 1, [first])
    assert await room(conn) == 15
    await service.commit(conn, 1, [second.intent_id], {second.intent_id: ADLER})
    assert await room(conn) == 15


async def test_a_commit_is_repeatable_and_a_given_up_intent_cannot_be_committed(conn: Connection, world: World) -> None:
    first, second = await opened(conn, world, wish(world, "one"), wish(world, "two"))
    for _ in range(2):
        (done,) = await service.commit(conn, 1, [first.intent_id], {first.intent_id: ADLER})
        assert done.did == "mc:one"
    await service.give_up(conn, 1, [second])
    with pytest.raises(IntentGivenUp):
        await service.commit(conn, 1, [second.intent_id], {second.intent_id: ADLER})
    assert await fetch_value(conn, "SELECT count(*) FROM ledger") == 1


async def test_an_unknown_intent_is_named(conn: Connection, world: World) -> None:
    with pytest.raises(IntentNotFound, match="99"):
        await service.commit(conn, 1, [99], {})


async def test_an_attempt_that_asks_again_gets_the_same_intent_unless_the_file_changed(
    conn: Connection, world: World
) -> None:
    (first,) = await opened(conn, world, attempt_id=7)
    (again,) = await opened(conn, world, attempt_id=7)
    assert again.intent_id == first.intent_id
    (changed,) = await opened(conn, world, wish(world, size=11), attempt_id=7)
    assert changed.intent_id != first.intent_id
    assert [i.state.name for i in await store.list_intents(conn, 1, [first.intent_id])] == ["GIVEN_UP"]


async def test_what_was_never_committed_is_emptied_after_its_time(served: Served) -> None:
    files = [{"did": "mc:left", "size": len(BYTES), "adler32": ADLER}]
    answer = await served.send("POST", "/uploads", json={"files": files})
    assert answer.status_code == 201, answer.text
    served.put(answer.json()["uploads"][0]["url"], BYTES)
    assert await service.expire(served.deployment) == 0
    async with served.deployment.database.transaction([1]) as conn:
        await execute(conn, "UPDATE intent SET expires_at = now() - %(t)s", {"t": timedelta(seconds=1)})
    assert await service.expire(served.deployment) == 1
    assert [p for folder in served.storages.values() for p in folder.rglob("left")] == []
    async with served.deployment.database.transaction([1]) as conn:
        assert await fetch_value(conn, "SELECT count(*) FROM intent") == 0


async def test_a_user_puts_a_file_with_a_rule_and_reads_it_back(served: Served) -> None:
    files = [{"did": "mc:mine", "size": len(BYTES), "adler32": ADLER, "dataset": "mc:all"}]
    rule = {"copies": 2, "rse_expression": "*"}
    upload = (await served.send("POST", "/uploads", json={"files": files, "rule": rule})).json()["uploads"][0]
    early = await served.send("POST", "/uploads/commit", json={"intents": [upload["intent_id"]]})
    assert (early.status_code, early.json()["code"]) == (409, "upload_incomplete")
    served.put(upload["url"], BYTES)
    for _ in range(2):
        done = await served.send("POST", "/uploads/commit", json={"intents": [upload["intent_id"]]})
        assert done.json()["files"][0]["did"] == "mc:mine"
    await served.run_tasks()
    assert len([p for folder in served.storages.values() for p in folder.rglob("mine")]) == 2
    stranger = await served.send("POST", "/uploads/commit", account="bob", json={"intents": [upload["intent_id"]]})
    assert (stranger.status_code, stranger.json()["code"]) == (404, "intent_not_found")
