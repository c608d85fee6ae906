"""Rucio's client in Python registers replicas and asks where they are."""

import re
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.compat.rucio_client import Online, PythonClient, Raised

pytestmark = pytest.mark.xdist_group("rucio_replicas")  # one server for all
METALINK = "{urn:ietf:params:xml:ns:metalink}"


def file(name: str, **more: Any) -> dict[str, Any]:
    return {"scope": "mc", "name": name, "bytes": 10, "adler32": "0a1b2c3d", **more}


async def listed(client: PythonClient, *names: str, **more: Any) -> list[dict[str, Any]]:
    return await client.call("list_replicas", [{"scope": "mc", "name": name} for name in names], **more)


async def fault(client: PythonClient, method: str, *arguments: Any, **named: Any) -> str:
    with pytest.raises(Raised) as e:
        await client.call(method, *arguments, **named)
    return e.value.kind


async def into_dataset(rucio: Online, dataset: str, *names: str) -> None:
    body = {"parent": f"mc:{dataset}", "children": [f"mc:{name}" for name in names]}
    await rucio.send("POST", "/dids", account="root", json={"did": f"mc:{dataset}", "kind": "dataset"})
    assert (await rucio.send("POST", "/attachments", account="root", json=body)).status_code == 204


async def test_a_registered_file_is_listed_and_gets_a_second_replica(root: PythonClient) -> None:
    assert await root.call("add_replica", "A-DISK", "mc", "dir/one", 10, "0A1B2C3D") is True
    assert await root.call("add_replicas", "B-DISK", [file("dir/one"), file("two", md5="0F" * 16)]) is True

    one, two = await listed(root, "dir/one", "two")

    assert (one["scope"], one["name"], one["bytes"], one["adler32"]) == ("mc", "dir/one", 10, "0a1b2c3d")
    assert (one["md5"], two["md5"]) == (None, "0f" * 16)
    assert one["states"] == {"A-DISK": "AVAILABLE", "B-DISK": "AVAILABLE"}
    assert one["rses"].keys() == {"A-DISK", "B-DISK"}
    (url,) = one["rses"]["A-DISK"]
    assert re.fullmatch("file://localhost/.*/a-disk/belle/mc/[0-9a-f]{2}/[0-9a-f]{2}/dir/one", url)
    said = one["pfns"][url]
    assert (said["rse"], said["domain"], said["priority"], len(said["rse_id"])) == ("A-DISK", "wan", 1, 32)
    assert list(two["rses"]) == ["B-DISK"]


async def test_replicas_are_chosen_by_expression_scheme_and_number(rucio: Online, root: PythonClient) -> None:
    await root.call("add_replicas", "A-DISK", [file("chosen"), file("here")])
    await root.call("add_replicas", "B-DISK", [file("chosen")])
    await into_dataset(rucio, "choice", "chosen", "here")

    def places(found: list[dict[str, Any]]) -> dict[str, list[str]]:
        return {one["name"]: sorted(one["rses"]) for one in found}

    assert places(await listed(root, "choice")) == {"chosen": ["A-DISK", "B-DISK"], "here": ["A-DISK"]}
    assert places(await listed(root, "choice", rse_expression="country=UK")) == {"chosen": ["B-DISK"]}
    assert places(await listed(root, "choice", schemes=["root"])) == {"chosen": [], "here": []}
    assert places(await listed(root, "choice", schemes=["root", "file"]))["here"] == ["A-DISK"]
    assert [len(one["pfns"]) for one in await listed(root, "choice", nrandom=1)] == [1, 1]
    (one, _) = await listed(root, "choice", "chosen", domain="lan", sort="random", resolve_parents=True)
    assert (one["parents"], {pfn["domain"] for pfn in one["pfns"].values()}) == (["mc:choice"], {"lan"})
    assert await listed(root) == []


async def test_metalink_says_the_same(rucio: Online, root: PythonClient) -> None:
    await root.call("add_replica", "A-DISK", "mc", "meta&link", 10, "0a1b2c3d")
    await into_dataset(rucio, "meta", "meta&link")

    said = ElementTree.fromstring(await listed_as_metalink(root, "meta"))

    (one,) = said.findall(f"{METALINK}file")
    assert (one.get("name"), one.findtext(f"{METALINK}identity")) == ("meta&link", "mc:meta&link")
    assert (one.findtext(f"{METALINK}size"), one.findtext(f"{METALINK}hash")) == ("10", "0a1b2c3d")
    (url,) = one.findall(f"{METALINK}url")
    assert (url.get("location"), url.get("priority"), url.get("domain")) == ("A-DISK", "1", "wan")
    assert (url.text or "").endswith("/meta%26link")


async def listed_as_metalink(client: PythonClient, name: str) -> str:
    return await client.call("list_replicas", [{"scope": "mc", "name": name}], metalink=True)


