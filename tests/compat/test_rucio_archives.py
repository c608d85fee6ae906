"""Rucio's client in Python with archives and what lies in them, and with GUIDs."""

from typing import Any

import httpx2
import pytest

from tests.compat.rucio_client import Online, PythonClient
from tests.compat.rucio_given import named, names, refused, registered

pytestmark = pytest.mark.xdist_group("rucio_archives")  # one server for all
HEX = "2e2232aafac8324db452070304f8d745"


async def rucio_says(rucio: Online, method: str, path: str) -> httpx2.Response:
    async with httpx2.AsyncClient(base_url=rucio.url) as client:
        headers = {"x-rucio-auth-token": rucio.token("belle:alice")}
        return await client.request(method, f"/rucio{path}", headers=headers)


async def test_what_lies_in_an_archive_is_listed_with_the_replicas_of_that(
    rucio: Online, root: PythonClient, alice: PythonClient, gridpp: PythonClient
) -> None:
    await registered(rucio, "arc/own", "arc/a.zip")
    files = [{**named("arc/f")[0], "bytes": 40, "adler32": "0000000b", "guid": HEX}, *named("arc/own")]
    assert await root.call("add_files_to_archive", "mc", "arc/a.zip", files) is True
    assert await root.call("add_files_to_archive", "mc", "arc/a.zip", files[:1]) is True  # again

    assert await alice.call("list_archive_content", "mc", "arc/a.zip") == [
        {"scope": "mc", "name": "arc/own", "bytes": 10, "adler32": "0000000a", "md5": None},
        {"scope": "mc", "name": "arc/f", "bytes": 40, "adler32": "0000000b", "md5": None},
    ]
    [f] = await alice.call("list_replicas", named("arc/f"))
    [archive] = await alice.call("list_replicas", named("arc/a.zip"))
    assert (f["bytes"], f["rses"]) == (40, archive["rses"])
    [(pfn, said)] = f["pfns"].items()
    assert (said["domain"], said["client_extract"], pfn) == ("zip", True, next(iter(archive["pfns"])))
    [bare] = await alice.call("list_replicas", named("arc/f"), resolve_archives=False)
    assert (bare["rses"], bare["pfns"]) == ({}, {})
    [own] = await alice.call("list_replicas", named("arc/own"))
    assert [one["client_extract"] for one in own["pfns"].values()] == [False, True]
    assert [one["priority"] for one in own["pfns"].values()] == [1, 2]
    link = await alice.call("list_replicas", named("arc/f"), metalink=True)
    assert f'client_extract="true">{pfn}</url>' in link

    assert (await refused(gridpp, "list_archive_content", "mc", "arc/a.zip"))[0] == "DataIdentifierNotFound"
    assert (await refused(alice, "list_archive_content", "mc", "arc/no.zip"))[0] == "DataIdentifierNotFound"


async def test_what_cannot_lie_in_an_archive_is_named(rucio: Online, root: PythonClient, alice: PythonClient) -> None:
    await registered(rucio, "bad/own", "bad/a.zip", "bad/b.zip")
    new = {**named("bad/new")[0], "bytes": 1}
    for client, archive, file, kind, said in (
        (root, "bad/own", new, "UnsupportedOperation", "no archive"),
        (root, "bad/no.zip", new, "DataIdentifierNotFound", "mc:bad/no.zip"),
        (root, "bad/a.zip", named("bad/new")[0], "InputValidationError", "its size"),
        (root, "bad/a.zip", {**named("bad/own")[0], "bytes": 11}, "FileConsistencyMismatch", "10, not 11"),
        (root, "bad/a.zip", named("bad/a.zip")[0], "UnsupportedOperation", "itself"),
        (root, "bad/a.zip", {**new, "guid": "12"}, "InputValidationError", "32 hex digits"),
        (alice, "bad/a.zip", new, "AccessDenied", "bad/a.zip"),
    ):
        found = await refused(client, "add_files_to_archive", "mc", archive, [file])
        assert (found[0], said in found[1]) == (kind, True), found
    assert await alice.call("list_archive_content", "mc", "bad/a.zip") == []


async def test_a_guid_is_said_when_files_are_entered_and_finds_them(
    rucio: Online, root: PythonClient, alice: PythonClient, gridpp: PythonClient
) -> None:
    one, two, three, four = (f"{n:032x}" for n in range(1, 5))
    file: dict[str, Any] = {**named("guid/a")[0], "bytes": 1, "adler32": "00000001"}
    assert await root.call("add_replicas", "A-DISK", [{**file, "meta": {"guid": one}}]) is True
    again = {**file, "meta": {"guid": two}}
    assert await root.call("add_replicas", "B-DISK", [again]) is True  # it is known by the first
    await root.call(
        "add_dataset", "mc", "guid/d", files=[{**named("guid/b")[0], "bytes": 1, "guid": three}], rse="A-DISK"
    )
    await root.call("attach_dids", "mc", "guid/d", named("guid/a"))
    lfn = {"lfn": "/belle/mc/guid/e/f", "rse": "A-DISK", "bytes": 1, "adler32": "00000001", "guid": four}
    assert await root.call("add_files", [lfn], ignore_availability=True)

    assert (await alice.call("get_metadata", "mc", "guid/a"))["guid"] == one
    assert {f["name"]: f["guid"] for f in await alice.call("list_files", "mc", "guid/d")} == {
        "guid/a": one, "guid/b": three,
    }  # fmt: skip
    assert await alice.call("get_dataset_by_guid", one) == named("guid/d")
    assert await alice.call("get_dataset_by_guid", four) == named("guid/e")
    assert await alice.call("list_dids", "mc", {"guid": three}, did_type="file") == ["guid/b"]
    for client, guid in ((alice, two), (gridpp, one)):
        assert (await refused(client, "get_dataset_by_guid", guid))[0] == "DataIdentifierNotFound"
    taken = {**named("guid/z")[0], "bytes": 1, "adler32": "00000001", "meta": {"guid": one}}
    kind, said = await refused(root, "add_replicas", "A-DISK", [taken])
    assert (kind, "mc:guid/z" in said) == ("Duplicate", True)


async def test_the_newest_dids_and_old_samples(rucio: Online, alice: PythonClient) -> None:
    await registered(rucio, "new-a")
    await alice.call("add_dataset", "mc", "new-d", files=named("new-a"))
    listed = await rucio_says(rucio, "GET", "/dids/new?type=DATASET")
    assert (listed.status_code, listed.text.splitlines()[0]) == (
        200, '{"scope":"mc","name":"new-d","did_type":"DATASET"}',
    )  # fmt: skip
    assert '"FILE"' in (await rucio_says(rucio, "GET", "/dids/new")).text
    assert (await rucio_says(rucio, "GET", "/dids/new?type=lunar")).status_code == 400

    made = await rucio_says(rucio, "POST", "/dids/mc/new-d/mc/new-few/1/sample")
    assert (made.status_code, names(await alice.call("list_files", "mc", "new-few"))) == (201, ["new-a"])
    assert (await rucio_says(rucio, "POST", "/dids/mc/new-d/mc/new-few/none/sample")).status_code == 400
