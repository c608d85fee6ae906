"""Rucio's client in Python takes RSEs and accounts out and in, as a whole."""

import copy
from typing import Any

import pytest

from sancho.compat.rucio.exchange_body import MOST_PROOFS
from tests.compat.rucio_client import Online, PythonClient, refused

pytestmark = pytest.mark.xdist_group("rucio_exchange")  # one server for all
NAME = "/DC=org/DC=example/CN=Dora"


@pytest.fixture(scope="module")
async def admin(rucio: Online) -> PythonClient:
    """Rucio's client as who administers the installation, which has an RSE that documents made."""
    await rucio.give_password(0, "root")
    spec = {
        "site": "SITE-A", "plugin": "webdav", "prefix": "https://c.example:8443/grid", "attributes": {"tier": 3},
        "distances": {"A-DISK": 4}, "protocols": [{"plugin": "webdav", "prefix": "davs://c.example/grid"}],
    }  # fmt: skip
    applied = await rucio.send(
        "POST", "/configuration/apply", json={"documents": [{"kind": "RSE", "name": "C-DISK", "spec": spec}]},
        headers={"authorization": f"Bearer {rucio.token('instance:root')}"},
    )  # fmt: skip
    assert applied.status_code == 200, applied.text
    return await rucio.python_client(account="root", vo="instance")


async def version(rucio: Online) -> int:
    answer = await rucio.send(
        "GET", "/configuration/versions", headers={"authorization": f"Bearer {rucio.token('instance:root')}"}
    )
    return answer.json()[0]["version"]


async def test_what_goes_out_and_comes_in_again_changes_nothing(
    rucio: Online, admin: PythonClient, alice: PythonClient
) -> None:
    out = await admin.call("export_data")
    assert set(out["rses"]) == {"A-DISK", "B-DISK", "C-DISK"}
    c_disk = out["rses"]["C-DISK"]
    assert [(p["scheme"], p["port"]) for p in c_disk["protocols"]] == [("https", 8443), ("davs", 443)]
    assert (c_disk["attributes"]["tier"], out["distances"]["C-DISK"]["A-DISK"]["distance"]) == (3, 4)
    before = await version(rucio)
    assert await admin.call("import_data", out) == "Created"
    assert await version(rucio) == before
    assert await admin.call("export_data") == out

    seen = await alice.call("export_data", distance=False)
    assert (set(seen["rses"]), "distances" in seen) == ({"A-DISK", "B-DISK"}, False)


async def test_an_rse_more_is_made_with_all_that_is_said_of_it(admin: PythonClient) -> None:
    out = await admin.call("export_data")
    new = copy.deepcopy(out["rses"]["C-DISK"])
    new |= {"rse": "D-DISK", "rse_type": "TAPE", "availability_delete": False, "city": "Lyon"}
    new["attributes"] = {"site": "LYON", "tier": 2, "D-DISK": True}
    new["protocols"][0] |= {"hostname": "d.example"}
    new["protocols"].pop()
    data = {"rses": {"D-DISK": new}, "distances": {"D-DISK": {"C-DISK": {"distance": 7, "ranking": 7}}}}
    assert await admin.call("import_data", data) == "Created"
    made = await admin.call("get_rse", "D-DISK")
    assert (made["rse_type"], made["city"], made["availability"]) == ("TAPE", "Lyon", 6)
    assert [(p["hostname"], p["port"], p["prefix"]) for p in made["protocols"]] == [
        ("d.example", 8443, "/grid/instance/")
    ]
    attributes = await admin.call("list_rse_attributes", "D-DISK")
    assert (attributes["site"], attributes["tier"]) == ("LYON", 2)
    assert (await admin.call("get_distance", "D-DISK", "C-DISK"))[0]["distance"] == 7
    assert await admin.call("import_data", await admin.call("export_data")) == "Created"
    assert await admin.call("get_rse", "D-DISK") == made
    assert await admin.call("delete_rse", "D-DISK") is True


