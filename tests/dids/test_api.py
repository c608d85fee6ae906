"""The routes of the namespace and of accounting, in a served application."""

from typing import Any

from tests.served import Served


async def collection(served: Served, did: str, kind: str = "dataset", account: str = "alice") -> dict[str, Any]:
    made = await served.send("POST", "/dids", json={"did": did, "kind": kind}, account=account)
    assert made.status_code == 201, made.text
    return made.json()


async def registered(served: Served, *dids: str) -> None:
    files = [{"did": did, "size": 10, "adler32": "0000000a"} for did in dids]
    made = await served.send("POST", "/replicas", json={"rse": "A-DISK", "files": files}, account="root")
    assert made.status_code == 201, made.text


async def test_a_dataset_is_made_filled_shown_and_closed(served: Served) -> None:
    made = await collection(served, "mc:run/1")
    assert (made["kind"], made["open"], made["account"]) == ("dataset", True, "alice")
    await registered(served, "mc:run/a", "mc:run/b#?%")

    sent = {"parent": "mc:run/1", "children": ["mc:run/a", "mc:run/b#?%"]}
    assert (await served.send("POST", "/attachments", json=sent)).status_code == 204
    shown = (await served.send("GET", "/dids/mc:run/1")).json()
    assert (shown["files"], shown["total_size"], shown["did"]) == (2, 20, "mc:run/1")
    contents = (await served.send("GET", "/contents/mc:run/1")).json()
    assert [item["did"] for item in contents["items"]] == ["mc:run/a", "mc:run/b#?%"]
    page = (await served.send("GET", "/contents/mc:run/1", params={"limit": 1})).json()
    rest = await served.send("GET", "/contents/mc:run/1", params={"limit": 1, "cursor": page["next"]})
    assert page["items"] + rest.json()["items"] == contents["items"]

    sent["children"] = ["mc:run/a"]
    assert (await served.send("POST", "/attachments/remove", json=sent)).status_code == 204
    closed = await served.send("PATCH", "/dids/mc:run/1", json={"open": False})
    assert closed.json()["open"] is False
    refused = await served.send("POST", "/attachments", json=sent)
    assert (refused.status_code, refused.json()["code"]) == (409, "collection_closed")
    one = (await served.send("GET", "/dids/mc:run/b%23%3F%25")).json()
    assert (one["kind"], one["size"], one["adler32"], one["files"]) == ("file", 10, "0000000a", 1)


async def test_dids_are_listed_in_pages(served: Served) -> None:
    await registered(served, "mc:a1", "mc:a2", "mc:b1")
    await collection(served, "mc:a0")

    async def page(**query: Any) -> dict[str, Any]:
        return (await served.send("GET", "/dids", params={"scope": "mc", **query})).json()

    first = await page(prefix="a", limit=2)
    assert ([did["name"] for did in first["items"]], first["next"]) == (["a0", "a1"], "a1")
    second = await page(prefix="a", limit=2, cursor=first["next"])
    assert ([did["name"] for did in second["items"]], second["next"]) == (["a2"], None)
    assert [did["name"] for did in (await page(kind="dataset"))["items"]] == ["a0"]


