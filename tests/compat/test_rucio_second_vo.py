"""Rucio's client in a second VO, whose names are all taken in the first one: each method does there what it does here.

What other tests call in both VOs is not called again; together they call every method that is served in two VOs.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sancho.compat.rucio.endpoints import METHODS
from sancho.rules import service as rules
from tests.compat.rucio_client import Online, PythonClient, refused
from tests.compat.rucio_given import named, names, registered
from tests.compat.test_rucio_rules import did

pytestmark = pytest.mark.xdist_group("rucio_second_vo")  # one server for all
OF_THE_SECOND = frozenset({"gridpp", "manager"})


def called_by(tree: ast.AST, who: frozenset[str]) -> Iterator[str]:
    """The methods that a program calls as one of these clients, or lets be refused to it."""
    for node in ast.iter_child_nodes(tree):
        more = who
        match node:
            case ast.For(target=ast.Name(id=each), iter=ast.Tuple(elts=clients)):
                if any(isinstance(client, ast.Name) and client.id in who for client in clients):
                    more = who | {each}
            case ast.Call(func=ast.Attribute(value=ast.Name(id=client), attr="call"), args=[first, *_]):
                yield from texts(first) if client in who else ()
            case ast.Call(args=[ast.Name(id=client), *words]) if client in who:
                yield from (text for word in words[:2] for text in texts(word))
            case _:
                pass
        yield from called_by(node, more)


def texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def called_in(path: Path) -> set[str]:
    """What a module of tests calls as somebody of gridpp."""
    return set(called_by(ast.parse(path.read_text(encoding="utf-8")), OF_THE_SECOND))


def test_every_method_is_called_in_a_second_vo() -> None:
    called: set[str] = set()
    for path in Path(__file__).parent.glob("test_rucio_*.py"):
        called |= called_in(path)
    assert sorted(set(METHODS) - called) == []


@pytest.fixture(scope="module")
async def manager(rucio: Online, gridpp: PythonClient) -> PythonClient:
    """Rucio's client as the administrator of the other VO; in belle all names are taken."""
    await gridpp.call("whoami")
    await rucio.give_password(2, "root")
    return await rucio.python_client(vo="gridpp", account="root")


def replica(name: str, **more: Any) -> dict[str, Any]:
    return {**did(name), "bytes": 7, "adler32": "0000000b", **more}


async def test_accounts_and_scopes(alice: PythonClient, root: PythonClient, manager: PythonClient) -> None:
    for client in (root, manager):
        assert await client.call("add_account", "carol", "USER", "carol@example.org") is True
        assert await client.call("add_scope", "carol", "carol.own") is True
    assert await manager.call("update_account", "carol", "email", "c@gridpp.example") is True
    assert (await root.call("get_account", "carol"))["email"] == "carol@example.org"
    assert (await manager.call("get_account", "carol"))["email"] == "c@gridpp.example"
    assert "carol" in {one["account"] for one in await manager.call("list_accounts", "USER")}
    assert await manager.call("add_account_attribute", "carol", "country", value="uk") is True
    ((said, *_),) = await manager.call("list_account_attributes", "carol")
    assert {one["key"]: one["value"] for one in (said if isinstance(said, list) else [said])}["country"] == "uk"
    assert "country" not in str(await root.call("list_account_attributes", "carol"))
    assert await manager.call("delete_account_attribute", "carol", "country") is True
    name = "/DC=org/DC=grid/CN=carol"
    assert await manager.call("add_identity", "carol", name, "x509", "c@gridpp.example") is True
    assert [one["identity"] for one in await manager.call("list_identities", "carol")] == [name]
    assert await root.call("list_identities", "carol") == []
    assert await manager.call("del_identity", "carol", name, "X509") is True

    assert {"scope": "carol.own", "account": "carol"} in await manager.call("list_scope_owners")
    assert await manager.call("list_scopes_for_account", "carol") == ["carol.own", "user.carol"]
    assert await manager.call("update_scope", "bob", "carol.own") is True
    assert await root.call("list_scopes_for_account", "carol") == ["carol.own", "user.carol"]
    assert await manager.call("delete_account", "carol") is True
    assert (await root.call("get_account", "carol"))["status"] == "ACTIVE"
    assert await manager.call("ping") == await alice.call("ping")


