"""Logins, refresh tokens that are used once, and what voids them."""

import asyncio
from datetime import timedelta

import pytest

from sancho.identity import service
from sancho.identity.errors import LoginRefused, LoginsBusy, RefreshRefused, TooManyLogins
from sancho.identity.model import AccountState, Tokens
from sancho.identity.service import passwords
from sancho.identity.service import tokens as tokens_module
from sancho.identity.tasks import tidy
from sancho.kit.db import all_vos, fetch_value
from sancho.kit.fair import Turns
from tests.identity.helpers import PASSWORD, Installation, acting
from tests.world import World

MONTH = timedelta(days=30)


async def given_login(installation: Installation, account: str = "alice") -> Tokens:
    await installation.with_password(1, account)
    return await service.login(installation.deployment, "belle", account, PASSWORD)


async def test_a_password_is_exchanged_for_tokens(installation: Installation, world: World) -> None:
    tokens = await given_login(installation)

    who = await installation.authenticators.authenticate(tokens.access_token)
    assert (who.vo, who.vo_name, who.account, who.groups) == (world.belle, "belle", "alice", ("users",))
    assert who.account_id == world.account[1, "alice"]
    assert who.vos == (1,)
    assert who.may("jobs:create")
    assert not who.may("accounts:manage")
    assert (tokens.expires_in, tokens.refresh_expires_in) == (3600, 30 * 86400)


async def test_an_access_token_says_who_and_nothing_secret(installation: Installation) -> None:
    tokens = await given_login(installation)

    claims = installation.issuer.check(tokens.access_token)

    now = int(installation.clock.now().timestamp())
    assert claims.pop("jti") != claims.pop("sid")
    assert claims == {
        "iss": "https://sancho.test", "aud": "https://sancho.test", "sub": "belle:alice", "scope": "sancho",
        "client_id": "sancho", "preferred_username": "alice", "vo": "belle", "groups": ["users"],
        "wlcg.ver": "1.0", "wlcg.groups": ["/belle", "/belle/users"], "iat": now, "nbf": now, "exp": now + 3600,
    }  # fmt: skip


async def test_printing_tokens_shows_none(installation: Installation) -> None:
    tokens = await given_login(installation)

    assert tokens.access_token not in repr(tokens)
    assert tokens.refresh_token not in repr(tokens)


@pytest.mark.parametrize(
    ("vo", "account", "password"),
    [
        ("belle", "alice", "wrong horse"),
        ("belle", "alice", ""),
        ("belle", "alice", "x" * 5000),
        ("belle", "alice", "\ud800"),
        ("belle", "nobody", PASSWORD),
        ("belle", "bob", PASSWORD),
        ("nowhere", "alice", PASSWORD),
        ("gridpp", "alice", PASSWORD),
        ("belle", "al\x00ice", PASSWORD),
        ("bel\ud800le", "alice", PASSWORD),
        ("", "", ""),
    ],
)
async def test_whatever_is_wrong_with_a_login_the_answer_is_the_same(
    installation: Installation, vo: str, account: str, password: str
) -> None:
    await installation.with_password(1, "alice")

    with pytest.raises(LoginRefused) as e:
        await service.login(installation.deployment, vo, account, password)

    assert str(e.value) == "VO, account and password do not fit together."
    assert e.value.facts == {}


async def test_a_suspended_account_cannot_log_in(installation: Installation, world: World) -> None:
    await installation.with_password(1, "alice")
    admin = acting(1, "belle", world.account[1, "root"], "root", "*")
    await service.set_state(installation.deployment, admin, "alice", AccountState.SUSPENDED)

    with pytest.raises(LoginRefused):
        await service.login(installation.deployment, "belle", "alice", PASSWORD)


