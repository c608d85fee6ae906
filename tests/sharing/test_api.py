"""One VO lets another read a dataset: that dataset, by reading, until it is withdrawn."""

import json
from typing import Any

import pytest
from joserfc import jws

from tests.served import Served
from tests.sharing.given import grant, register, withdraw

GUEST = {"vo": "gridpp", "account": "alice"}


@pytest.fixture
async def sharing(served: Served) -> Served:
    """Belle has two datasets with a file each; gridpp may read the first."""
    for n in ("1", "2"):
        await register(served, "A-DISK", f"mc:run{n}", f"mc:file{n}")
    assert (await grant(served)).status_code == 200
    return served


def paths(did: str, vo: str = "belle") -> list[str]:
    return [f"/shared/{what}/{vo}/{did}" for what in ("contents", "replicas", "access")]


async def read(served: Served, path: str, **who: str) -> Any:
    return await served.send("GET", path, vo=who.get("vo", "gridpp"), account=who.get("account", "alice"))


async def test_the_other_vo_lists_a_shared_dataset_sees_its_replicas_and_reads_it(sharing: Served) -> None:
    contents, replicas, access = [await read(sharing, path) for path in paths("mc:run1")]

    assert (await read(sharing, "/shared")).json() == [{"vo": "belle", "did": "mc:run1"}]
    assert [item["did"] for item in contents.json()["items"]] == ["mc:file1"]
    line = json.loads(replicas.text)
    assert (line["did"], line["replicas"]) == ("mc:file1", [{"rse": "A-DISK", "state": "available"}])
    (file,) = access.json()["files"]
    (source,) = file["sources"]
    assert source["url"] == f"file://{sharing.storages['A-DISK']}{line['path']}"
    claims = json.loads(jws.extract_compact(source["token"].encode()).payload)
    assert claims["scope"] == f"storage.read:{line['path']}"
    assert claims["sub"] == "belle:alice@gridpp"


async def test_the_archives_of_what_is_shared_stay_unknown(sharing: Served) -> None:
    await register(sharing, "A-DISK", "mc:run2", "mc:all.zip")
    packed = {"archives": [{"archive": "mc:all.zip", "files": [{"did": "mc:file1"}]}]}
    assert (await sharing.send("POST", "/archives", account="root", json=packed)).json() == {"files": 1}
    for path in paths("mc:run1"):
        assert "all.zip" not in (await read(sharing, path)).text
    assert "all.zip" in (await sharing.send("GET", "/replicas/mc:run1")).text


async def test_nothing_else_of_the_owner_becomes_visible(sharing: Served) -> None:
    for did in ("mc:run2", "mc:file1", "mc:file2", "mc:none"):
        for path in paths(did):
            answer = await read(sharing, path)
            assert (answer.status_code, answer.json()["code"]) == (404, "did_not_found"), path
    for path in ("/dids/mc:run1", "/contents/mc:run1", "/replicas/mc:run1"):
        assert (await read(sharing, path)).json()["code"] == "did_not_found"
    assert (await read(sharing, "/dids?scope=mc")).json()["items"] == []


async def test_who_is_not_named_cannot_tell_a_grant_from_a_dataset_that_is_not_there(sharing: Served) -> None:
    unnamed = await read(sharing, paths("mc:run1")[0], vo="belle")
    for answer in (
        unnamed,
        await read(sharing, paths("mc:run1", "nobody")[0]),
        await read(sharing, paths("mc:run1", "instance")[0]),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "did_not_found")
    assert (await read(sharing, "/shared", vo="belle")).json() == []


async def test_a_shared_dataset_is_not_written_by_others(sharing: Served) -> None:
    body: dict[str, Any] = {"parent": "mc:run1", "children": ["mc:file2"]}
    for method, path, sent in (
        ("POST", "/attachments", body),
        ("PATCH", "/dids/mc:run1", {"open": False}),
        ("POST", "/rules", {"did": "mc:run1", "rse_expression": "A-DISK"}),
    ):
        answer = await sharing.send(method, path, vo="gridpp", account="root", json=sent)
        assert (answer.status_code, answer.json()["code"]) == (404, "did_not_found"), path


async def test_what_is_withdrawn_is_refused_at_once(sharing: Served) -> None:
    await withdraw(sharing)

    for path in paths("mc:run1"):
        assert (await read(sharing, path)).status_code == 404
    assert (await read(sharing, "/shared")).json() == []


async def test_a_vo_shares_what_is_its_own_with_vos_that_there_are(sharing: Served) -> None:
    cases: list[tuple[dict[str, Any], int, str]] = [
        ({"name": "mc:none"}, 422, "reference_unknown"),
        ({"name": "mc:run1", "spec": {"to": ["nobody"]}}, 422, "reference_unknown"),
        ({"name": "mc:run1", "vo": "gridpp"}, 403, "not_your_configuration"),
        ({"name": "no did"}, 422, "document_invalid"),
        ({"name": "mc:run1", "spec": {"to": []}}, 422, "document_invalid"),
    ]
    for document, status, code in cases:
        answer = await grant(sharing, **document)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert (await grant(sharing, account="alice")).status_code == 403
