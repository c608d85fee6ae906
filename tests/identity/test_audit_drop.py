"""The owner of the database drops old parts of the audit log: what remains is checked, and says that they are gone."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, LiteralString

import pytest
from psycopg.errors import InsufficientPrivilege
from typer.testing import CliRunner, Result

from sancho.cli import main
from sancho.decisions import service
from sancho.decisions.model import Dropped
from sancho.kit.db import Database, fetch_value
from sancho.vos.model import VO
from tests.identity.test_audit import as_owner, make_dataset, rows, tamper, verify, with_batches
from tests.served import Served

BELLE = VO(1, "belle")


@pytest.fixture
async def owner(served: Served) -> AsyncIterator[Database]:
    """The database as its owner; of four batches of belle the first two are old."""
    await with_batches(served)
    make_old(served, 2)
    made = Database(served.owner_url)
    await made.open()
    yield made
    await made.close()


def make_old(served: Served, number: int) -> None:
    with as_owner(served) as conn:
        conn.execute(
            "UPDATE audit_batch SET sealed_at = sealed_at - interval '3 years' WHERE vo = 1 AND number <= %s", [number]
        )


def columns(served: Served, query: LiteralString) -> list[Any]:
    with as_owner(served) as conn:
        return [row[0] for row in conn.execute(query).fetchall()]


async def drop(served: Served, owner: Database) -> Dropped | None:
    before = served.deployment.clock.now().replace(year=served.deployment.clock.now().year - 1, day=1)
    return await service.drop(owner, BELLE, before)


async def test_what_remains_is_intact_and_says_how_much_is_gone(served: Served, owner: Database) -> None:
    head = (await verify(served))["head"]

    dropped = await drop(served, owner)

    assert dropped is not None
    assert (dropped.batches, dropped.rows, dropped.head.number) == (2, 6, 2)
    assert [row["on"] for row in await rows(served, permission="dids:create")][-1] == "did:mc:d2.0"
    found = await verify(served)
    assert (found["intact"], found["dropped"], found["batches"], found["rows"]) == (True, 2, 2, 6)
    assert (found["head"], (await verify(served, head))["intact"]) == (head, True)
    assert (await verify(served, vo="gridpp"))["batches"] == 4
    assert columns(served, "SELECT number FROM audit_batch WHERE vo = 1 ORDER BY number") == [3, 4]
    for serving, gaps in ((1, 1), (2, 0)):
        async with served.deployment.database.transaction([serving]) as conn:
            assert await fetch_value(conn, "SELECT count(*) FROM audit_gap") == gaps


async def test_the_gap_is_a_row_that_is_sealed_and_the_chain_goes_on(served: Served, owner: Database) -> None:
    dropped = await drop(served, owner)
    assert dropped is not None

    (row,) = await rows(served, permission="audit:drop")
    assert (row["account"], row["on"], row["items"], row["allowed"]) == ("-", "audit:2", 6, True)
    assert str(dropped.head) in row["why"]
    assert await drop(served, owner) is None
    await make_dataset(served, "later")
    assert await service.seal(served.deployment) == 1
    found = await verify(served)
    assert (found["intact"], found["dropped"], found["batches"], found["rows"]) == (True, 2, 3, 8)

    tamper(served, "UPDATE audit_row SET why = 'nothing was dropped' WHERE permission = 'audit:drop'")
    assert ((await verify(served))["broken"]) == 5


async def test_more_can_be_dropped_later_and_the_newest_batch_always_stays(served: Served, owner: Database) -> None:
    await drop(served, owner)
    make_old(served, 4)

    dropped = await drop(served, owner)

    assert dropped is not None
    assert (dropped.batches, dropped.head.number) == (1, 3)
    assert await service.seal(served.deployment) == 1
    found = await verify(served)
    assert (found["intact"], found["dropped"], found["batches"]) == (True, 3, 2)


async def test_a_batch_that_is_remembered_and_gone_is_said_to_be_so(served: Served, owner: Database) -> None:
    first, second = (f"{n}:{sha.hex()}" for n, sha in enumerate(columns(
        served, "SELECT sha256 FROM audit_batch WHERE vo = 1 AND number <= 2 ORDER BY number"), 1))  # fmt: skip
    await drop(served, owner)

    found = await verify(served, first)
    assert (found["intact"], found["why"]) == (False, "Batch 1, which is remembered, was dropped, with all up to 2.")
    assert (await verify(served, second))["intact"]
    found = await verify(served, f"2:{'0' * 64}")
    assert (found["intact"], found["why"]) == (False, "Batch 2 is not the one that is remembered.")


TAMPERING: dict[str, tuple[LiteralString, int, str]] = {
    "a row behind the gap": (
        "UPDATE audit_row SET account = 'bob' WHERE thing = 'did:mc:d2.1' AND vo = 1", 3, "rows of batch 3",
    ),
    "another hash for what is gone": (
        "UPDATE audit_gap SET sha256 = sha256(sha256)", 3, "rows of batch 3",
    ),
    "a batch more that is gone": ("DELETE FROM audit_batch WHERE number = 3 AND vo = 1", 3, "Batch 3 is missing"),
    "no word of the gap": ("DELETE FROM audit_gap", 1, "Batch 1 is missing"),
    "a gap where batches are": ("UPDATE audit_gap SET number = 3", 3, "is there, and was dropped"),
}  # fmt: skip


@pytest.mark.parametrize("how", TAMPERING)
async def test_tampering_behind_a_gap_or_with_it_is_found(served: Served, owner: Database, how: str) -> None:
    statement, broken, why = TAMPERING[how]
    await drop(served, owner)
    tamper(served, statement)

    found = await verify(served)

    assert (found["intact"], found["broken"]) == (False, broken), found
    assert why in found["why"]


async def test_the_servers_role_drops_nothing_and_opens_no_gap_over_what_is_there(
    served: Served, owner: Database
) -> None:
    with pytest.raises(InsufficientPrivilege):
        await drop(served, served.deployment.database)
    assert (await verify(served))["dropped"] == 0

    async with served.deployment.database.transaction([1]) as conn:
        await conn.execute("INSERT INTO audit_gap SELECT vo, number, last_id, now(), sha256 FROM audit_batch")
    found = await verify(served)
    assert (found["intact"], found["broken"]) == (False, 1)


async def test_two_who_drop_at_once_drop_once(served: Served, owner: Database) -> None:
    done = await asyncio.gather(*(drop(served, owner) for _ in range(4)))

    assert sorted(each.rows for each in done if each is not None) == [6]
    assert (await verify(served))["intact"]


async def test_the_verb_drops_what_is_older_than_the_setting_says(served: Served, owner: Database) -> None:
    del owner

    async def sancho(**variables: str) -> Result:
        runner = CliRunner(env={"SANCHO_DATABASE_URL": served.url, **variables})
        return await asyncio.to_thread(runner.invoke, main.command_line(), ["drop-audit", "--json"])

    keep, url = {"SANCHO_AUDIT_KEEP": "P365D"}, {"SANCHO_MIGRATION_DATABASE_URL": served.owner_url}
    for lacking, said in ((url, "SANCHO_AUDIT_KEEP"), (keep, "SANCHO_MIGRATION_DATABASE_URL")):
        refused = await sancho(**lacking)
        assert (refused.exit_code, said in refused.output) == (2, True), refused.output
    assert (await verify(served))["dropped"] == 0

    for expected in ([("belle", 2, 6)], []):
        done = await sancho(**keep, **url)
        assert done.exit_code == 0, done.output
        assert [(d["vo"], d["batches"], d["rows"]) for d in json.loads(done.output)["dropped"]] == expected
    assert (await verify(served))["dropped"] == 2
