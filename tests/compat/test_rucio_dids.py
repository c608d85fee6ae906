"""Rucio's client in Python makes scopes and collections, fills and closes them."""

from typing import Any

import pytest

from tests.compat.rucio_client import Online, PythonClient
from tests.compat.rucio_given import named, names, refused, registered

pytestmark = pytest.mark.xdist_group("rucio_dids")  # one server for all


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


async def schemas(rucio: Online, *, remove: bool) -> None:
    """Let belle want certain names of scopes and containers, or no more."""
    spec = {"pattern": "[a-z0-9./]+", "example": "mc26"}
    documents = [
        {"kind": "NameSchema", "name": kind, "spec": spec, "remove": remove} for kind in ("scope", "container")
    ]
    done = await rucio.send("POST", "/configuration/apply", account="root", json={"documents": documents})
    assert done.status_code == 200, done.text


async def test_a_name_that_the_vo_does_not_want_is_said_to_be_no_object(rucio: Online, root: PythonClient) -> None:
    await schemas(rucio, remove=False)
    try:
        for method, *words in (("add_scope", "root", "UGLY"), ("add_container", "mc", "UGLY")):
            kind, said = await refused(root, method, *words)
            assert kind == "InvalidObject"
            assert "as mc26 does" in said
        assert await root.call("add_container", "mc", "plain") is True
    finally:
        await schemas(rucio, remove=True)
    assert await root.call("add_container", "mc", "UGLY") is True


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


async def test_a_new_collection_for_somebody_else_is_refused_and_nothing_made(alice: PythonClient) -> None:
    kind, said = await refused(alice, "add_datasets", [{**named("part/d")[0], "account": "bob"}])
    assert (kind, "account of mc:part/d is not served here" in said) == ("UnsupportedOperation", True)
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
