"""Rucio's client in Python says how long DIDs live, brings them back, and makes collections with all that goes in."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sancho.rules.tasks import erase
from tests.compat.rucio_client import Online, PythonClient
from tests.compat.rucio_given import named, names, refused, registered

pytestmark = pytest.mark.xdist_group("rucio_lives")  # one server for all


async def ends(client: PythonClient, name: str) -> timedelta | None:
    """How long a DID of scope `mc` is there still."""
    at = (await client.call("get_did", "mc", name))["expired_at"]
    return None if at is None else datetime.fromisoformat(at).replace(tzinfo=UTC) - datetime.now(UTC)


async def test_a_lifetime_is_set_in_every_way_that_clients_know_and_taken_back(alice: PythonClient) -> None:
    day, hour = timedelta(days=1), timedelta(hours=1)
    assert await alice.call("add_dataset", "mc", "life/d", lifetime=86400) is True
    left = await ends(alice, "life/d")
    assert left is not None
    assert day - hour < left <= day

    ways: list[tuple[str, list[Any]]] = [
        ("set_metadata", ["mc", "life/d", "lifetime", None]),
        ("resurrect", [named("life/d")]),
    ]
    for method, said in ways:
        assert await alice.call("set_metadata", "mc", "life/d", "lifetime", 86400) is True
        assert await ends(alice, "life/d") is not None
        assert await alice.call(method, *said) is True
        assert await ends(alice, "life/d") is None
    assert await alice.call("set_status", "mc", "life/d", lifetime=3600) is True
    assert await ends(alice, "life/d") is not None
    assert (await alice.call("get_metadata", "mc", "life/d"))["expired_at"] is not None
    assert await alice.call("set_status", "mc", "life/d", lifetime=None) is True
    assert await ends(alice, "life/d") is None


async def test_what_has_ended_is_not_listed_and_then_not_there(rucio: Online, alice: PythonClient) -> None:
    await registered(rucio, "gone/a")
    await alice.call("add_dataset", "mc", "gone/d", files=named("gone/a"))
    await alice.call("add_dataset", "mc", "gone/e", lifetime=3600)
    find = ("list_dids", "mc", {"name": "gone/*"})
    assert await alice.call(*find) == ["gone/d", "gone/e"]

    await alice.call("set_metadata", "mc", "gone/d", "lifetime", 0)
    assert await alice.call(*find) == ["gone/e"]
    await asyncio.gather(erase(rucio.deployment), erase(rucio.deployment))
    assert (await refused(alice, "get_did", "mc", "gone/d"))[0] == "DataIdentifierNotFound"
    assert (await refused(alice, "resurrect", named("gone/d")))[0] == "DataIdentifierNotFound"
    assert (await refused(alice, "add_dataset", "mc", "gone/d"))[0] == "DataIdentifierAlreadyExists"
    assert (await alice.call("get_did", "mc", "gone/a"))["account"] == "root"  # root's file stays


async def test_what_cannot_be_said_of_a_life_is_refused(alice: PythonClient, root: PythonClient) -> None:
    await root.call("add_dataset", "mc", "bad/root")
    await alice.call("add_dataset", "mc", "bad/d")
    for value in (-1, "long", 1e300):
        assert (await refused(alice, "set_metadata", "mc", "bad/d", "lifetime", value))[0] == "InputValidationError"
        assert (await refused(alice, "add_dataset", "mc", "bad/e", lifetime=value))[0] == "InputValidationError"
    assert (await refused(alice, "set_metadata", "mc", "bad/root", "lifetime", 60))[0] == "AccessDenied"
    assert (await refused(alice, "set_metadata", "mc", "bad/no", "lifetime", 60))[0] == "DataIdentifierNotFound"
    assert (await refused(alice, "resurrect", named("bad/d", "bad/no")))[0] == "DataIdentifierNotFound"
    for status in ({"lifetime": "x"}, {"open": 1}, {"monotonic": False}, {"new": True}, {}):
        kind, said = await refused(alice, "set_status", "mc", "bad/d", **status)
        assert (kind, next(iter(status), "at all") in said) == ("UnsupportedStatus", True)
    assert await ends(alice, "bad/d") is None


async def test_a_collection_that_only_grows_gives_nothing_back(rucio: Online, alice: PythonClient) -> None:
    await registered(rucio, "mono/a", "mono/b")
    await alice.call("add_dataset", "mc", "mono/d", statuses={"monotonic": True}, files=named("mono/a"))
    await alice.call("add_dataset", "mc", "mono/e", files=named("mono/a"))
    assert (await alice.call("get_did", "mc", "mono/d"))["monotonic"] is True
    assert (await alice.call("get_metadata", "mc", "mono/d"))["monotonic"] is True
    assert await alice.call("set_status", "mc", "mono/e", monotonic=True) is True

    for name in ("mono/d", "mono/e"):
        kind, said = await refused(alice, "detach_dids", "mc", name, named("mono/a"))
        assert (kind, f"mc:{name} only grows" in said) == ("UnsupportedOperation", True)
        assert await alice.call("attach_dids", "mc", name, named("mono/b")) is True


async def test_a_collection_is_made_with_its_files_rules_and_life_in_one_go(rucio: Online, root: PythonClient) -> None:
    await registered(rucio, "all/a")
    files = [{**named("all/a")[0], "bytes": 10}, {**named("all/b")[0], "bytes": 5, "adler32": "00000001"}]
    rules = [{"copies": 1, "rse_expression": "B-DISK", "lifetime": 60}]
    assert await root.call(
        "add_dataset", "mc", "all/d", {"monotonic": True}, None, rules, 600, files, "A-DISK"
    )  # fmt: skip
    assert sorted(names(await root.call("list_files", "mc", "all/d"))) == ["all/a", "all/b"]
    assert [r["rse_expression"] for r in await root.call("list_did_rules", "mc", "all/d")] == ["B-DISK"]
    [b] = await root.call("list_replicas", named("all/b"))
    assert list(b["rses"]) == ["A-DISK"]
    assert await ends(root, "all/d") is not None
    more = [{**named("all/c")[0], "bytes": 1}]
    assert await root.call("attach_dids", "mc", "all/d", more, rse="A-DISK") is True
    assert await root.call("attach_dids_to_dids", [{**named("all/d")[0], "rse": "A-DISK", "dids": more}], True) is True


async def test_one_fault_in_a_new_collection_leaves_nothing(alice: PythonClient, root: PythonClient) -> None:
    file = {**named("part/x")[0], "bytes": 1}
    for client, more, kind in (
        (root, {"files": named("part/x"), "rse": "A-DISK"}, "InputValidationError"),
        (root, {"files": [file], "rse": "NO-DISK"}, "RSENotFound"),
        (alice, {"files": [file], "rse": "A-DISK"}, "AccessDenied"),
        (root, {"files": [file], "rse": "A-DISK", "rules": [{"copies": 9, "rse_expression": "A-DISK"}]},
         "InsufficientTargetRSEs"),
        (root, {"rules": [{"copies": 1, "rse_expression": "nothing"}]}, "InvalidRSEExpression"),
        (root, {"rules": [{"copies": 1, "rse_expression": "A-DISK", "account": "bob"}]}, "AccessDenied"),
        (root, {"rules": [{"copies": 1}]}, "InputValidationError"),
        (root, {"rules": [{"copies": 1, "rse_expression": "A-DISK"}] * 101}, "UnsupportedOperation"),
    ):  # fmt: skip
        assert (await refused(client, "add_dataset", "mc", "part/d", **more))[0] == kind, more
    for name in ("part/d", "part/x"):
        assert (await refused(root, "get_did", "mc", name))[0] == "DataIdentifierNotFound"


async def test_what_was_taken_out_is_history(rucio: Online, alice: PythonClient, gridpp: PythonClient) -> None:
    await registered(rucio, "hist/a", "hist/b")
    await alice.call("add_dataset", "mc", "hist/d", files=named("hist/a", "hist/b"))
    assert await alice.call("list_content_history", "mc", "hist/d") == []
    await alice.call("detach_dids", "mc", "hist/d", named("hist/a"))

    [gone] = await alice.call("list_content_history", "mc", "hist/d")
    assert (gone["name"], gone["type"], gone["bytes"]) == ("hist/a", "FILE", 10)
    assert gone["created_at"] <= gone["deleted_at"]
    assert (await refused(alice, "list_content_history", "mc", "hist/no"))[0] == "DataIdentifierNotFound"
    assert (await refused(gridpp, "list_content_history", "mc", "hist/d"))[0] == "DataIdentifierNotFound"


async def test_a_sample_is_a_dataset_of_some_files(rucio: Online, alice: PythonClient) -> None:
    await registered(rucio, "samp/a", "samp/b", "samp/c")
    await alice.call("add_dataset", "mc", "samp/d", files=named("samp/a", "samp/b", "samp/c"))
    await alice.call("add_container", "mc", "samp/box")
    await alice.call("attach_dids", "mc", "samp/box", named("samp/d"))

    assert await alice.call("create_did_sample", "mc", "samp/box", "mc", "samp/two", 2) is True
    found = names(await alice.call("list_files", "mc", "samp/two"))
    assert len(found) == 2
    assert set(found) < {"samp/a", "samp/b", "samp/c"}
    assert await alice.call("create_did_sample", "mc", "samp/d", "mc", "samp/all", 9) is True
    assert len(await alice.call("list_files", "mc", "samp/all")) == 3
    for source, into, number, kind in (
        ("samp/no", "samp/x", 1, "DataIdentifierNotFound"),
        ("samp/d", "samp/two", 1, "DataIdentifierAlreadyExists"),
        ("samp/d", "samp/x", 0, "InputValidationError"),
        ("samp/d", "samp/x", "many", "InputValidationError"),
    ):
        assert (await refused(alice, "create_did_sample", "mc", source, "mc", into, number))[0] == kind
