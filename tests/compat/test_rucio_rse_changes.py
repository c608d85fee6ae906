"""Rucio's client in Python changes RSEs, as administrators of the installation may."""

import pytest

from sancho.vos import service as vos
from tests.compat.rucio_client import Online, PythonClient, refused
from tests.identity.helpers import PASSWORD

pytestmark = pytest.mark.xdist_group("rucio_rse_changes")  # one server for all


@pytest.fixture(scope="module")
async def admin(rucio: Online) -> PythonClient:
    """Rucio's client as who administers the installation, which has two more RSEs."""
    await rucio.give_password(0, "root")
    spec = {"site": "SITE-A", "plugin": "webdav", "attributes": {"tier": 3}}
    documents = [
        {"kind": "RSE", "name": f"{letter}-DISK", "spec": {**spec, "prefix": f"https://{letter.lower()}.example"}}
        for letter in "CD"
    ]
    applied = await rucio.send(
        "POST", "/configuration/apply", json={"documents": documents},
        headers={"authorization": f"Bearer {rucio.token('instance:root')}"},
    )  # fmt: skip
    assert applied.status_code == 200, applied.text
    return await rucio.python_client(account="root", vo="instance")


async def test_attributes_come_and_go(admin: PythonClient) -> None:
    assert await admin.call("add_rse_attribute", "C-DISK", "cloud", "UK") is True
    assert await admin.call("add_rse_attribute", "C-DISK", "tier", 2) is True
    attributes = await admin.call("list_rse_attributes", "C-DISK")
    assert (attributes["cloud"], attributes["tier"]) == ("UK", 2)
    assert await admin.call("list_rses", "cloud=UK&tier=2") == [{"rse": "C-DISK"}]
    assert await admin.call("delete_rse_attribute", "C-DISK", "cloud") is True
    assert "cloud" not in await admin.call("list_rse_attributes", "C-DISK")
    assert "cloud" in await refused(admin, "RSEAttributeNotFound", "delete_rse_attribute", "C-DISK", "cloud")
    await refused(admin, "InputValidationError", "add_rse_attribute", "C-DISK", "rse", "other")
    await refused(admin, "InputValidationError", "add_rse_attribute", "C-DISK", "cloud", [1])


async def test_an_rse_is_switched(admin: PythonClient) -> None:
    assert await admin.call("update_rse", "C-DISK", {"availability_write": False}) is True
    now = await admin.call("get_rse", "C-DISK")
    assert (now["availability_read"], now["availability_write"]) == (True, False)
    assert now["protocols"][0]["hostname"] == "c.example"
    await admin.call("update_rse", "C-DISK", {"availability_write": True})
    assert (await admin.call("get_rse", "C-DISK"))["availability"] == 7
    await refused(admin, "InputValidationError", "update_rse", "C-DISK", {"name": "E-DISK"})


async def test_an_rse_is_made_gets_protocols_and_goes(admin: PythonClient) -> None:
    assert await admin.call("add_rse", "N-DISK", rse_type="TAPE", country_name="UK", availability_delete=False) is True
    await refused(admin, "Duplicate", "add_rse", "N-DISK")
    made = await admin.call("get_rse", "N-DISK")
    assert (made["rse_type"], made["country_name"], made["availability"], made["protocols"]) == ("TAPE", "UK", 0, [])
    assert (await admin.call("list_rse_attributes", "N-DISK"))["site"] == "N-DISK"

    far = {"wan": {"read": 1, "third_party_copy_read": 1}}
    https = {"scheme": "https", "hostname": "n.example", "port": 8443, "prefix": "/data/", "impl": "any"}
    assert await admin.call("add_protocol", "N-DISK", https) is True
    assert await admin.call("add_protocol", "N-DISK", {**https, "scheme": "davs", "domains": far}) is True
    await refused(admin, "Duplicate", "add_protocol", "N-DISK", https)
    await refused(admin, "InputValidationError", "add_protocol", "N-DISK", {**https, "scheme": "gsiftp"})
    await refused(admin, "InputValidationError", "add_protocol", "N-DISK", {**https, "port": -1})
    assert (await admin.call("get_rse", "N-DISK"))["availability"] == 6
    first, second = await admin.call("get_protocols", "N-DISK")
    assert (first["scheme"], first["port"], first["prefix"]) == ("https", 8443, "/data/instance/")
    assert (second["scheme"], second["domains"]["lan"]["read"], second["domains"]["wan"]["read"]) == ("davs", None, 1)
    assert second["domains"]["wan"]["third_party_copy_write"] is None

    assert await admin.call("delete_protocols", "N-DISK", "davs", hostname="n.example", port=8443) is True
    await refused(admin, "RSEProtocolNotSupported", "delete_protocols", "N-DISK", "davs")
    assert await admin.call("delete_protocols", "N-DISK", "https") is True
    assert (await admin.call("get_rse", "N-DISK"))["availability"] == 0
    assert await admin.call("delete_rse", "N-DISK") is True
    await refused(admin, "RSENotFound", "get_rse", "N-DISK")
    await refused(admin, "RSENotFound", "delete_rse", "N-DISK")
    await refused(admin, "InputValidationError", "add_rse", "N-DISK", deterministic=False)
    await refused(admin, "InputValidationError", "add_rse", "N-DISK", site="NOWHERE")
    await refused(admin, "InputValidationError", "add_rse", "N..~DISK")


