"""Rucio's routes of replicas by themselves: paths that clients of other makes ask, content types, other VOs."""

import json
from typing import Any

import httpx2
import psycopg

from tests.served import Served


async def ask(served: Served, method: str, path: str, *, vo: str = "belle", account: str = "root", **more: Any) -> Any:
    headers = {"x-rucio-auth-token": served.token(vo, account), **more.pop("headers", {})}
    return await served.client.request(method, f"/rucio{path}", headers=headers, **more)


def lines(answer: httpx2.Response) -> list[Any]:
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-json-stream"), answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


async def register(served: Served, *names: str, vo: str = "belle") -> None:
    files = [{"scope": "mc", "name": name, "bytes": 10, "adler32": "0a1b2c3d"} for name in names]
    made = await ask(served, "POST", "/replicas/", vo=vo, json={"rse": "A-DISK", "files": files})
    assert (made.status_code, made.text) == (201, "Created")


async def test_the_replicas_of_one_did_are_had_by_its_path(served: Served) -> None:
    await register(served, "dir/one")
    for path in ("/replicas/mc/dir/one", "/replicas/mc/dir%2Fone/"):
        (one,) = lines(await ask(served, "GET", path))
        assert (one["name"], list(one["rses"])) == ("dir/one", ["A-DISK"])
    (none,) = lines(await ask(served, "GET", "/replicas/mc/dir/one?schemes=root&limit=1"))
    assert none["pfns"] == {}
    unknown = await ask(served, "GET", "/replicas/mc/dir/one?colour=red")
    assert (unknown.status_code, unknown.headers["ExceptionClass"]) == (400, "InputValidationError")
    assert lines(await ask(served, "GET", "/replicas/bad/states")) == []  # no DID of a scope `bad`


async def test_a_browser_is_led_to_a_replica_that_it_can_read(served: Served) -> None:
    await register(served, "dir/one")
    nowhere = await ask(served, "GET", "/redirect/mc/dir/one")
    assert (nowhere.status_code, nowhere.headers["ExceptionClass"]) == (404, "ReplicaNotFound")
    with psycopg.connect(served.owner_url, options="-c search_path=sancho") as conn:
        conn.execute("UPDATE rse_protocol SET prefix = 'davs://disk.test/data'")

    led = await ask(served, "GET", "/redirect/mc/dir/one/")

    assert (led.status_code, led.headers["location"][:35]) == (303, "https://disk.test:443/data/belle/mc")
    said = await ask(served, "GET", "/redirect/mc/dir/one/metalink")
    assert said.headers["content-type"] == "application/metalink4+xml"
    assert "davs://disk.test:443/data/belle/mc/" in said.text


async def test_no_vo_sees_replicas_of_another(served: Served) -> None:
    await register(served, "only-gridpp", vo="gridpp")
    (theirs,) = lines(await ask(served, "GET", "/replicas/mc/only-gridpp", vo="gridpp"))
    (url,) = theirs["pfns"]
    did = {"scope": "mc", "name": "only-gridpp"}
    for method, path, body in (
        ("POST", "/replicas/list", {"dids": [did]}),
        ("POST", "/replicas/datasets_bulk", {"dids": [did]}),
        ("GET", "/replicas/mc/only-gridpp", None),
        ("GET", "/replicas/mc/only-gridpp/datasets", None),
        ("GET", "/redirect/mc/only-gridpp", None),
    ):
        hidden = await ask(served, method, path, json=body)
        assert (hidden.status_code, hidden.headers["ExceptionClass"]) == (404, "DataIdentifierNotFound"), path
    assert lines(await ask(served, "POST", "/replicas/dids", json={"pfns": [url]})) == []
    unknown = await ask(served, "POST", "/replicas/bad", json={"replicas": [url]})
    assert (unknown.status_code, unknown.json()) == (201, {"unknown": [url]})
    for method, path, body in (
        ("POST", "/replicas/bad", {"replicas": [{**did, "rse": "A-DISK"}]}),
        ("POST", "/replicas/bad/dids", {"rse": "A-DISK", "dids": [did]}),
        ("POST", "/replicas/tombstone", {"replicas": [{**did, "rse": "A-DISK"}]}),
        ("DELETE", "/replicas", {"rse": "A-DISK", "files": [did]}),
    ):
        hidden = await ask(served, method, path, json=body)
        assert (hidden.status_code, hidden.headers["ExceptionClass"]) == (404, "DataIdentifierNotFound"), path
    assert lines(await ask(served, "GET", "/replicas/mc/only-gridpp", vo="gridpp")) == [theirs]
    await register(served, "only-gridpp")
    (ours,) = lines(await ask(served, "GET", "/replicas/mc/only-gridpp"))
    assert ours["pfns"].keys().isdisjoint(theirs["pfns"])


async def test_no_vo_sees_rules_of_another(served: Served) -> None:
    await register(served, "only-gridpp", vo="gridpp")
    body = {"dids": [{"scope": "mc", "name": "only-gridpp"}], "copies": 1, "rse_expression": "A-DISK"}
    (rule_id,) = (await ask(served, "POST", "/rules/", vo="gridpp", json=body)).json()
    assert (await ask(served, "GET", f"/rules/{rule_id}", vo="gridpp")).json()["name"] == "only-gridpp"
    for method, path, said in (
        ("GET", f"/rules/{rule_id}", None),
        ("DELETE", f"/rules/{rule_id}", None),
        ("PUT", f"/rules/{rule_id}", {"options": {"lifetime": 1}}),
        ("GET", f"/rules/{rule_id}/locks", None),
        ("GET", f"/rules/{rule_id}/analysis", None),
    ):
        hidden = await ask(served, method, path, json=said)
        assert (hidden.status_code, hidden.headers["ExceptionClass"]) == (404, "RuleNotFound"), path
    for method, path, said in (
        ("POST", "/rules/", body),
        ("GET", "/dids/mc/only-gridpp/rules", None),
        ("GET", "/dids/mc/only-gridpp/associated_rules", None),
        ("GET", "/locks/mc/only-gridpp?did_type=dataset", None),
        ("POST", "/locks/bulk_locks_for_dids", {"dids": body["dids"]}),
    ):
        hidden = await ask(served, method, path, json=said)
        assert (hidden.status_code, hidden.headers["ExceptionClass"]) == (404, "DataIdentifierNotFound"), path
    assert lines(await ask(served, "GET", "/rules/")) == []
    assert lines(await ask(served, "GET", "/accounts/root/rules")) == []
    assert (await ask(served, "GET", f"/rules/{rule_id}", vo="gridpp")).status_code == 200


async def test_locks_are_those_of_datasets(served: Served) -> None:
    await register(served, "one")
    answer = await ask(served, "GET", "/locks/mc/one?did_type=file")
    assert (answer.status_code, answer.headers["ExceptionClass"]) == (400, "InputValidationError")
    assert lines(await ask(served, "GET", "/locks/mc/one?did_type=dataset")) == []
