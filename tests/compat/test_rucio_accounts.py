"""Rucio's client in Python asks about accounts."""

import pytest

from tests.compat.rucio_client import Online, PythonClient, Raised, refused
from tests.identity.helpers import PASSWORD

pytestmark = pytest.mark.xdist_group("rucio_accounts")  # one server for all


async def test_the_account_of_the_caller_is_told_and_one_that_does_not_exist_is_not(alice: PythonClient) -> None:
    assert (await alice.call("whoami"))["account"] == "alice"
    with pytest.raises(Raised) as e:
        await alice.call("get_account", "nobody")
    assert e.value.kind == "AccountNotFound"


async def test_accounts_of_the_vo_are_listed_with_addresses_for_who_may_see_them(
    root: PythonClient, alice: PythonClient
) -> None:
    await root.call("add_account", "carol", "USER", "carol@example.org")

    listed = {one["account"]: one for one in await root.call("list_accounts")}
    seen = {one["account"]: one for one in await alice.call("list_accounts", account_type="user")}

    assert listed["carol"] == {"account": "carol", "type": "USER", "email": "carol@example.org"}
    assert {"alice", "bob", "root", "carol"} == set(listed)
    assert seen["carol"]["email"] is None
    assert await alice.call("list_accounts", account_type="SERVICE") == []
    assert [one["account"] for one in await alice.call("list_accounts", filters={"admin": True})] == ["root"]
    assert await alice.call("list_accounts", filters={"colour": "red"}) == []


async def test_an_account_is_made_changed_and_deleted(root: PythonClient, alice: PythonClient) -> None:
    assert await root.call("add_account", "dave", "GROUP", None) is True
    assert (await alice.call("get_account", "dave"))["account_type"] == "GROUP"
    await refused(root, "Duplicate", "add_account", "dave", "GROUP", None)

    assert await root.call("update_account", "dave", "email", "dave@example.org") is True
    assert await root.call("update_account", "dave", "account_type", "SERVICE") is True
    now = await root.call("get_account", "dave")
    assert (now["email"], now["account_type"], now["status"]) == ("dave@example.org", "SERVICE", "ACTIVE")

    assert await root.call("update_account", "dave", "status", "SUSPENDED") is True
    assert (await root.call("get_account", "dave"))["status"] == "SUSPENDED"
    await root.call("update_account", "dave", "status", "ACTIVE")
    assert await root.call("delete_account", "dave") is True
    assert (await root.call("get_account", "dave"))["status"] == "SUSPENDED"


async def test_what_was_no_document_before_keeps_its_groups_when_it_is_changed(
    rucio: Online, root: PythonClient
) -> None:
    await root.call("update_account", "bob", "email", "bob@example.org")
    (bob,) = [one for one in (await rucio.send("GET", "/accounts", account="root")).json() if one["name"] == "bob"]
    assert (bob["groups"], bob["email"], bob["kind"]) == (["users"], "bob@example.org", "user")


async def test_accounts_are_changed_by_who_manages_them_alone_and_as_they_can_be(
    root: PythonClient, alice: PythonClient
) -> None:
    for refusing, kind, method, arguments, says in (
        (alice, "AccessDenied", "add_account", ("eve", "USER", None), ""),
        (alice, "AccessDenied", "update_account", ("bob", "email", "x@example.org"), ""),
        (alice, "AccessDenied", "delete_account", ("bob",), ""),
        (root, "AccountNotFound", "delete_account", ("nobody",), "nobody"),
        (root, "AccountNotFound", "update_account", ("nobody", "email", "x@example.org"), "nobody"),
        (root, "InputValidationError", "add_account", ("Eve", "USER", None), "Eve"),
        (root, "InputValidationError", "add_account", ("eve", "GOD", None), "type"),
        (root, "InputValidationError", "add_account", ("eve", "USER", "nowhere"), "email"),
        (root, "InputValidationError", "update_account", ("bob", "colour", "red"), "colour"),
        (root, "InputValidationError", "update_account", ("bob", "status", "asleep"), "status"),
    ):
        assert says in await refused(refusing, kind, method, *arguments)
    await refused(root, "AccountNotFound", "get_account", "eve")


async def test_an_administrator_is_told_as_one(root: PythonClient, alice: PythonClient) -> None:
    assert await alice.call("list_account_attributes", "root") == [[{"key": "admin", "value": True}]]
    assert await alice.call("list_account_attributes", "alice") == [[{"key": "admin", "value": False}]]
    await refused(root, "UnsupportedOperation", "add_account_attribute", "bob", "admin", value=True)


async def test_attributes_of_accounts_come_and_go(root: PythonClient, alice: PythonClient) -> None:
    assert await root.call("add_account_attribute", "bob", "country", value="it") is True
    assert await root.call("add_account_attribute", "bob", "expert", value=True) is True
    assert await root.call("add_account_attribute", "bob", "country", value="uk") is True
    (said,) = await alice.call("list_account_attributes", "bob")
    assert {one["key"]: one["value"] for one in said} == {"country": "uk", "expert": True, "admin": False}
    found = await alice.call("list_accounts", filters={"country": "uk", "expert": True})
    assert [one["account"] for one in found] == ["bob"]
    assert await root.call("delete_account_attribute", "bob", "country") is True
    assert "country" in await refused(root, "AccountNotFound", "delete_account_attribute", "bob", "country")
    await refused(root, "AccountNotFound", "add_account_attribute", "nobody", "country", value="it")
    await refused(root, "InputValidationError", "add_account_attribute", "bob", "1%", value="it")
    await refused(root, "InputValidationError", "add_account_attribute", "bob", "country", value=[1])
    await refused(alice, "AccessDenied", "add_account_attribute", "bob", "country", value="it")


async def test_the_command_lists_and_makes_accounts(rucio: Online) -> None:
    await rucio.give_password(1, "root")
    mine = rucio.configure(auth_type="userpass", username="root", password=PASSWORD, account="root")
    code, said = await rucio.run("account", "add", "frank", "SERVICE", environment=mine)
    assert code == 0, said
    code, said = await rucio.run("account", "list", environment=mine)
    assert code == 0, said
    assert "frank" in said
