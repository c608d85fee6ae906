"""Rucio's client in Python, and its command, make rules and ask after them."""

from typing import Any

import pytest

from tests.compat.rucio_client import Online, PythonClient, Raised
from tests.identity.helpers import PASSWORD

pytestmark = pytest.mark.xdist_group("rucio_rules")  # one server for all
NO_RULE = "0" * 24 + "00ffffff"


def did(name: str) -> dict[str, str]:
    return {"scope": "mc", "name": name}


async def fault(client: PythonClient, method: str, *arguments: Any, **named: Any) -> str:
    with pytest.raises(Raised) as e:
        await client.call(method, *arguments, **named)
    return e.value.kind


async def dataset(rucio: Online, name: str, *files: str, rse: str = "A-DISK") -> None:
    """A dataset of files on an RSE."""
    body = {"rse": rse, "dataset": f"mc:{name}", "files": [{"did": f"mc:{file}", "size": 10} for file in files]}
    assert (await rucio.send("POST", "/replicas", account="root", json=body)).status_code == 201


async def container(rucio: Online, name: str, *children: str) -> None:
    """A container of datasets."""
    await rucio.send("POST", "/dids", account="root", json={"did": f"mc:{name}", "kind": "container"})
    body = {"parent": f"mc:{name}", "children": [f"mc:{child}" for child in children]}
    assert (await rucio.send("POST", "/attachments", account="root", json=body)).status_code == 204


async def test_a_rule_is_made_shown_changed_and_deleted(rucio: Online, alice: PythonClient) -> None:
    await dataset(rucio, "life", "life/1", "life/2")
    (rule_id,) = await alice.call("add_replication_rule", [did("life")], 1, "tier=1", lifetime=3600, comment="mine")
    assert len(rule_id) == 32

    rule = await alice.call("get_replication_rule", rule_id)

    assert (rule["id"], rule["scope"], rule["name"], rule["account"]) == (rule_id, "mc", "life", "alice")
    assert (rule["state"], rule["locks_ok_cnt"], rule["did_type"]) == ("OK", 2, "DATASET")
    assert (rule["rse_expression"], rule["copies"], rule["comments"]) == ("tier=1", 1, "mine")
    assert rule["expires_at"] > rule["created_at"]
    assert await alice.call("update_replication_rule", rule_id, {"lifetime": None, "comment": None}) is True
    changed = await alice.call("get_replication_rule", rule_id)
    assert (changed["expires_at"], changed["comments"]) == (None, None)
    assert await alice.call("delete_replication_rule", rule_id) is True
    assert (await alice.call("get_replication_rule", rule_id))["expires_at"] is not None
    assert await alice.call("delete_replication_rule", rule_id, purge_replicas=True) is True


async def test_rules_over_several_dids_are_all_made_or_none(rucio: Online, alice: PythonClient) -> None:
    await dataset(rucio, "many1", "many/1")
    await dataset(rucio, "many2", "many/2")
    made = await alice.call("add_replication_rule", [did("many2"), did("many1")], 1, "A-DISK", activity="several")
    assert [(await alice.call("get_replication_rule", one))["name"] for one in made] == ["many2", "many1"]
    assert await fault(alice, "add_replication_rule", [did("many1"), did("no")], 1, "B-DISK") == (
        "DataIdentifierNotFound"
    )

    async def names(**filters: Any) -> set[str]:
        return {one["name"] for one in await alice.call("list_replication_rules", filters)}

    assert await names(activity="several") == {"many1", "many2"}
    assert await names(rse_expression="B-DISK", scope="mc", name="many1") == set()
    assert await names(scope="mc", name="many1", account="alice", state="OK") == {"many1"}
    assert await names(account="nobody") == set()
    assert await alice.call("update_replication_rule", made[1], {"comment": "because"}) is True
    assert await names(activity="several", comments="because", priority=3, grouping="ALL") == {"many1"}
    assert await names(activity="several", purge_replicas=True) == await names(subscription_id="0" * 32) == set()
    assert (
        await fault(alice, "list_replication_rules", {"updated_after": "2026-01-01T00:00:00"}) == "InputValidationError"
    )
    assert {one["name"] for one in await alice.call("list_account_rules", "alice")} >= {"many1", "many2"}
    assert await fault(alice, "list_account_rules", "nobody") == "AccountNotFound"
    assert await fault(alice, "list_replication_rules", {"colour": "red"}) == "InputValidationError"
    assert await fault(alice, "list_replication_rules", {"state": "HAPPY"}) == "InputValidationError"


async def test_rules_and_locks_are_found_by_what_they_hold(rucio: Online, alice: PythonClient) -> None:
    await dataset(rucio, "held", "held/1", "held/2")
    await container(rucio, "holds", "held")
    (above,) = await alice.call("add_replication_rule", [did("holds")], 1, "A-DISK")
    (on,) = await alice.call("add_replication_rule", [did("held")], 2, "*")

    assert [one["id"] for one in await alice.call("list_did_rules", "mc", "held")] == [on]
    assert [one["id"] for one in await alice.call("list_associated_rules_for_file", "mc", "held/1")] == [above, on]
    locks = await alice.call("list_replica_locks", on)
    assert sorted((one["name"], one["rse"], one["state"]) for one in locks) == [
        ("held/1", "A-DISK", "OK"), ("held/1", "B-DISK", "REPLICATING"),
        ("held/2", "A-DISK", "OK"), ("held/2", "B-DISK", "REPLICATING"),
    ]  # fmt: skip
    expected = [(above, "A-DISK", "OK", 2), (on, "A-DISK", "OK", 2), (on, "B-DISK", "REPLICATING", 2)]
    held = await alice.call("get_dataset_locks", "mc", "held")
    assert [(one["rule_id"], one["rse"], one["state"], one["length"]) for one in held] == expected
    assert await alice.call("get_locks_for_dids", [{**did("holds"), "type": "container"}]) == held
    examined = await alice.call("examine_replication_rule", on)
    assert examined == {"rule_error": "REPLICATING", "transfers": []}


