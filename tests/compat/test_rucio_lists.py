"""Rucio's client in Python lists, searches and describes DIDs, and so does its command."""

from typing import Any

import pytest

from tests.compat.rucio_client import Online, PythonClient
from tests.compat.rucio_given import given_tree, named, names, refused, registered
from tests.identity.helpers import PASSWORD

pytestmark = pytest.mark.xdist_group("rucio_lists")  # one server for all


async def test_contents_files_and_parents_are_listed(rucio: Online, alice: PythonClient) -> None:
    await given_tree(rucio, alice, "tree")

    (first, _) = await alice.call("list_content", "mc", "tree/d")
    assert first == {**named("tree/a")[0], "type": "FILE", "bytes": 10, "adler32": "0000000a", "md5": None}
    files = await alice.call("list_files", "mc", "tree/c")
    assert names(files) == ["tree/a", "tree/b"]
    assert files[0] == {
        **named("tree/a")[0], "bytes": 10, "adler32": "0000000a", "guid": None, "events": None
    }  # fmt: skip
    assert (await alice.call("list_files", "mc", "tree/a", long=True))[0]["lumiblocknr"] is None
    below = await alice.call("bulk_list_files", named("tree/cc", "tree/e", "tree/none", "tree/b", "tree/cc"))
    assert sorted((one["parent_name"], one["name"]) for one in below) == [
        ("tree/b", "tree/b"), ("tree/cc", "tree/a"), ("tree/cc", "tree/b"), ("tree/e", "tree/b"),
    ]  # fmt: skip
    assert await alice.call("list_parent_dids", "mc", "tree/b") == [
        {**named("tree/d")[0], "type": "DATASET"}, {**named("tree/e")[0], "type": "DATASET"},
    ]  # fmt: skip
    for method in ("list_content", "list_files", "list_parent_dids"):
        assert (await refused(alice, method, "mc", "tree/none"))[0] == "DataIdentifierNotFound"
    assert (await refused(alice, "bulk_list_files", named("a//b")))[0] == "InvalidObject"
    assert (await refused(alice, "bulk_list_files", named(*map(str, range(1001)))))[0] == "InvalidObject"


async def test_a_scope_is_listed_from_its_tops_down(rucio: Online, alice: PythonClient, root: PythonClient) -> None:
    await given_tree(rucio, alice, "scope")
    tops = {one["name"]: one for one in await alice.call("scope_list", "mc")}
    assert tops["scope/c"] == {**named("scope/c")[0], "type": "CONTAINER", "parent": None, "level": 0, "bytes": None}
    assert "scope/cc" not in tops
    everything = await alice.call("scope_list", "mc", recursive=True)
    assert {"scope/c", "scope/cc", "scope/d", "scope/a"} <= set(names(everything))

    assert set(names(await alice.call("scope_list", "mc", name="scope/c"))) == {"scope/cc", "scope/e"}
    below = await alice.call("scope_list", "mc", name="scope/c", recursive=True)
    assert [one["level"] for one in below] == [1, 1, 2, 2, 3, 3]
    assert sorted((one["level"], one["parent"]["name"], one["name"]) for one in below) == [
        (1, "scope/c", "scope/cc"), (1, "scope/c", "scope/e"), (2, "scope/cc", "scope/d"), (2, "scope/e", "scope/b"),
        (3, "scope/d", "scope/a"), (3, "scope/d", "scope/b"),
    ]  # fmt: skip
    await root.call("add_scope", "root", "empty")
    assert await alice.call("scope_list", "empty") == []
    assert (await refused(alice, "scope_list", "none"))[0] == "ScopeNotFound"
    assert (await refused(alice, "scope_list", "mc", name="none"))[0] == "DataIdentifierNotFound"


async def test_dids_are_found_by_patterns_and_by_what_they_are(rucio: Online, alice: PythonClient) -> None:
    await given_tree(rucio, alice, "find")
    await alice.call("close", "mc", "find/d")

    async def found(filters: Any, **more: Any) -> list[str]:
        return await alice.call("list_dids", "mc", filters, **more)

    assert await found([{"name": "find/*"}]) == ["find/c", "find/cc", "find/d", "find/e"]
    assert await found({"name": "find/*"}, did_type="dataset") == ["find/d", "find/e"]
    assert await found([{"name": "f*d/c*"}], did_type="container") == ["find/c", "find/cc"]
    assert await found([{"name": "find/_"}], did_type="all") == []
    assert await found([{"name": "find/*", "bytes.gt": "10"}], did_type="file") == ["find/b"]
    assert await found([{"name": "find/a"}, {"name": "find/b"}], did_type="all") == ["find/a", "find/b"]
    assert await found([{"name": "find/*", "name.ne": "*c*"}]) == ["find/d", "find/e"]
    assert await found([{"name": "find/*", "is_open": False}]) == ["find/d"]
    assert await found([{"name": "find/*", "account": "bob"}]) == []
    assert await found([{"name": "find/*", "adler32": "0000000a", "bytes.lte": 10}], did_type="file") == ["find/a"]
    assert await found([{"name": "find/*", "created_before": "Sun, 22 Nov 2020 15:29:15 UTC"}]) == []
    assert await found([{"name": "find/e", "created_after": "2020-11-22T15:29:15"}]) == ["find/e"]
    assert await found([{"name": "find/cc"}], did_type="all", recursive=True) == [
        "find/cc", "find/d", "find/a", "find/b"
    ]  # fmt: skip
    everything = await alice.call("list_dids", "mc", [{"name": "find/*"}], did_type="all", long=True)
    long = {one["name"]: one for one in everything}
    assert long["find/d"] == {**named("find/d")[0], "did_type": "DATASET", "bytes": 30, "length": 2}
    assert (long["find/e"]["bytes"], long["find/b"]["bytes"]) == (None, 20)


