"""Programs that are not Rucio's own ask as they do: rucio-jupyterlab 41.0.0, and the Snakemake plug-in 0.6.0.

rucio-jupyterlab writes its requests by itself. snakemake-storage-plugin-rucio calls Rucio's client: here is what it
calls for files that it knows by name.
"""

from typing import Any

import pytest

from tests.compat.rucio_client import Online, PythonClient, refused
from tests.compat.rucio_given import named, registered
from tests.compat.test_rucio_replica_routes import ask, lines
from tests.identity.helpers import PASSWORD
from tests.served import Served

pytestmark = pytest.mark.xdist_group("rucio_others")  # one server for all


async def notebook(served: Served, path: str, *, method: str = "GET", **more: Any) -> Any:
    """What rucio-jupyterlab is answered, as alice."""
    return await ask(served, method, path, account="alice", **more)


async def test_a_notebook_browses_and_asks_for_a_copy(served: Served) -> None:
    file = {"scope": "mc", "name": "run/a", "bytes": 10, "adler32": "0a1b2c3d"}
    made = await ask(served, "POST", "/replicas/", json={"rse": "A-DISK", "files": [file]})
    assert made.status_code == 201
    for path, body in (("/dids/mc/run", {"type": "DATASET"}), ("/dids/mc/run/dids", {"dids": [named("run/a")[0]]})):
        assert (await ask(served, "POST", path, json=body)).status_code == 201

    assert "mc" in (await notebook(served, "/scopes/")).json()
    rses = await notebook(served, "/rses", params={"expression": "tier=1"}, follow_redirects=True)
    assert [one["rse"] for one in lines(rses)] == ["A-DISK"]
    searched = {"type": "collection", "long": "1", "name": "run*"}
    (found,) = lines(await notebook(served, "/dids/mc/dids/search", params=searched))
    assert (found["name"], found["did_type"]) == ("run", "DATASET")
    narrowed = {**searched, "type": "all", "filters": str([{"created_after": "2020-01-01T00:00:00", "name": "run*"}])}
    assert len(lines(await notebook(served, "/dids/mc/dids/search", params=narrowed))) == 2
    assert (await notebook(served, "/dids/mc/run/meta")).json()["did_type"] == "DATASET"
    (inside,) = lines(await notebook(served, "/dids/mc/run/files"))
    assert (inside["name"], inside["bytes"]) == ("run/a", 10)
    (parent,) = lines(await notebook(served, "/dids/mc/run%2Fa/parents"))
    assert parent["name"] == "run"
    (replica,) = lines(await notebook(served, "/replicas/mc/run"))
    assert list(replica["rses"]) == ["A-DISK"]

    rule = {
        "dids": named("run"), "copies": 1, "rse_expression": "B-DISK", "weight": None, "lifetime": 3600,
        "grouping": "DATASET", "account": None, "locked": False, "source_replica_expression": None, "activity": None,
        "notify": "N", "purge_replicas": False, "ignore_availability": False, "comment": None, "ask_approval": False,
        "asynchronous": False, "priority": 3, "meta": None,
    }  # fmt: skip
    (rule_id,) = (await notebook(served, "/rules/", method="POST", json=rule)).json()
    (listed,) = lines(await notebook(served, "/dids/mc/run/rules"))
    assert (listed["id"], listed["rse_expression"]) == (rule_id, "B-DISK")
    assert (await notebook(served, f"/rules/{rule_id}")).json()["state"] == "REPLICATING"
    of_gridpp = await ask(served, "GET", f"/rules/{rule_id}", vo="gridpp")
    assert (of_gridpp.status_code, of_gridpp.headers["ExceptionClass"]) == (404, "RuleNotFound")


async def test_a_workflow_finds_its_files_and_how_old_they_are(
    rucio: Online, alice: PythonClient, gridpp: PythonClient
) -> None:
    await registered(rucio, "flow/a", "flow/b")
    assert "mc" in await alice.call("list_scopes")
    both = await alice.call("get_metadata_bulk", named("flow/a", "flow/b"), plugin="DID_COLUMN")
    assert [one["bytes"] for one in both] == [10, 20]
    (one,) = [one for one in both if one["name"] == "flow/a"]
    assert one["updated_at"] == (await alice.call("get_metadata", "mc", "flow/a"))["updated_at"]
    assert (await alice.call("get_did", "mc", "flow/b"))["bytes"] == 20
    (replica,) = await alice.call("list_replicas", named("flow/a"), rse_expression="A-DISK")
    assert len(replica["rses"]["A-DISK"]) == 1
    await refused(alice, "DataIdentifierNotFound", "get_did", "mc", "flow/c")
    await refused(gridpp, "DataIdentifierNotFound", "get_did", "mc", "flow/b")


async def test_a_workflow_lists_files_by_a_type_among_the_filters(rucio: Online, alice: PythonClient) -> None:
    await registered(rucio, "glob/a", "glob/b")
    await alice.call("add_dataset", "mc", "glob/d")
    for said, found in (
        ({"type": "file", "name": "glob/*"}, ["glob/a", "glob/b"]),
        ({"type": "dataset", "name": "glob/*"}, ["glob/d"]),
        ([{"type": "collection", "name": "glob/*"}, {"type": "file", "name": "glob/b"}], ["glob/b", "glob/d"]),
        ({"type": "all", "name": "glob/*"}, ["glob/a", "glob/b", "glob/d"]),
        ({"name": "glob/*"}, ["glob/d"]),
    ):
        assert sorted(await alice.call("list_dids", "mc", said)) == found, said
    await refused(alice, "InvalidObject", "list_dids", "mc", {"type": "spreadsheet"})


async def test_a_notebook_that_cannot_say_its_vo_says_it_behind_the_account(served: Served) -> None:
    await served.give_password("belle", "alice")

    async def login(**said: str) -> Any:
        headers = {f"x-rucio-{key}": value for key, value in said.items()} | {"x-rucio-password": PASSWORD}
        return await served.client.get("/rucio/auth/userpass", headers=headers)

    for said in (
        {"username": "alice@belle"}, {"username": "alice@belle", "account": "alice"},
        {"username": "alice", "account": "alice@belle"}, {"username": "alice@belle", "vo": "def"},
    ):  # fmt: skip
        given = await login(**said)
        assert (given.status_code, given.headers.get("x-rucio-auth-account")) == (200, "alice"), said
    for said, kind in (
        ({"username": "alice"}, "VONotFound"), ({"username": "alice@nowhere"}, "VONotFound"),
        ({"username": "alice@gridpp"}, "CannotAuthenticate"),
        ({"username": "alice@belle", "account": "bob"}, "CannotAuthenticate"),
    ):  # fmt: skip
        assert (await login(**said)).headers["ExceptionClass"] == kind, said
