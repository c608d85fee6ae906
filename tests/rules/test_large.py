"""A large dataset: what a request or a transaction of the background reads and asks does not grow with its files."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import AsyncCursor
from psycopg.rows import TupleRow

from sancho.dids import service as dids
from sancho.dids.model import DidKind, Search
from sancho.dids.service.walking import PART
from sancho.kit.db import Connection
from sancho.kit.query import parse
from sancho.rules import service
from sancho.rules.service import asking, erasing, leaving, moving, repairing
from tests.dids.given import deferred, given_collection, person
from tests.dids.metadata_given import apply, say
from tests.rules.given import given_rule, value
from tests.world import World

FILES = 2_000
FEW = 100
"""What stands for the size of a batch, and of what is done at once."""


class Seen:
    """Statements since the last look, and the most rows that one of them gave."""

    statements = 0
    most = 0

    def look(self) -> tuple[int, int]:
        seen = (self.statements, self.most)
        self.statements = self.most = 0
        return seen


@pytest.fixture
async def seen(conn: Connection, world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Seen]:
    """A dataset `mc:large` of 2 000 files, each with a rule of alice as uploads leave it, on A-DISK; batches of few."""
    for module in (asking, leaving, moving, repairing, erasing):
        for name in ("LARGE", "BATCH"):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, FEW)
    monkeypatch.setattr("sancho.dids.service.ending.DETACHED_AT_ONCE", FEW)
    dataset = await given_collection(conn, world, "large")
    known = {
        "vo": world.belle, "scope": world.scope[1, "mc"], "account": world.account[1, "alice"], "n": FILES,
        "rse": world.resource["A-DISK"], "dataset": dataset,
    }  # fmt: skip
    for statement in FILL.split(";\n"):
        await conn.execute(statement, known)
    await conn.execute("ANALYZE")
    counted = Seen()

    class Counting(AsyncCursor[TupleRow]):
        async def execute(self, *args: Any, **more: Any) -> Any:
            counted.statements += 1
            return await super().execute(*args, **more)

        async def fetchall(self) -> list[TupleRow]:
            rows = await super().fetchall()
            counted.most = max(counted.most, len(rows))
            return rows

    before, conn.cursor_factory = conn.cursor_factory, Counting
    yield counted
    conn.cursor_factory = before


FILL = """
INSERT INTO did (vo, kind, open, scope_id, account_id, name, size, adler32)
    SELECT %(vo)s, 'F', false, %(scope)s, %(account)s, 'large/' || n, 1, 1 FROM generate_series(1, %(n)s) AS n;
INSERT INTO attachment (vo, parent_id, child_id) SELECT vo, %(dataset)s, did_id FROM did WHERE kind = 'F';
INSERT INTO collection_tally (vo, slot, did_id, files, size) VALUES (%(vo)s, 1, %(dataset)s, %(n)s, %(n)s);
INSERT INTO replica (vo, state, rse_id, did_id, size, lock_count)
    SELECT vo, 'A', %(rse)s, did_id, 1, 1 FROM did WHERE kind = 'F';
INSERT INTO rse_usage_slot (vo, slot, rse_id, files, size) VALUES (%(vo)s, 1, %(rse)s, %(n)s, %(n)s);
INSERT INTO usage_slot (vo, slot, account_id, rse_id, files, size)
    VALUES (%(vo)s, 1, %(account)s, %(rse)s, %(n)s, %(n)s);
INSERT INTO rule (vo, copies, account_id, did_id, ok) SELECT vo, 1, account_id, did_id, 1 FROM did WHERE kind = 'F';
INSERT INTO rule_detail (vo, rule_id, implicit, rse_ids, rse_expression)
    SELECT vo, rule_id, true, ARRAY[%(rse)s]::int[], 'A-DISK' FROM rule;