async def test_limits_usage_and_configuration(
    rucio: Online, root: PythonClient, gridpp: PythonClient, manager: PythonClient
) -> None:
    await root.call("set_local_account_limit", "alice", "A-DISK", 1)
    assert await manager.call("set_local_account_limit", "alice", "A-DISK", 4000) is True
    assert await gridpp.call("get_local_account_limit", "alice", "A-DISK") == {"A-DISK": 4000}
    assert await gridpp.call("get_local_account_limits", "alice") == {"A-DISK": 4000}
    assert (await gridpp.call("get_local_account_usage", "alice", "A-DISK"))[0]["bytes_limit"] == 4000
    assert await manager.call("delete_local_account_limit", "alice", "A-DISK") is True
    assert await manager.call("set_global_account_limit", "alice", "tier=1", 5000) is True
    assert await gridpp.call("get_global_account_limit", "alice", "tier=1") == {"tier=1": 5000}
    assert list(await gridpp.call("get_global_account_limits", "alice")) == ["tier=1"]
    assert (await gridpp.call("get_global_account_usage", "alice"))[0]["bytes_limit"] == 5000
    assert await manager.call("delete_global_account_limit", "alice", "tier=1") is True
    assert await manager.call("set_account_limit", "alice", "A-DISK", 9, "local") is True
    assert await manager.call("delete_account_limit", "alice", "A-DISK", "local") is True
    assert await root.call("get_local_account_limits", "alice") == {"A-DISK": 1}
    await root.call("delete_local_account_limit", "alice", "A-DISK")
    await rules.record_usage(rucio.deployment)
    assert await gridpp.call("get_account_usage_history", "alice", "A-DISK") == []

    assert await manager.call("set_rse_limits", "B-DISK", "MaxSpaceAvailable", 6000) is True
    assert await gridpp.call("get_rse_limits", "B-DISK") == {"MaxSpaceAvailable": 6000}
    assert await root.call("get_rse_limits", "B-DISK") == {}
    assert await manager.call("delete_rse_limits", "B-DISK", "MaxSpaceAvailable") is True
    assert [one["used"] for one in await gridpp.call("get_rse_usage", "B-DISK")] == [0]
    assert await gridpp.call("list_rse_usage_history", "B-DISK", {"source": "srm"}) == []

    await root.call("set_config_option", "upload", "threads", 3)
    assert await manager.call("set_config_option", "upload", "threads", 4) is True
    assert await manager.call("set_config_option", "mail", "contact", "x@gridpp.example") is True
    assert await gridpp.call("get_config", "upload") == {"threads": 4}
    assert await manager.call("delete_config_option", "upload", "threads") is True
    assert await manager.call("delete_config_section", "mail") is True
    assert await root.call("get_config", "upload") == {"threads": 3}


async def test_what_is_of_the_installation_no_vo_changes(manager: PythonClient) -> None:
    await refused(manager, "AccessDenied", "add_distance", "A-DISK", "B-DISK", {"distance": 3})
    await refused(manager, "AccessDenied", "update_distance", "A-DISK", "B-DISK", {"distance": 3})
    await refused(manager, "AccessDenied", "delete_distance", "A-DISK", "B-DISK")
    await refused(manager, "AccessDenied", "delete_rse_attribute", "A-DISK", "tier")
    await refused(manager, "AccessDenied", "delete_qos_policy", "A-DISK", "SOMETHING")
    await refused(manager, "AccessDenied", "add_qos_policy", "A-DISK", "SOMETHING")
    await refused(manager, "AccessDenied", "add_rse_attribute", "A-DISK", "colour", "red")
    await refused(manager, "AccessDenied", "add_rse", "N-DISK")
    await refused(manager, "AccessDenied", "update_rse", "A-DISK", {"availability_write": False})
    await refused(manager, "AccessDenied", "delete_rse", "A-DISK")
    await refused(manager, "AccessDenied", "set_rse_usage", "A-DISK", "srm", 1, 1)
    way = {
        "scheme": "https",
        "hostname": "h",
        "port": 443,
        "prefix": "/x",
        "impl": "rucio.rse.protocols.webdav.Default",
    }
    await refused(manager, "AccessDenied", "add_protocol", "A-DISK", way)
    await refused(manager, "AccessDenied", "update_protocols", "A-DISK", "https", {"prefix": "/y"})
    await refused(manager, "AccessDenied", "delete_protocols", "A-DISK", "https")
    await refused(manager, "AccessDenied", "import_data", {"rses": {"A-DISK": {"availability_write": False}}})
    assert await manager.call("list_qos_policies", "A-DISK") == []
    assert [one["rse"] for one in await manager.call("list_rses")] == ["A-DISK", "B-DISK"]
    assert (await manager.call("list_rse_attributes", "A-DISK"))["tier"] == 1
    assert (await manager.call("get_rse", "A-DISK"))["availability_write"] is True
    assert len(await manager.call("get_protocols", "A-DISK")) == 1
    told = await manager.call("export_data")
    assert sorted(one["rse"] for one in told["rses"].values()) == ["A-DISK", "B-DISK"]
    assert (await manager.call("get_distance", "A-DISK", "B-DISK"))[0]["distance"] == 1


