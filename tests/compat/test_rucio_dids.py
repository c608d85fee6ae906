"""Rucio's client in Python makes, fills, lists and searches DIDs, and asks about scopes."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.compat.rucio_client import Online, PythonClient, Raised
from tests.identity.helpers import PASSWORD

pytestmark = pytest.mark.xdist_group("rucio_dids")  # one server for all


@pytest.fixture(scope="module")
async def root(rucio: Online, alice: PythonClient) -> PythonClient:
    """Rucio's client as the administrator of belle; alice's, which has read its configuration, stays."""
    await alice.call("whoami")
    await rucio.give_password(1, "root")
    return await rucio.python_client(account="root")


@pytest.fixture(scope="module")
async def gridpp(rucio: Online, root: PythonClient) -> PythonClient:
    """Rucio's client as alice of the other VO."""
    await root.call("whoami")
    await rucio.give_password(2, "alice")
    return await rucio.python_client(vo="gridpp")


async def registered(rucio: Online, *names: str) -> None:
    """Files in scope `mc`, of 10, 20, 30 … bytes."""
    files = [{"did": f"mc:{name}", "size": 10 * n, "adler32": "0000000a"} for n, name in enumerate(names, 1)]
    made = await rucio.send("POST", "/replicas", account="root", json={"rse": "A-DISK", "files": files})
    assert made.status_code == 201, made.text


def named(*names: str, scope: str = "mc") -> list[dict[str, Any]]:
    return [{"scope": scope, "name": name} for name in names]


def names(listed: Sequence[dict[str, Any]]) -> list[str]:
    return [one["name"] for one in listed]


async def refused(client: PythonClient, method: str, *arguments: Any, **more: Any) -> tuple[str, str]:
    """The class that a call raises, and its message."""
    with pytest.raises(Raised) as e:
        await client.call(method, *arguments, **more)
    return e.value.kind, str(e.value)


# ---- scopes


async def test_scopes_are_made_listed_and_given_away(alice: PythonClient, root: PythonClient) -> None:
    assert await root.call("add_scope", "alice", "user.alice") is True
    assert await alice.call("list_scopes_for_account", "alice") == ["user.alice"]
    assert set(await alice.call("list_scopes")) >= {"mc", "user.alice"}
    assert {"scope": "user.alice", "account": "alice"} in await alice.call("list_scope_owners")

    assert await root.call("update_scope", "bob", "user.alice") is True
    assert await alice.call("list_scopes_for_account", "bob") == ["user.alice"]
    assert (await refused(alice, "list_scopes_for_account", "alice"))[0] == "ScopeNotFound"
    assert (await refused(alice, "list_scopes_for_account", "nobody"))[0] == "AccountNotFound"


async def test_a_scope_that_cannot_be_made_is_named(alice: PythonClient, root: PythonClient) -> None:
    assert (await refused(alice, "add_scope", "alice", "mine"))[0] == "AccessDenied"
    assert (await refused(alice, "update_scope", "alice", "mc"))[0] == "AccessDenied"
    kind, said = await refused(root, "add_scope", "root", "mc")
    assert (kind, "Scope mc exists already." in said) == ("Duplicate", True)
    assert (await refused(root, "add_scope", "root", "No Good"))[0] == "InvalidObject"
    assert (await refused(root, "add_scope", "nobody", "fine"))[0] == "AccountNotFound"
    assert (await refused(root, "update_scope", "root", "none"))[0] == "ScopeNotFound"
    assert "fine" not in await root.call("list_scopes")


# ---- making and showing


async def test_a_collection_is_made_shown_and_closed(rucio: Online, alice: PythonClient) -> None:
    await registered(rucio, "show/a", "show/b")
    assert await alice.call("add_dataset", "mc", "show/d", statuses={"monotonic": False}) is True
    assert await alice.call("add_container", "mc", "show/c") is True
    assert await alice.call("add_files_to_dataset", "mc", "show/d", named("show/a", "show/b")) is True
    assert await alice.call("add_datasets_to_container", "mc", "show/c", named("show/d")) is True

    shown = await alice.call("get_did", "mc", "show/d")
    assert shown == {
        "scope": "mc", "name": "show/d", "type": "DATASET", "account": "alice", "open": True, "monotonic": False,
        "expired_at": None, "length": None, "bytes": None,
    }  # fmt: skip
    for depth in ("FILE", "DATASET"):
        counted = await alice.call("get_did", "mc", "show/c", dynamic_depth=depth)
        assert (counted["type"], counted["length"], counted["bytes"]) == ("CONTAINER", 2, 30)
    assert await alice.call("close", "mc", "show/d") is True
    closed = await alice.call("get_did", "mc", "show/d")
    assert (closed["open"], closed["length"], closed["bytes"]) == (False, 2, 30)
    assert await alice.call("set_status", "mc", "show/d", open=True) is True
    assert (await alice.call("get_did", "mc", "show/d"))["open"] is True
    file = await alice.call("get_did", "mc", "show/a")
    assert (file["type"], file["bytes"], file["length"], file["adler32"]) == ("FILE", 10, 1, "0000000a")


