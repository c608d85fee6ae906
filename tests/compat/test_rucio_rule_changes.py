"""Rucio's client approves, moves, reduces and changes rules, and asks what was done to them."""

from typing import Any

import pytest

from sancho.replicas.model import ReplicaKey
from sancho.rules import service
from tests.compat.rucio_client import Online, PythonClient, refused
from tests.compat.test_rucio_rules import NO_RULE, dataset, did
from tests.rules.given import fail
from tests.world import World

pytestmark = pytest.mark.xdist_group("rucio_rule_changes")  # one server for all


async def state(client: PythonClient, rule_id: str) -> str:
    return (await client.call("get_replication_rule", rule_id))["state"]


async def test_a_rule_waits_for_approval(rucio: Online, alice: PythonClient, root: PythonClient) -> None:
    await dataset(rucio, "asks", "asks/1")
    (yes,) = await alice.call("add_replication_rule", [did("asks")], 1, "A-DISK", ask_approval=True)
    (no,) = await alice.call("add_replication_rule", [did("asks")], 1, "A-DISK", ask_approval=True)
    assert await state(alice, yes) == "WAITING_APPROVAL"
    assert len(await alice.call("list_replication_rules", {"state": "WAITING_APPROVAL", "name": "asks"})) == 2
    await refused(alice, "AccessDenied", "approve_replication_rule", yes)
    await refused(alice, "AccessDenied", "deny_replication_rule", no, "mine")

    assert await root.call("approve_replication_rule", yes) is True
    assert await root.call("deny_replication_rule", no, "too large") is True

    assert await state(alice, yes) == "INJECT"
    await service.place(rucio.deployment, 1, int(yes, 16))
    assert await state(alice, yes) == "OK"
    await refused(alice, "RuleNotFound", "get_replication_rule", no)
    told = await alice.call("list_replication_rule_full_history", "mc", "asks")
    assert {one["rule_id"] for one in told} == {yes, no}
    assert [one["state"] for one in told if one["rule_id"] == yes] == ["INJECT", "WAITING_APPROVAL"]
    await refused(alice, "DataIdentifierNotFound", "list_replication_rule_full_history", "mc", "nowhere")


async def test_a_rule_moves_and_is_reduced(rucio: Online, alice: PythonClient) -> None:
    await dataset(rucio, "moves", "moves/1")
    (old,) = await alice.call("add_replication_rule", [did("moves")], 1, "A-DISK")
    new = await alice.call(
        "move_replication_rule", old, "*", {"activity": "elsewhere", "copies": 2, "lifetime": 60, "comments": "both"}
    )
    assert (await alice.call("get_replication_rule", old))["child_rule_id"] == new
    moved = await alice.call("get_replication_rule", new)
    assert (moved["activity"], moved["copies"], moved["comments"]) == ("elsewhere", 2, "both")
    assert moved["expires_at"] is not None
    assert [one["id"] for one in await alice.call("list_replication_rules", {"name": "moves", "copies": 2})] == [new]
    await refused(alice, "RuleReplaceFailed", "move_replication_rule", old, "B-DISK", {})
    await refused(alice, "InputValidationError", "move_replication_rule", new, "A-DISK", {"colour": 1})
    await refused(alice, "InvalidRSEExpression", "move_replication_rule", new, "tier=", {})
    await refused(alice, "RuleNotFound", "move_replication_rule", NO_RULE, "B-DISK", {})

    (both,) = await alice.call("add_replication_rule", [did("moves")], 2, "*")
    assert await alice.call("reduce_replication_rule", both, 1, "B-DISK") == both
    shown = await alice.call("get_replication_rule", both)
    assert (shown["copies"], shown["state"], shown["locks_ok_cnt"]) == (1, "OK", 1)
    await refused(alice, "RuleReplaceFailed", "reduce_replication_rule", both, 1)
    await refused(alice, "InputValidationError", "reduce_replication_rule", both, 0)


async def test_options_change_a_rule(rucio: Online, alice: PythonClient, root: PythonClient) -> None:
    await dataset(rucio, "options", "options/1")
    (rule_id,) = await alice.call("add_replication_rule", [did("options")], 1, "A-DISK")

    async def change(client: PythonClient, **options: Any) -> dict[str, Any]:
        assert await client.call("update_replication_rule", rule_id, options) is True
        return await client.call("get_replication_rule", rule_id)

    assert (await change(alice, activity="faster", comment="c"))["activity"] == "faster"
    assert (await change(alice, locked=True))["locked"] is True
    locked = await root.call("list_replication_rules", {"locked": True})
    assert [one["id"] for one in locked] == [rule_id]
    await refused(alice, "UnsupportedOperation", "delete_replication_rule", rule_id)
    assert (await change(alice, locked=False, boost_rule=True))["locked"] is False
    await refused(alice, "AccessDenied", "update_replication_rule", rule_id, {"account": "bob"})
    assert (await change(root, account="bob"))["account"] == "bob"
    await refused(root, "AccountNotFound", "update_replication_rule", rule_id, {"account": "nobody"})
    for option in ({"child_rule_id": rule_id}, {"state": "SUSPENDED"}, {"cancel_requests": True}, {"eol_at": "x"}):
        await refused(root, "InputValidationError", "update_replication_rule", rule_id, option)
    listed = await root.call("list_replication_rules", {"did_type": "DATASET", "name": "options"})
    assert [one["id"] for one in listed] == [rule_id]
    assert await root.call("list_replication_rules", {"created_after": "2100-01-01T00:00:00"}) == []