async def test_too_many_wrong_logins_are_stopped_before_they_are_looked_at(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens_module, "_guard", passwords.Guard(burst=3))
    await installation.with_password(1, "alice")
    for _ in range(3):
        with pytest.raises(LoginRefused):
            await service.login(installation.deployment, "belle", "mallory", "wrong horse")

    with pytest.raises(TooManyLogins) as e:
        await service.login(installation.deployment, "belle", "mallory", "wrong horse")

    assert e.value.retry_after == 6
    assert (await given_login(installation)).access_token
    installation.later(timedelta(seconds=6))
    with pytest.raises(LoginRefused):
        await service.login(installation.deployment, "belle", "mallory", "wrong horse")


def test_the_guard_counts_tries_that_are_still_under_way(installation: Installation) -> None:
    guard, now = passwords.Guard(burst=3), installation.clock.now()
    for _ in range(3):
        guard.begin(("belle", "alice"), now)

    with pytest.raises(TooManyLogins):
        guard.begin(("belle", "alice"), now)
    guard.forgive(("belle", "alice"))
    guard.begin(("belle", "alice"), now)


def test_the_guard_remembers_only_so_many(installation: Installation) -> None:
    guard, now = passwords.Guard(burst=1, most=2), installation.clock.now()
    for account in ("a", "b", "c"):
        guard.begin(("belle", account), now)

    guard.begin(("belle", "a"), now)
    with pytest.raises(TooManyLogins):
        guard.begin(("belle", "c"), now)


async def test_only_so_many_passwords_are_checked_or_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_turns", Turns(passwords.AT_ONCE, room=1))
    tries = [passwords.fits(None, "x") for _ in range(passwords.AT_ONCE + 2)]

    outcomes = await asyncio.gather(*tries, return_exceptions=True)

    assert sum(isinstance(o, LoginsBusy) for o in outcomes) == 1
    assert outcomes.count(False) == passwords.AT_ONCE + 1


async def test_a_refresh_token_gives_the_next_pair(installation: Installation) -> None:
    first = await given_login(installation)
    installation.later(timedelta(hours=2))

    second = await service.refresh(installation.deployment, first.refresh_token)

    assert second.refresh_token != first.refresh_token
    assert (await installation.authenticators.authenticate(second.access_token)).account == "alice"


async def test_a_used_refresh_token_that_comes_back_voids_the_login(installation: Installation) -> None:
    first = await given_login(installation)
    second = await service.refresh(installation.deployment, first.refresh_token)
    installation.later(timedelta(seconds=11))

    for token in (first.refresh_token, second.refresh_token):
        with pytest.raises(RefreshRefused):
            await service.refresh(installation.deployment, token)


async def test_other_logins_of_the_account_survive_a_theft(installation: Installation) -> None:
    stolen, other = await given_login(installation), await given_login(installation)
    await service.refresh(installation.deployment, stolen.refresh_token)
    installation.later(timedelta(seconds=11))
    with pytest.raises(RefreshRefused):
        await service.refresh(installation.deployment, stolen.refresh_token)

    assert await service.refresh(installation.deployment, other.refresh_token)


async def test_a_refresh_whose_answer_was_lost_can_be_repeated_at_once(installation: Installation) -> None:
    first = await given_login(installation)
    lost = await service.refresh(installation.deployment, first.refresh_token)
    installation.later(timedelta(seconds=9))

    again = await service.refresh(installation.deployment, first.refresh_token)

    assert again.refresh_token != lost.refresh_token
    assert await service.refresh(installation.deployment, again.refresh_token)


async def test_two_programs_that_refresh_at_once_both_go_on(committing: Installation) -> None:
    first = await given_login(committing)

    pairs = await asyncio.gather(*(service.refresh(committing.deployment, first.refresh_token) for _ in range(4)))

    assert len({p.refresh_token for p in pairs}) == 4


async def test_a_refresh_token_expires(installation: Installation) -> None:
    tokens = await given_login(installation)
    installation.later(MONTH)

    with pytest.raises(RefreshRefused):
        await service.refresh(installation.deployment, tokens.refresh_token)


