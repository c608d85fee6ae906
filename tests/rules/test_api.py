"""Rules, quotas and usage as a client sees them."""

import json
from typing import Any

import pytest

from tests.rules.given import SIZE, given_dataset, given_files
from tests.served import Served


@pytest.fixture
async def served(served: Served) -> Served:
    """A served application with a dataset of three files on A-DISK."""
    async with served.deployment.database.transaction([0, 1, 2]) as conn:
        await given_dataset(conn, served.world, "run1", 3)
    return served


async def make(served: Served, account: str = "alice", **more: Any) -> dict[str, Any]:
    body = {"did": "mc:run1", "rse_expression": "A-DISK|B-DISK", **more}
    response = await served.send("POST", "/rules", account=account, json=body)
    assert response.status_code == 201, response.text
    return response.json()


async def quota(served: Served, **spec: Any) -> None:
    document = {"kind": "Quota", "vo": "belle", "name": "all", "spec": {"rse_expression": "A-DISK|B-DISK", **spec}}
    response = await served.send(
        "POST", "/configuration/apply", vo="belle", account="root", json={"documents": [document]}
    )
    assert response.status_code == 200, response.text


async def test_a_rule_is_made_shown_listed_and_withdrawn(served: Served) -> None:
    made = await make(served, copies=2, lifetime="30 d", comment="for the paper")

    assert (made["state"], made["ok"], made["replicating"], made["stuck"]) == ("replicating", 3, 3, 0)
    assert (made["account"], made["rses"], made["comment"]) == ("alice", ["A-DISK", "B-DISK"], "for the paper")
    path = f"/rules/{made['rule_id']}"
    assert (await served.send("GET", path)).json() == made
    assert (await served.send("GET", "/rules", params={"did": "mc:run1", "state": "replicating"})).json() == {
        "items": [made], "next": None,
    }  # fmt: skip
    assert (await served.send("DELETE", path)).status_code == 204

    assert (await served.send("GET", path)).json()["code"] == "rule_not_found"


async def test_its_account_changes_how_long_a_rule_lives_and_its_comment(served: Served) -> None:
    made = await make(served, lifetime="1 d", comment="for now")
    path = f"/rules/{made['rule_id']}"

    async def change(account: str = "alice", **said: Any) -> dict[str, Any]:
        return (await served.send("PATCH", path, account=account, json=said)).json()

    assert await change() == made
    assert await change(comment="for ever", lifetime=None) == {**made, "comment": "for ever", "expires_at": None}
    assert (await change(lifetime="30 d"))["expires_at"] > made["expires_at"]
    assert (await change(account="root", comment=None))["comment"] is None
    assert (await change(account="bob", comment="mine"))["code"] == "not_yours"
    assert (await change(copies=2))["code"] == "invalid_request"
    gone = await served.send("PATCH", "/rules/999999", json={"comment": "x"})
    assert gone.json()["code"] == "rule_not_found"


async def test_rules_and_locks_come_in_pages(served: Served) -> None:
    made = [(await make(served, account=account))["rule_id"] for account in ("alice", "bob", "alice")]

    first = (await served.send("GET", "/rules", params={"limit": 2})).json()
    rest = (await served.send("GET", "/rules", params={"limit": 2, "cursor": first["next"]})).json()
    bobs = (await served.send("GET", "/rules", params={"account": "bob"})).json()
    assert [r["rule_id"] for r in first["items"] + rest["items"]] == made[::-1]
    assert rest["next"] is None
    assert [r["rule_id"] for r in bobs["items"]] == [made[1]]

    path = f"/rules/{made[0]}/locks"
    some = (await served.send("GET", path, params={"limit": 2})).json()
    more = (await served.send("GET", path, params={"limit": 2, "cursor": some["next"]})).json()
    assert [lock["did"] for lock in some["items"] + more["items"]] == [f"mc:run1/{n}" for n in range(3)]
    assert {(lock["rse"], lock["state"], lock["error"]) for lock in some["items"]} == {("A-DISK", "ok", None)}


async def test_quotas_and_usage_say_what_is_left(served: Served) -> None:
    await quota(served, size="1 kB")
    await make(served)
    await make(served, account="bob", copies=2)

    quotas = (await served.send("GET", "/quotas", params={"account": "alice"})).json()
    usage = (await served.send("GET", "/usage", params={"limit": 2})).json()
    rest = (await served.send("GET", "/usage", params={"cursor": usage["next"]})).json()

    assert quotas["items"] == [
        {
            "name": "all", "account": None, "rse_expression": "A-DISK|B-DISK", "size": 1000, "used": 9 * SIZE,
            "room": SIZE,
        }
    ]  # fmt: skip
    assert [(u["account"], u["rse"], u["files"], u["size"]) for u in usage["items"] + rest["items"]] == [
        ("alice", "A-DISK", 3, 300), ("bob", "A-DISK", 3, 300), ("bob", "B-DISK", 3, 300),
    ]  # fmt: skip


