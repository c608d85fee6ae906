"""Keys, and what DIDs say by them."""

import asyncio
from typing import Any

import pytest

from sancho.dids import service
from sancho.dids.errors import (
    DidNotFound,
    MetadataKeyInUse,
    MetadataKeyInvalid,
    MetadataKeyUnknown,
    MetadataMissing,
    MetadataUnfit,
)
from sancho.dids.model import DidKind
from sancho.kit.access import NotYours
from sancho.kit.db import Connection, Database, fetch_values
from sancho.vos.errors import DocumentInvalid
from tests.dids.given import deferred, given_collection, given_files, person
from tests.dids.metadata_given import KEYS, apply, found, said, say
from tests.dids.waiting import until_one_waits
from tests.world import World


async def test_a_did_says_what_it_was_told_and_forgets(conn: Connection, world: World) -> None:
    await apply(conn, world, **KEYS)
    await given_files(conn, world, "a", "b")
    await say(conn, world, "a", run=7, stream="physics", detector=["ecl", "top", "ecl"], good=True)
    await say(conn, world, "a", run=8, stream=None, taken_at="2026-05-01 12:00:00+02:00")
    assert await said(conn, world, "a") == {
        "run": 8, "detector": ["ecl", "top"], "good": True, "taken_at": "2026-05-01T10:00:00+00:00",
    }  # fmt: skip
    assert await said(conn, world, "b") == {}

    alice = person(world, "alice")
    await service.forget(conn, alice, "mc:a", "detector")
    assert await found(conn, world, "detector exists") == []
    with pytest.raises(MetadataMissing, match="mc:a says nothing of detector"):
        await service.forget(conn, alice, "mc:a", "detector")


async def test_text_is_read_as_what_a_key_needs(conn: Connection, world: World) -> None:
    await apply(conn, world, **KEYS)
    await given_files(conn, world, "a")
    await say(conn, world, "a", run="12", energy="1.5e3", good="true", detector="ecl,top", weights="1, 2.5")
    assert await said(conn, world, "a") == {
        "run": 12, "energy": 1500, "good": True, "detector": ["ecl", "top"], "weights": [1, 2.5],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("run", "x", "it is not a whole number"),
        ("run", 1.5, "it is not a whole number"),
        ("run", True, "it is not a whole number"),
        ("run", 2**60, "it is not a whole number"),
        ("run", 0, "it is less than 1"),
        ("run", 10**10, "it is more than 1e\\+09"),
        ("energy", "nan", "it is not a number"),
        ("energy", float("inf"), "it is not a number"),
        ("energy", 10**400, "it is not a number"),
        ("energy", [1], "it is not a number"),
        ("stream", "muons", "it is not one of physics, cosmics"),
        ("stream", 7, "it is not a text"),
        ("stream", "", "it is not a text"),
        ("campaign", "MC1x", "it does not match"),
        ("trigger", "x" * 501, "it is longer than 500"),
        ("trigger", "a\0b", "it is not a text"),
        ("good", "yes", "it is not true or false"),
        ("good", 1, "it is not true or false"),
        ("taken_at", "tomorrow", "it is not a time"),
        ("taken_at", 7, "it is not a time"),
        ("detector", [], "it needs 1 to 100 values"),
        ("detector", ["x"] * 101, "it needs 1 to 100 values"),
        ("detector", ["ecl", 7], "it is not a text"),
        ("detector", {"a": 1}, "it is not a text"),
        ("weights", [1, "x"], "it is not a number"),
        ("title", "x", "it is for a dataset, and this is a file"),
    ],
)
async def test_what_cannot_be_said_names_did_and_key_and_nothing_is(
    conn: Connection, world: World, key: str, value: Any, reason: str
) -> None:
    await apply(conn, world, **KEYS)
    await given_files(conn, world, "a", "b")
    alice = person(world, "alice")
    with pytest.raises(MetadataUnfit, match=f"{key} of mc:b cannot be .*: {reason}") as caught:
        await service.describe(conn, alice, [("mc:a", {"run": 5}), ("mc:b", {"seed": 1, key: value})])
    assert caught.value.field == f"dids.1.metadata.{key}"
    assert await said(conn, world, "a") == {}