async def test_filters_that_are_not_understood_are_refused(alice: PythonClient) -> None:
    for filters, word in (
        ([{"colour": "red"}], "colour"),
        ([{"updated_at.gt": 3}], "updated_at"),
        ([{"is_open.gt": "true"}], "with >"),
        ([{"name.like": "a"}], "operator"),
        ([{"name": 7}], "name cannot be"),
        ([{"name": "\x00"}], "name cannot be"),
        ([{"name": "\ud800"}], "name cannot be"),
        ([{"bytes": "many"}], "no integer, as total_size"),
        ([{"bytes": 2**63}], "no integer, as total_size"),
        ([{"created_at": "yesterday"}], "created_at cannot be"),
        ([{"is_open": "perhaps"}], "is_open cannot be"),
        ([{"adler32": "0000000A"}], "no word, as adler32"),
        ([{}] * 51, "more than 50"),
    ):
        kind, said = await refused(alice, "list_dids", "mc", filters)
        assert (kind, word in said) == ("InvalidObject", True), (filters, said)
    assert (await refused(alice, "list_dids", "none", [{"name": "*"}]))[0] == "ScopeNotFound"
    assert (await refused(alice, "list_dids", "mc", [{}], did_type="archive"))[0] == "InputValidationError"


async def test_metadata_is_what_every_did_has(rucio: Online, alice: PythonClient) -> None:
    await given_tree(rucio, alice, "meta")
    known = await alice.call("get_metadata", "mc", "meta/b")
    assert (known["did_type"], known["bytes"], known["adler32"]) == ("FILE", 20, "0000000a")
    assert (known["account"], known["guid"], known["created_at"][:2]) == ("root", None, "20")
    assert (await alice.call("get_metadata", "mc", "meta/d", plugin="ALL"))["is_open"] is True
    many = await alice.call("get_metadata_bulk", named("meta/a", "meta/none", "meta/c"))
    assert sorted(names(many)) == ["meta/a", "meta/c"]
    assert (await refused(alice, "get_metadata", "mc", "meta/none"))[0] == "DataIdentifierNotFound"
    assert await alice.call("get_metadata", "mc", "meta/a", plugin="JSON") == {}


async def test_statuses_that_do_not_exist_are_refused(alice: PythonClient) -> None:
    await alice.call("add_dataset", "mc", "status/d")
    assert (await refused(alice, "set_status", "mc", "status/d", colour="red"))[0] == "UnsupportedStatus"
    assert (await refused(alice, "set_status", "mc", "status/d", open="no"))[0] == "UnsupportedStatus"
    assert (await refused(alice, "set_status", "mc", "status/d"))[0] == "UnsupportedStatus"
    assert (await refused(alice, "close", "mc", "status/none"))[0] == "DataIdentifierNotFound"
    assert (await alice.call("get_did", "mc", "status/d"))["open"] is True


async def test_a_name_of_the_other_vo_is_not_seen(
    rucio: Online, alice: PythonClient, root: PythonClient, gridpp: PythonClient
) -> None:
    await given_tree(rucio, alice, "wall")
    await root.call("add_scope", "root", "secret")
    assert "secret" not in await gridpp.call("list_scopes")
    assert await gridpp.call("scope_list", "mc", recursive=True) == []
    assert await gridpp.call("list_dids", "mc", [{"name": "*"}], did_type="all") == []
    assert await gridpp.call("bulk_list_files", named("wall/c")) == []
    assert await gridpp.call("get_metadata_bulk", named("wall/c")) == []
    for method in ("get_did", "list_content", "list_files", "list_parent_dids", "get_metadata", "close"):
        assert (await refused(gridpp, method, "mc", "wall/d"))[0] == "DataIdentifierNotFound", method
    for method in ("attach_dids", "detach_dids"):
        assert (await refused(gridpp, method, "mc", "wall/d", named("wall/a")))[0] == "DataIdentifierNotFound", method
    assert await gridpp.call("add_dataset", "mc", "wall/d") is True
    assert (await refused(gridpp, "attach_dids", "mc", "wall/d", named("wall/a")))[0] == "DataIdentifierNotFound"
    assert names(await alice.call("list_content", "mc", "wall/d")) == ["wall/a", "wall/b"]


async def test_the_command_makes_fills_and_lists(rucio: Online, alice: PythonClient, gridpp: PythonClient) -> None:
    await gridpp.call("whoami")
    await registered(rucio, "cmd/a")
    mine = rucio.configure(auth_type="userpass", username="alice", password=PASSWORD)
    for arguments, word in (
        (("did", "add", "--type", "dataset", "mc:cmd/d"), "Added mc:cmd/d"),
        (("did", "content", "add", "--to-did", "mc:cmd/d", "mc:cmd/a"), "attached to mc:cmd/d"),
        (("did", "content", "list", "mc:cmd/d"), "mc:cmd/a"),
        (("did", "list", "mc:cmd/*"), "mc:cmd/d"),
        (("did", "show", "mc:cmd/d"), "DATASET"),
        (("did", "metadata", "list", "mc:cmd/a"), "0000000a"),
        (("did", "update", "--close", "mc:cmd/d"), "has been closed"),
        (("scope", "list"), "mc"),
        (("scope", "list", "--account", "root"), "mc"),
    ):
        code, said = await rucio.run(*arguments, environment=mine)
        assert (code, word in said) == (0, True), (arguments, said)