async def test_what_a_protocol_is_for_can_be_changed(admin: PythonClient) -> None:
    more = {"scheme": "davs", "hostname": "d.example", "port": 0, "prefix": "/instance", "impl": "any"}
    await admin.call("add_protocol", "D-DISK", more)
    assert (await admin.call("lfns2pfns", "D-DISK", ["mc:a"], operation="read"))["mc:a"].startswith("https://")
    assert await admin.call("update_protocols", "D-DISK", "https", {"domains": {"wan": {"read": 3}}}) is True
    https, davs = await admin.call("get_protocols", "D-DISK")
    assert [p["domains"]["wan"]["read"] for p in (https, davs)] == [3, 2]
    assert [p["domains"]["wan"]["write"] for p in (https, davs)] == [1, 2]
    assert (await admin.call("lfns2pfns", "D-DISK", ["mc:a"], operation="read"))["mc:a"].startswith("davs://")
    assert (await admin.call("lfns2pfns", "D-DISK", ["mc:a"]))["mc:a"].startswith("https://")
    await admin.call("update_protocols", "D-DISK", "davs", {"prefix": "/else/instance/"}, hostname="d.example")
    assert (await admin.call("get_protocols", "D-DISK"))[1]["prefix"] == "/else/instance/"
    await refused(admin, "UnsupportedOperation", "update_protocols", "D-DISK", "davs", {"hostname": "other"})
    await refused(admin, "RSEProtocolNotSupported", "update_protocols", "D-DISK", "davs", {}, hostname="other")


async def test_an_rse_is_of_a_qos(admin: PythonClient) -> None:
    assert await admin.call("list_qos_policies", "C-DISK") == []
    assert await admin.call("add_qos_policy", "C-DISK", "ARCHIVE") is True
    await refused(admin, "Duplicate", "add_qos_policy", "C-DISK", "FAST")
    assert await admin.call("list_qos_policies", "C-DISK") == ["ARCHIVE"]
    assert (await admin.call("get_rse", "C-DISK"))["qos_class"] == "ARCHIVE"
    assert await admin.call("list_rses", "qos=ARCHIVE") == [{"rse": "C-DISK"}]
    await refused(admin, "RSEAttributeNotFound", "delete_qos_policy", "C-DISK", "FAST")
    assert await admin.call("delete_qos_policy", "C-DISK", "ARCHIVE") is True
    assert await admin.call("list_qos_policies", "C-DISK") == []


async def test_what_a_storage_reports_is_told(admin: PythonClient, alice: PythonClient) -> None:
    assert await admin.call("set_rse_usage", "A-DISK", "srm", 7, 3) is True
    assert await admin.call("set_rse_usage", "A-DISK", "srm", 8, 2, files=5) is True
    (said,) = await alice.call("get_rse_usage", "A-DISK", {"source": "srm"})
    assert (said["used"], said["free"], said["total"], said["files"]) == (8, 2, 10, 5)
    assert [one["source"] for one in await alice.call("get_rse_usage", "A-DISK")] == ["rucio", "srm"]
    assert [one["used"] for one in await alice.call("list_rse_usage_history", "A-DISK", {"source": "srm"})] == [8, 7]
    await refused(admin, "InputValidationError", "set_rse_usage", "A-DISK", "srm", -1, 3)
    await refused(admin, "RSENotFound", "set_rse_usage", "NOWHERE", "srm", 1, 3)
    await refused(alice, "RSENotFound", "list_rse_usage_history", "C-DISK")