async def test_files_are_found_by_their_urls(root: PythonClient) -> None:
    await root.call("add_replica", "A-DISK", "mc", "by/url", 10, "0a1b2c3d")
    (url,) = (await listed(root, "by/url"))[0]["pfns"]
    others = [url.replace("by/url", "by/other"), "root://elsewhere//x", url + "/x"]
    assert await root.call("get_did_from_pfns", [url, *others]) == [{url: {"scope": "mc", "name": "by/url"}}]
    assert await root.call("get_did_from_pfns", [url], "B-DISK") == []
    assert await fault(root, "get_did_from_pfns", [url], "NO-DISK") == "RSENotFound"


async def test_what_rses_have_of_datasets_is_counted(rucio: Online, root: PythonClient) -> None:
    await root.call("add_replicas", "A-DISK", [file("part/1"), file("part/2")])
    await root.call("add_replicas", "B-DISK", [file("part/1")])
    await into_dataset(rucio, "parts", "part/1", "part/2")
    await rucio.send("POST", "/dids", account="root", json={"did": "mc:all-parts", "kind": "container"})
    body = {"parent": "mc:all-parts", "children": ["mc:parts"]}
    await rucio.send("POST", "/attachments", account="root", json=body)

    found = await root.call("list_dataset_replicas", "mc", "parts", deep=True)

    keys = ("rse", "length", "bytes", "available_length", "available_bytes", "state")
    assert [tuple(one[key] for key in keys) for one in found] == [
        ("A-DISK", 2, 20, 2, 20, "AVAILABLE"), ("B-DISK", 2, 20, 1, 10, "UNAVAILABLE")
    ]  # fmt: skip
    assert await root.call("list_dataset_replicas_bulk", [{"scope": "mc", "name": "all-parts"}]) == found
    assert await root.call("list_dataset_replicas_vp", "mc", "parts") == found
    on_b = await root.call("list_datasets_per_rse", "B-DISK")
    assert [one["available_length"] for one in on_b if one["name"] == "parts"] == [1]


BAD = [
    ([file("ok"), file("bad name")], "InvalidObject"),
    ([file("ok"), file("ok")], "DataIdentifierAlreadyExists"),
    ([file("ok"), file("first", bytes=11)], "FileConsistencyMismatch"),
    ([file("ok"), file("first", adler32="00000001")], "FileConsistencyMismatch"),
    ([file("ok"), file("first")], "Duplicate"),
    ([file("ok"), file("x", adler32="xyz")], "InvalidObject"),
    ([file("ok"), file("x", bytes=-1)], "InputValidationError"),
    ([file("ok"), file("x", state="D")], "InputValidationError"),
    ([file("ok"), file("x", nonsense=1)], "InputValidationError"),
    ([file("ok"), file("x", pfn="root://mine//x")], "InvalidPath"),
    ([file("ok"), file("x", meta={"run": 7})], "InvalidMetadata"),
    ([file("ok"), {**file("x"), "scope": "nowhere"}], "ScopeNotFound"),
    ([file(f"many{n}") for n in range(1001)], "InvalidObject"),
]


async def test_a_bad_file_among_good_ones_is_named_and_nothing_stays(root: PythonClient) -> None:
    await root.call("add_replicas", "A-DISK", [file("first")])
    for files, kind in BAD:
        assert await fault(root, "add_replicas", "A-DISK", files) == kind, files[-1]
        assert await fault(root, "list_replicas", [{"scope": "mc", "name": "ok"}]) == "DataIdentifierNotFound"
    assert await fault(root, "add_replicas", "NO-DISK", [file("ok")]) == "RSENotFound"
    assert await fault(root, "add_replicas", "NO-DISK", []) == "RSENotFound"


async def test_bad_questions_are_answered_with_what_is_wrong(root: PythonClient) -> None:
    await root.call("add_replicas", "A-DISK", [file("asked")])
    for named, kind in (
        ({"rse_expression": "tier="}, "InvalidRSEExpression"),
        ({"rse_expression": "tier=9"}, "InvalidRSEExpression"),
        ({"domain": "space"}, "InputValidationError"),
        ({"sort": "colour"}, "InputValidationError"),
        ({"updated_after": "2026-01-01T00:00:00"}, "UnsupportedOperation"),
        ({"nrandom": -1}, "InputValidationError"),
    ):
        assert await fault(root, "list_replicas", [{"scope": "mc", "name": "asked"}], **named) == kind, named
    assert await fault(root, "list_replicas", [{"scope": "mc"}]) == "InputValidationError"
    many = [{"scope": "mc", "name": "asked"}] * 10_001
    assert await fault(root, "list_replicas", many) == "InvalidObject"


