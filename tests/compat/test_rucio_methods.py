"""Every method of Rucio's client is in the list of endpoints, and each that is served is called by a test."""

import ast
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from docs.compat import installed

from sancho.compat.rucio.endpoints import METHODS, OFFLINE, support
from tests.compat.rucio_client import Online, PythonClient, Raised, refused
from tests.compat.rucio_given import named, registered

pytestmark = pytest.mark.xdist_group("rucio_methods")  # one server for all


def test_the_list_of_endpoints_names_every_method_of_the_installed_client_and_no_other() -> None:
    methods, verbs = installed()
    assert set(methods) == {*METHODS, *OFFLINE}
    assert not set(METHODS) & set(OFFLINE)
    assert len(verbs) > 70


def texts(path: Path) -> Iterator[str]:
    """Every text in a program but its docstrings, which are sentences."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_every_method_that_is_served_is_called_by_a_test() -> None:
    called = {text for path in Path(__file__).parent.glob("*rucio*.py") for text in texts(path)}
    assert {name for name in METHODS if support(name) != "refused"} <= called


async def test_a_limit_whose_kind_is_an_argument_is_the_same_limit(
    rucio: Online, root: PythonClient, alice: PythonClient, gridpp: PythonClient
) -> None:
    for kind, where in (("local", "B-DISK"), ("global", "tier=2")):
        assert await root.call("set_account_limit", "alice", where, 7000, kind) is True
        assert await alice.call("get_account_limits", "alice", where, kind) == {where: 7000}
        assert await gridpp.call("get_account_limits", "alice", where, kind) == {where: None}
        assert await root.call(f"get_{kind}_account_limit", "alice", where) == {where: 7000}
        assert await root.call("delete_account_limit", "alice", where, kind) is True
        assert await alice.call("get_account_limits", "alice", where, kind) == {where: None}
    await root.call("set_global_account_limit", "alice", "tier=1", 9000)
    assert await root.call("delete_global_account_limit", "alice", "tier=1") is True
    assert await root.call("get_global_account_limits", "alice") == {}
    await refused(root, "RucioException", "delete_global_account_limit", "alice", "tier=1")
    await refused(alice, "AccessDenied", "set_account_limit", "alice", "B-DISK", 1, "local")
    await refused(alice, "UnsupportedOperation", "get_account_limits", "alice", "B-DISK", "lunar")


async def test_files_go_into_a_dataset_by_the_word_for_archives_too(
    rucio: Online, root: PythonClient, alice: PythonClient, gridpp: PythonClient
) -> None:
    await registered(rucio, "zip/a", "zip/b")
    await alice.call("add_dataset", "mc", "zip")
    assert await alice.call("add_files_to_archive", "mc", "zip", named("zip/a", "zip/b")) is True
    assert {one["name"] for one in await alice.call("list_content", "mc", "zip")} == {"zip/a", "zip/b"}
    await refused(gridpp, "DataIdentifierNotFound", "add_files_to_archive", "mc", "zip", named("zip/a"))


async def test_what_is_touched_must_be_there(
    rucio: Online, root: PythonClient, alice: PythonClient, gridpp: PythonClient
) -> None:
    await registered(rucio, "touched")
    assert await alice.call("touch", "mc", "touched") is None
    assert await alice.call("touch", "mc", "touched", "A-DISK") is None
    await refused(alice, "RSENotFound", "touch", "mc", "touched", "NOWHERE")
    await refused(gridpp, "DataIdentifierNotFound", "touch", "mc", "touched")


async def test_a_rule_that_waits_for_nobody_is_not_denied(
    rucio: Online, root: PythonClient, alice: PythonClient, gridpp: PythonClient
) -> None:
    await registered(rucio, "kept")
    (rule_id,) = await alice.call("add_replication_rule", named("kept"), 1, "A-DISK")
    for client in (alice, root, gridpp):
        with pytest.raises(Raised):
            await client.call("deny_replication_rule", rule_id, "no")
    assert (await alice.call("get_replication_rule", rule_id))["id"] == rule_id


async def test_one_protocol_leaves_nothing_to_swap(root: PythonClient, gridpp: PythonClient) -> None:
    (protocol,) = await root.call("get_protocols", "A-DISK")
    scheme = protocol["scheme"]
    for client in (root, gridpp):
        assert await client.call("swap_protocols", "A-DISK", "wan", "read", scheme, "root") is False
        await refused(client, "RSENotFound", "swap_protocols", "NOWHERE", "wan", "read", scheme, "root")


async def test_methods_that_ask_no_server_do_what_they_always_do(rucio: Online, alice: PythonClient) -> None:
    for method, arguments in (("del_key", ("k",)), ("del_value", ("k", "v")), ("update_key", ("k",))):
        assert await alice.call(method, *arguments) is None
    assert await alice.call("get_opendata_host", public=False) == f"{rucio.url}/rucio"
    await refused(alice, "DeprecationError", "list_dids_extended", "mc", {})


async def test_open_data_is_drafted_made_public_and_read_without_a_token(
    rucio: Online, root: PythonClient, alice: PythonClient, gridpp: PythonClient
) -> None:
    await registered(rucio, "open/a", "open/b")
    await alice.call("add_dataset", "mc", "open")
    await alice.call("attach_dids", "mc", "open", named("open/a", "open/b"))
    did = {"scope": "mc", "name": "open"}

    await refused(alice, "AccessDenied", "add_opendata_did", **did)
    assert await root.call("add_opendata_did", **did) is True
    await refused(root, "OpenDataDataIdentifierAlreadyExists", "add_opendata_did", **did)
    await refused(root, "OpenDataInvalidState", "update_opendata_did", **did, state="public")
    await alice.call("close", "mc", "open")
    said = await root.call(
        "update_opendata_did", **did, state="public", meta={"title": "t"}, doi="10.1234/foo.bar", record_id=7
    )
    assert (said["state"], said["doi"], said["record_id"]) == ("PUBLIC", "10.1234/foo.bar", 7)
    assert said["meta"] == {"title": "t"}
    await refused(root, "OpenDataInvalidStateUpdate", "update_opendata_did", **did, state="draft")
    await refused(root, "InputValidationError", "update_opendata_did", **did, doi="foo")
    await refused(alice, "OpenDataInvalidState", "set_status", "mc", "open", open=True)
    await root.call("add_opendata_did", scope="mc", name="open/a")
    for more, kind in (
        ({"doi": "10.1234/FOO.bar"}, "OpenDataDuplicateDOI"), ({"record_id": 7}, "OpenDataDuplicateRecordID")
    ):  # fmt: skip
        await refused(root, kind, "update_opendata_did", scope="mc", name="open/a", **more)

    for public in (False, True):
        listed = (await alice.call("list_opendata_dids", public=public))["dids"]
        states = {"open": "PUBLIC"} if public else {"open": "PUBLIC", "open/a": "DRAFT"}
        assert {one["name"]: one["state"] for one in listed} == states
        one = await alice.call("get_opendata_did", **did, include_files=True, include_metadata=True, public=public)
        assert [(file["name"], file["bytes"], file["adler32"]) for file in one["files"]] == [
            ("open/a", 10, "0000000a"), ("open/b", 20, "0000000a")
        ]  # fmt: skip
        assert (one["meta"], one["doi"]) == ({"title": "t"}, "10.1234/foo.bar")
        assert "files" not in await alice.call("get_opendata_did", **did, public=public)
        await refused(gridpp, "OpenDataDataIdentifierNotFound", "get_opendata_did", **did, public=public)
        assert await gridpp.call("list_opendata_dids", public=public) == {"dids": []}
    assert [one["name"] for one in (await alice.call("list_opendata_dids", state="draft"))["dids"]] == ["open/a"]
    await refused(alice, "OpenDataDataIdentifierNotFound", "get_opendata_did", scope="mc", name="open/a", public=True)
    await refused(alice, "UnsupportedOperation", "get_opendata_did", **did, include_download_urls=True)
    async with httpx2.AsyncClient(base_url=f"{rucio.url}/rucio/opendata/public/dids") as nobody:
        for path, vo, status in (("", "belle", 200), ("", "nowhere", 404), ("/mc/open", "belle", 200)):
            assert (await nobody.get(path, headers={"x-rucio-vo": vo})).status_code == status, path

    await refused(root, "OpenDataInvalidState", "remove_opendata_did", **did)
    assert (await root.call("update_opendata_did", **did, state="suspended"))["state"] == "SUSPENDED"
    assert await alice.call("list_opendata_dids", public=True) == {"dids": []}
    for name in ("open", "open/a"):
        assert await root.call("remove_opendata_did", scope="mc", name=name) is True
    await refused(root, "OpenDataDataIdentifierNotFound", "remove_opendata_did", **did)
