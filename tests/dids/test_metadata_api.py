"""The routes of metadata, searches and smart datasets, in a served application."""

from typing import Any

from tests.dids.test_api import collection, registered
from tests.served import Served

KEYS = {
    "run": {"kind": "integer"}, "detector": {"kind": "texts", "vocabulary": ["ecl", "top"]},
    "note": {"kind": "text", "indexed": False},
}  # fmt: skip


async def given_keys(served: Served, vo: str = "belle", **specs: Any) -> None:
    documents = [{"kind": "MetadataKey", "name": name, "spec": spec} for name, spec in (specs or KEYS).items()]
    applied = await served.send(
        "POST", "/configuration/apply", vo=vo, account="root", json={"documents": documents}
    )  # fmt: skip
    assert applied.status_code == 200, applied.text


async def say(served: Served, did: str, account: str = "alice", **said: Any) -> Any:
    sent = {"dids": [{"did": did, "metadata": said}]}
    answer = await served.send("POST", "/metadata", account=account, json=sent)
    return answer.json() if answer.content else answer.status_code


async def find(served: Served, where: str, **more: Any) -> list[str]:
    answer = await served.send("GET", "/dids", params={"where": where, **more})
    assert answer.status_code == 200, answer.text
    return [did["name"] for did in answer.json()["items"]]


async def test_metadata_is_said_shown_and_found(served: Served) -> None:
    await given_keys(served)
    await registered(served, "mc:a", "mc:b")
    await collection(served, "mc:d")
    await served.send("POST", "/attachments", json={"parent": "mc:d", "children": ["mc:a"]})
    assert await say(served, "mc:d", run=7, detector="ecl,top") == 204
    assert await say(served, "mc:a", account="root", note="mine") == 204
    shown = (await served.send("GET", "/metadata/of/mc:d")).json()
    assert shown == {"did": "mc:d", "metadata": {"run": 7, "detector": ["ecl", "top"]}}
    many = await served.send("POST", "/metadata/list", json={"dids": ["mc:b", "mc:a"], "inherit": True})
    assert [one["metadata"] for one in many.json()] == [{}, {"run": 7, "detector": ["ecl", "top"], "note": "mine"}]
    keys = (await served.send("GET", "/metadata/keys")).json()
    assert {key["name"]: (key["kind"], key["searched"]) for key in keys} == {
        "run": ("integer", True), "detector": ("texts", True), "note": ("text", False),
    }  # fmt: skip

    assert await find(served, "run >= 7 & detector in (ecl)") == ["d"]
    assert await find(served, "run >= 7", inherit=True) == ["a", "d"]
    assert await find(served, "run >= 7", inherit=True, kind="file") == ["a"]
    assert await find(served, "note = mine", scope="mc") == ["a"]
    assert await find(served, "note exists | kind = file", within="mc:d") == ["a"]
    page = (await served.send("GET", "/dids", params={"where": "name like *", "limit": 2})).json()
    rest = (await served.send("GET", "/dids", params={"where": "name like *", "cursor": page["next"]})).json()
    assert ([one["name"] for one in page["items"] + rest["items"]], rest["next"]) == (["a", "b", "d"], None)


async def test_a_search_shows_nothing_of_another_vo(served: Served) -> None:
    await given_keys(served)
    await given_keys(served, "gridpp", theirs={"kind": "text"})
    await served.send("POST", "/dids", vo="gridpp", json={"did": "mc:theirs", "kind": "dataset"})
    said = {"dids": [{"did": "mc:theirs", "metadata": {"theirs": "secret"}}]}
    assert (await served.send("POST", "/metadata", vo="gridpp", json=said)).status_code == 204
    assert await find(served, "name like *") == []
    answer = await served.send("GET", "/dids", params={"where": "theirz = x"})
    assert (answer.json()["code"], "theirs" in answer.text) == ("search_field_unknown", False)
    assert (await served.send("GET", "/metadata/of/mc:theirs")).json()["code"] == "did_not_found"
    assert (await served.send("GET", "/smart/mc:theirs")).json()["code"] == "did_not_found"


async def test_each_mistake_is_named_with_its_field(served: Served) -> None:
    await given_keys(served)
    await collection(served, "mc:d")

    async def code(method: str, path: str, **more: Any) -> tuple[str, str | None]:
        said = (await served.send(method, path, **more)).json()
        return said["code"], said.get("field")

    said = await say(served, "mc:d", colour="red")
    assert (said["code"], said["field"]) == ("metadata_key_unknown", "dids.0.metadata.colour")
    said = await say(served, "mc:d", run="x")
    assert (said["code"], said["field"]) == ("metadata_unfit", "dids.0.metadata.run")
    assert (await say(served, "mc:d", account="bob", run=1))["code"] == "not_yours"
    assert (await say(served, "mc:none", run=1))["code"] == "did_not_found"
    assert await code("GET", "/dids") == ("where_missing", "scope")
    assert await code("GET", "/dids", params={"where": "run >"}) == ("query_malformed", "where")
    assert await code("GET", "/dids", params={"where": "note = x"}) == ("metadata_key_not_indexed", "where")
    assert await code("GET", "/dids", params={"where": "run = x"}) == ("search_value_unfit", "where")
    assert await code("GET", "/dids", params={"where": "run like x"}) == ("search_operator_unfit", "where")
    assert await code("GET", "/dids", params={"within": "mc:none"}) == ("did_not_found", "within")
    assert await code("POST", "/smart", json={"did": "mc:s", "where": "x ="}) == ("query_malformed", "where")
    assert await code("POST", "/smart", json={"did": "mc:s", "where": "x = 1"}) == ("search_field_unknown", "where")
    assert await code("GET", "/smart/mc:d") == ("not_smart", "did")
    assert await code("POST", "/smart/freeze", json={"did": "mc:d"}) == ("not_smart", "did")
    assert await code("GET", "/dids/mc:s") == ("did_not_found", "did")


async def test_a_dataset_follows_a_search_until_it_is_frozen(served: Served) -> None:
    await given_keys(served)
    await registered(served, "mc:a", "mc:b")
    await say(served, "mc:a", account="root", run=1)
    made = (await served.send("POST", "/smart", json={"did": "mc:s", "where": "run > 0", "scope": "mc"})).json()
    assert made == {"did": "mc:s", "where": "run > 0", "scope": "mc", "refreshed_at": None, "fault": None}
    await served.run_tasks()
    assert (await served.send("GET", "/dids/mc:s")).json()["files"] == 1
    assert (await served.send("GET", "/smart/mc:s")).json()["refreshed_at"] is not None
    await say(served, "mc:b", account="root", run=2)
    done = (await served.send("POST", "/smart/refresh", json={"did": "mc:s"})).json()
    assert done == {"attached": 1, "detached": 0, "more": False}
    frozen = (await served.send("POST", "/smart/freeze", json={"did": "mc:s"})).json()
    assert frozen["open"] is False
    assert (await served.send("GET", "/dids/mc:s")).json()["files"] == 2
