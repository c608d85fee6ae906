"""What holds the files that were uploaded: the rule wished for, one above them, or one of their own."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Self

import pytest
from psycopg import AsyncCursor
from psycopg.rows import TupleRow

from sancho.dids import service as dids
from sancho.dids.model import DidKind
from sancho.kit.db import Connection
from sancho.rules import service as rules
from sancho.rules.errors import QuotaExceeded
from sancho.rules.model import Rule
from sancho.uploads import service
from sancho.uploads.model import Wish
from tests.dids.given import person
from tests.jobs.given import NOW
from tests.rules.given import check_exact, given_quota, given_rule, room
from tests.world import World

ADLER = "0aff020e"


async def put(conn: Connection, world: World, names: Sequence[str], **more: Any) -> list[int]:
    """Files of alice of 10 bytes each, uploaded to A-DISK; returns their ids."""
    wishes = [
        Wish(scope_id=world.scope[1, "mc"], scope="mc", name=name, size=10, adler32=ADLER,
             rse_id=world.resource["A-DISK"], **more)
        for name in names
    ]  # fmt: skip
    intents = await service.open_intents(conn, 1, world.account[1, "alice"], wishes, now=NOW)
    ids = [i.intent_id for i in intents]
    return [c.did_id for c in await service.commit(conn, 1, ids, dict.fromkeys(ids, ADLER))]


async def dataset(conn: Connection, world: World, name: str) -> int:
    return (await dids.create(conn, person(world, "alice"), f"mc:{name}", DidKind.DATASET)).did_id


async def rules_of(conn: Connection, did_id: int) -> list[Rule]:
    return await rules.list_rules(conn, 1, did_id=did_id, page=(None, 100))


async def usage(conn: Connection) -> list[tuple[str, str, int, int, int]]:
    return [(u.account, u.rse, u.files, u.size, u.held) for u in await rules.usage(conn, 1)]


async def test_a_file_in_a_dataset_without_a_rule_is_held_and_paid_for(conn: Connection, world: World) -> None:
    await given_quota(conn, world, "small", 25, account="alice")
    into = await dataset(conn, world, "ds")

    one, two = await put(conn, world, ["one", "two"], dataset_id=into)

    for did_id in (one, two):
        [rule] = await rules_of(conn, did_id)
        assert (rule.account, rule.copies, rule.rses, rule.state.word, rule.ok) == ("alice", 1, ("A-DISK",), "ok", 1)
    assert await usage(conn) == [("alice", "A-DISK", 2, 20, 0)]
    assert await room(conn, world, "small") == 5
    with pytest.raises(QuotaExceeded, match="small"):
        async with conn.transaction():
            await put(conn, world, ["three"], dataset_id=into)
    await check_exact(conn)


async def test_a_rule_on_the_dataset_or_above_it_is_enough(conn: Connection, world: World) -> None:
    into, above = (
        await dataset(conn, world, "ds"),
        await dids.create(conn, person(world, "alice"), "mc:all", DidKind.CONTAINER),
    )
    await dids.attach(conn, 1, above.did_id, [into])
    over = await given_rule(conn, world, "mc:all", to="A-DISK")

    [file] = await put(conn, world, ["one"], dataset_id=into)

    assert await rules_of(conn, file) == []
    assert (await rules.get(conn, 1, over.rule_id)).ok == 1
    await check_exact(conn)


async def test_a_rule_that_has_ended_holds_nothing_new(conn: Connection, world: World) -> None:
    into = await dataset(conn, world, "ds")
    await given_rule(conn, world, "mc:ds", to="A-DISK", lifetime=timedelta(seconds=-1))

    [file] = await put(conn, world, ["one"], dataset_id=into)

    assert [rule.rses for rule in await rules_of(conn, file)] == [("A-DISK",)]


async def test_wishes_for_single_files_are_carried_out_and_the_others_stay_where_they_are(
    conn: Connection, world: World
) -> None:
    wish = {"copies": 2, "rse_expression": "A-DISK|B-DISK", "lifetime": 3600.0}

    [wished] = await put(conn, world, ["wished"], rule=wish)
    [alone] = await put(conn, world, ["alone"])

    [rule] = await rules_of(conn, wished)
    assert (rule.copies, rule.rses, rule.ok, rule.replicating) == (2, ("A-DISK", "B-DISK"), 1, 1)
    assert rule.expires_at is not None
    [rule] = await rules_of(conn, alone)
    assert (rule.copies, rule.rses, rule.ok, rule.expires_at) == (1, ("A-DISK",), 1, None)
    await check_exact(conn)


async def test_what_cannot_be_paid_for_any_more_at_the_commit_is_stuck_and_says_so(
    conn: Connection, world: World
) -> None:
    into = await dataset(conn, world, "ds")
    await given_quota(conn, world, "small", 100, account="alice")
    wish = Wish(scope_id=world.scope[1, "mc"], scope="mc", name="late", size=10, adler32=ADLER,
                rse_id=world.resource["A-DISK"], dataset_id=into)  # fmt: skip
    [intent] = await service.open_intents(conn, 1, world.account[1, "alice"], [wish], now=NOW)
    await given_quota(conn, world, "small", 5, account="alice")

    [done] = await service.commit(conn, 1, [intent.intent_id], {intent.intent_id: ADLER})

    [rule] = await rules_of(conn, done.did_id)
    assert (rule.state.word, rule.error is not None and "small" in rule.error) == ("stuck", True)
    await check_exact(conn)


async def test_a_commit_takes_the_same_number_of_statements_whatever_the_number_of_files(
    conn: Connection, world: World
) -> None:
    into = await dataset(conn, world, "ds")
    await put(conn, world, ["first"], dataset_id=into)
    sent: list[object] = []

    class Counting(AsyncCursor[TupleRow]):
        async def execute(self, query: Any, *args: Any, **more: Any) -> Self:
            sent.append(query)
            return await super().execute(query, *args, **more)

    conn.cursor_factory = Counting
    counts: list[int] = []
    for number in (1, 30):
        for more in ({"dataset_id": into}, {}, {"rule": {"copies": 2, "rse_expression": "*", "lifetime": None}}):
            sent.clear()
            await put(conn, world, [f"{number}-{len(counts)}-{i}" for i in range(number)], **more)
            counts.append(len(sent))
    assert counts[:3] == counts[3:]