async def test_a_key_must_be_known_and_a_did_ones_own(conn: Connection, world: World) -> None:
    await apply(conn, world, **KEYS)
    await apply(conn, world, "gridpp", theirs={"kind": "text"})
    await given_files(conn, world, "a")
    with pytest.raises(
        MetadataKeyUnknown, match="mc:a cannot say detectr: there is no such key; did you mean detector"
    ):
        await say(conn, world, "a", detectr="ecl")
    with pytest.raises(MetadataKeyUnknown, match="mc:a cannot say theirs: there is no such key\\."):
        await say(conn, world, "a", theirs="x")
    with pytest.raises(NotYours, match="mc:a belongs to account alice"):
        await say(conn, world, "a", account="bob", run=1)
    with pytest.raises(DidNotFound):
        await say(conn, world, "none", run=1)
    assert [key.name for key in await service.list_keys(conn, world.belle)] == sorted(KEYS)


async def test_many_dids_are_told_in_a_few_statements(conn: Connection, world: World) -> None:
    await apply(conn, world, **KEYS)
    names = [f"f{n:03}" for n in range(300)]
    await given_files(conn, world, *names)
    saying = [(f"mc:{name}", {"run": n + 1, "detector": [f"d{n % 3}"]}) for n, name in enumerate(names)]
    await service.describe(conn, person(world, "alice"), saying)
    assert await found(conn, world, "run > 298") == ["f298", "f299"]
    assert len(await found(conn, world, "detector contains d1")) == 100
    twice = [("mc:f000", {"run": 1000, "good": True}), ("mc:f000", {"run": 1001})]
    await service.describe(conn, person(world, "alice"), twice)
    assert await said(conn, world, "f000") == {"run": 1001, "good": True, "detector": ["d0"]}


# ---- keys


async def test_a_key_in_use_keeps_its_kind_and_stays(conn: Connection, world: World) -> None:
    await apply(conn, world, **KEYS)
    await given_files(conn, world, "a")
    await say(conn, world, "a", run=7, detector="ecl", seed=1)
    for name, kind in (("run", "text"), ("detector", "text"), ("seed", "text")):
        with pytest.raises(MetadataKeyInUse, match=f"Key {name} cannot be of another kind: DIDs carry it"):
            await apply(conn, world, **{name: {"kind": kind}})
        with pytest.raises(MetadataKeyInUse, match=f"Key {name} cannot be removed: DIDs carry it"):
            await apply(conn, world, **{name: None})
    await apply(conn, world, run={"kind": "integer", "maximum": 5}, energy={"kind": "text"})
    assert await said(conn, world, "a") == {"run": 7, "detector": ["ecl"], "seed": 1}
    await say(conn, world, "a", run=None, detector=None, seed=None)
    await apply(conn, world, run={"kind": "text"}, detector=None, seed=None)


async def test_eight_keys_are_indexed_and_one_more_when_there_is_room(conn: Connection, world: World) -> None:
    keys = {f"k{n}": {"kind": "integer"} for n in range(9)}
    await apply(conn, world, **keys)
    await given_files(conn, world, "a", "b")
    await say(conn, world, "a", k0=1, k8=8)
    slots = {key.name: key.slot for key in await service.list_keys(conn, world.belle)}
    assert (slots["k0"], slots["k8"], len(set(slots.values()))) == (1, None, 9)
    assert await found(conn, world, "k8 = 8", scope="mc") == ["a"]

    await apply(conn, world, k0={"kind": "integer", "indexed": False})
    slots = {key.name: key.slot for key in await service.list_keys(conn, world.belle)}
    assert (slots["k0"], slots["k8"]) == (None, 1)
    assert await found(conn, world, "k8 = 8") == ["a"]
    assert await found(conn, world, "k0 = 1", scope="mc") == ["a"]
    await apply(conn, world, k1=None)
    await apply(conn, world, k0={"kind": "integer", "indexed": True})
    assert await found(conn, world, "k0 = 1 & k8 = 8") == ["a"]
    assert await found(conn, world, "k2 exists") == []