async def test_who_may_not_register_registers_nothing(alice: PythonClient) -> None:
    assert await fault(alice, "add_replicas", "A-DISK", [file("alices")]) == "AccessDenied"
    assert await fault(alice, "list_replicas", [{"scope": "mc", "name": "alices"}]) == "DataIdentifierNotFound"


async def states(client: PythonClient, name: str) -> dict[str, str]:
    (one,) = await listed(client, name, all_states=True)
    return one["states"]


async def test_bad_replicas_are_declared_by_url_and_by_name(rucio: Online, root: PythonClient) -> None:
    await root.call("add_replicas", "A-DISK", [file("rotten/1"), file("rotten/2"), file("rotten/3")])
    await root.call("add_replicas", "B-DISK", [file("rotten/1")])
    one, _, three = await listed(root, "rotten/1", "rotten/2", "rotten/3")
    (url,) = one["rses"]["A-DISK"]

    assert await root.call("declare_bad_file_replicas", [url], "lost") == {}
    assert await states(root, "rotten/1") == {"A-DISK": "BAD", "B-DISK": "AVAILABLE"}
    again = await root.call("declare_bad_file_replicas", [url, "root://elsewhere//x"], "lost")
    assert again == {"A-DISK": [url], "unknown": ["root://elsewhere//x"]}
    named = [{"scope": "mc", "name": f"rotten/{n}", "rse": "A-DISK"} for n in (1, 2)]
    assert await root.call("declare_bad_file_replicas", named, "lost") == {"A-DISK": ["mc:rotten/1"]}
    assert await states(root, "rotten/2") == {"A-DISK": "BAD"}
    files = [{"scope": "mc", "name": f"rotten/{n}"} for n in (1, 2)]
    assert await root.call("declare_bad_did_replicas", "B-DISK", files, "lost") == {"B-DISK": ["mc:rotten/2"]}
    assert await states(root, "rotten/1") == {"A-DISK": "BAD", "B-DISK": "BAD"}
    (third,) = three["pfns"]
    assert await fault(root, "add_bad_pfns", [third, "root://x//y"], "lost", "BAD", None) == "ReplicaNotFound"
    assert await states(root, "rotten/3") == {"A-DISK": "AVAILABLE"}
    assert await root.call("add_bad_pfns", [third], "lost", "BAD", None) is True
    assert await states(root, "rotten/3") == {"A-DISK": "BAD"}


async def test_replicas_that_nothing_holds_are_given_up(rucio: Online, root: PythonClient) -> None:
    await root.call("add_replicas", "A-DISK", [file("old/1"), file("old/2"), file("kept")])
    rule = {"did": "mc:kept", "rse_expression": "A-DISK"}
    assert (await rucio.send("POST", "/rules", json=rule)).status_code == 201
    old = [{"scope": "mc", "name": "old/1"}, {"scope": "mc", "name": "old/2"}]
    kept = {"scope": "mc", "name": "kept"}

    async def ended() -> set[str]:
        async with rucio.deployment.database.transaction([1]) as conn:
            rows = await conn.execute(
                "SELECT d.name FROM replica r JOIN did d USING (did_id, vo) WHERE r.tombstone_at <= now()"
                " AND (d.name = 'kept' OR d.name LIKE 'old/%')"
            )
            return {name for (name,) in await rows.fetchall()}

    assert await fault(root, "delete_replicas", "A-DISK", [*old, kept]) == "ReplicaIsLocked"
    assert await fault(root, "delete_replicas", "B-DISK", old) == "ReplicaNotFound"
    assert await fault(root, "delete_replicas", "NO-DISK", old) == "RSENotFound"
    assert await ended() == set()
    assert await root.call("delete_replicas", "A-DISK", old[:1]) is True
    assert await ended() == {"old/1"}
    assert await root.call("set_tombstone", [{**old[1], "rse": "A-DISK"}]) is True
    assert await ended() == {"old/1", "old/2"}


async def test_who_may_not_manage_replicas_declares_and_deletes_none(root: PythonClient, alice: PythonClient) -> None:
    await root.call("add_replicas", "A-DISK", [file("guarded")])
    ((url,),) = [one["pfns"] for one in await listed(alice, "guarded")]
    guarded = {"scope": "mc", "name": "guarded"}
    assert await fault(alice, "declare_bad_file_replicas", [url], "x") == "AccessDenied"
    assert await fault(alice, "declare_bad_did_replicas", "A-DISK", [guarded], "x") == "AccessDenied"
    assert await fault(alice, "add_bad_pfns", [url], "x", "BAD", None) == "AccessDenied"
    assert await fault(alice, "delete_replicas", "A-DISK", [guarded]) == "AccessDenied"
    assert await fault(alice, "set_tombstone", [{**guarded, "rse": "A-DISK"}]) == "AccessDenied"
    assert await states(root, "guarded") == {"A-DISK": "AVAILABLE"}