async def test_over_quota_is_a_conflict_and_nothing_stays(served: Served) -> None:
    await quota(served, size=299, account="alice")

    response = await served.send("POST", "/rules", json={"did": "mc:run1", "rse_expression": "A-DISK"})

    problem = response.json()
    assert (response.status_code, problem["code"]) == (409, "quota_exceeded")
    assert problem["facts"]["free"] == 299
    assert problem["facts"]["needed"] == 300
    assert problem["hint"]
    assert (await served.send("GET", "/rules")).json()["items"] == []


async def test_a_changed_quota_counts_from_the_next_apply_on(served: Served) -> None:
    await make(served)
    await quota(served, size=500)
    await quota(served, size=200)

    [one] = (await served.send("GET", "/quotas")).json()["items"]

    assert (one["size"], one["used"], one["room"]) == (200, 300, 0)


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"did": "mc:none", "rse_expression": "A-DISK"}, 404, "did_not_found", "did"),
        ({"did": "run1", "rse_expression": "A-DISK"}, 422, "did_malformed", "did"),
        ({"did": "mc:run1", "rse_expression": "tier=9"}, 422, "rse_expression_empty", "rse_expression"),
        ({"did": "mc:run1", "rse_expression": "tier=("}, 422, "rse_expression_invalid", "rse_expression"),
        ({"did": "mc:run1", "rse_expression": "A-DISK", "copies": 2}, 422, "too_few_rses", "copies"),
        ({"did": "mc:run1", "rse_expression": "A-DISK", "copies": 0}, 422, "invalid_request", "copies"),
        ({"did": "mc:run1"}, 422, "invalid_request", "rse_expression"),
        ({"did": "mc:run1", "rse_expression": "A-DISK", "lifetime": 0}, 422, "invalid_request", "lifetime"),
        ({"did": "mc:run1", "rse_expression": "A-DISK", "coppies": 2}, 422, "invalid_request", "coppies"),
    ],
)
async def test_a_wrong_request_is_told_what_is_wrong_with_which_field(
    served: Served, body: dict[str, Any], status: int, code: str, field: str
) -> None:
    response = await served.send("POST", "/rules", json=body)

    problem = response.json()
    assert (response.status_code, problem["code"], problem["field"]) == (status, code, field)
    assert problem.get("hint") or status == 404


async def test_rules_of_others_are_seen_in_the_vo_but_not_deleted_and_not_seen_outside(served: Served) -> None:
    made = await make(served)
    path = f"/rules/{made['rule_id']}"

    assert (await served.send("GET", path, account="bob")).status_code == 200
    refused = await served.send("DELETE", path, account="bob")
    assert (refused.status_code, refused.json()["code"]) == (403, "not_yours")
    for method in ("GET", "DELETE"):
        assert (await served.send(method, path, vo="gridpp", account="root")).status_code == 404
    assert (await served.send("GET", f"{path}/locks", vo="gridpp")).status_code == 404
    assert (await served.send("GET", "/usage", vo="gridpp")).json()["items"] == []
    assert (await served.send("DELETE", path, account="root")).status_code == 204


async def test_an_attached_file_gets_its_copies_by_itself(served: Served) -> None:
    made = await make(served, copies=2)
    async with served.deployment.database.transaction([1]) as conn:
        await given_files(conn, served.world, ["new"])
    attached = await served.send("POST", "/attachments", json={"parent": "mc:run1", "children": ["mc:new"]})
    assert attached.status_code == 204, attached.text

    await served.run_tasks()

    rule = (await served.send("GET", f"/rules/{made['rule_id']}")).json()
    assert rule["ok"] + rule["replicating"] + rule["stuck"] == 8


async def test_what_rules_hold_on_an_rse_is_streamed_and_a_rule_moves_with_other_terms(served: Served) -> None:
    made = await make(served, rse_expression="A-DISK", activity="slow")
    (held,) = (await served.send("GET", "/rses/A-DISK/locks")).text.splitlines()
    assert json.loads(held) == {
        "dataset": "mc:run1", "rule_id": made["rule_id"], "account": "alice", "files": 3, "size": 3 * SIZE,
        "state": "ok",
    }  # fmt: skip
    for account, vo in (("alice", "gridpp"), ("root", "gridpp")):
        assert (await served.send("GET", "/rses/A-DISK/locks", vo=vo, account=account)).text == ""
    assert (await served.send("GET", "/rses/NO-DISK/locks")).json()["field"] == "name"

    terms = {"rse_expression": "*", "copies": 2, "lifetime": "1 d", "comment": "both"}
    new = (await served.send("POST", f"/rules/{made['rule_id']}/move", json=terms)).json()
    assert (new["copies"], new["comment"], new["activity"]) == (2, "both", "slow")
    assert new["expires_at"] is not None
