"""The routes of collections and of the lives of DIDs, in a served application."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.dids.test_api import collection, registered
from tests.served import Served


async def lines(served: Served, path: str, **more: Any) -> list[Any]:
    said = await served.send("GET", path, **more)
    assert said.headers["content-type"].startswith("application/x-ndjson")
    return [json.loads(line) for line in said.text.splitlines()]


def names(found: list[dict[str, Any]]) -> list[str]:
    return [one["did"] for one in found]


async def test_dids_are_erased_after_a_while_and_restored(served: Served) -> None:
    await collection(served, "mc:ds")
    await registered(served, "mc:a")

    said = (await served.send("POST", "/dids/erase", json={"dids": ["mc:ds", "mc:a"]}, account="root")).json()
    left = datetime.fromisoformat(said[0]["ends_at"]) - datetime.now(UTC)
    assert (names(said), left > timedelta(days=13)) == (["mc:ds", "mc:a"], True)
    shown = (await served.send("GET", "/dids/mc:ds")).json()
    assert (shown["ends_at"], shown["held"]) == (said[0]["ends_at"], None)
    restored = (await served.send("POST", "/dids/restore", json={"dids": ["mc:ds"]})).json()
    assert restored[0]["ends_at"] is None
    lasting = (await served.send("PATCH", "/dids/mc:ds", json={"lifetime": "1 h", "monotonic": True})).json()
    assert (lasting["ends_at"] is not None, lasting["monotonic"], lasting["open"]) == (True, True, True)
    assert (await served.send("PATCH", "/dids/mc:ds", json={"lifetime": None})).json()["ends_at"] is None
    new = {"did": "mc:short", "kind": "dataset", "monotonic": True, "lifetime": "1 d"}
    made = (await served.send("POST", "/dids", json=new)).json()
    assert (made["monotonic"], made["ends_at"] is not None) == (True, True)


async def test_each_mistake_names_what_is_wrong_and_changes_nothing(served: Served) -> None:
    await collection(served, "mc:ds")

    async def answer(path: str, account: str = "alice", **body: Any) -> tuple[int, str, str | None]:
        said = (await served.send("POST", path, account=account, json=body)).json()
        return said["status"], said["code"], said.get("field")

    assert await answer("/dids/erase", dids=["mc:ds", "mc:no"]) == (404, "did_not_found", "dids")
    assert await answer("/dids/erase", "bob", dids=["mc:ds"]) == (403, "not_yours", None)
    assert await answer("/dids/restore", "bob", dids=["mc:ds"]) == (403, "not_yours", None)
    assert await answer("/dids/erase", dids=["mc:ds"], after=0) == (422, "invalid_request", "after")
    assert (await served.send("GET", "/dids/mc:ds")).json()["ends_at"] is None
    wanted: list[dict[str, Any]] = [{"did": "mc:new", "kind": "dataset"}, {"did": "mc:ds", "kind": "dataset"}]
    assert await answer("/collections", collections=wanted) == (409, "did_exists", "collections.1.did")
    wanted[1] = {"did": "mc:new2", "kind": "dataset", "children": ["mc:no"]}
    assert await answer("/collections", collections=wanted) == (404, "did_not_found", "children")
    many = [{"did": f"mc:{n}", "kind": "dataset", "children": ["mc:x"] * 6000} for n in range(2)]
    assert (await answer("/collections", collections=many))[:2] == (422, "invalid_request")
    attachments = [{"parent": "mc:ds", "children": ["mc:ds"]}]
    assert await answer("/attachments/many", attachments=attachments) == (409, "kinds_mismatch", "children")
    assert await answer("/tallies", dids=["mc:no"]) == (404, "did_not_found", "dids")
    assert (await served.send("GET", "/dids/mc:new")).status_code == 404
    for path in ("files", "below", "parents", "history"):
        assert (await served.send("GET", f"/{path}/mc:ds", vo="gridpp")).status_code == 404
    bad = await served.send("GET", "/files/mc:ds", params={"as_of": "yesterday"})
    assert (bad.status_code, bad.json()["field"]) == (422, "as_of")


async def test_collections_are_made_with_what_is_in_them_and_counted_and_walked(served: Served) -> None:
    await registered(served, "mc:a", "mc:b")
    wanted = [
        {"did": "mc:box", "kind": "container", "children": ["mc:ds", "mc:other"]},
        {"did": "mc:ds", "kind": "dataset", "children": ["mc:a", "mc:b"]},
        {"did": "mc:other", "kind": "dataset"},
    ]
    made = await served.send("POST", "/collections", json={"collections": wanted})
    assert (made.status_code, names(made.json())) == (201, ["mc:box", "mc:ds", "mc:other"])
    many = {"attachments": [{"parent": "mc:other", "children": ["mc:a"]}, {"parent": "mc:ds", "children": ["mc:a"]}]}
    assert (await served.send("POST", "/attachments/many", json=many)).json() == {"attached": 1}
    again = await served.send("POST", "/attachments/many", json={**many, "again": False})
    assert again.json()["code"] == "file_attached_already"

    counted = (await served.send("POST", "/tallies", json={"dids": ["mc:box", "mc:a", "mc:other"]})).json()
    assert [(one["did"], one["files"], one["total_size"]) for one in counted] == [
        ("mc:box", 3, 30), ("mc:a", 1, 10), ("mc:other", 1, 10)
    ]  # fmt: skip
    assert sorted(names(await lines(served, "/parents/mc:a"))) == ["mc:ds", "mc:other"]
    assert await lines(served, "/files/mc:box") == [
        {"did": did, "size": 10, "adler32": "0000000a"} for did in ("mc:a", "mc:b")
    ]
    below = await lines(served, "/below/mc:box")
    assert [(one["did"], one["parent"], one["level"]) for one in below] == [
        ("mc:ds", "mc:box", 1), ("mc:other", "mc:box", 1),
        ("mc:a", "mc:ds", 2), ("mc:b", "mc:ds", 2), ("mc:a", "mc:other", 2),
    ]  # fmt: skip


async def test_the_past_of_a_collection_is_told(served: Served) -> None:
    await registered(served, "mc:a", "mc:b")
    ds = {"did": "mc:ds", "kind": "dataset", "children": ["mc:a", "mc:b"]}
    await served.send("POST", "/collections", json={"collections": [ds]})
    then = datetime.now(UTC).isoformat()
    await served.send("POST", "/attachments/remove", json={"parent": "mc:ds", "children": ["mc:a"]})

    for path in ("/files/mc:ds", "/contents/mc:ds"):
        for at, found in ((None, ["mc:b"]), (then, ["mc:a", "mc:b"]), ("2000-01-01", [])):
            said = (await served.send("GET", path, params={"as_of": at} if at else {})).text
            told = json.loads(said)["items"] if "contents" in path else list(map(json.loads, said.splitlines()))
            assert names(told) == found, (path, at)
    [gone] = await lines(served, "/history/mc:ds")
    assert (gone["did"], gone["kind"], gone["size"], gone["attached_at"] < gone["detached_at"]) == (
        "mc:a", "file", 10, True
    )  # fmt: skip


async def test_a_scope_is_given_away_and_shared(served: Served) -> None:
    await served.send("POST", "/scopes", json={"name": "own"}, account="root")

    given = await served.send("PATCH", "/scopes/own", json={"account": "alice"}, account="root")
    assert given.json() == {"name": "own", "account": "alice", "shared": False}
    assert (await served.send("PATCH", "/scopes/own", json={"shared": True}, account="root")).json()["shared"] is True
    refused = await served.send("PATCH", "/scopes/own", json={"shared": False})
    assert refused.json()["code"] == "permission_missing"
    missing = await served.send("PATCH", "/scopes/own", json={"account": "nobody"}, account="root")
    assert (missing.status_code, missing.json()["code"]) == (404, "account_not_found")
    assert (await served.send("PATCH", "/scopes/none", json={}, account="root")).status_code == 404


async def test_whom_a_name_means_is_told_to_managers_and_to_oneself(served: Served) -> None:
    name = "/DC=org/CN=Carol"
    proof = {"kind": "x509", "subject": name}
    await served.send("POST", "/accounts/alice/identities", json=proof, account="root")

    async def accounts(who: str, vo: str = "belle") -> list[str]:
        said = await served.send("GET", "/identities", params={"subject": name}, account=who, vo=vo)
        return sorted(one["account"] for one in said.json())

    assert await accounts("root") == await accounts("alice") == ["alice"]
    assert await accounts("bob") == []
    assert await accounts("root", vo="gridpp") == []
