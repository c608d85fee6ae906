"""Accounts and groups: found by name, made by documents, and nobody gets beyond what they have."""

from typing import Any

import pytest

from sancho.identity import service
from sancho.identity.errors import (
    AccountNotFound,
    BeyondYours,
    GroupNotFound,
    LoginRefused,
    NoGroup,
    NotInGroup,
    PasswordUnfit,
    PasswordWrong,
    TooManyLogins,
)
from sancho.identity.kinds import KINDS as IDENTITY
from sancho.identity.model import DEFAULT_GROUPS, AccountKind, AccountState
from sancho.identity.service.passwords import is_hash
from sancho.kit.access import Principal
from sancho.kit.db import Connection, execute, fetch_value
from sancho.kit.errors import PermissionMissing
from sancho.vos import service as vos
from sancho.vos.errors import DocumentInvalid, ReferenceUnknown
from sancho.vos.kinds import KINDS as VOS
from sancho.vos.model import Applied, Document, Kind
from tests.identity.helpers import PASSWORD, ROOT, Installation, acting, hashed
from tests.world import World

ALL: tuple[Kind[Any], ...] = (*VOS, *IDENTITY)


def account(name: str = "carol", *, vo: str = "belle", **spec: Any) -> Document:
    return Document(kind="Account", name=name, vo=vo, spec=spec)


def group(name: str = "higgs", *, vo: str = "belle", **spec: Any) -> Document:
    return Document(kind="Group", name=name, vo=vo, spec=spec)


def gone(kind: str, name: str) -> Document:
    return Document(kind=kind, name=name, vo="belle", remove=True)


async def apply(conn: Connection, *documents: Document, caller: Principal = ROOT) -> Applied:
    return await vos.apply(conn, caller, documents, ALL)


async def test_an_account_is_found_by_name_in_its_vo(conn: Connection, world: World) -> None:
    alice = await service.get_account(conn, 1, "alice")

    assert (alice.account_id, alice.kind, alice.state) == (
        world.account[1, "alice"], AccountKind.USER, AccountState.ACTIVE
    )  # fmt: skip
    assert alice.groups == ("users",)
    assert (await service.get_account(conn, 2, "alice")).account_id == world.account[2, "alice"]


@pytest.mark.parametrize("name", ["nobody", "", "al\x00ice", "ALICE", "\ud800", "alice\n"])
async def test_an_account_that_does_not_exist_is_named(conn: Connection, name: str) -> None:
    with pytest.raises(AccountNotFound) as e:
        await service.get_account(conn, 1, name, field="spec.account")
    assert e.value.field == "spec.account"
    assert await service.find_account(conn, 1, name) is None


async def test_accounts_are_found_by_id_in_their_vo_only(conn: Connection, world: World) -> None:
    ids = [world.account[1, "alice"], world.account[2, "bob"], 0]

    assert [a.name for a in (await service.accounts(conn, 1, ids)).values()] == ["alice"]
    assert await service.accounts(conn, 1, []) == {}


async def test_accounts_are_listed_in_pages(conn: Connection) -> None:
    assert [a.name for a in await service.list_accounts(conn, 1, limit=2)] == ["alice", "bob"]
    assert [a.name for a in await service.list_accounts(conn, 1, after="bob", limit=2)] == ["root"]


async def test_an_account_acts_for_the_oldest_of_its_groups_or_the_one_it_names(conn: Connection, world: World) -> None:
    await apply(conn, group("aaa"), account("alice", groups=["aaa", "users"]))
    alice = world.account[1, "alice"]

    assert (await service.primary_group(conn, 1, alice, None)).name == "users"
    assert (await service.primary_group(conn, 1, alice, "aaa")).name == "aaa"
    with pytest.raises(NotInGroup, match="it is in: users, aaa"):
        await service.primary_group(conn, 1, alice, "admins")
    with pytest.raises(GroupNotFound):
        await service.primary_group(conn, 1, alice, "nonsense")


async def test_an_account_in_no_group_cannot_act_for_one(conn: Connection, world: World) -> None:
    await apply(conn, account("alice"))

    with pytest.raises(NoGroup):
        await service.primary_group(conn, 1, world.account[1, "alice"], None)


async def test_accounts_and_groups_come_true(conn: Connection) -> None:
    await apply(
        conn,
        account(kind="service", email="carol@example.org", groups=["higgs", "users", "higgs"]),
        group(permissions=["rules:create", "rules:create", "jobs:create"], share=2.5),
    )

    carol = await service.get_account(conn, 1, "carol")
    assert (carol.kind, carol.email, carol.groups) == (AccountKind.SERVICE, "carol@example.org", ("higgs", "users"))
    [higgs] = [g for g in await service.groups(conn, 1) if g.name == "higgs"]
    assert (higgs.permissions, higgs.share) == (("rules:create", "jobs:create"), 2.5)