async def test_many_collections_are_made_with_what_is_in_them_or_none(rucio: Online, alice: PythonClient) -> None:
    await registered(rucio, "many/a")
    made = [{**one, "dids": named("many/a")} for one in named("many/1", "many/2")]
    assert await alice.call("add_datasets", made) is True
    assert await alice.call("add_containers", [{**named("many/3")[0], "dids": named("many/1", "many/2")}]) is True
    assert names(await alice.call("list_content", "mc", "many/3")) == ["many/1", "many/2"]

    kind, said = await refused(alice, "add_datasets", named("many/4", "many/1"))
    assert (kind, "DID mc:many/1 exists already." in said) == ("DataIdentifierAlreadyExists", True)
    assert (await refused(alice, "add_datasets", named("many/4", "many/4")))[0] == "DataIdentifierAlreadyExists"
    missing = {**named("many/4")[0], "dids": named("many/none")}
    assert "mc:many/none" in (await refused(alice, "add_datasets", [missing]))[1]
    assert (await refused(alice, "get_did", "mc", "many/4"))[0] == "DataIdentifierNotFound"
    assert await alice.call("add_dataset", "mc", "many/5", files=named("many/a")) is True
    assert names(await alice.call("list_files", "mc", "many/5")) == ["many/a"]


async def test_what_is_not_served_of_a_new_collection_is_refused_and_nothing_made(alice: PythonClient) -> None:
    for more, part in (
        ({"statuses": {"monotonic": True}}, "monotonic"),
        ({"meta": {"project": "x"}}, "meta"),
        ({"rules": [{"copies": 1}]}, "rules"),
        ({"lifetime": 60}, "lifetime"),
        ({"rse": "A-DISK"}, "rse"),
    ):
        kind, said = await refused(alice, "add_dataset", "mc", "part/d", **more)
        assert (kind, f"{part} of mc:part/d is not served here" in said) == ("UnsupportedOperation", True)
    assert (await refused(alice, "get_did", "mc", "part/d"))[0] == "DataIdentifierNotFound"


async def test_a_bad_name_is_named(alice: PythonClient, root: PythonClient) -> None:
    await root.call("add_scope", "root", "roots")
    for scope, name, kind in (
        ("none", "a", "ScopeNotFound"),
        ("mc", "a//b", "InvalidObject"),
        ("mc", "../a", "InvalidObject"),
        ("mc", "a b", "InvalidObject"),
        ("mc", "x" * 251, "InvalidObject"),
        ("mc", "x" * 301, "InputValidationError"),
        ("mc:x", "a", "InputValidationError"),
        ("roots", "a", "AccessDenied"),
    ):
        assert (await refused(alice, "add_dataset", scope, name))[0] == kind, (scope, name)
    assert (await refused(alice, "add_did", "mc", "f", "FILE"))[0] == "InputValidationError"
    assert await alice.call("add_dataset", "mc", "plus+minus#?%&") is True
    assert (await alice.call("get_did", "mc", "plus+minus#?%&"))["name"] == "plus+minus#?%&"


# ---- attaching


