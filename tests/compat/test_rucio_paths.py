"""Rucio's client puts files where it computes, says where files lie, and says when they are there."""

from typing import Any

import pytest

from sancho.rules.tasks import settle
from tests.compat.rucio_client import Online, PythonClient, refused

pytestmark = pytest.mark.xdist_group("rucio_paths")  # one server for all
NAMES = ["f", "run7/events.root", "a.b-c_d", "deep/er/and/deeper/f.root"]


def file(name: str, scope: str = "mc", **more: Any) -> dict[str, Any]:
    return {"scope": scope, "name": name, "bytes": 10, "adler32": "0a1b2c3d", **more}


@pytest.fixture(scope="module")
async def prepared(rucio: Online, root: PythonClient) -> PythonClient:
    """RSEs of belle's that are reached and named in all ways, and scopes; nothing is asked of the storages."""
    spec = {"site": "SITE-A", "plugin": "webdav"}
    documents = [
        *(
            {"kind": "RSE", "name": f"{name}-{n}", "vo": "belle", "spec": {**spec, "prefix": prefix, "naming": name}}
            for name in ("hash", "identity")
            for n, prefix in enumerate(
                (
                    "https://dav.example/data",
                    "https://dav.example:8443",
                    "root://x.example//d",
                    "https://h.example:80/a/b",
                )
            )
        ),
        *(
            {"kind": "Scope", "name": name, "vo": "belle", "spec": {"account": "root", "shared": True}}
            for name in ("MC", "user.carol.x", "group.phys", "Data25_13TeV")
        ),
    ]
    applied = await rucio.send(
        "POST", "/configuration/apply", account="root", json={"documents": documents},
        headers={"authorization": f"Bearer {rucio.token('instance:root')}"},
    )  # fmt: skip
    assert applied.status_code == 200, applied.text
    return root


@pytest.mark.parametrize("rse", ["A-DISK", *(f"{name}-{n}" for name in ("hash", "identity") for n in range(4))])
async def test_what_the_client_computes_is_where_we_say_that_a_file_lies(prepared: PythonClient, rse: str) -> None:
    dids = [{"scope": s, "name": n} for s in ("mc", "MC", "user.carol.x", "group.phys", "Data25_13TeV") for n in NAMES]

    computed = await prepared.call("computed_pfns", rse, dids)

    assert await prepared.call("lfns2pfns", rse, list(computed)) == computed
    files = [file(f"{rse}/{one['name']}", one["scope"]) for one in dids]
    await prepared.call("add_replicas", rse, files)
    said = await prepared.call("list_replicas", [{"scope": one["scope"], "name": one["name"]} for one in files])
    computed = await prepared.call("computed_pfns", rse, [{"scope": f["scope"], "name": f["name"]} for f in files])
    assert {f"{one['scope']}:{one['name']}": one["rses"][rse][0] for one in said} == computed
    found = await prepared.call("get_did_from_pfns", list(computed.values()), rse)
    assert {url: f"{did['scope']}:{did['name']}" for one in found for url, did in one.items()} == {
        url: did for did, url in computed.items()
    }


async def test_a_file_lies_where_the_client_says(prepared: PythonClient) -> None:
    url = "https://dav.example/data/belle/old/run 7/a.root"
    await prepared.call("add_replicas", "hash-0", [file("old/a", pfn=url)])

    (one,) = await prepared.call("list_replicas", [{"scope": "mc", "name": "old/a"}])

    (there,) = one["pfns"]
    assert there == "https://dav.example:443/data/belle/old/run%207/a.root"
    for spelled in (there, there.replace(":443", ""), url, there.replace("https", "davs")):
        assert await prepared.call("get_did_from_pfns", [spelled]) == [{spelled: {"scope": "mc", "name": "old/a"}}]
    await refused(prepared, "Duplicate", "add_replicas", "hash-0", [file("old/b", pfn=url)])
    await refused(prepared, "DataIdentifierNotFound", "get_did", "mc", "old/b")


TRICKS = [
    "https://dav.example/data/gridpp/f/x", "https://dav.example/data/belle/../gridpp/f", "https://dav.example/belle/f/x",
    "https://dav.example/data/belle/%2e%2e/gridpp/f", "https://dav.example/data/belle//f/x", "https://evil/data/belle/f/x",
    "https://dav.example/data/belle/mc", "https://dav.example/data/belle/mc/00a/a/f", "root://dav.example//data/belle/f/x",
    "https://dav.example/data/belle/f/x?authz=y", "https://me:pw@dav.example/data/belle/f/x", "nonsense",
]  # fmt: skip


async def test_a_path_of_others_or_in_tricky_spelling_is_refused(prepared: PythonClient) -> None:
    for n, url in enumerate(TRICKS):
        await refused(prepared, "InvalidPath", "add_replicas", "hash-0", [file(f"ok{n}"), file(f"t{n}", pfn=url)])
        await refused(prepared, "DataIdentifierNotFound", "get_did", "mc", f"ok{n}")