async def test_the_command_makes_rules_shows_and_removes_them(rucio: Online) -> None:
    await dataset(rucio, "typed", "typed/1")
    mine = rucio.configure(auth_type="userpass", username="alice", password=PASSWORD)

    code, said = await rucio.run("rule", "add", "mc:typed", "--copies", "1", "--rses", "A-DISK", environment=mine)

    assert code == 0, said
    rule_id = said.split()[-1]
    code, shown = await rucio.run("rule", "show", rule_id, environment=mine)
    assert (code, "OK" in shown, "mc" in shown) == (0, True, True), shown
    code, listed = await rucio.run("rule", "list", "--account", "alice", environment=mine)
    assert (code, rule_id in listed) == (0, True), listed
    code, gone = await rucio.run("rule", "remove", rule_id, environment=mine)
    assert code == 0, gone


REFUSED = [
    ({"copies": 0}, "InputValidationError"),
    ({"copies": 5}, "InsufficientTargetRSEs"),
    ({"rse_expression": "tier="}, "InvalidRSEExpression"),
    ({"rse_expression": "tier=9"}, "InvalidRSEExpression"),
    ({"lifetime": -1}, "InputValidationError"),
    ({"grouping": "NONE", "rse_expression": "*"}, "UnsupportedOperation"),
    ({"weight": "space"}, "InputValidationError"),
    ({"notify": "Y"}, "InputValidationError"),
    ({"locked": True}, "InputValidationError"),
    ({"source_replica_expression": "A-DISK"}, "InputValidationError"),
    ({"account": "bob"}, "AccessDenied"),
    ({"dids": []}, "InputValidationError"),
    ({"dids": [{"scope": "mc"}]}, "InputValidationError"),
    ({"dids": [did("bad name")]}, "InvalidObject"),
    ({"dids": [did("strict")] * 101}, "InvalidObject"),
]


async def test_what_cannot_be_had_is_refused_and_nothing_stays(rucio: Online, alice: PythonClient) -> None:
    await dataset(rucio, "strict", "strict/1")
    for changed, kind in REFUSED:
        asked = {"dids": [did("strict")], "copies": 1, "rse_expression": "A-DISK", **changed}
        assert await fault(alice, "add_replication_rule", **asked) == kind, changed
    assert await alice.call("list_did_rules", "mc", "strict") == []


async def test_rules_of_others_stay_and_bad_ids_are_none(
    alice: PythonClient, root: PythonClient, rucio: Online
) -> None:
    await dataset(rucio, "theirs", "theirs/1")
    (rule_id,) = await root.call("add_replication_rule", [did("theirs")], 1, "A-DISK")
    assert await fault(alice, "delete_replication_rule", rule_id) == "AccessDenied"
    assert await fault(alice, "update_replication_rule", rule_id, {"lifetime": 1}) == "AccessDenied"
    assert await fault(alice, "approve_replication_rule", rule_id) == "AccessDenied"
    assert await fault(root, "approve_replication_rule", rule_id) == "UnsupportedOperation"
    assert await fault(alice, "update_replication_rule", rule_id, {"colour": 1}) == "InputValidationError"
    for bad in ("abc", "f" * 32, rule_id[:-1], "%00"):
        assert await fault(alice, "get_replication_rule", bad) == "InputValidationError", bad
    for method in ("get_replication_rule", "delete_replication_rule", "list_replica_locks", "examine_replication_rule"):
        assert await fault(alice, method, NO_RULE) == "RuleNotFound", method
    assert await fault(alice, "update_replication_rule", NO_RULE, {"lifetime": 1}) == "RuleNotFound"
    assert await fault(alice, "list_did_rules", "mc", "no") == "DataIdentifierNotFound"
    assert await fault(alice, "list_associated_rules_for_file", "mc", "no") == "DataIdentifierNotFound"
    assert await fault(alice, "get_dataset_locks", "mc", "no") == "DataIdentifierNotFound"


async def test_files_may_be_spread_and_datasets_where_there_is_no_choice(rucio: Online, alice: PythonClient) -> None:
    await dataset(rucio, "spread", "spread/1")
    (made,) = await alice.call("add_replication_rule", [did("spread/1")], 1, "B-DISK", grouping="NONE")
    assert (await alice.call("get_replication_rule", made))["did_type"] == "FILE"
    kind = await fault(alice, "add_replication_rule", [did("spread/1"), did("spread")], 1, "*", grouping="NONE")
    assert kind == "UnsupportedOperation"
    (made,) = await alice.call("add_replication_rule", [did("spread")], 1, "A-DISK", grouping="NONE")
    assert (await alice.call("get_replication_rule", made))["did_type"] == "DATASET"
