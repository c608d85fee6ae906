"""The routes of archives, GUIDs and samples, in a served application."""

from typing import Any

from tests.dids.test_lives_api import lines, names
from tests.served import Served

HEX = "2e2232aafac8324db452070304f8d745"
GUID = "2e2232aa-fac8-324d-b452-070304f8d745"


async def given(served: Served) -> None:
    """An archive on a storage, and a file with a GUID beside it in a dataset."""
    files = [{"did": "mc:a.zip", "size": 100}, {"did": "mc:b", "size": 10, "guid": HEX}]
    body = {"rse": "A-DISK", "files": files, "dataset": "mc:ds"}
    assert (await served.send("POST", "/replicas", account="root", json=body)).status_code == 201


async def pack(served: Served, *files: dict[str, Any], archive: str = "mc:a.zip", account: str = "root") -> Any:
    body = {"archives": [{"archive": archive, "files": list(files)}]}
    return (await served.send("POST", "/archives", account=account, json=body)).json()


async def test_files_are_packed_listed_read_out_of_their_archive_and_unpacked(served: Served) -> None:
    await given(served)
    assert await pack(served, {"did": "mc:in/f", "size": 40, "adler32": "0000000a"}, {"did": "mc:b"}) == {"files": 2}

    assert names(await lines(served, "/archives/mc:a.zip")) == ["mc:b", "mc:in/f"]
    assert await lines(served, "/archives/mc:b") == []
    assert names(await lines(served, "/archives-of/mc:in/f")) == ["mc:a.zip"]
    assert await lines(served, "/archives-of/mc:ds") == []
    [listed] = await lines(served, "/replicas/mc:in/f")
    assert (listed["replicas"], [one["did"] for one in listed["archives"]]) == ([], ["mc:a.zip"])
    assert [one["rse"] for one in listed["archives"][0]["replicas"]] == ["A-DISK"]

    readable = (await served.send("POST", "/replicas/access", json={"dids": ["mc:in/f", "mc:a.zip"]})).json()
    by_did = {one["did"]: one for one in readable["files"]}
    [archive] = by_did["mc:in/f"]["archives"]
    assert (by_did["mc:in/f"]["sources"], by_did["mc:in/f"]["name"], by_did["mc:a.zip"]["archives"]) == ([], "in/f", [])
    assert (archive["did"], archive["size"]) == ("mc:a.zip", 100)
    assert [one["url"] for one in archive["sources"]] == [one["url"] for one in by_did["mc:a.zip"]["sources"]]

    body = {"archive": "mc:a.zip", "files": ["mc:b"]}
    assert (await served.send("POST", "/archives/remove", account="root", json=body)).json() == {"files": 1}
    assert names(await lines(served, "/archives/mc:a.zip")) == ["mc:in/f"]


async def test_each_mistake_is_named_with_its_field(served: Served) -> None:
    await given(served)
    said = await pack(served, {"did": "mc:new", "size": 1}, {"did": "mc:newer"})
    assert (said["status"], said["code"], said["field"]) == (422, "size_missing", "archives.0.files.1")
    said = await pack(served, {"did": "mc:new", "size": 1, "guid": HEX})
    assert (said["status"], said["code"], said["field"]) == (409, "guid_taken", "archives.0.files.0.guid")
    said = await pack(served, {"did": "mc:new", "size": 1}, archive="mc:b")
    assert (said["status"], said["code"], said["field"]) == (409, "not_an_archive", "archive")
    said = await pack(served, {"did": "mc:new", "size": 1}, account="alice")
    assert (said["status"], said["code"]) == (403, "not_yours")
    assert (await served.send("GET", "/dids/mc:new")).status_code == 404
    for path in ("archives/mc:a.zip", "archives-of/mc:b", f"guids/{GUID}"):
        assert (await served.send("GET", f"/{path}", vo="gridpp")).status_code == 404, path


async def test_a_file_is_shown_and_found_by_its_guid(served: Served) -> None:
    await given(served)
    for said in (GUID, HEX):
        found = (await served.send("GET", f"/guids/{said}")).json()
        assert (found["did"], found["guid"]) == ("mc:b", GUID)
    page = (await served.send("GET", "/dids", params={"where": f"guid = {HEX}"})).json()
    assert names(page["items"]) == ["mc:b"]
    bad = (await served.send("GET", "/guids/nonsense")).json()
    assert (bad["status"], bad["field"]) == (422, "guid")
    again = {"rse": "A-DISK", "files": [{"did": "mc:c", "size": 1, "guid": GUID}]}
    said = (await served.send("POST", "/replicas", account="root", json=again)).json()
    assert (said["status"], said["code"], said["field"]) == (409, "guid_taken", "files.0.guid")


async def test_a_sample_is_a_dataset_and_the_newest_are_listed_first(served: Served) -> None:
    await given(served)
    wanted = {"source": "mc:ds", "dataset": "mc:few", "files": 1}
    made = await served.send("POST", "/samples", json=wanted)
    assert (made.status_code, made.json()["did"], made.json()["kind"]) == (201, "mc:few", "dataset")
    assert (await served.send("GET", "/dids/mc:few")).json()["files"] == 1
    assert (await served.send("POST", "/samples", json=wanted)).json()["code"] == "did_exists"

    newest = await served.send("GET", "/dids", params={"newest": True, "kind": "dataset", "limit": 1})
    assert (names(newest.json()["items"]), newest.json()["next"]) == (["mc:few"], None)
    both = await served.send("GET", "/dids", params={"newest": True, "scope": "mc"})
    assert both.status_code == 422