async def test_an_account_leaves_the_groups_its_document_no_longer_names(conn: Connection) -> None:
    await apply(conn, account(groups=["users", "admins"]))

    await apply(conn, account(groups=["admins"]))

    assert (await service.get_account(conn, 1, "carol")).groups == ("admins",)
    assert (await service.get_account(conn, 1, "alice")).groups == ("users",)


async def test_a_password_in_a_document_opens_the_account(installation: Installation) -> None:
    document = account(groups=["users"], password_hash=hashed(PASSWORD))
    async with installation.database.transaction([0, 1, 2]) as conn:
        await apply(conn, document)
    assert await service.login(installation.deployment, "belle", "carol", PASSWORD)

    async with installation.database.transaction([0, 1, 2]) as conn:
        assert (await apply(conn, document)).changes == []
        await apply(conn, account(groups=["users"], email="carol@example.org"))

    assert await service.login(installation.deployment, "belle", "carol", PASSWORD), "it keeps its password"


async def test_a_suspended_account_stays_so_until_a_document_says_otherwise(conn: Connection) -> None:
    await apply(conn, account(suspended=True))
    await apply(conn, account(email="c@example.org"))
    assert (await service.get_account(conn, 1, "carol")).state is AccountState.SUSPENDED

    await apply(conn, account(suspended=False))
    assert (await service.get_account(conn, 1, "carol")).state is AccountState.ACTIVE


async def test_an_account_that_goes_is_suspended_and_may_come_back(conn: Connection) -> None:
    first = await apply(conn, account(groups=["users"]))
    await apply(conn, gone("Account", "carol"))
    assert (await service.get_account(conn, 1, "carol")).state is AccountState.SUSPENDED
    assert first.version is not None

    await vos.rollback(conn, ROOT, first.version, ALL)

    assert (await service.get_account(conn, 1, "carol")).state is AccountState.ACTIVE


async def test_an_account_that_comes_back_barred_stays_barred(conn: Connection) -> None:
    await apply(conn, account())
    await apply(conn, gone("Account", "carol"))

    await apply(conn, account(suspended=True))

    assert (await service.get_account(conn, 1, "carol")).state is AccountState.SUSPENDED


async def test_a_group_that_goes_leaves_its_members(conn: Connection) -> None:
    await apply(conn, group(), account(groups=["higgs"]))

    await apply(conn, gone("Group", "higgs"))

    assert (await service.get_account(conn, 1, "carol")).groups == ()


async def test_a_new_vo_has_the_groups_that_every_vo_has(conn: Connection) -> None:
    await apply(conn, Document(kind="VO", name="ska"), account(vo="ska", groups=["admins"]))

    ska = await vos.get(conn, "ska")
    assert {g.name: g.permissions for g in await service.groups(conn, ska.vo)} == DEFAULT_GROUPS


@pytest.mark.parametrize(
    ("document", "error", "field"),
    [
        (account(groups=["users", "nonsense"]), ReferenceUnknown, "groups.1"),
        (account(groups=["UP"]), DocumentInvalid, "groups.0"),
        (account(kind="robot"), DocumentInvalid, "kind"),
        (account(email="nonsense"), DocumentInvalid, "email"),
        (account(password_hash="secret"), DocumentInvalid, "password_hash"),
        (account(password="secret"), DocumentInvalid, "password"),
        (group(permissions=["fly"]), DocumentInvalid, "permissions"),
        (group(share=-1), DocumentInvalid, "share"),
        (group(share="inf"), DocumentInvalid, "share"),
    ],
)
async def test_a_bad_document_is_refused_by_field(
    conn: Connection, document: Document, error: type[Exception], field: str
) -> None:
    with pytest.raises(error) as e:
        await apply(conn, document)

    assert getattr(e.value, "field", None) == f"documents.0.spec.{field}"
    assert "secret" not in str(e.value)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b7dWRWJTmaaJObG", True),
        ("$argon2i$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b7dWRWJTmaaJObG", False),
        ("$argon2id$v=19$m=4194304,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b7dWRWJTmaaJObG", False),
        ("$argon2id$v=19$m=65536,t=3000,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b7dWRWJTmaaJObG", False),
        ("plain text", False),
    ],
)
def test_a_hash_costs_no_more_than_a_login_may(text: str, good: bool) -> None:
    assert is_hash(text) is good


# ---- nobody gets beyond what they have


LIMITED = acting(1, "belle", 999, "helper", "configuration:apply", "accounts:manage", "jobs:create", "dids:create",
                 "rules:create", "uploads:create")  # fmt: skip


@pytest.mark.parametrize(
    "document",
    [
        group(permissions=["*"]),
        group(permissions=["jobs:manage"]),
        group("admins", permissions=["jobs:create"]),
        gone("Group", "admins"),
        account(groups=["admins"]),
        account("root", groups=["users"]),
        gone("Account", "root"),
    ],
)
async def test_nobody_gives_or_takes_over_more_than_they_have(conn: Connection, document: Document) -> None:
    await apply(conn, group("admins", permissions=["*"]), account("root", groups=["admins"]))

    with pytest.raises(BeyondYours):
        await apply(conn, document, caller=LIMITED)


