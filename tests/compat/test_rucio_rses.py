"""Rucio's client in Python asks about RSEs, and its command shows them."""

import pytest

from tests.compat.rucio_client import Online, PythonClient, refused
from tests.identity.helpers import PASSWORD

pytestmark = pytest.mark.xdist_group("rucio_rses")  # one server for all


@pytest.fixture(scope="module")
async def prepared(rucio: Online) -> Online:
    """An RSE of belle's and one of gridpp's, two files, and a quota for all of belle."""
    await rucio.give_password(1, "root")
    spec = {"site": "SITE-A", "plugin": "webdav", "prefix": "https://dav.example/data", "attributes": {"istape": True}}
    documents = [
        {"kind": "RSE", "name": "belle-tape", "vo": "belle", "spec": {**spec, "writable": False, "naming": "identity"}},
        {"kind": "RSE", "name": "GRIDPP-DISK", "vo": "gridpp", "spec": {**spec, "prefix": "https://gridpp.example"}},
        {"kind": "Quota", "name": "all", "vo": "belle", "spec": {"rse_expression": "A-DISK", "size": "5 GB"}},
    ]
    token = rucio.token("instance:root")
    applied = await rucio.send(
        "POST", "/configuration/apply", account="root", json={"documents": documents},
        headers={"authorization": f"Bearer {token}"},
    )  # fmt: skip
    assert applied.status_code == 200, applied.text
    files = [{"did": f"mc:{name}", "size": 10, "adler32": "0a1b2c3d"} for name in ("dir/one", "two")]
    made = await rucio.send("POST", "/replicas", account="root", json={"rse": "A-DISK", "files": files})
    assert made.status_code < 300, made.text
    await rucio.send("POST", "/dids", account="root", json={"did": "mc:box", "kind": "dataset"})
    return rucio


async def test_the_rses_that_the_vo_may_use_are_listed(prepared: Online, alice: PythonClient) -> None:
    listed = {rse["rse"]: rse for rse in await alice.call("list_rses")}
    assert set(listed) == {"A-DISK", "B-DISK", "belle-tape"}
    assert (listed["A-DISK"]["availability"], listed["belle-tape"]["availability"]) == (7, 5)
    assert [listed[name]["rse_type"] for name in ("A-DISK", "belle-tape")] == ["DISK", "TAPE"]


async def test_an_expression_gives_names(prepared: Online, alice: PythonClient) -> None:
    assert await alice.call("list_rses", "tier=1|tier=2") == [{"rse": "A-DISK"}, {"rse": "B-DISK"}]
    assert await alice.call("list_rses", "*\\istape=true") == [{"rse": "A-DISK"}, {"rse": "B-DISK"}]
    await refused(alice, "InvalidRSEExpression", "list_rses", "tier=9")
    await refused(alice, "InvalidRSEExpression", "list_rses", "tier=(")
    await refused(alice, "InvalidRSEExpression", "list_rses", "GRIDPP-DISK")


async def test_an_rse_is_shown_with_what_uploads_and_downloads_need(prepared: Online, alice: PythonClient) -> None:
    disk, tape = await alice.call("get_rse", "A-DISK"), await alice.call("get_rse", "belle-tape")
    assert (disk["deterministic"], disk["domain"], disk["verify_checksum"]) == (True, ["lan", "wan"], True)
    assert (tape["availability_read"], tape["availability_write"], tape["availability_delete"]) == (True, False, True)
    (file,), (dav,) = disk["protocols"], tape["protocols"]
    assert (file["scheme"], file["hostname"], file["port"]) == ("file", "localhost", 0)
    assert file["prefix"].endswith("/a-disk/belle/")
    assert (disk["lfn2pfn_algorithm"], tape["lfn2pfn_algorithm"]) == ("hash", "identity")
    assert file["impl"] == "rucio.rse.protocols.posix.Default"
    assert (dav["scheme"], dav["hostname"], dav["port"], dav["prefix"]) == ("https", "dav.example", 443, "/data/belle/")
    assert dav["domains"]["wan"]["read"] == 1