async def test_names_metadata_and_what_collections_hold(
    rucio: Online, alice: PythonClient, root: PythonClient, gridpp: PythonClient, manager: PythonClient
) -> None:
    await registered(rucio, "a", "b", "c")
    for client in (alice, gridpp):
        assert await client.call("add_dids", [{**did("d"), "type": "DATASET"}, {**did("x"), "type": "CONTAINER"}])
        assert await client.call("add_did", "mc", "e", "DATASET") is True
        assert await client.call("add_datasets", named("f", "g")) is True
        assert await client.call("add_container", "mc", "y") is True
        assert await client.call("add_containers", named("z", "zz")) is True
    await alice.call("attach_dids", "mc", "d", named("a", "b", "c"))
    for name in ("a", "b"):
        assert await manager.call("add_replica", "A-DISK", "mc", name, 7, "0000000b") is True
    assert await gridpp.call("add_files_to_dataset", "mc", "d", named("a")) is True
    assert await gridpp.call("add_files_to_datasets", [{**did("e"), "dids": named("a", "b")}]) is True
    assert await gridpp.call("attach_dids_to_dids", [{**did("f"), "dids": named("b")}]) is True
    assert await gridpp.call("add_datasets_to_container", "mc", "x", named("d")) is True
    assert await gridpp.call("add_datasets_to_containers", [{**did("y"), "dids": named("e")}]) is True
    assert await gridpp.call("add_containers_to_container", "mc", "z", named("x")) is True
    assert await gridpp.call("add_containers_to_containers", [{**did("z"), "dids": named("y")}]) is True
    assert sorted(names(await gridpp.call("list_files", "mc", "z"))) == ["a", "b"]
    assert (await gridpp.call("get_did", "mc", "z", dynamic=True))["bytes"] == 21
    assert await gridpp.call("create_did_sample", "mc", "e", "mc", "one", 1) is True
    assert len(await gridpp.call("list_content", "mc", "one")) == 1
    assert names(await gridpp.call("list_parent_dids", "mc", "e")) == ["y"]
    assert await gridpp.call("detach_dids", "mc", "z", named("y")) is True
    assert await gridpp.call("close", "mc", "one") is True
    assert await gridpp.call("set_status", "mc", "f", open=False) is True
    assert (await alice.call("get_did", "mc", "f"))["open"] is True
    assert await gridpp.call("set_metadata", "mc", "g", "lifetime", 3600) is True
    assert await gridpp.call("resurrect", named("g")) is True
    file = {"lfn": "/gridpp/mc/2026/f", "bytes": 7, "adler32": "0000000b", "rse": "A-DISK", "guid": None}
    assert await manager.call("add_files", [{k: v for k, v in file.items() if v is not None}]) is True
    assert names(await gridpp.call("list_files", "mc", "/gridpp/mc/2026")) == ["/gridpp/mc/2026/f"]

    assert await manager.call("add_key", "run", "ALL", "int") is True
    assert await manager.call("add_key", "quality", "ALL") is True
    assert await manager.call("add_value", "quality", "good") is True
    assert await gridpp.call("set_metadata", "mc", "d", "run", 7) is True
    assert await gridpp.call("set_metadata_bulk", "mc", "e", {"run": 8, "quality": "good"}) is True
    assert await gridpp.call("set_dids_metadata_bulk", [{**did("f"), "meta": {"run": 9}}]) is True
    found = await gridpp.call("list_dids", "mc", {"run.gte": 8}, did_type="dataset")
    assert sorted(found) == ["e", "f"]
    assert (await gridpp.call("get_metadata", "mc", "d"))["did_type"] == "DATASET"
    await refused(gridpp, "DataIdentifierNotFound", "get_dataset_by_guid", "a" * 32)
    asked = {"account": "alice", "pattern": None, "comments": "c", "expires_at": "2100-01-01T00:00:00"}
    assert "exceptions" in await gridpp.call("add_exception", named("d"), **asked)
    assert await gridpp.call("delete_metadata", "mc", "d", "run") is True
    await refused(alice, "InvalidMetadata", "set_metadata", "mc", "d", "run", 7)  # no key of belle's

    assert sorted(names(await alice.call("list_files", "mc", "d"))) == ["a", "b", "c"]
    assert await alice.call("list_content", "mc", "x") == []