async def test_who_may_not_configure_waits_for_nobody(rucio: Online, root: PythonClient, alice: PythonClient) -> None:
    async with rucio.deployment.database.transaction([0]) as conn:
        await vos.lock_configuration(conn)
        await refused(root, "AccessDenied", "update_rse", "A-DISK", {"availability_write": False})
        await refused(alice, "AccessDenied", "set_local_account_limit", "alice", "A-DISK", 1)
        await refused(alice, "AccessDenied", "add_account", "bob", "USER", "")


async def test_links_come_change_and_go(admin: PythonClient) -> None:
    assert await admin.call("add_distance", "C-DISK", "D-DISK", {"distance": 3}, bidirectional=True) is True
    await refused(admin, "Duplicate", "add_distance", "C-DISK", "D-DISK", {"distance": 3})
    assert await admin.call("update_distance", "D-DISK", "C-DISK", {"distance": 5}) is True
    assert (await admin.call("get_distance", "C-DISK", "D-DISK"))[0]["distance"] == 3
    assert (await admin.call("get_distance", "D-DISK", "C-DISK"))[0]["distance"] == 5
    assert await admin.call("delete_distance", "D-DISK", "C-DISK") is True
    assert await admin.call("get_distance", "D-DISK", "C-DISK") == []
    await refused(admin, "RucioException", "delete_distance", "C-DISK", "D-DISK", bidirectional=True)
    assert (await admin.call("get_distance", "C-DISK", "D-DISK"))[0]["distance"] == 3
    await refused(admin, "RucioException", "update_distance", "D-DISK", "C-DISK", {"distance": 5})
    await refused(admin, "RSENotFound", "add_distance", "C-DISK", "NOWHERE", {"distance": 1})
    await refused(admin, "InputValidationError", "add_distance", "C-DISK", "D-DISK", {"distance": -1})


async def test_an_administrator_of_a_vo_changes_no_shared_rse(root: PythonClient) -> None:
    for kind, method, arguments in (
        ("AccessDenied", "add_rse_attribute", ("A-DISK", "cloud", "UK")),
        ("AccessDenied", "update_rse", ("A-DISK", {"availability_write": False})),
        ("AccessDenied", "add_distance", ("A-DISK", "B-DISK", {"distance": 1})),
        ("RSENotFound", "add_rse_attribute", ("C-DISK", "cloud", "UK")),
        ("AccessDenied", "add_rse", ("E-DISK",)),
        ("AccessDenied", "delete_rse", ("A-DISK",)),
        ("RSENotFound", "delete_rse", ("C-DISK",)),
        ("AccessDenied", "add_protocol", ("A-DISK", {"scheme": "https", "hostname": "a.example"})),
        ("AccessDenied", "delete_protocols", ("A-DISK", "file")),
        ("RSENotFound", "update_protocols", ("C-DISK", "https", {"prefix": "/else"})),
        ("AccessDenied", "add_qos_policy", ("A-DISK", "SOMETHING")),
        ("AccessDenied", "set_rse_usage", ("A-DISK", "srm", 1, 1)),
    ):
        await refused(root, kind, method, *arguments)
    assert await root.call("list_rse_attributes", "A-DISK") == {
        "tier": 1, "country": "JP", "site": "SITE-A", "A-DISK": True
    }  # fmt: skip


async def test_the_command_sets_distances_and_attributes(rucio: Online, admin: PythonClient) -> None:
    mine = rucio.configure(
        auth_type="userpass", username="root", password=PASSWORD, account="root", vo="instance"
    )  # fmt: skip
    code, said = await rucio.run("rse", "distance", "set", "D-DISK", "C-DISK", "--distance", "9", environment=mine)
    assert code == 0, said
    assert (await admin.call("get_distance", "D-DISK", "C-DISK"))[0]["distance"] == 9
    code, said = await rucio.run(
        "rse", "attribute", "set", "D-DISK", "--key", "fts", "--value", "none", environment=mine
    )
    assert code == 0, said