async def test_protocols_and_attributes_of_an_rse(prepared: Online, alice: PythonClient) -> None:
    (protocol,) = await alice.call("get_protocols", "belle-tape")
    assert protocol["impl"] == "rucio.rse.protocols.webdav.Default"
    assert (await alice.call("get_protocols", "belle-tape", scheme="https"))["protocols"] == [protocol]
    await refused(alice, "RSEProtocolNotSupported", "get_protocols", "belle-tape", scheme="root")
    assert await alice.call("list_rse_attributes", "A-DISK") == {
        "tier": 1, "country": "JP", "site": "SITE-A", "A-DISK": True
    }  # fmt: skip


async def test_where_a_file_lies_is_said_by_us(prepared: Online, alice: PythonClient) -> None:
    found = await alice.call("lfns2pfns", "belle-tape", ["mc:dir/one", "mc:new"], scheme="https", operation="read")
    at = "https://dav.example:443/data/belle/mc"
    assert found == {"mc:dir/one": f"{at}/dir/one", "mc:new": f"{at}/new"}
    there = (await alice.call("lfns2pfns", "A-DISK", ["mc:two"]))["mc:two"]
    assert there in (await alice.call("list_replicas", [{"scope": "mc", "name": "two"}]))[0]["pfns"]
    await refused(alice, "InvalidObject", "lfns2pfns", "A-DISK", ["two"])
    await refused(alice, "InputValidationError", "lfns2pfns", "A-DISK", [])
    await refused(alice, "InvalidObject", "lfns2pfns", "A-DISK", ["mc:two"] * 1001)
    await refused(alice, "RSEProtocolNotSupported", "lfns2pfns", "A-DISK", ["mc:two"], scheme="root")


async def test_usage_limits_and_distances(prepared: Online, alice: PythonClient) -> None:
    (used,) = await alice.call("get_rse_usage", "A-DISK")
    assert (used["source"], used["used"], used["files"], used["rse"]) == ("rucio", 20, 2, "A-DISK")
    assert await alice.call("get_rse_usage", "A-DISK", {"source": "storage"}) == []
    assert await alice.call("get_rse_limits", "A-DISK") == {"MaxSpaceAvailable": 5_000_000_000}
    assert await alice.call("get_rse_limits", "B-DISK") == {}
    (link,) = await alice.call("get_distance", "A-DISK", "B-DISK")
    assert link["distance"] == 1
    assert await alice.call("get_distance", "A-DISK", "belle-tape") == []


async def test_an_rse_of_another_vo_is_not_there(prepared: Online, alice: PythonClient) -> None:
    for name in ("GRIDPP-DISK", "NOWHERE", "é", "a b"):
        for method, arguments in (
            ("get_rse", ()), ("list_rse_attributes", ()), ("get_protocols", ()), ("lfns2pfns", (["mc:two"],)),
            ("get_rse_usage", ()), ("get_rse_limits", ()), ("get_distance", ("A-DISK",)),
        ):  # fmt: skip
            await refused(alice, "RSENotFound", method, name, *arguments)
    await refused(alice, "RSENotFound", "get_distance", "A-DISK", "GRIDPP-DISK")


async def test_the_command_lists_and_shows_rses(prepared: Online) -> None:
    mine = prepared.configure(auth_type="userpass", username="alice", password=PASSWORD)
    code, said = await prepared.run("rse", "list", "--rses", "tier=1", environment=mine)
    assert (code, said.split()) == (0, ["A-DISK"]), said
    code, said = await prepared.run("rse", "show", "A-DISK", environment=mine)
    assert code == 0, said
    assert "MaxSpaceAvailable: 5000000000 B" in said
    code, said = await prepared.run("rse", "distance", "show", "A-DISK", "B-DISK", environment=mine)
    assert (code, "distance=1" in said) == (0, True), said