INSERT INTO lock (vo, rse_id, did_id, rule_id, size) SELECT vo, %(rse)s, did_id, rule_id, 1 FROM rule
"""


async def test_a_rule_is_placed_batch_by_batch(conn: Connection, world: World, seen: Seen) -> None:
    rule = await given_rule(conn, world, "mc:large", to="A-DISK")
    assert seen.look()[1] <= FEW

    after: int | None = 0
    for _ in range(3):
        after = await repairing._place_batch(conn, world.belle, rule.rule_id, after or 0)
        statements, most = seen.look()
        assert (statements < 30, most) == (True, FEW)
    assert (await service.get(conn, world.belle, rule.rule_id)).ok == 3 * FEW

    assert not await leaving._remove(conn, world.belle, rule.rule_id, FEW)
    assert seen.look()[1] <= FEW


async def test_what_is_given_up_with_a_rule_on_each_file_goes_in_the_background(
    conn: Connection, world: World, seen: Seen
) -> None:
    alice = person(world, "alice")
    of_bob = await given_rule(conn, world, "mc:large/1", to="A-DISK", account="bob")
    seen.look()

    done = await service.withdraw(conn, alice, "mc:large")

    statements, most = seen.look()
    assert (statements < 30, most) == (True, FEW)
    assert len(done.withdrawn) == FEW
    assert done.held_by == [(of_bob.rule_id, "bob", "mc:large/1")]
    assert done.looked_at == FEW
    [task] = await deferred(conn, "rules:give_up")
    assert (task["account_id"], task["did_id"]) == (alice.account_id, (await dids.get(conn, 1, "mc:large")).did_id)


async def test_the_end_of_a_dataset_is_taken_in_steps(conn: Connection, world: World, seen: Seen) -> None:
    alice = person(world, "alice")
    dataset = (await dids.get(conn, 1, "mc:large")).did_id
    await dids.erase(conn, alice, ["mc:large"], after=-erasing.HELD)
    seen.look()

    assert await erasing.end(conn, world.belle, [dataset], await value(conn, "SELECT clock_timestamp()")) == 0

    statements, most = seen.look()
    assert (statements < 40, most) == (True, FEW)
    assert (await dids.info(conn, await dids.get(conn, 1, "mc:large"))).files == FILES - FEW


async def test_what_is_attached_with_rules_on_its_files_has_the_rules_above_placed_once(
    conn: Connection, world: World, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sancho.dids.service.changing.ANNOUNCED", FILES // 4)
    monkeypatch.setattr("sancho.dids.service.changing.TOLD_AT_ONCE", 2)
    box = await given_collection(conn, world, "box", DidKind.CONTAINER)
    rule = await given_rule(conn, world, "mc:box", to="B-DISK")
    await dids.attach(conn, world.belle, box, [(await dids.get(conn, 1, "mc:large")).did_id])

    assert len(await deferred(conn)) == 2
    rest: list[dict[str, Any]] = await deferred(conn, "dids:announce")
    await dids.announce_rest(conn, **{"after" if name == "behind" else name: one for name, one in rest[0].items()})
    told = await deferred(conn)
    assert (len(told), len(await deferred(conn, "dids:announce"))) == (4, 1)
    seen.look()
    for task in told[:2]:
        await service.extend(conn, **task)  # pyright: ignore[reportArgumentType]
    assert seen.look()[0] < 80
    assert await deferred(conn, "rules:place") == [{"vo": world.belle, "rule_id": rule.rule_id}]


async def rows_read(conn: Connection) -> int:
    """Rows of DIDs, attachments and metadata that this transaction has read so far."""
    return await value(
        conn,
        """
        SELECT sum(seq_tup_read + idx_tup_fetch)::bigint FROM pg_stat_xact_user_tables
         WHERE relname IN ('did', 'attachment', 'metadata_search')
        """,
    )


@pytest.mark.parametrize("more", [{}, {"where": "run = 7", "inherit": True}, {"where": "run = 7 & size < 9"}])
async def test_a_page_of_a_search_reads_what_it_looks_at(
    conn: Connection, world: World, seen: Seen, more: dict[str, Any]
) -> None:
    await apply(conn, world, run={"kind": "integer"})
    await say(conn, world, "large", run=7)
    where = parse(more["where"]) if "where" in more else None
    asked = Search(where, within=None if "inherit" in more else "mc:large", inherit="inherit" in more)
    before = await rows_read(conn)
    seen.look()

    page = await dids.search_page(conn, world.belle, asked, limit=10)

    statements, most = seen.look()
    assert (statements < 20, most <= 10 * PART) == (True, True)
    assert len(page.dids) == (10 if "size" not in str(where) else 0)
    # The planner may read one of these small tables whole, once: that is its choice, not ours.
    assert await rows_read(conn) - before < 40 * PART + 1.1 * FILES


async def test_lists_of_what_is_below_begin_before_all_is_read(
    conn: Connection, world: World, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = await dids.get(conn, world.belle, "mc:large")
    for stream in (
        dids.stream_below(conn, large, deep=True), dids.stream_files(conn, world.belle, [large]),
        dids.stream_file_lines(conn, large),
    ):  # fmt: skip
        before = await rows_read(conn)
        assert len(await anext(stream)) == FILES // 2
        assert await rows_read(conn) - before < 2.5 * FILES // 2
        assert [len(part) async for part in stream] == [FILES // 2]
    monkeypatch.setattr("sancho.dids.service.history.PART", FEW)
    before = await rows_read(conn)
    lines = dids.stream_file_lines(conn, large, at=datetime.now(UTC) + timedelta(days=1))
    assert len(await anext(lines)) == FEW
    assert await rows_read(conn) - before < 5 * FEW + 1.1 * FILES  # as above: a small table may be read whole, once
    assert sum([len(part) async for part in lines]) == FILES - FEW


async def test_rules_that_follow_what_was_attached_look_up_its_files_alone(
    conn: Connection, world: World, seen: Seen
) -> None:
    small = await given_collection(conn, world, "small")
    rule = await given_rule(conn, world, "mc:small", to="A-DISK")
    files = [(await dids.get(conn, 1, f"mc:large/{n}")).did_id for n in range(1, FEW + 1)]
    await dids.attach(conn, world.belle, small, files, announce=False)
    seen.look()
    before = await rows_read(conn)

    await service.extend(conn, world.belle, parent_ids=[small], file_ids=files)

    assert (await service.get(conn, world.belle, rule.rule_id)).ok == FEW
    assert await rows_read(conn) - before < 12 * FEW
    await dids.detach(conn, world.belle, small, files)
    before = await rows_read(conn)

    await service.retract(conn, world.belle, parent_ids=[small], file_ids=files)

    assert (await service.get(conn, world.belle, rule.rule_id)).ok == 0
    assert await rows_read(conn) - before < 12 * FEW
