"""Rucio's client in Python makes keys, and sets, reads, inherits and searches metadata."""

from typing import Any

import pytest

from tests.compat.rucio_client import Online, PythonClient
from tests.compat.rucio_given import named, names, refused, registered

pytestmark = pytest.mark.xdist_group("rucio_metadata")  # one server for all


@pytest.fixture(scope="module")
async def keys(alice: PythonClient, root: PythonClient) -> None:
    """Keys of belle, made by its administrator."""
    assert await root.call("add_key", "run", "ALL", "int") is True
    assert await root.call("add_key", "project", "ALL") is True
    assert await root.call("add_key", "stream", "COLLECTION", "str", "[a-z]+") is True
    assert await root.call("add_key", "quality", "FILE", "<class 'str'>") is True
    assert await root.call("add_value", "quality", "good") is True
    assert await root.call("add_value", "quality", "bad") is True


async def test_keys_and_values_are_made_and_listed(
    keys: None, alice: PythonClient, root: PythonClient, gridpp: PythonClient
) -> None:
    assert set(await alice.call("list_keys")) >= {"run", "project", "stream", "quality"}
    assert await alice.call("list_values", "quality") == ["good", "bad"]
    assert await alice.call("list_values", "run") == []
    assert await gridpp.call("list_keys") == []
    assert (await refused(alice, "list_values", "none"))[0] == "KeyNotFound"
    assert (await refused(gridpp, "list_values", "run"))[0] == "KeyNotFound"
    assert (await refused(root, "add_key", "run", "ALL"))[0] == "Duplicate"
    assert (await refused(root, "add_value", "quality", "bad"))[0] == "Duplicate"
    assert (await refused(root, "add_value", "none", "x"))[0] == "KeyNotFound"
    assert (await refused(root, "add_value", "run", "7"))[0] == "InputValidationError"
    assert (await refused(root, "add_key", "new", "DERIVED"))[0] == "InputValidationError"
    assert (await refused(root, "add_key", "new", "ALL", "json"))[0] == "InputValidationError"
    assert (await refused(root, "add_key", "a.b", "ALL"))[0] == "InputValidationError"
    assert (await refused(alice, "add_key", "new", "ALL"))[0] == "AccessDenied"
    assert "new" not in await alice.call("list_keys")


async def test_a_collection_is_made_with_metadata_rules_and_a_life_in_one_go(
    keys: None, rucio: Online, root: PythonClient
) -> None:
    rules = [{"copies": 1, "rse_expression": "B-DISK", "lifetime": 60}]
    files = [{**named("go/a")[0], "bytes": 10}]
    said = {"run": 5, "stream": "physics"}
    assert await root.call("add_dataset", "mc", "go/d", {"monotonic": True}, said, rules, 600, files, "A-DISK") is True
    assert await root.call("get_metadata", "mc", "go/d", plugin="JSON") == said
    columns = await root.call("get_metadata", "mc", "go/d")
    assert (columns["monotonic"], columns["expired_at"] is not None) == (True, True)
    assert [r["rse_expression"] for r in await root.call("list_did_rules", "mc", "go/d")] == ["B-DISK"]
    assert names(await root.call("list_files", "mc", "go/d")) == ["go/a"]
    assert await root.call("list_dids", "mc", [{"run": 5}]) == ["go/d"]

    assert await root.call("set_metadata", "mc", "go/d", "lifetime", 0) is True  # no key of the VO's
    assert await root.call("list_dids", "mc", [{"run": 5}]) == []
    many = [{**named("go/e")[0], "rules": rules}, {**named("go/f")[0], "rules": rules, "meta": {"colour": "red"}}]
    kind, message = await refused(root, "add_datasets", many)
    assert (kind, "colour" in message) == ("InvalidMetadata", True)
    for name in ("go/e", "go/f"):
        assert (await refused(root, "get_did", "mc", name))[0] == "DataIdentifierNotFound"


async def test_files_say_something_as_they_are_registered(keys: None, root: PythonClient) -> None:
    one = {**named("reg/a")[0], "bytes": 1, "adler32": "00000001"}
    said = {"guid": "a" * 32, "run": 6, "quality": "good"}
    assert await root.call("add_replicas", "A-DISK", [{**one, "name": "reg/b"}, {**one, "meta": said}]) is True
    assert await root.call("get_metadata", "mc", "reg/a", plugin="JSON") == {"run": 6, "quality": "good"}
    assert await root.call("get_metadata", "mc", "reg/b", plugin="JSON") == {}
    for meta, kind in (({"quality": "fair"}, "InvalidValueForKey"), ({"colour": "red"}, "InvalidMetadata")):
        bad = {**one, "name": "reg/c", "meta": meta}
        assert (await refused(root, "add_replicas", "A-DISK", [bad]))[0] == kind
        assert (await refused(root, "get_did", "mc", "reg/c"))[0] == "DataIdentifierNotFound"


async def test_metadata_is_set_read_and_deleted(keys: None, rucio: Online, alice: PythonClient) -> None:
    await registered(rucio, "meta/a")
    assert await alice.call("add_dataset", "mc", "meta/d", meta={"run": 7, "project": "data26"}) is True
    assert await alice.call("set_metadata", "mc", "meta/d", "stream", "physics") is True
    assert await alice.call("set_metadata_bulk", "mc", "meta/d", {"run": "8"}) is True

    columns = await alice.call("get_metadata", "mc", "meta/d")
    assert (columns["project"], columns["did_type"], "run" in columns) == ("data26", "DATASET", False)
    assert await alice.call("get_metadata", "mc", "meta/d", plugin="JSON") == {"run": 8, "stream": "physics"}
    everything = await alice.call("get_metadata", "mc", "meta/d", plugin="ALL")
    assert (everything["project"], everything["run"], everything["name"]) == ("data26", 8, "meta/d")

    assert await alice.call("delete_metadata", "mc", "meta/d", "stream") is True
    assert await alice.call("get_metadata", "mc", "meta/d", plugin="JSON") == {"run": 8}
    assert (await refused(alice, "delete_metadata", "mc", "meta/d", "stream"))[0] == "KeyNotFound"
    assert (await refused(alice, "get_metadata", "mc", "meta/d", plugin="MONGO"))[0] == "UnsupportedMetadataPlugin"