async def test_who_changes_keys_waits_for_who_writes(database: Database, world: World) -> None:
    async with database.transaction([world.belle, world.gridpp]) as conn:
        await apply(conn, world, run={"kind": "integer", "indexed": False})
        await given_files(conn, world, "a")

    async def give_slot() -> None:
        async with database.transaction([world.belle]) as conn:
            await apply(conn, world, run={"kind": "integer"})

    async with database.transaction([world.belle]) as conn:
        await say(conn, world, "a", run=7)
        giving = asyncio.create_task(give_slot())
        await until_one_waits(database)
    await giving
    async with database.transaction([world.belle]) as conn:
        assert await found(conn, world, "run = 7") == ["a"]


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"kind": "integer", "pattern": "x"}, "only texts have"),
        ({"kind": "text", "minimum": 1}, "only integers and numbers"),
        ({"kind": "number", "minimum": 2, "maximum": 1}, "the minimum is above"),
        ({"kind": "text", "pattern": "("}, "no regular expression"),
        ({"kind": "text", "pattern": "(a)\\1"}, "no regular expression"),
        ({"kind": "json"}, "kind"),
        ({"kind": "text", "dids": []}, "dids"),
    ],
)
async def test_a_key_that_makes_no_sense_is_refused(
    conn: Connection, world: World, spec: dict[str, Any], reason: str
) -> None:
    with pytest.raises(DocumentInvalid, match=reason):
        await apply(conn, world, key=spec)


async def test_a_key_has_a_name_of_its_own(conn: Connection, world: World) -> None:
    with pytest.raises(MetadataKeyInvalid, match="every DID has something of this name"):
        await apply(conn, world, size={"kind": "integer"})
    with pytest.raises(DocumentInvalid):
        await apply(conn, world, **{"a.b": {"kind": "integer"}})


# ---- inheritance


async def test_what_is_nearest_counts_and_of_equally_near_the_oldest(conn: Connection, world: World) -> None:
    await apply(conn, world, **KEYS)
    (a,) = await given_files(conn, world, "a")
    older, newer = await given_collection(conn, world, "older"), await given_collection(conn, world, "newer")
    top = await given_collection(conn, world, "top", DidKind.CONTAINER)
    for dataset in (older, newer):
        await service.attach(conn, world.belle, dataset, [a])
    await service.attach(conn, world.belle, top, [newer])
    await say(conn, world, "top", run=1, campaign="MC1", stream="physics")
    await say(conn, world, "newer", run=2, energy=2)
    await say(conn, world, "older", run=3, title="old")
    assert await said(conn, world, "a") == {}
    assert await said(conn, world, "a", inherit=True) == {
        "run": 3, "campaign": "MC1", "stream": "physics", "energy": 2, "title": "old",
    }  # fmt: skip
    await say(conn, world, "a", run=4)
    assert (await said(conn, world, "a", inherit=True))["run"] == 4
    assert await said(conn, world, "newer", inherit=True) == {
        "run": 2, "campaign": "MC1", "stream": "physics", "energy": 2
    }  # fmt: skip


