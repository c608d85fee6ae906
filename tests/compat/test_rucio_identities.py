"""Rucio's client in Python asks what proves accounts, and changes it."""

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.compat.rucio_client import Online, PythonClient, refused

pytestmark = pytest.mark.xdist_group("rucio_identities")  # one server for all
SSH_KEY = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


async def test_what_proves_an_account_is_listed_added_and_removed(
    rucio: Online, root: PythonClient, alice: PythonClient
) -> None:
    dn = "/DC=org/DC=example/CN=Alice Adams"
    assert await alice.call("add_identity", "alice", SSH_KEY, "SSH", "alice@example.org") is True
    assert await root.call("add_identity", "alice", dn, "x509", "alice@example.org") is True
    assert (
        await root.call("add_identity", "bob", "bob", "USERPASS", "", password="a good long passphrase of bob's")
        is True
    )

    mine = {(one["type"], one["identity"]) for one in await alice.call("list_identities", "alice")}
    assert {("USERPASS", "alice"), ("SSH", SSH_KEY), ("X509", dn)} == mine
    assert [one["account"] for one in await root.call("list_accounts", identity=dn)] == ["alice"]
    assert [one["type"] for one in await root.call("list_identities", "bob")] == ["USERPASS"]

    assert await alice.call("del_identity", "alice", SSH_KEY, "SSH") is True
    assert await root.call("del_identity", "alice", dn, "X509") is True
    assert [one["type"] for one in await alice.call("list_identities", "alice")] == ["USERPASS"]


async def test_what_cannot_prove_an_account_is_refused(root: PythonClient, alice: PythonClient) -> None:
    for client, kind, method, arguments in (
        (alice, "AccessDenied", "list_identities", ("root",)),
        (alice, "AccessDenied", "add_identity", ("alice", "/CN=Root", "X509", "")),
        (alice, "AccessDenied", "add_identity", ("root", SSH_KEY, "SSH", "")),
        (alice, "Duplicate", "add_identity", ("alice", "alice", "USERPASS", "", False, "another passphrase 1")),
        (root, "InputValidationError", "add_identity", ("alice", "a name", "X509", "")),
        (root, "InputValidationError", "add_identity", ("alice", "no key", "SSH", "")),
        (root, "InputValidationError", "add_identity", ("alice", "x", "MAGIC", "")),
        (root, "InputValidationError", "add_identity", ("alice", "carol", "USERPASS", "", False, "a passphrase 12")),
        (root, "IdentityError", "add_identity", ("root", "root", "USERPASS", "")),
        (root, "UnsupportedOperation", "add_identity", ("alice", "SUB=a, ISS=b", "OIDC", "")),
        (root, "UnsupportedOperation", "del_identity", ("alice", "alice", "USERPASS")),
        (root, "IdentityError", "del_identity", ("alice", "/CN=Nobody", "X509")),
        (root, "AccountNotFound", "list_identities", ("nobody",)),
    ):
        await refused(client, kind, method, *arguments)


async def test_the_accounts_of_an_identity_and_a_password_by_headers(rucio: Online, root: PythonClient) -> None:
    async def ask(method: str, path: str, account: str, **headers: str) -> httpx2.Response:
        said = {"x-rucio-auth-token": rucio.token(f"belle:{account}"), **headers}
        async with httpx2.AsyncClient(base_url=rucio.url) as client:
            return await client.request(method, f"/rucio/identities{path}", headers=said)

    query = "/accounts?identity_key=alice&type=USERPASS"
    assert (await ask("GET", query, "root")).json() == ["alice"]
    assert (await ask("GET", query, "bob")).json() == []
    assert (await ask("GET", "/alice/userpass/accounts", "root")).json() == ["alice"]
    assert (await ask("GET", "/alice/userpass/accounts", "bob")).json() == []
    assert (await ask("GET", "//DC=org/CN=Nobody/x509/accounts", "root")).json() == []
    assert (await ask("PUT", "/alice/x509", "root")).headers["exceptionclass"] == "CannotAuthenticate"
    assert (await ask("GET", "/accounts?identity_key=alice&type=GSS", "root")).json() == []
    await root.call("add_account", "gina", "USER", None)
    words = {"x-rucio-username": "gina", "x-rucio-password": "a good long passphrase of gina's"}
    assert (await ask("PUT", "/gina/userpass", "bob", **words)).status_code == 401
    assert (await ask("PUT", "/gina/userpass", "root", **words)).status_code == 201
    assert (await ask("PUT", "/gina/userpass", "root", **words)).headers["exceptionclass"] == "Duplicate"
    assert [one["type"] for one in await root.call("list_identities", "gina")] == ["USERPASS"]