async def test_what_cannot_be_attached_is_named_and_nothing_is(rucio: Online, alice: PythonClient) -> None:
    await registered(rucio, "att/a", "att/b")
    await alice.call("add_datasets", named("att/d", "att/e", "att/closed"))
    await alice.call("add_containers", named("att/c", "att/cc"))
    await alice.call("attach_dids", "mc", "att/d", named("att/a"))
    await alice.call("add_containers_to_container", "mc", "att/c", named("att/cc"))
    await alice.call("close", "mc", "att/closed")

    async def said(name: str, dids: list[dict[str, Any]], **more: Any) -> str:
        kind, text = await refused(alice, "attach_dids", "mc", name, dids, **more)
        assert "att/" in text or "dids" in text or kind == "InvalidObject", text
        return kind

    assert await said("att/d", named("att/b", "att/a")) == "FileAlreadyExists"
    assert await said("att/d", named("att/b", "att/b")) == "FileAlreadyExists"
    assert await said("att/d", named("att/b", "att/none")) == "DataIdentifierNotFound"
    assert await said("att/d", named("att/b", "att/e")) == "UnsupportedOperation"
    assert await said("att/c", named("att/a")) == "UnsupportedOperation"
    assert await said("att/c", named("att/cc")) == "DuplicateContent"
    assert await said("att/c", named("att/c")) == "UnsupportedOperation"
    assert await said("att/cc", named("att/d", "att/c")) == "UnsupportedOperation"
    assert await said("att/a", named("att/b")) == "AccessDenied"
    assert await said("att/closed", named("att/b")) == "UnsupportedOperation"
    assert await said("att/d", [{**named("att/b")[0], "bytes": 1}]) == "FileConsistencyMismatch"
    assert await said("att/d", [{**named("att/b")[0], "adler32": "0000000b"}]) == "FileConsistencyMismatch"
    assert await said("att/d", [{**named("att/b")[0], "colour": "red"}]) == "InputValidationError"
    assert await said("att/d", [{"scope": "mc"}]) == "InputValidationError"
    assert await said("att/d", [{"scope": "mc", "name": 7}]) == "InputValidationError"
    assert await said("att/d", named("att/b"), rse="A-DISK") == "UnsupportedOperation"
    assert await said("att/d", named(*(f"att/{n}" for n in range(1001)))) == "InvalidObject"
    assert names(await alice.call("list_content", "mc", "att/d")) == ["att/a"]
    assert names(await alice.call("list_content", "mc", "att/c")) == ["att/cc"]
    assert names(await alice.call("list_content", "mc", "att/cc")) == []

    kind, text = await refused(alice, "detach_dids", "mc", "att/d", named("att/a", "att/b"))
    assert (kind, "mc:att/b is not in mc:att/d." in text) == ("DataIdentifierNotFound", True)
    assert (await refused(alice, "detach_dids", "mc", "att/d"))[0] == "InputValidationError"
    assert await alice.call("detach_dids", "mc", "att/d", named("att/a")) is True
    assert await alice.call("list_content", "mc", "att/d") == []


async def test_what_a_list_says_may_be_attached_as_it_is(rucio: Online, alice: PythonClient) -> None:
    await registered(rucio, "again/a")
    await alice.call("add_datasets", named("again/1", "again/2", "again/3"))
    await alice.call("attach_dids", "mc", "again/1", named("again/a"))
    assert await alice.call("attach_dids", "mc", "again/2", await alice.call("list_content", "mc", "again/1")) is True
    long = await alice.call("list_files", "mc", "again/1", long=True)
    assert await alice.call("attach_dids", "mc", "again/3", long) is True


async def test_many_are_attached_to_many_or_none(rucio: Online, alice: PythonClient) -> None:
    await registered(rucio, "to/a", "to/b", "to/c")
    await alice.call("add_datasets", named("to/1", "to/2"))
    await alice.call("add_containers", named("to/x", "to/y"))

    def attachment(name: str, *children: str) -> dict[str, Any]:
        return {**named(name)[0], "dids": named(*children)}

    both = [attachment("to/1", "to/a", "to/b"), attachment("to/2", "to/b")]
    assert await alice.call("add_files_to_datasets", both) is True
    assert (await refused(alice, "attach_dids_to_dids", [attachment("to/2", "to/a"), *both]))[0] == "FileAlreadyExists"
    circle = [attachment("to/x", "to/y"), attachment("to/y", "to/x")]
    assert (await refused(alice, "add_containers_to_containers", circle))[0] == "UnsupportedOperation"
    assert await alice.call("list_content", "mc", "to/x") == []
    more = [attachment("to/1", "to/c"), *both]
    assert await alice.call("add_files_to_datasets", more, ignore_duplicate=True) is True
    assert await alice.call("add_datasets_to_containers", [attachment("to/x", "to/1", "to/2")]) is True
    counted = await alice.call("get_did", "mc", "to/1", dynamic=True)
    assert (counted["length"], counted["bytes"]) == (3, 60)
    counted = await alice.call("get_did", "mc", "to/x", dynamic=True)
    assert (counted["length"], counted["bytes"]) == (4, 80)