async def test_what_one_has_one_may_give(conn: Connection) -> None:
    await apply(conn, group(permissions=["jobs:create"]), account(groups=["higgs", "users"]), caller=LIMITED)

    assert (await service.get_account(conn, 1, "carol")).groups == ("higgs", "users")
    await apply(conn, gone("Group", "higgs"), gone("Account", "carol"), caller=LIMITED)


async def test_nobody_suspends_or_takes_over_somebody_with_more_permissions(installation: Installation) -> None:
    with pytest.raises(BeyondYours):
        await service.set_state(installation.deployment, LIMITED, "root", AccountState.SUSPENDED)
    with pytest.raises(BeyondYours):
        await service.change_password(installation.deployment, LIMITED, "root", "battery staple")


async def test_a_user_suspends_nobody(installation: Installation, world: World) -> None:
    bob = acting(1, "belle", world.account[1, "bob"], "bob", "jobs:create")

    with pytest.raises(PermissionMissing):
        await service.set_state(installation.deployment, bob, "alice", AccountState.SUSPENDED)
    with pytest.raises(PermissionMissing):
        await service.change_password(installation.deployment, bob, "alice", "battery staple")


# ---- passwords


async def test_one_changes_ones_own_password_by_the_current_one(installation: Installation, world: World) -> None:
    await installation.with_password(1, "alice")
    alice = acting(1, "belle", world.account[1, "alice"], "alice", "jobs:create")

    for wrong in (None, "", "wrong horse"):
        with pytest.raises(PasswordWrong):
            await service.change_password(installation.deployment, alice, "alice", "battery staple", current=wrong)
    await service.change_password(installation.deployment, alice, "alice", "battery staple", current=PASSWORD)

    assert await service.login(installation.deployment, "belle", "alice", "battery staple")
    with pytest.raises(LoginRefused):
        await service.login(installation.deployment, "belle", "alice", PASSWORD)


async def test_a_stolen_token_does_not_help_to_guess_the_password(installation: Installation, world: World) -> None:
    bob = acting(2, "gridpp", world.account[2, "bob"], "bob")
    for _ in range(10):
        with pytest.raises(PasswordWrong):
            await service.change_password(installation.deployment, bob, "bob", "battery staple", current="guess")

    with pytest.raises(TooManyLogins):
        await service.change_password(installation.deployment, bob, "bob", "battery staple", current="guess")


@pytest.mark.parametrize("password", ["short", "", "x" * 1025, "\ud800" * 10])
async def test_a_password_must_be_fit(installation: Installation, world: World, password: str) -> None:
    admin = acting(1, "belle", world.account[1, "root"], "root", "*")

    with pytest.raises(PasswordUnfit):
        await service.change_password(installation.deployment, admin, "alice", password)


async def test_a_password_may_hold_any_text(installation: Installation, world: World) -> None:
    admin, password = acting(1, "belle", world.account[1, "root"], "root", "*"), "пароль \x00 🔑 ñ"

    await service.change_password(installation.deployment, admin, "alice", password)

    assert await service.login(installation.deployment, "belle", "alice", password)


# ---- the beginning


async def test_an_installation_begins_with_vos_and_their_administrators(committing: Installation) -> None:
    async with committing.database.transaction([0, 1, 2]) as conn:
        applied = await service.bootstrap(conn, ["belle", "ska"], "first passphrase", ALL)

    assert applied.version is not None
    for vo in ("instance", "belle", "ska"):
        tokens = await service.login(committing.deployment, vo, "admin", "first passphrase")
        admin = await committing.authenticators.authenticate(tokens.access_token)
        assert admin.permissions == {"*"}
        assert admin.is_instance_admin == (vo == "instance")


async def test_beginning_again_changes_no_password(installation: Installation) -> None:
    async with installation.database.transaction([0, 1, 2]) as conn:
        await service.bootstrap(conn, ["belle"], "first passphrase", ALL)
    async with installation.database.transaction([0, 1, 2]) as conn:
        again = await service.bootstrap(conn, ["belle", "gridpp"], "other passphrase", ALL)

    assert {(c.kind, c.vo, c.name) for c in again.changes} == {
        ("VO", "instance", "gridpp"),
        ("Account", "gridpp", "admin"),
    }
    assert await service.login(installation.deployment, "instance", "admin", "first passphrase")
    assert await service.login(installation.deployment, "gridpp", "admin", "other passphrase")


async def test_the_beginning_is_also_that_of_an_empty_installation(conn: Connection) -> None:
    await execute(conn, "DELETE FROM membership WHERE vo = 0")
    await execute(conn, "DELETE FROM account WHERE vo = 0")
    await execute(conn, "DELETE FROM account_group WHERE vo = 0")

    await service.bootstrap(conn, [], "first passphrase", ALL)

    assert await fetch_value(conn, "SELECT string_agg(name, ',') FROM account WHERE vo = 0") == "admin"
