"""The routes of replicas, in a served application."""

import json
from typing import Any

from tests.served import Served


def some(*names: str) -> list[dict[str, Any]]:
    return [{"did": f"mc:{name}", "size": 10 * n, "adler32": "0000000a"} for n, name in enumerate(names, 1)]


async def register(served: Served, *names: str, account: str = "root", **more: Any) -> Any:
    body = {"rse": "A-DISK", "files": some(*names), **more}
    return await served.send("POST", "/replicas", json=body, account=account)


async def test_registered_files_are_listed_with_their_replicas(served: Served) -> None:
    made = await register(served, "a", "b", dataset="mc:run1")
    assert (made.status_code, made.json()) == (201, {"files": 2, "size": 30})

    listed = await served.send("GET", "/replicas/mc:run1")

    assert listed.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in listed.text.splitlines()]
    assert [line["did"] for line in lines] == ["mc:a", "mc:b"]
    assert lines[1]["replicas"] == [{"rse": "A-DISK", "state": "available"}]
    assert (await served.send("GET", "/replicas/mc:no")).json()["code"] == "did_not_found"


async def test_sources_come_in_pages_with_tokens(served: Served) -> None:
    await register(served, "dir/a", "b", "c", dataset="mc:run1")

    async def page(**more: Any) -> dict[str, Any]:
        return (await served.send("POST", "/replicas/access", json={"dids": ["mc:run1"], **more})).json()

    first = await page(limit=2)
    second = await page(limit=2, cursor=first["next"])

    assert [file["did"] for file in first["files"] + second["files"]] == ["mc:dir/a", "mc:b", "mc:c"]
    assert (first["files"][0]["name"], second["next"]) == ("dir/a", None)
    (source,) = first["files"][0]["sources"]
    assert (source["rse"], source["site"]) == ("A-DISK", "SITE-A")
    assert source["url"].startswith(f"file://{served.storages['A-DISK']}/belle/mc/")
    assert source["token"].count(".") == 2
    missing = (await served.send("POST", "/replicas/access", json={"dids": ["mc:run1", "mc:no"]})).json()
    assert (missing["code"], missing["field"]) == ("did_not_found", "dids")


async def test_urls_are_signed_where_the_storage_knows_such(served: Served) -> None:
    signing = {"site": "SITE-A", "plugin": "webdav", "prefix": "https://disk.test/data"}
    specs = {
        "SIGNS": signing | {"settings": {"signed_urls": True}},
        "PLAIN": signing | {"prefix": "https://plain.test"},
    }
    documents = [{"kind": "RSE", "name": name, "vo": "belle", "spec": spec} for name, spec in specs.items()]
    body = {"documents": documents}
    made = await served.send("POST", "/configuration/apply", vo="instance", account="root", json=body)
    assert made.status_code == 200, made.text
    url = "https://disk.test/data/belle/mc/x"

    async def sign(*urls: str, rse: str = "SIGNS", account: str = "alice", **more: Any) -> dict[str, Any]:
        body = {"rse": rse, "urls": urls, **more}
        return (await served.send("POST", "/replicas/signed-urls", account=account, json=body)).json()

    (signed,) = (await sign(url, lifetime="1 h"))["urls"]
    assert signed.startswith("https://disk.test:443/data/belle/mc/x?authz=Bearer%20ey")
    wrong: list[tuple[tuple[str, ...], dict[str, Any], str]] = [
        ((url, "https://disk.test/data/gridpp/mc/x"), {}, "path_not_in_area"),
        ((url, "https://else.test/data/belle/mc/x"), {}, "url_not_signed"),
        ((url, f"{url}/../y"), {}, "url_not_signed"),
        (("https://plain.test/belle/mc/x",), {"rse": "PLAIN"}, "url_not_signed"),
        ((url,), {"rse": "NOWHERE"}, "rse_not_found"),
        ((url,), {"lifetime": "2 h"}, "invalid_request"),
        ((url,), {"write": True}, "permission_missing"),
        (("https://disk.test/data/belle/mc/001/1/x",), {"write": True, "account": "root"}, "path_unfit"),
    ]
    for urls, more, code in wrong:
        assert (await sign(*urls, **more))["code"] == code, urls
    assert len((await sign(url, write=True, account="root"))["urls"]) == 1


