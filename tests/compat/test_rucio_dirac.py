"""What DIRAC's catalogue asks of Rucio's client: files by their paths, and directories above them."""

from typing import Any

import pytest

from tests.compat.rucio_client import Online, PythonClient, refused

pytestmark = pytest.mark.xdist_group("rucio_dirac")  # one server for all


def lfn(name: str, **more: Any) -> dict[str, Any]:
    return {"lfn": f"/belle/mc/{name}", "rse": "A-DISK", "bytes": 10, "adler32": "0a1b2c3d", **more}


def did(path: str) -> dict[str, str]:
    """As DIRAC takes it: the scope is the second word of the path, the name is all of it."""
    return {"scope": path.split("/")[2], "name": path}


async def test_a_file_is_added_found_and_removed_as_dirac_does_it(root: PythonClient) -> None:
    directory, path = "/belle/mc/2026/run1", "/belle/mc/2026/run1/f.root"
    one = did(path)
    assert "mc" in await root.call("list_scopes")
    assert (await root.call("get_rse", "A-DISK"))["deterministic"] is True
    assert await root.call("get_metadata_bulk", [one]) == []  # isFile, of what is not there
    await refused(root, "DataIdentifierNotFound", "get_metadata", **one)  # exists

    assert await root.call("add_files", [lfn("2026/run1/f.root", guid="a" * 32)], ignore_availability=True)  # addFile

    assert (await root.call("get_metadata", **one))["name"] == path
    (meta,) = await root.call("get_metadata_bulk", [one, did(f"{path}.no")])  # getFileMetadata, isFile
    assert (meta["name"], meta["did_type"], meta["bytes"], meta["adler32"]) == (path, "FILE", 10, "0a1b2c3d")
    (replica,) = await root.call("list_replicas", [one])  # getReplicas
    assert (replica["name"], list(replica["rses"])) == (path, ["A-DISK"])
    kinds = [(m["name"], m["did_type"]) for m in await root.call("get_metadata_bulk", [did(directory)])]  # isDirectory
    assert kinds == [(directory, "DATASET")]
    above = await root.call("list_content", "mc", "/belle/mc/2026")  # listDirectory
    assert [(child["name"], child["type"]) for child in above] == [(directory, "DATASET")]
    (file,) = await root.call("list_files", "mc", directory)
    assert (file["name"], file["bytes"]) == (path, 10)
    (there,) = await root.call("list_replicas", [did(directory)])  # getDirectorySize
    assert (there["name"], there["bytes"]) == (path, 10)
    assert [p["name"] for p in await root.call("list_parent_dids", **one)] == [directory]
    await refused(root, "FileReplicaAlreadyExists", "add_files", [lfn("2026/run1/f.root")], ignore_availability=True)

    assert await root.call("add_replicas", "B-DISK", [{**one, "bytes": 10, "adler32": "0a1b2c3d"}])  # addReplica
    (rule,) = await root.call("add_replication_rule", [one], 1, "B-DISK", activity="User Transfers", account="root")
    (replica,) = await root.call("list_replicas", [one])
    assert sorted(replica["rses"]) == ["A-DISK", "B-DISK"]

    assert [r["name"] for r in await root.call("list_did_rules", **one)] == [path]  # removeReplica
    assert await root.call("update_replication_rule", rule, {"lifetime": 1})
    assert await root.call("detach_dids", "mc", directory, [one])  # removeFile
    assert await root.call("list_files", "mc", directory) == []


async def test_many_files_are_added_with_all_their_directories_or_none(root: PythonClient) -> None:
    files = [lfn(f"many/d{n % 7}/s{n % 3}/f{n}", rse="A-DISK" if n % 2 else "B-DISK") for n in range(200)]
    await root.call("add_files", files)

    assert len(await root.call("list_files", "mc", "/belle/mc/many")) == 200
    assert len(await root.call("list_content", "mc", "/belle/mc/many")) == 7
    again = [lfn(f"many/d1/s1/g{n}") for n in range(3)]
    await root.call("add_files", again)
    assert len(await root.call("list_files", "mc", "/belle/mc/many")) == 203
    for bad, kind in (
        (lfn("many/d1/s1/g0", bytes=11), "FileConsistencyMismatch"),
        (lfn("many/d1/s1/g0"), "FileReplicaAlreadyExists"),
        (lfn("many/d1/x"), "UnsupportedOperation"),  # d1 is a container
        (lfn("many/d1/s1/g0/below"), "UnsupportedOperation"),  # g0 is a file
        (lfn("x", lfn="/belle/mc"), "InvalidObject"),
        (lfn("x", lfn="/gridpp/mc/x/f"), "InvalidObject"),
        (lfn("x", lfn="mc:x/f"), "InvalidObject"),
        (lfn("a//b"), "InvalidObject"),
        (lfn("../b"), "InvalidObject"),
        (lfn("x", lfn="/belle/none/x/f"), "ScopeNotFound"),
        (lfn("x", rse="NO-DISK"), "RSENotFound"),
        (lfn("x", pfn="https://evil/x/y"), "InvalidPath"),
        (lfn("x", meta={"run": 1}), "InvalidMetadata"),  # no key of the VO
        (lfn("x", colour="red"), "InputValidationError"),
    ):
        await refused(root, kind, "add_files", [lfn("many/d1/s1/ok"), bad])
        await refused(root, "DataIdentifierNotFound", "get_did", "mc", "/belle/mc/many/d1/s1/ok")