async def test_replicas_and_what_becomes_of_them(
    rucio: Online, alice: PythonClient, gridpp: PythonClient, manager: PythonClient
) -> None:
    many = [f"r/{n}" for n in range(7)]
    await registered(rucio, *many)
    assert await manager.call("add_replicas", "A-DISK", [replica(name) for name in many]) is True
    assert await manager.call("add_dataset", "mc", "r", files=named(*many)) is True
    found = {one["name"]: one for one in await gridpp.call("list_replicas", named("r"))}
    assert sorted(found) == many
    urls = [found[name]["rses"]["A-DISK"][0] for name in many]
    assert all("/gridpp/" in url for url in urls)
    assert list((await gridpp.call("lfns2pfns", "A-DISK", ["mc:r/0"])).values()) == urls[:1]
    assert await gridpp.call("get_did_from_pfns", urls[:1]) == [{urls[0]: did("r/0")}]
    for method, said in (("list_dataset_replicas", ("mc", "r")), ("list_dataset_replicas_vp", ("mc", "r"))):
        assert [(one["rse"], one["length"]) for one in await gridpp.call(method, *said)] == [("A-DISK", 7)], method
    assert len(await gridpp.call("list_dataset_replicas", "mc", "r")) == 1
    assert len(await gridpp.call("list_dataset_replicas_vp", "mc", "r")) == 1
    assert len(await gridpp.call("list_dataset_replicas_bulk", named("r"))) == 1
    assert "r" in names(await gridpp.call("list_datasets_per_rse", "A-DISK"))

    assert await manager.call("declare_suspicious_file_replicas", urls[:1], "slow") == {}
    assert await manager.call("declare_bad_file_replicas", urls[1:2], "lost") == {}
    assert await manager.call("declare_bad_did_replicas", "A-DISK", named("r/2"), "lost") == {}
    assert await manager.call("add_bad_pfns", urls[3:4], "lost", "BAD", None) is True
    assert await manager.call("set_tombstone", [{**did("r/4"), "rse": "A-DISK"}]) is True
    assert await manager.call("delete_replicas", "A-DISK", named("r/5")) is True
    assert await manager.call("quarantine_replicas", [{"path": "/gridpp/mc/dark"}], rse="A-DISK") is None
    left = {one["name"] for one in await gridpp.call("list_replicas", named("r")) if one["rses"]}
    assert not {"r/1", "r/2", "r/3"} & left
    assert {"r/0", "r/6"} <= left
    there = await alice.call("list_replicas", named(*many))
    assert sorted(one["name"] for one in there if one["states"] == {"A-DISK": "AVAILABLE"}) == many


