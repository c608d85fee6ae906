"""Rucio's client in Python asks what accounts may use and use, and sets it."""

import pytest

from sancho.rules import service as rules
from tests.compat.rucio_client import Online, PythonClient, refused
from tests.identity.helpers import PASSWORD

pytestmark = pytest.mark.xdist_group("rucio_limits")  # one server for all


@pytest.fixture(scope="module")
async def root(rucio: Online) -> PythonClient:
    """Rucio's client as an administrator of belle; alice locks 20 B on A-DISK."""
    await rucio.give_password(1, "root")
    files = [{"did": f"mc:{name}", "size": 10, "adler32": "0a1b2c3d"} for name in ("one", "two")]
    made = await rucio.send("POST", "/replicas", account="root", json={"rse": "A-DISK", "files": files})
    assert made.status_code < 300, made.text
    for name in ("one", "two"):
        rule = {"did": f"mc:{name}", "rse_expression": "A-DISK"}
        assert (await rucio.send("POST", "/rules", json=rule)).status_code == 201
    return await rucio.python_client(account="root")


async def test_a_limit_on_an_rse_is_a_quota_that_is_set_changed_and_removed(
    rucio: Online, root: PythonClient, alice: PythonClient
) -> None:
    assert await alice.call("get_local_account_limit", "alice", "A-DISK") == {"A-DISK": None}
    assert await root.call("set_local_account_limit", "alice", "A-DISK", 1000) is True
    assert await root.call("set_local_account_limit", "alice", "A-DISK", 2000) is True
    assert await alice.call("get_local_account_limit", "alice", "A-DISK") == {"A-DISK": 2000}
    assert await alice.call("get_local_account_limits", "alice") == {"A-DISK": 2000}
    (quota,) = (await rucio.send("GET", "/quotas", params={"account": "alice"})).json()["items"]
    assert (quota["rse_expression"], quota["size"], quota["used"]) == ("rse=A-DISK", 2000, 20)
    (used,) = await alice.call("get_local_account_usage", "alice")
    assert (used["rse"], used["bytes"], used["files"]) == ("A-DISK", 20, 2)
    assert (used["bytes_limit"], used["bytes_remaining"]) == (2000, 1980)

    assert await root.call("delete_local_account_limit", "alice", "A-DISK") is True
    assert await alice.call("get_local_account_limits", "alice") == {}
    assert "A-DISK" in await refused(root, "RucioException", "delete_local_account_limit", "alice", "A-DISK")


async def test_a_limit_on_an_expression(root: PythonClient, alice: PythonClient) -> None:
    assert await root.call("set_global_account_limit", "alice", "tier=1 | tier=2", 5000) is True
    limits = await alice.call("get_global_account_limits", "alice")
    assert limits["tier=1 | tier=2"]["limit"] == 5000
    assert limits["tier=1 | tier=2"]["resolved_rses"] == ["A-DISK", "B-DISK"]
    assert await alice.call("get_global_account_limit", "alice", "tier=1 | tier=2") == {"tier=1 | tier=2": 5000}
    (used,) = await alice.call("get_global_account_usage", "alice")
    assert (used["rse_expression"], used["bytes"], used["bytes_remaining"]) == ("tier=1 | tier=2", 20, 4980)
    (used,) = await alice.call("get_global_account_usage", "alice", "tier=2")
    assert (used["bytes"], used["files"]) == (0, 0)

    await root.call("set_global_account_limit", "alice", "tier=1 | tier=2", -1)
    assert await alice.call("get_global_account_limits", "alice") == {}


async def test_usage_without_a_limit_leaves_all_there_is(rucio: Online, alice: PythonClient) -> None:
    (used,) = await alice.call("get_local_account_usage", "alice", "A-DISK")
    assert (used["bytes"], used["bytes_limit"]) == (20, float("inf"))
    await rules.record_usage(rucio.deployment)
    (written,) = await alice.call("get_account_usage_history", "alice", "A-DISK")
    assert written["bytes"] == 20
    assert await alice.call("get_account_usage_history", "bob", "A-DISK") == []
    await refused(alice, "RSENotFound", "get_account_usage_history", "alice", "NOWHERE")
    await refused(alice, "AccountNotFound", "get_account_usage_history", "nobody", "A-DISK")


async def test_limits_are_for_who_manages_quotas_and_of_what_there_is(root: PythonClient, alice: PythonClient) -> None:
    for client, kind, method, arguments in (
        (alice, "AccessDenied", "set_local_account_limit", ("alice", "A-DISK", 10**15)),
        (alice, "AccessDenied", "set_global_account_limit", ("alice", "tier=1", 10**15)),
        (root, "AccountNotFound", "set_local_account_limit", ("nobody", "A-DISK", 1)),
        (root, "RSENotFound", "set_local_account_limit", ("alice", "NOWHERE", 1)),
        (root, "InvalidRSEExpression", "set_global_account_limit", ("alice", "tier=9", 1)),
        (root, "InvalidRSEExpression", "set_global_account_limit", ("alice", "tier=(", 1)),
        (root, "InputValidationError", "set_local_account_limit", ("alice", "A-DISK", -2)),
        (root, "InputValidationError", "set_local_account_limit", ("alice", "A-DISK", 2**63)),
        (root, "InputValidationError", "set_local_account_limit", ("alice", "A-DISK", "lots")),
        (root, "AccountNotFound", "get_local_account_limits", ("nobody",)),
        (root, "AccountNotFound", "get_global_account_usage", ("nobody",)),
        (root, "RSENotFound", "get_local_account_usage", ("alice", "NOWHERE")),
        (root, "InvalidRSEExpression", "get_global_account_limit", ("alice", "tier=(")),
    ):
        await refused(client, kind, method, *arguments)
    assert await root.call("get_local_account_limits", "alice") == {}


async def test_the_command_sets_and_shows_limits(rucio: Online, root: PythonClient) -> None:
    mine = rucio.configure(auth_type="userpass", username="root", password=PASSWORD, account="root")
    code, said = await rucio.run(
        "account", "limit", "set", "bob", "--rse", "B-DISK", "--bytes", "10GB", environment=mine
    )
    assert code == 0, said
    code, said = await rucio.run("account", "limit", "list", "bob", environment=mine)
    assert (code, "10.000 GB" in said) == (0, True), said


async def test_limits_of_the_vo_on_an_rse_come_and_go(root: PythonClient, alice: PythonClient) -> None:
    assert await root.call("set_rse_limits", "B-DISK", "MaxSpaceAvailable", 5000) is True
    assert await root.call("set_rse_limits", "B-DISK", "MaxSpaceAvailable", 6000) is True
    assert await alice.call("get_rse_limits", "B-DISK") == {"MaxSpaceAvailable": 6000}
    assert await root.call("delete_rse_limits", "B-DISK", "MaxSpaceAvailable") is True
    assert await alice.call("get_rse_limits", "B-DISK") == {}
    await refused(root, "RucioException", "delete_rse_limits", "B-DISK", "MaxSpaceAvailable")
    await refused(root, "InputValidationError", "set_rse_limits", "B-DISK", "MinFreeSpace", 5000)
    await refused(root, "RSENotFound", "set_rse_limits", "NOWHERE", "MaxSpaceAvailable", 5000)
    await refused(alice, "AccessDenied", "set_rse_limits", "B-DISK", "MaxSpaceAvailable", 5000)