async def test_all_that_is_below_says_it_however_much_it_is(conn: Connection, world: World) -> None:
    """More than one part of the list that is read meanwhile."""
    await apply(conn, world, **KEYS)
    names = [f"many/{n}" for n in range(2500)]
    ids = await given_files(conn, world, *names)
    await service.attach(conn, world.belle, await given_collection(conn, world, "many"), ids)
    await service.describe_below(conn, person(world, "alice"), [("mc:many", {"run": 7})])
    told = await service.descriptions(conn, world.belle, [f"mc:{name}" for name in names])
    assert [one.document for one in told] == [{"run": 7}] * len(names)
    with pytest.raises(MetadataUnfit):
        await service.describe_below(conn, person(world, "alice"), [("mc:many", {"run": "x"})])


@pytest.fixture
async def wide(conn: Connection, world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A container of a dataset of seven files of alice, where three are many; the names of all that is below it."""
    monkeypatch.setattr("sancho.dids.service.metadata.AT_ONCE", 3)
    await apply(conn, world, **KEYS)
    names = [f"wide/{n}" for n in range(7)]
    ids = await given_files(conn, world, *names)
    dataset = await given_collection(conn, world, "wide")
    await service.attach(conn, world.belle, dataset, ids)
    await service.attach(conn, world.belle, await given_collection(conn, world, "box", DidKind.CONTAINER), [dataset])
    return ["wide", *names]


async def do_parts(conn: Connection) -> int:
    """Do as the worker does, until all of it is said; how many transactions that takes."""
    done = 0
    while len(waiting := await deferred(conn, "dids:describe_below")) > done:
        args: dict[str, Any] = waiting[done]
        pairs, behind = [(one, other) for one, other in args.pop("owners")], args.pop("behind")
        await service.describe_part(conn, **args, owners=pairs, after=behind)
        done += 1
    return done


async def test_what_is_much_says_it_in_the_background_part_by_part(
    conn: Connection, world: World, wide: list[str]
) -> None:
    await service.describe_below(conn, person(world, "alice"), [("mc:box", {"run": 7, "detector": ["ecl"]})])
    assert await said(conn, world, "wide/0") == {}

    assert await do_parts(conn) == 3

    told = await service.descriptions(conn, world.belle, [f"mc:{name}" for name in wide])
    assert [one.document for one in told] == [{"run": 7, "detector": ["ecl"]}] * len(wide)
    assert sorted(await found(conn, world, "run = 7 & detector contains ecl")) == sorted(wide)
    turns = await fetch_values(conn, "SELECT DISTINCT lock FROM procrastinate_jobs WHERE lock IS NOT NULL")
    box = (await service.get(conn, world.belle, "mc:box")).did_id
    assert turns == [f"dids:describe:{world.belle}:{box}"]


async def test_that_it_may_be_said_of_much_is_known_at_once(conn: Connection, world: World, wide: list[str]) -> None:
    with pytest.raises(MetadataUnfit):
        await service.describe_below(conn, person(world, "alice"), [("mc:box", {"run": "x"})])
    with pytest.raises(MetadataUnfit, match="and this is a file"):
        await service.describe_below(conn, person(world, "alice"), [("mc:wide", {"title": "of datasets"})])
    with pytest.raises(NotYours):
        await service.describe_below(conn, person(world, "bob"), [("mc:box", {"run": 7})])
    await service.describe_below(conn, person(world, "bob", "dids:manage"), [("mc:box", {"run": 8})])

    await conn.execute("UPDATE did SET account_id = %s WHERE name = 'wide/0'", [world.account[world.belle, "bob"]])
    await apply(conn, world, run=None)
    assert await do_parts(conn) == 3
    assert {one for name in wide if (one := (await said(conn, world, name)).get("run"))} == set()


async def test_what_has_changed_hands_meanwhile_says_nothing(conn: Connection, world: World, wide: list[str]) -> None:
    await service.describe_below(conn, person(world, "alice"), [("mc:box", {"run": 7})])
    await conn.execute("UPDATE did SET account_id = %s WHERE name = 'wide/0'", [world.account[world.belle, "bob"]])
    await do_parts(conn)
    assert [(await said(conn, world, name)).get("run") for name in wide] == [7, None, *[7] * 6]
