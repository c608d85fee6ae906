"""Rucio's client in Python changes RSEs, as administrators of the installation may."""

import pytest

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
        ("UnsupportedOperation", "add_rse", ("E-DISK",)),
        ("UnsupportedOperation", "delete_rse", ("A-DISK",)),
        ("UnsupportedOperation", "set_rse_usage", ("A-DISK", "srm", 1, 1)),
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