async def test_what_rules_hold_on_an_rse_is_told(rucio: Online, alice: PythonClient, gridpp: PythonClient) -> None:
    await dataset(rucio, "onrse", "onrse/1", "onrse/2")
    (rule_id,) = await alice.call("add_replication_rule", [did("onrse")], 1, "A-DISK")
    held = [one for one in await alice.call("get_dataset_locks_by_rse", "A-DISK") if one["name"] == "onrse"]
    assert [(one["rule_id"], one["length"], one["state"]) for one in held] == [(rule_id, 2, "OK")]
    assert all(one["name"] != "onrse" for one in await alice.call("get_dataset_locks_by_rse", "B-DISK"))
    assert await gridpp.call("get_dataset_locks_by_rse", "A-DISK") == []
    await refused(alice, "RSENotFound", "get_dataset_locks_by_rse", "NO-DISK")


async def test_requests_for_files_are_told_while_they_are_under_way(
    rucio: Online, alice: PythonClient, gridpp: PythonClient
) -> None:
    await dataset(rucio, "wanted", "wanted/1")
    await alice.call("add_replication_rule", [did("wanted")], 1, "B-DISK", activity="wished")
    one = await alice.call("list_request_by_did", "wanted/1", "B-DISK", scope="mc")
    assert (one["state"], one["dest_rse"], one["activity"], one["bytes"]) == ("QUEUED", "B-DISK", "wished", 10)
    assert await alice.call("list_requests", "A-DISK", "B-DISK", "Q,S") == []  # it was tried from nowhere yet
    async with rucio.deployment.database.transaction([0, 1]) as conn:
        attempt = """
            WITH active AS (UPDATE transfer_request SET state = 'A' WHERE activity = 'wished' RETURNING vo, request_id)
            INSERT INTO transfer (vo, state, source_rse_id, request_id)
            SELECT active.vo, 'A', rse_id, request_id FROM active, rse WHERE rse.name = 'A-DISK'
            """
        await conn.execute(attempt)
    (active,) = await alice.call("list_requests", "A-DISK", "B-DISK", "Q,S")
    assert (active["name"], active["state"], active["source_rse"]) == ("wanted/1", "SUBMITTED", "A-DISK")
    assert await alice.call("list_requests", "A-DISK", "B-DISK", "D") == []
    assert await alice.call("list_requests", "B-DISK", "A-DISK", "S") == []
    assert await gridpp.call("list_requests", "A-DISK", "B-DISK", "Q,S") == []
    await refused(alice, "RequestNotFound", "list_request_by_did", "wanted/1", "A-DISK", scope="mc")
    await refused(alice, "RSENotFound", "list_requests", "A-DISK", "NO-DISK", "Q")
    await refused(alice, "DataIdentifierNotFound", "list_request_by_did", "no", "A-DISK", scope="mc")
    await refused(alice, "UnsupportedOperation", "list_requests_history", "A-DISK", "B-DISK", "D")
    await refused(alice, "UnsupportedOperation", "list_request_history_by_did", "wanted/1", "B-DISK", scope="mc")
    await refused(alice, "UnsupportedOperation", "list_transfer_limits")


async def test_an_analysis_tells_tries_and_sources(rucio: Online, alice: PythonClient, world: World) -> None:
    await dataset(rucio, "examined", "examined/1")
    (rule_id,) = await alice.call("add_replication_rule", [did("examined")], 1, "B-DISK")
    async with rucio.deployment.database.transaction([0, 1]) as conn:
        (lock,) = await service.list_locks(conn, 1, int(rule_id, 16))
        await fail(conn, world, [ReplicaKey(lock.did_id, lock.rse_id)])

    said = await alice.call("examine_replication_rule", rule_id)

    (trouble,) = said["transfers"]
    assert (trouble["name"], trouble["rse"], trouble["attempts"]) == ("examined/1", "B-DISK", 0)
    assert trouble["sources"] == [["A-DISK", True]]