async def states(client: PythonClient, name: str) -> dict[str, str]:
    (one,) = await client.call("list_replicas", [{"scope": "mc", "name": name}], all_states=True)
    return one["states"]


async def test_a_file_that_is_being_put_is_there_once_the_client_says_so(prepared: PythonClient) -> None:
    await prepared.call("add_replicas", "A-DISK", [file("put/1", state="C"), file("put/2", state="C"), file("put/3")])
    assert await states(prepared, "put/1") == {"A-DISK": "COPYING"}
    (hidden,) = await prepared.call("list_replicas", [{"scope": "mc", "name": "put/1"}])
    assert hidden["pfns"] == {}

    assert await prepared.call("update_replicas_states", "A-DISK", [file("put/1", state="A"), file("put/3", state="A")])
    assert await prepared.call("update_replicas_states", "A-DISK", [file("put/2", state="U")])

    assert await states(prepared, "put/1") == {"A-DISK": "AVAILABLE"}
    for name, kind, state in (
        ("put/3", "UnsupportedOperation", "U"), ("put/9", "DataIdentifierNotFound", "A"),
        ("put/3", "InputValidationError", "Z"),
    ):  # fmt: skip
        await refused(prepared, kind, "update_replicas_states", "A-DISK", [file(name, state=state)])
    await refused(prepared, "ReplicaNotFound", "update_replicas_states", "B-DISK", [file("put/3", state="A")])
    await refused(prepared, "RSENotFound", "update_replicas_states", "NO-DISK", [file("put/3", state="A")])


async def test_a_rule_on_what_is_being_put_is_ok_when_it_is_there(rucio: Online, prepared: PythonClient) -> None:
    await prepared.call("add_replicas", "A-DISK", [file("ruled", state="C")])
    (rule,) = await prepared.call("add_replication_rule", [{"scope": "mc", "name": "ruled"}], 1, "A-DISK")
    assert (await prepared.call("get_replication_rule", rule))["state"] == "REPLICATING"

    await prepared.call("update_replicas_states", "A-DISK", [file("ruled", state="A")])

    async with rucio.deployment.database.transaction([1]) as conn:
        rows = await conn.execute("SELECT args FROM procrastinate_jobs WHERE task_name = 'rules:settle'")
        queued = [args for (args,) in await rows.fetchall()]
    for args in queued:
        await settle(rucio.deployment, vo=args["vo"], keys=args["keys"])
    assert (await prepared.call("get_replication_rule", rule))["state"] == "OK"


async def test_who_may_not_register_says_nothing_of_states(
    prepared: PythonClient, alice: PythonClient, gridpp: PythonClient
) -> None:
    await prepared.call("add_replicas", "A-DISK", [file("mine", state="C")])
    await refused(alice, "AccessDenied", "update_replicas_states", "A-DISK", [file("mine", state="A")])
    await refused(gridpp, "DataIdentifierNotFound", "update_replicas_states", "A-DISK", [file("mine", state="A")])


async def test_a_dataset_is_made_with_its_rules_or_not_at_all(prepared: PythonClient) -> None:
    rule = {"account": "root", "copies": 1, "rse_expression": "A-DISK", "grouping": "DATASET", "lifetime": None}

    assert await prepared.call("add_dataset", "mc", "ruled-set", rules=[rule])

    assert [r["rse_expression"] for r in await prepared.call("list_did_rules", "mc", "ruled-set")] == ["A-DISK"]
    for bad, kind in (
        ({"copies": 1}, "InputValidationError"), ({**rule, "account": "alice"}, "AccessDenied"),
        ({**rule, "rse_expression": "NO-DISK"}, "InvalidRSEExpression"),
    ):  # fmt: skip
        await refused(prepared, kind, "add_dataset", "mc", "ruled-not", rules=[rule, bad])
        await refused(prepared, "DataIdentifierNotFound", "get_did", "mc", "ruled-not")
    many = [{"scope": "mc", "name": f"m{n}", "rules": [rule] * 10} for n in range(11)]
    await refused(prepared, "UnsupportedOperation", "add_datasets", many)


async def test_the_nearest_replica_comes_first(prepared: PythonClient) -> None:
    await prepared.call("add_replicas", "A-DISK", [file("sorted")])
    await prepared.call("add_replicas", "B-DISK", [file("sorted")])

    async def order(**more: Any) -> list[tuple[str, str, int]]:
        (one,) = await prepared.call("list_replicas", [{"scope": "mc", "name": "sorted"}], **more)
        return [(pfn["rse"], pfn["domain"], pfn["priority"]) for pfn in one["pfns"].values()]

    assert await order(client_location={"site": "SITE-B"}, sort="distance") == [
        ("B-DISK", "lan", 1), ("A-DISK", "wan", 2)
    ]  # fmt: skip
    assert await order(client_location={"site": "SITE-A"}, domain="wan") == [
        ("A-DISK", "wan", 1), ("B-DISK", "wan", 2)
    ]  # fmt: skip
    assert await order(client_location={"site": "ROAMING"}, sort="geoip") == [
        ("A-DISK", "wan", 1), ("B-DISK", "wan", 2)
    ]  # fmt: skip