async def test_files_and_their_directories_say_something_as_they_are_added(root: PythonClient) -> None:
    assert await root.call("add_key", "run", "ALL", "int") is True
    path = "/belle/mc/said/run7/f"
    above = {"/belle/mc/said/run7": {"run": 7}, "/belle/mc/said": {"run": "1"}}
    assert await root.call("add_files", [lfn("said/run7/f", meta={"run": 8})], parents_metadata=above)
    (found,) = await root.call("get_metadata_bulk", [did("/belle/mc/said/run7")], plugin="JSON")
    assert found == {**did("/belle/mc/said/run7"), "run": 7}
    assert (await root.call("get_metadata", **did(path), plugin="ALL"))["run"] == 8
    assert await root.call("list_dids", "mc", [{"run": 1}]) == ["said"]

    for parents, kind in (
        ({"/belle/mc/said": {"colour": "red"}}, "InvalidMetadata"),
        ({"/belle/mc/said": {"run": "x"}}, "InvalidValueForKey"),
        ({"/belle/mc/nothing": {"run": 1}}, "DataIdentifierNotFound"),
        ({"/gridpp/mc/said": {"run": 1}}, "InvalidObject"),
        ({"said": {"run": 1}}, "InvalidObject"),
    ):
        await refused(root, kind, "add_files", [lfn("said/run7/g")], parents_metadata=parents)
        await refused(root, "DataIdentifierNotFound", "get_did", "mc", "/belle/mc/said/run7/g")


async def test_a_name_that_is_no_path_of_the_vo_is_refused(
    rucio: Online, root: PythonClient, gridpp: PythonClient
) -> None:
    await root.call("add_files", [lfn("paths/f")])
    path = "/belle/mc/paths/f"
    for scope, name in (
        ("mc", "/gridpp/mc/paths/f"), ("mc", "/belle/other/paths/f"), ("mc", "/belle/mc"), ("mc", "/belle"),
        ("mc", "/nowhere/mc/f"), ("other", path), ("mc", "/paths/f"),
    ):  # fmt: skip
        await refused(root, "InvalidObject", "get_did", scope, name)
        await refused(root, "InvalidObject", "list_replicas", [{"scope": scope, "name": name}])
    await refused(gridpp, "InvalidObject", "get_did", "mc", path)
    assert await root.call("get_did", "mc", "paths/f") == {
        **(await root.call("get_did", "mc", path)),
        "name": "paths/f",
    }


async def test_the_alias_of_a_vo_is_its_name_and_answers_are_spelled_as_requests(
    rucio: Online, root: PythonClient
) -> None:
    await root.call("add_files", [lfn("spelled/d/f"), lfn("spelled/d/g")])
    async with rucio.deployment.database.transaction([0]) as conn:
        await conn.execute("UPDATE vo SET alias = 'bel' WHERE name = 'belle'")

    assert (await root.call("get_did", "mc", "/bel/mc/spelled/d"))["name"] == "/bel/mc/spelled/d"

    path = "/belle/mc/spelled/d/f"
    urls = await root.call("lfns2pfns", "A-DISK", [f"mc:{path}"])
    assert list(urls) == [f"mc:{path}"]
    found = await root.call("list_dids", "mc", [{"name": "/belle/mc/spelled/d/*"}], did_type="file")
    assert sorted(found) == [path, "/belle/mc/spelled/d/g"]
    assert await root.call("list_dids", "mc", [{"name": "spelled/d/f"}], did_type="file") == ["spelled/d/f"]
    (one,) = await root.call("list_replicas", [did(path)], resolve_parents=True)
    assert one["parents"] == ["mc:/belle/mc/spelled/d"]
    metalink = await root.call("list_replicas", [did(path)], metalink=True)
    assert f"<identity>mc:{path}</identity>" in metalink
    await root.call("add_dataset", "mc", "/belle/mc/spelled/new", files=[did(path)])
    assert [c["name"] for c in await root.call("list_content", "mc", "spelled/new")] == ["spelled/d/f"]