async def test_rules(rucio: Online, alice: PythonClient, gridpp: PythonClient, manager: PythonClient) -> None:
    await registered(rucio, "q/a")
    await manager.call("add_replicas", "A-DISK", [replica("q/a")])
    for client in (alice, gridpp):
        await client.call("add_dataset", "mc", "q", files=named("q/a"))
    await alice.call("add_replication_rule", [did("q")], 1, "A-DISK")
    (rule,) = await gridpp.call("add_replication_rule", [did("q")], 1, "A-DISK")
    assert (await gridpp.call("get_replication_rule", rule))["state"] == "OK"
    assert [one["id"] for one in await gridpp.call("list_replication_rules", {"name": "q"})] == [rule]
    assert [one["id"] for one in await gridpp.call("list_did_rules", "mc", "q")] == [rule]
    assert [one["id"] for one in await gridpp.call("list_account_rules", "alice")] == [rule]
    assert [one["id"] for one in await gridpp.call("list_associated_rules_for_file", "mc", "q/a")] == [rule]
    assert [one["rule_id"] for one in await gridpp.call("get_dataset_locks", "mc", "q")] == [rule]
    assert len(await gridpp.call("get_locks_for_dids", [{**did("q"), "type": "dataset"}])) == 1
    assert names(await gridpp.call("list_replica_locks", rule)) == ["q/a"]
    assert (await gridpp.call("examine_replication_rule", rule))["transfers"] == []
    assert await gridpp.call("update_replication_rule", rule, {"comment": "kept"}) is True
    moved = await gridpp.call("move_replication_rule", rule, "A-DISK|B-DISK", {"copies": 2})
    assert (await gridpp.call("get_replication_rule", moved))["copies"] == 2
    assert (await gridpp.call("list_request_by_did", "q/a", "B-DISK", scope="mc"))["state"] == "QUEUED"
    assert await gridpp.call("reduce_replication_rule", moved, 1, "B-DISK") == moved
    assert await gridpp.call("delete_replication_rule", moved) is True
    (asked,) = await gridpp.call("add_replication_rule", [did("q")], 1, "B-DISK", ask_approval=True)
    assert await manager.call("approve_replication_rule", asked) is True
    told = await gridpp.call("list_replication_rule_full_history", "mc", "q")
    assert {one["rule_id"] for one in told} == {rule, moved, asked}
    for method in ("get_replication_rule", "list_replica_locks", "delete_replication_rule"):
        await refused(alice, "RuleNotFound", method, moved)
    assert len(await alice.call("list_did_rules", "mc", "q")) == 1


async def test_open_data(rucio: Online, root: PythonClient, gridpp: PythonClient, manager: PythonClient) -> None:
    await registered(rucio, "o")
    await manager.call("add_replicas", "A-DISK", [replica("o")])
    for client in (root, manager):
        assert await client.call("add_opendata_did", scope="mc", name="o") is True
    assert await manager.call("add_opendata_did", scope="mc", name="r/0") is True
    said = await manager.call("update_opendata_did", scope="mc", name="o", meta={"title": "gridpp's"})
    assert said["meta"] == {"title": "gridpp's"}
    assert await manager.call("remove_opendata_did", scope="mc", name="o") is True
    assert (await root.call("get_opendata_did", scope="mc", name="o"))["state"] == "DRAFT"
    assert await gridpp.call("list_opendata_dids", public=True) == {"dids": []}


async def test_what_comes_later_is_refused_as_such(root: PythonClient, manager: PythonClient) -> None:
    for client in (root, manager):
        await refused(client, "UnsupportedOperation", "set_transfer_limit", "tier=1", max_transfers=1)
    kind = "UnsupportedOperation"
    await refused(manager, kind, "delete_transfer_limit", "tier=1")
    await refused(manager, kind, "list_transfer_limits")
    await refused(manager, kind, "list_request_history_by_did", "a", "A-DISK", scope="mc")
    await refused(manager, kind, "list_requests_history", "A-DISK", "B-DISK", ["Q"])
    terms = ({"scope": ["mc"]}, [{"copies": 1, "rse_expression": "A-DISK"}], "", None, False, False)
    await refused(manager, kind, "add_subscription", "s", "root", *terms)
    await refused(manager, kind, "update_subscription", "s", "root", comments="c")
    await refused(manager, kind, "deactivate_subscription", "s", "root")
    await refused(manager, kind, "list_subscriptions", "s", "root")
    await refused(manager, kind, "list_subscription_rules", "root", "s")
    await refused(manager, kind, "list_subscription_rule_states", "root", "s")
    await refused(manager, kind, "set_transfer_limit", "tier=1", max_transfers=1)