async def test_a_login_ends_however_often_it_is_renewed(installation: Installation) -> None:
    tokens = await given_login(installation)
    for _ in range(4):
        installation.later(timedelta(days=20))
        tokens = await service.refresh(installation.deployment, tokens.refresh_token)

    assert tokens.refresh_expires_in == timedelta(days=10).total_seconds()
    installation.later(timedelta(days=10))
    with pytest.raises(RefreshRefused):
        await service.refresh(installation.deployment, tokens.refresh_token)


async def test_a_revoked_login_gives_no_more_tokens(installation: Installation) -> None:
    first = await given_login(installation)
    second = await service.refresh(installation.deployment, first.refresh_token)

    await service.revoke(installation.deployment, first.refresh_token)

    with pytest.raises(RefreshRefused):
        await service.refresh(installation.deployment, second.refresh_token)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "sr-1-short",
        f"sr-1-{'A' * 43}",
        f"sr-2-{'A' * 43}",
        f"sr-99999-{'A' * 43}",
        "\ud800",
        "sr-\u0661-" + "A" * 43,
    ],
)
async def test_a_refresh_token_that_nobody_knows_is_refused_and_revoked_in_silence(
    installation: Installation, token: str
) -> None:
    with pytest.raises(RefreshRefused):
        await service.refresh(installation.deployment, token)
    await service.revoke(installation.deployment, token)


async def test_a_refresh_token_is_of_no_use_in_another_vo(installation: Installation) -> None:
    tokens = await given_login(installation)

    with pytest.raises(RefreshRefused):
        await service.refresh(installation.deployment, tokens.refresh_token.replace("sr-1-", "sr-2-"))


async def test_a_refresh_token_is_stored_as_a_hash_only(installation: Installation) -> None:
    tokens = await given_login(installation)

    async with installation.database.transaction([1]) as conn:
        stored = await fetch_value(conn, "SELECT string_agg(to_jsonb(t)::text, ' ') FROM refresh_token t")

    assert tokens.refresh_token not in stored
    assert tokens.refresh_token.encode().hex() not in stored


async def test_suspending_voids_refresh_tokens(installation: Installation, world: World) -> None:
    tokens = await given_login(installation)
    admin = acting(1, "belle", world.account[1, "root"], "root", "*")
    await service.set_state(installation.deployment, admin, "alice", AccountState.SUSPENDED)
    await service.set_state(installation.deployment, admin, "alice", AccountState.ACTIVE)

    with pytest.raises(RefreshRefused):
        await service.refresh(installation.deployment, tokens.refresh_token)


async def test_expired_refresh_tokens_are_forgotten(installation: Installation) -> None:
    await given_login(installation)
    installation.later(MONTH / 2)
    await given_login(installation)
    installation.later(MONTH / 2 + timedelta(seconds=1))

    async with installation.database.transaction(await all_vos(installation.database)) as conn:
        assert await service.forget_expired(conn, installation.clock.now()) == 1
        assert await fetch_value(conn, "SELECT count(*) FROM refresh_token") == 1


async def test_tidying_forgets_expired_refresh_tokens_of_every_vo(installation: Installation) -> None:
    await given_login(installation)
    await installation.with_password(2, "alice")
    await service.login(installation.deployment, "gridpp", "alice", PASSWORD)
    installation.later(MONTH + timedelta(seconds=1))

    await tidy(installation.deployment)

    async with installation.database.transaction([0, 1, 2]) as conn:
        assert await fetch_value(conn, "SELECT count(*) FROM refresh_token") == 0


async def test_a_theft_that_is_noticed_while_the_thief_refreshes_stops_the_thief(committing: Installation) -> None:
    first = await given_login(committing)
    second = await service.refresh(committing.deployment, first.refresh_token)
    committing.later(timedelta(seconds=11))

    outcomes = await asyncio.gather(
        service.refresh(committing.deployment, first.refresh_token),
        service.refresh(committing.deployment, second.refresh_token),
        return_exceptions=True,
    )

    assert isinstance(outcomes[0], RefreshRefused)
    newest = outcomes[1].refresh_token if isinstance(outcomes[1], Tokens) else second.refresh_token
    with pytest.raises(RefreshRefused):
        await service.refresh(committing.deployment, newest)