async def test_what_cannot_be_set_is_named_and_nothing_is(keys: None, rucio: Online, alice: PythonClient) -> None:
    await alice.call("add_datasets", named("bad/d", "bad/e"))
    kind, said = await refused(alice, "set_metadata", "mc", "bad/d", "colour", "red")
    assert (kind, "mc:bad/d cannot say colour" in said) == ("InvalidMetadata", True)
    assert (await refused(alice, "set_metadata", "mc", "bad/d", "stream", "X1"))[0] == "InvalidValueForKey"
    assert (await refused(alice, "set_metadata", "mc", "bad/d", "quality", "good"))[0] == "InvalidValueForKey"
    assert (await refused(alice, "set_metadata", "mc", "none", "run", 1))[0] == "DataIdentifierNotFound"
    many = [{**named("bad/d")[0], "meta": {"run": 1}}, {**named("bad/e")[0], "meta": {"run": "x"}}]
    assert (await refused(alice, "set_dids_metadata_bulk", many))[0] == "InvalidValueForKey"
    assert await alice.call("get_metadata", "mc", "bad/d", plugin="JSON") == {}
    assert (await refused(alice, "add_dataset", "mc", "bad/f", meta={"run": "x"}))[0] == "InvalidValueForKey"
    assert (await refused(alice, "get_did", "mc", "bad/f"))[0] == "DataIdentifierNotFound"


async def test_recursively_all_that_is_below_says_it_or_nothing_does(
    keys: None, rucio: Online, root: PythonClient, alice: PythonClient
) -> None:
    await registered(rucio, "rec/a", "rec/b")
    await alice.call("add_datasets", named("rec/d", "rec/e"))
    await alice.call("add_container", "mc", "rec/c")
    await alice.call("add_files_to_dataset", "mc", "rec/d", named("rec/a", "rec/b"))
    await alice.call("add_datasets_to_container", "mc", "rec/c", named("rec/d", "rec/e"))

    async def runs() -> list[Any]:
        names = named("rec/c", "rec/d", "rec/e", "rec/a", "rec/b")
        found = {one["name"]: one for one in await alice.call("get_metadata_bulk", names, plugin="ALL")}
        return [found[one["name"]].get("run") for one in names]

    kind, _ = await refused(alice, "set_metadata", "mc", "rec/c", "run", 4, recursive=True)
    assert (kind, await runs()) == ("AccessDenied", [None] * 5)  # the files are root's
    assert await root.call("set_metadata", "mc", "rec/c", "run", 4, recursive=True) is True
    assert await runs() == [4] * 5
    assert await alice.call("set_metadata_bulk", "mc", "rec/e", {"run": 5}, recursive=True) is True
    many = [{**named("rec/d")[0], "meta": {"run": 6}}]
    assert await root.call("set_dids_metadata_bulk", many, recursive=True) is True
    assert await runs() == [4, 6, 5, 6, 6]


async def test_many_are_described_and_inherit(keys: None, rucio: Online, alice: PythonClient) -> None:
    await registered(rucio, "inh/a", "inh/b")
    await alice.call("add_dataset", "mc", "inh/d", files=named("inh/a", "inh/b"), meta={"run": 5, "project": "p"})
    mine = [{**named("inh/d")[0], "meta": {"stream": "physics"}}]
    assert await alice.call("set_dids_metadata_bulk", mine) is True
    assert (await refused(alice, "set_metadata", "mc", "inh/a", "run", 6))[0] == "AccessDenied"  # root's
    both = named("inh/a", "inh/d", "inh/none")
    own = {one["name"]: one for one in await alice.call("get_metadata_bulk", both, plugin="ALL")}
    assert (own["inh/a"].get("run"), own["inh/d"]["run"], set(own)) == (None, 5, {"inh/a", "inh/d"})
    inherited = {
        one["name"]: one for one in await alice.call("get_metadata_bulk", both, inherit=True, plugin="ALL")
    }  # fmt: skip
    assert (inherited["inh/a"]["run"], inherited["inh/a"]["project"]) == (5, "p")


async def test_dids_are_found_by_what_they_say(keys: None, alice: PythonClient) -> None:
    for n in range(3):
        await alice.call("add_dataset", "mc", f"find/{n}", meta={"run": 100 + n, "project": f"data{n}"})

    async def found(filters: object) -> list[str]:
        return sorted(await alice.call("list_dids", "mc", filters))

    assert await found([{"run.gte": 101, "name": "find*"}]) == ["find/1", "find/2"]
    assert await found([{"run": 100}, {"project": "data2"}]) == ["find/0", "find/2"]
    assert await found([{"project": "data*", "run.ne": 101, "name": "find*"}]) == ["find/0", "find/2"]
    assert (await refused(alice, "list_dids", "mc", [{"run": "x"}]))[0] == "InvalidObject"
    assert (await refused(alice, "list_dids", "mc", [{"colour": "red"}]))[0] == "InvalidObject"