async def test_nobody_fills_what_belongs_to_somebody_else(alice: PythonClient, root: PythonClient) -> None:
    await root.call("add_dataset", "mc", "theirs/d")
    await alice.call("add_dataset", "mc", "theirs/mine")
    theirs = {**named("theirs/d")[0], "dids": []}
    assert (await refused(alice, "attach_dids", "mc", "theirs/d", []))[0] == "AccessDenied"
    mine = {**named("theirs/mine")[0], "dids": []}
    assert "theirs/d" in (await refused(alice, "attach_dids_to_dids", [mine, theirs]))[1]
    assert (await refused(alice, "close", "mc", "theirs/d"))[0] == "AccessDenied"
    assert (await refused(alice, "add_dids", [{**named("x")[0], "type": "DATASET", "account": "root"}]))[0] == (
        "UnsupportedOperation"
    )


# ---- lists


async def given_tree(rucio: Online, alice: PythonClient, top: str) -> None:
    """A container of a container and a dataset, which share a file."""
    await registered(rucio, f"{top}/a", f"{top}/b")
    await alice.call("add_datasets", named(f"{top}/d", f"{top}/e"))
    await alice.call("add_containers", named(f"{top}/c", f"{top}/cc"))
    await alice.call("attach_dids", "mc", f"{top}/d", named(f"{top}/a", f"{top}/b"))
    await alice.call("attach_dids", "mc", f"{top}/e", named(f"{top}/b"))
    await alice.call("attach_dids", "mc", f"{top}/cc", named(f"{top}/d"))
    await alice.call("attach_dids", "mc", f"{top}/c", named(f"{top}/cc", f"{top}/e"))


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

    assert names(await alice.call("scope_list", "mc", name="scope/c")) == ["scope/cc", "scope/e"]
    below = await alice.call("scope_list", "mc", name="scope/c", recursive=True)
    assert [(one["parent"]["name"], one["name"], one["level"]) for one in below] == [
        ("scope/c", "scope/cc", 1), ("scope/c", "scope/e", 1), ("scope/cc", "scope/d", 2), ("scope/e", "scope/b", 2),
        ("scope/d", "scope/a", 3), ("scope/d", "scope/b", 3),
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
    long = {one["name"]: one for one in await found([{"name": "find/*"}], did_type="all", long=True)}
    assert long["find/d"] == {**named("find/d")[0], "did_type": "DATASET", "bytes": 30, "length": 2}
    assert (long["find/e"]["bytes"], long["find/b"]["bytes"]) == (None, 20)


async def test_filters_that_are_not_understood_are_refused(alice: PythonClient) -> None:
    for filters, word in (
        ([{"colour": "red"}], "colour"),
        ([{"length.gt": 3}], "length"),
        ([{"name.gt": "a"}], "equal"),
        ([{"name.like": "a"}], "operator"),
        ([{"name": 7}], "name cannot be"),
        ([{"name": "\x00"}], "name cannot be"),
        ([{"name": "\ud800"}], "name cannot be"),
        ([{"bytes": "many"}], "bytes cannot be"),
        ([{"bytes": 2**63}], "bytes cannot be"),
        ([{"created_at": "yesterday"}], "created_at cannot be"),
        ([{"is_open": "perhaps"}], "is_open cannot be"),
        ([{"adler32": "0000000A"}], "adler32 cannot be"),
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
    assert (await refused(alice, "get_metadata", "mc", "meta/a", plugin="JSON"))[0] == "UnsupportedMetadataPlugin"
    assert (await refused(alice, "get_metadata_bulk", named("meta/a"), inherit=True))[0] == "UnsupportedOperation"


async def test_statuses_that_do_not_exist_are_refused(alice: PythonClient) -> None:
    await alice.call("add_dataset", "mc", "status/d")
    assert (await refused(alice, "set_status", "mc", "status/d", colour="red"))[0] == "UnsupportedStatus"
    assert (await refused(alice, "set_status", "mc", "status/d", open="no"))[0] == "UnsupportedStatus"
    assert (await refused(alice, "set_status", "mc", "status/d"))[0] == "UnsupportedStatus"
    assert (await refused(alice, "set_status", "mc", "status/d", lifetime=5))[0] == "UnsupportedOperation"
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