async def test_each_mistake_is_named_with_its_field(served: Served) -> None:
    await collection(served, "mc:run1")
    await registered(served, "mc:a")

    async def answer(method: str, path: str, account: str = "alice", **more: Any) -> tuple[int, str, str | None]:
        said = (await served.send(method, path, account=account, **more)).json()
        return said["status"], said["code"], said.get("field")

    def children(*dids: str) -> dict[str, Any]:
        return {"parent": "mc:run1", "children": list(dids)}

    assert await answer("GET", "/dids/mc:no") == (404, "did_not_found", "did")
    assert await answer("GET", "/dids/nonsense") == (422, "did_malformed", "did")
    assert await answer("GET", "/dids", params={"scope": "no"}) == (404, "scope_not_found", "scope")
    assert await answer("GET", "/dids", params={"scope": "N o"}) == (404, "scope_not_found", "scope")
    assert await answer("GET", "/dids", params={"scope": "mc", "prefix": "\x1f"}) == (422, "invalid_request", "prefix")
    assert await answer("GET", "/contents/mc:a") == (409, "not_a_collection", "did")
    assert await answer("POST", "/dids", json={"did": "mc:run1", "kind": "dataset"}) == (409, "did_exists", "did")
    assert await answer("POST", "/dids", json={"did": "mc:r", "kind": "file"}) == (422, "invalid_request", "kind")
    assert await answer("POST", "/dids", json={"did": "x:r", "kind": "dataset"}) == (404, "scope_not_found", "did")
    assert await answer("POST", "/attachments", json=children("mc:a", "mc:no")) == (404, "did_not_found", "children")
    assert await answer("POST", "/attachments", json=children("mc:run1")) == (409, "kinds_mismatch", "children")
    assert await answer("POST", "/attachments", json=children()) == (422, "invalid_request", "children")
    assert await answer("POST", "/attachments", account="bob", json=children("mc:a")) == (403, "not_yours", None)
    assert await answer("PATCH", "/dids/mc:run1", account="bob", json={"open": False}) == (403, "not_yours", None)
    assert await answer("PATCH", "/dids/mc:a", json={"open": False}) == (409, "not_a_collection", "did")
    assert await answer("POST", "/scopes", json={"name": "new"}) == (403, "permission_missing", None)


async def test_nothing_half_done_stays_after_a_refusal(served: Served) -> None:
    await collection(served, "mc:run1")
    await registered(served, "mc:a")

    sent = {"parent": "mc:run1", "children": ["mc:a", "mc:run1"]}
    assert (await served.send("POST", "/attachments", json=sent)).status_code == 409

    assert (await served.send("GET", "/dids/mc:run1")).json()["files"] == 0
    assert (await served.send("GET", "/contents/mc:run1")).json()["items"] == []


async def test_another_vo_sees_nothing(served: Served) -> None:
    await collection(served, "mc:run1")

    assert (await served.send("GET", "/dids/mc:run1", vo="gridpp")).status_code == 404
    listed = await served.send("GET", "/dids", params={"scope": "mc"}, vo="gridpp")
    assert listed.json() == {"items": [], "next": None}


async def test_scopes_are_made_and_listed(served: Served) -> None:
    made = await served.send("POST", "/scopes", json={"name": "user.root"}, account="root")

    assert made.json() == {"name": "user.root", "account": "root", "shared": False}
    shared = {"name": "mc", "account": "root", "shared": True}
    assert (await served.send("GET", "/scopes")).json() == [shared, made.json()]


async def test_nobody_makes_dids_in_a_scope_of_somebody_else(served: Served) -> None:
    await served.send("POST", "/scopes", json={"name": "user.root"}, account="root")
    output = {"path": "o", "did": "user.root:o"}
    into = {"path": "o", "did": "mc:o", "dataset": "user.root:d"}
    job = {"name": "thief", "command": ["true"], "requirements": {"memory": 1_000_000}}
    file = {"size": 1, "adler32": "00010001"}
    for path, body, field in (
        ("/dids", {"did": "user.root:d", "kind": "dataset"}, "did"),
        ("/uploads", {"files": [{"did": "mc:f", **file}, {"did": "user.root:f", **file}]}, "files.1.did"),
        ("/uploads", {"files": [{"did": "mc:f", "dataset": "user.root:d", **file}]}, "files.0.dataset"),
        ("/jobs", {"description": {**job, "outputs": [output]}}, "description.outputs.0.did"),
        ("/jobs", {"description": {**job, "outputs": [into]}}, "description.outputs.0.dataset"),
    ):
        refused = (await served.send("POST", path, json=body)).json()
        assert (refused["status"], refused["code"], refused["field"]) == (403, "scope_not_yours", field)
    assert (await served.send("GET", "/dids", params={"scope": "user.root"})).json()["items"] == []
    assert (await served.send("GET", "/jobs")).json()["items"] == []
    assert (await served.send("GET", "/uploads")).json() == []


async def test_usage_is_summed_over_http(served: Served) -> None:
    assert (await served.send("GET", "/accounting", params={"by": ["account", "day"]})).json() == []
    wrong = await served.send("GET", "/accounting", params={"by": "colour"})
    assert wrong.status_code == 422
