"""Keys and names that prove accounts: who may add and remove them, and the logins they allow."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from sancho.identity import store
from sancho.identity.errors import (
    BeyondYours,
    CertificateNotAccepted,
    IdentityNotFound,
    IdentityTaken,
    LoginRefused,
    NameInvalid,
    NoCertificate,
    SshKeyInvalid,
    TooManyIdentities,
)
from sancho.identity.model import Pass, Proof
from sancho.identity.service import identities, proofs
from sancho.kit.access import Principal
from sancho.kit.db import Connection, execute
from sancho.kit.errors import PermissionMissing
from sancho.kit.issuer import rotate
from sancho.vos.model import VO
from sancho_contract.certificate import CertificatePerson, CertificateRefused
from tests.identity.helpers import Installation, acting
from tests.identity.test_ssh import Person
from tests.world import World

BELLE, GRIDPP = VO(1, "belle"), VO(2, "gridpp")
DN = "/DC=org/DC=example/CN=Jane Doe"
HERE, THERE = "192.0.2.1", "192.0.2.2"
USERS = ("dids:create", "jobs:create", "rules:create", "uploads:create")


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Person:
    """Somebody with SSH keys."""
    return Person(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def alice(world: World) -> Principal:
    return acting(1, "belle", world.account[1, "alice"], "alice", *USERS)


@pytest.fixture
def root(world: World) -> Principal:
    return acting(1, "belle", world.account[1, "root"], "root", "*")


async def test_a_key_is_ones_own_to_add_and_to_remove(conn: Connection, alice: Principal, person: Person) -> None:
    added = await identities.add_ssh_key(conn, alice, "alice", person.public("ed25519"))
    assert added.subject.startswith("SHA256:")
    again = await identities.add_ssh_key(conn, alice, "alice", f"  {person.public('ed25519')} other comment")
    assert again.subject == added.subject
    assert [one.subject for one in await identities.list_identities(conn, alice, "alice")] == [added.subject]

    await identities.remove_identity(conn, alice, "alice", added.subject)

    assert await identities.list_identities(conn, alice, "alice") == []
    with pytest.raises(IdentityNotFound):
        await identities.remove_identity(conn, alice, "alice", added.subject)


async def test_what_proves_somebody_else_is_for_who_manages_accounts(
    conn: Connection, alice: Principal, root: Principal, person: Person
) -> None:
    key = person.public("ed25519")
    for attempt in (
        identities.add_ssh_key(conn, alice, "bob", key),
        identities.list_identities(conn, alice, "bob"),
        identities.remove_identity(conn, alice, "bob", "SHA256:x"),
        identities.add_certificate_name(conn, alice, "alice", DN),
    ):
        with pytest.raises(PermissionMissing):
            await attempt
    manager = replace(alice, permissions=frozenset({*USERS, "accounts:manage"}))
    await identities.add_ssh_key(conn, manager, "bob", key)
    with pytest.raises(BeyondYours):
        await identities.add_ssh_key(conn, manager, "root", person.public("rsa"))
    with pytest.raises(BeyondYours):
        await identities.add_certificate_name(conn, manager, "root", DN)
    await identities.add_certificate_name(conn, root, "root", DN)
    with pytest.raises(IdentityTaken):
        await identities.add_certificate_name(conn, root, "alice", DN)
    with pytest.raises(IdentityTaken):
        await identities.add_ssh_key(conn, alice, "alice", key)


async def test_a_narrow_token_adds_no_key_that_would_allow_more(
    conn: Connection, alice: Principal, person: Person
) -> None:
    narrow = replace(alice, permissions=frozenset({"jobs:create"}))
    with pytest.raises(BeyondYours):
        await identities.add_ssh_key(conn, narrow, "alice", person.public("ed25519"))


@pytest.mark.parametrize("name", ["", "CN=Jane", "/CN", "/CN=", "/CN=a\nb", "x/CN=a", "/CN=" + "a" * 1000, "/CN=\x00"])
async def test_what_is_no_name_of_a_certificate_is_refused(conn: Connection, root: Principal, name: str) -> None:
    with pytest.raises(NameInvalid):
        await identities.add_certificate_name(conn, root, "alice", name)


@pytest.mark.parametrize("name", [DN, "/CN=host/a.example.org", "/O=Grid/emailAddress=a@b/CN=Ünïcode"])
async def test_names_of_certificates_are_kept_as_grids_write_them(conn: Connection, root: Principal, name: str) -> None:
    assert (await identities.add_certificate_name(conn, root, "alice", name)).subject == name


async def test_an_account_has_so_many_proofs_and_no_more(conn: Connection, root: Principal) -> None:
    for n in range(identities.MOST_IDENTITIES):
        await identities.add_certificate_name(conn, root, "alice", f"/CN={n}")
    await identities.add_certificate_name(conn, root, "alice", "/CN=0")
    with pytest.raises(TooManyIdentities):
        await identities.add_certificate_name(conn, root, "alice", "/CN=more")


async def test_what_is_no_key_is_refused(conn: Connection, alice: Principal) -> None:
    with pytest.raises(SshKeyInvalid):
        await identities.add_ssh_key(conn, alice, "alice", "ssh-ed25519 AAAA")


# ---- logins by SSH


async def by_ssh(
    installation: Installation, signature: str, *, vo: VO = BELLE, account: str = "alice", address: str = HERE
) -> Pass:
    return await proofs.by_ssh_key(installation.deployment, vo, account, signature, address, client="rucio")


async def signed(
    installation: Installation, person: Person, kind: str = "rsa", *, vo: VO = BELLE, account: str = "alice"
) -> str:
    given = proofs.ssh_challenge(installation.deployment, vo, account, HERE)
    return person.sign_as_rucio(kind, given.text)


async def test_any_key_of_an_account_logs_it_in(
    conn: Connection, installation: Installation, alice: Principal, person: Person
) -> None:
    for kind in ("ed25519", "rsa"):
        await identities.add_ssh_key(conn, alice, "alice", person.public(kind))
    for kind in ("ed25519", "rsa"):
        given = await by_ssh(installation, await signed(installation, person, kind))
        principal = await installation.authenticators.authenticate(given.token)
        assert (given.account, principal.account, principal.vo) == ("alice", "alice", 1)
        assert given.expires_at == installation.clock.now() + timedelta(hours=1)
    own = await identities.list_identities(conn, alice, "alice")
    assert [one.proven_at for one in own] == [installation.clock.now()] * 2
    challenge = proofs.ssh_challenge(installation.deployment, BELLE, "alice", HERE)
    assert await by_ssh(installation, person.sign("ed25519", challenge.text))


async def test_a_signature_is_good_for_its_account_vo_address_and_moment_alone(
    conn: Connection, installation: Installation, alice: Principal, person: Person, world: World
) -> None:
    await identities.add_ssh_key(conn, alice, "alice", person.public("rsa"))
    bob = acting(1, "belle", world.account[1, "bob"], "bob", *USERS)
    await identities.add_ssh_key(conn, bob, "bob", person.public("ed25519"))
    signature = await signed(installation, person)
    strange = await signed(installation, person, "ed25519")
    for attempt in (
        by_ssh(installation, signature, account="bob"),
        by_ssh(installation, signature, account="nobody"),
        by_ssh(installation, signature, account="' OR 1=1 --"),
        by_ssh(installation, signature, vo=GRIDPP),
        by_ssh(installation, signature, address=THERE),
        by_ssh(installation, strange),
        by_ssh(installation, ""),
        by_ssh(installation, "AAAA"),
    ):
        with pytest.raises(LoginRefused):
            await attempt
    installation.later(timedelta(seconds=9))
    assert await by_ssh(installation, signature)
    installation.later(timedelta(seconds=20))
    with pytest.raises(LoginRefused):
        await by_ssh(installation, signature)


async def test_a_challenge_tells_nothing_and_ends_when_it_says(installation: Installation) -> None:
    known, unknown = (proofs.ssh_challenge(installation.deployment, BELLE, n, HERE) for n in ("alice", "nobody"))
    assert (len(known.text), known.text != unknown.text) == (len(unknown.text), True)
    left = known.expires_at - installation.clock.now()
    assert timedelta(seconds=10) <= left <= timedelta(seconds=20)


async def test_a_challenge_of_other_servers_keys_is_no_good(
    conn: Connection, installation: Installation, alice: Principal, person: Person
) -> None:
    await identities.add_ssh_key(conn, alice, "alice", person.public("rsa"))
    signature = await signed(installation, person)
    installation.later(timedelta(seconds=1))
    rotate(installation.keys, clock=installation.clock)
    with pytest.raises(LoginRefused):
        await by_ssh(installation, signature)
    assert await by_ssh(installation, await signed(installation, person))


async def test_a_suspended_account_is_not_logged_in(
    conn: Connection, installation: Installation, alice: Principal, root: Principal, person: Person
) -> None:
    await identities.add_ssh_key(conn, alice, "alice", person.public("rsa"))
    await identities.add_certificate_name(conn, root, "alice", DN)
    await store.set_state(conn, 1, ["alice"], "S")
    with pytest.raises(LoginRefused):
        await by_ssh(installation, await signed(installation, person))
    with pytest.raises(LoginRefused):
        await by_certificate(installation)


# ---- logins by certificate


class Verifier:
    """Says who has shown a chain of one name, until some moment."""

    Settings = CertificatePerson  # nothing asks for it

    def __init__(self, installation: Installation) -> None:
        self.ends = installation.clock.now() + timedelta(minutes=5, microseconds=5)

    def verify(self, chain: object, *, now: object) -> CertificatePerson:
        assert now is not None
        if chain == (b"bad",):
            raise CertificateRefused("It is revoked.")
        return CertificatePerson(dn=DN, rfc4514="CN=Jane Doe,DC=example,DC=org", not_after=self.ends)


async def by_certificate(
    installation: Installation, chain: tuple[bytes, ...] | None = (b"der",), *, vo: VO = BELLE
) -> Pass:
    deployment = replace(installation.deployment, certificates=Verifier(installation))
    return await proofs.by_certificate(deployment, vo, chain, client="rucio")


async def test_a_certificate_logs_in_who_it_names_and_for_no_longer_than_it_lives(
    conn: Connection, installation: Installation, root: Principal
) -> None:
    with pytest.raises(LoginRefused):
        await by_certificate(installation)
    await identities.add_certificate_name(conn, root, "alice", DN)

    given = await by_certificate(installation)

    assert (given.account, given.expires_at) == ("alice", installation.clock.now() + timedelta(minutes=5))
    assert (await installation.authenticators.authenticate(given.token)).account == "alice"
    with pytest.raises(LoginRefused):
        await by_certificate(installation, vo=GRIDPP)
    with pytest.raises(NoCertificate):
        await by_certificate(installation, None)
    with pytest.raises(CertificateNotAccepted, match="revoked"):
        await by_certificate(installation, (b"bad",))


# ---- routes


async def send(
    installation: Installation, method: str, account: str = "alice", *, of: str = "alice", **more: Any
) -> httpx2.Response:
    async with installation.client() as client:
        headers = installation.bearer("belle", account)
        return await client.request(method, f"/v1/accounts/{of}/identities", headers=headers, **more)


async def test_keys_are_added_listed_and_removed_over_the_api(
    installation: Installation, person: Person, conn: Connection, world: World
) -> None:
    await execute(
        conn,
        "INSERT INTO identity (vo, kind, account_id, subject, secret_hash) VALUES (1, 'P', %(id)s, 'alice', 'x')",
        {"id": world.account[1, "alice"]},
    )
    key = person.public("ed25519")
    added = await send(installation, "POST", json={"kind": "ssh_key", "subject": key})
    assert added.status_code == 201
    listed = (await send(installation, "GET")).json()
    assert [one["kind"] for one in listed] == ["password", "ssh_key"]
    assert key.split()[1] not in str(listed)
    assert (await send(installation, "GET", "bob")).status_code == 403
    named = await send(installation, "POST", "root", json={"kind": "x509", "subject": DN})
    assert (named.status_code, named.json()["kind"]) == (201, Proof.X509.word)
    for body in ({"kind": "password", "subject": "x"}, {"kind": "x509", "subject": "x"}):
        assert (await send(installation, "POST", "root", json=body)).status_code == 422
    for subject in (added.json()["subject"], DN):
        assert (await send(installation, "DELETE", "root", params={"subject": subject})).status_code == 204
    assert [one["kind"] for one in (await send(installation, "GET")).json()] == ["password"]
    assert (await send(installation, "DELETE", params={"subject": "alice"})).json()["code"] == "identity_not_found"


async def test_what_a_subject_proves_is_told_to_its_owner_and_to_who_manages_accounts(
    conn: Connection, world: World, root: Principal, alice: Principal
) -> None:
    bob = acting(1, "belle", world.account[1, "bob"], "bob", *USERS)
    await identities.add_certificate_name(conn, root, "alice", DN)
    told = [[one.account for one in await identities.proofs_by(conn, who, DN)] for who in (root, alice, bob)]
    assert told == [["alice"], ["alice"], []]
    assert await identities.proofs_by(conn, root, DN, kind=Proof.SSH_KEY) == []