async def test_what_differs_is_changed_and_the_rest_stays(admin: PythonClient) -> None:
    domains = {"wan": {"read": 5}, "lan": {"read": 5}}
    said: dict[str, Any] = {
        "availability_write": False, "attributes": {"tier": 4, "cloud": "UK"}, "lfn2pfn_algorithm": "identity",
        "protocols": [
            {"scheme": "davs", "hostname": "c.example", "port": 0, "domains": domains},
            {"scheme": "http", "hostname": "c.example", "port": 8080, "prefix": "/plain"},
        ],
    }  # fmt: skip
    assert await admin.call("import_data", {"rses": {"C-DISK": said}}) == "Created"
    now = await admin.call("get_rse", "C-DISK")
    assert (now["availability_read"], now["availability_write"], now["lfn2pfn_algorithm"]) == (True, False, "identity")
    https, davs, http = now["protocols"]
    assert (https["domains"]["wan"]["write"], davs["domains"]["wan"]["read"], davs["domains"]["wan"]["write"]) == (
        1, 5, None,
    )  # fmt: skip
    assert (http["port"], http["prefix"]) == (8080, "/plain/instance/")
    attributes = await admin.call("list_rse_attributes", "C-DISK")
    assert (attributes["tier"], attributes["cloud"], attributes["site"]) == (4, "UK", "SITE-A")
    assert (await admin.call("get_distance", "C-DISK", "A-DISK"))[0]["distance"] == 4
    assert await admin.call("import_data", {"rses": {"C-DISK": {"attributes": {"site": "SITE-B"}}}}) == "Created"
    assert (await admin.call("list_rse_attributes", "C-DISK"))["site"] == "SITE-B"


async def test_accounts_come_in_with_what_proves_them(root: PythonClient, gridpp: PythonClient) -> None:
    dora = {"account": "dora", "email": "dora@example.org", "identities": [{"type": "X509", "identity": NAME}]}
    for _ in range(2):
        assert await root.call("import_data", {"accounts": [dora, {"account": "alice"}]}) == "Created"
    assert (await root.call("get_account", "dora"))["email"] == "dora@example.org"
    assert [one["identity"] for one in await root.call("list_identities", "dora")] == [NAME]
    assert await root.call("import_data", {"accounts": [dora | {"email": "d@example.org", "type": "SERVICE"}]})
    changed = await root.call("get_account", "dora")
    assert (changed["email"], changed["account_type"]) == ("d@example.org", "SERVICE")
    await refused(gridpp, "AccountNotFound", "get_account", "dora")


async def test_an_import_is_done_as_a_whole_or_not_at_all(
    rucio: Online, admin: PythonClient, root: PythonClient, alice: PythonClient
) -> None:
    before = await version(rucio)
    many = [{"type": "X509", "identity": f"/CN={n}"} for n in range(MOST_PROOFS)]
    fine = {"account": "erin"}
    password = {"account": "fay", "identities": [{"type": "USERPASS", "identity": "fay"}]}
    for kind, said in (
        ("UnsupportedOperation", {"accounts": [fine, password]}),
        ("InputValidationError", {"accounts": [password, {"account": "gus", "identities": many}]}),
        ("InputValidationError", {"accounts": [fine, {"account": "No Name"}]}),
        ("InputValidationError", {"accounts": [fine], "scopes": []}),
        ("AccessDenied", {"accounts": [fine], "rses": {"A-DISK": {"availability_write": False}}}),
    ):
        await refused(root, kind, "import_data", said)
    await refused(root, "AccountNotFound", "get_account", "erin")
    switched = {"C-DISK": {"availability_read": False}}
    for kind, said in (
        ("InputValidationError", {"rses": {**switched, "E-DISK": {"deterministic": False}}}),
        ("InputValidationError", {"rses": {**switched, "E-DISK": {"protocols": [{"scheme": "gsiftp"}]}}}),
        ("RSENotFound", {"rses": {**switched, "A-DISK": {"availability_write": False}}}),  # no document made it
        ("RSENotFound", {"rses": switched, "distances": {"NOWHERE": {"A-DISK": {"distance": 1}}}}),
        ("InputValidationError", {"rses": switched, "distances": {"C-DISK": {"NOWHERE": {"distance": 1}}}}),
        ("InputValidationError", {"rses": switched, "distances": {"C-DISK": {"A-DISK": {"distance": -1}}}}),
    ):
        await refused(admin, kind, "import_data", said)
    await refused(alice, "AccessDenied", "import_data", {"accounts": [{"account": "alice"}]})
    assert await version(rucio) == before