async def test_each_mistake_is_named_with_its_field_and_nothing_stays(served: Served) -> None:
    await register(served, "taken")

    async def answer(*names: str, **more: Any) -> tuple[int, str, str | None]:
        said = (await register(served, *names, **more)).json()
        return said["status"], said["code"], said.get("field")

    assert await answer("new", "taken") == (409, "did_exists", "files.1.did")
    assert await answer("new", "../x") == (422, "did_malformed", "files.1.did")
    assert await answer("new", rse="NO-DISK") == (404, "rse_not_found", "rse")
    assert await answer("new", files=[]) == (422, "invalid_request", "files")
    assert await answer("new", files=[{"did": "mc:new", "size": -1}]) == (422, "invalid_request", "files.0.size")
    assert await answer("new", files=[{"did": "mc:new", "size": 2**63}]) == (422, "invalid_request", "files.0.size")
    assert await answer("new", dataset="mc:taken") == (409, "not_a_dataset", "dataset")
    assert await answer("new", account="alice") == (403, "permission_missing", None)
    assert (await served.send("GET", "/dids/mc:new")).status_code == 404


async def test_another_vo_sees_nothing(served: Served) -> None:
    await register(served, "a")

    assert (await served.send("GET", "/replicas/mc:a", vo="gridpp")).status_code == 404
    asked = await served.send("POST", "/replicas/access", json={"dids": ["mc:a"]}, vo="gridpp")
    assert asked.status_code == 404


async def test_what_is_said_of_replicas_is_noted_and_listed(served: Served) -> None:
    await register(served, "dir/a", "b")
    listed = (await served.send("POST", "/replicas/access", json={"dids": ["mc:b"]})).json()
    url = listed["files"][0]["sources"][0]["url"]

    async def say(kind: str, *replicas: str, **more: Any) -> Any:
        body = {"kind": kind, "replicas": list(replicas), "reason": "why", **more}
        return await served.send("POST", "/replicas/declarations", account="root", json=body)

    said = await say("unavailable", "mc:dir/a@A-DISK", url, until="2100-01-01T00:00:00")
    assert (said.status_code, said.json()) == (201, {"noted": 2, "left": []})
    assert (await say("bad", "mc:dir/a@A-DISK")).json() == {"noted": 1, "left": []}
    assert (await say("bad", url, "mc:dir/a@A-DISK")).json() == {
        "noted": 1, "left": [{"replica": "mc:dir/a@A-DISK", "state": "bad"}]
    }  # fmt: skip

    async def troubles(**query: Any) -> list[tuple[str, str, str]]:
        page = (await served.send("GET", "/replicas/declarations", params=query)).json()
        assert all((one["account"], one["reason"], one["rse"]) == ("root", "why", "A-DISK") for one in page["items"])
        return [(one["did"], one["kind"], one["state"]) for one in page["items"]]

    assert sorted(await troubles(kind="bad")) == [("mc:b", "bad", "standing"), ("mc:dir/a", "bad", "standing")]
    assert await troubles(did="mc:b", state="replaced", rse="A-DISK") == [("mc:b", "unavailable", "replaced")]
    assert len(await troubles(limit=3)) == 3
    assert await troubles(rse="B-DISK") == []
    assert (await served.send("GET", "/replicas/declarations", vo="gridpp")).json()["items"] == []


async def test_a_replica_that_is_not_there_is_named_and_nothing_is_noted(served: Served) -> None:
    await register(served, "a")

    async def answer(*replicas: str, account: str = "root", **more: Any) -> tuple[int, str]:
        body = {"kind": "bad", "replicas": ["mc:a@A-DISK", *replicas], **more}
        said = (await served.send("POST", "/replicas/declarations", account=account, json=body)).json()
        return said["status"], said["code"]

    assert await answer("mc:a@B-DISK") == (404, "replica_not_found")
    assert await answer("mc:a@NO-DISK") == (404, "rse_not_found")
    assert await answer("mc:no@A-DISK") == (404, "did_not_found")
    assert await answer("mc:a") == (404, "rse_not_found")
    assert await answer("root://elsewhere//x") == (404, "replica_not_found")
    assert await answer("") == (422, "invalid_request")
    assert await answer(until="2100-01-01T00:00:00Z") == (422, "time_not_for_this")
    assert await answer(account="alice") == (403, "permission_missing")
    assert (await served.send("GET", "/replicas/declarations")).json()["items"] == []
