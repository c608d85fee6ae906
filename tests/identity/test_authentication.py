"""A bearer token becomes a principal; what it may do follows the database within 30 seconds."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from sancho.identity import service
from sancho.identity.errors import AccountSuspended, TokenRevoked
from sancho.identity.model import AccountState
from sancho.kit.access import Principal
from sancho.kit.db import execute
from sancho.kit.issuer import TokenExpired, TokenInvalid, rotate
from tests.identity import helpers
from tests.identity.helpers import PASSWORD, URL, Installation, acting
from tests.world import World

HOUR = timedelta(hours=1)
REMEMBERED = timedelta(seconds=30)


def admin(world: World) -> Principal:
    return acting(1, "belle", world.account[1, "root"], "root", "*")


def signed(installation: Installation, **claims: Any) -> str:
    return installation.issuer.sign({"sub": "belle:alice", "aud": URL, "scope": "sancho"} | claims, HOUR)


async def who(installation: Installation, token: str) -> Principal:
    return await installation.authenticators.authenticate(token)


async def test_an_administrator_of_the_installation_serves_every_vo(installation: Installation, world: World) -> None:
    root = await who(installation, signed(installation, sub="instance:root"))

    assert root.is_instance_admin
    assert root.account_id == world.account[0, "root"]
    assert root.vos == (0, 1, 2)


async def test_an_administrator_of_a_vo_serves_that_vo(installation: Installation) -> None:
    root = await who(installation, signed(installation, sub="belle:root"))

    assert not root.is_instance_admin
    assert root.may("accounts:manage")
    assert root.vos == (1,)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://a-disk.test"},
        {"aud": [URL]},
        {"aud": [URL, "https://a-disk.test"]},
        {"aud": None},
        {"scope": "storage.read:/belle"},
        {"scope": None},
        {"aud": f"{URL}/pilot"},
        {"sub": "belle:nobody"},
        {"sub": "nowhere:alice"},
        {"sub": "alice"},
        {"sub": ""},
        {"sub": None},
        {"sub": "belle:al\x00ice"},
        {"sub": ["belle", "alice"]},
    ],
)
async def test_a_token_for_another_use_is_refused(installation: Installation, claims: Mapping[str, Any]) -> None:
    with pytest.raises(TokenInvalid):
        await who(installation, signed(installation, **claims))


async def test_a_storage_token_opens_no_door_of_ours_even_if_a_storage_calls_itself_by_our_name(
    installation: Installation,
) -> None:
    for audience in (URL, f"{URL}/pilot"):
        claims = {"sub": "belle:root", "aud": audience, "scope": "storage.read:/belle/mc", "wlcg.ver": "1.0"}
        with pytest.raises(TokenInvalid):
            await who(installation, installation.issuer.sign(claims, HOUR))


async def test_a_pilots_token_makes_a_pilot_and_nothing_more(installation: Installation, world: World) -> None:
    number = await helpers.pilot(installation, world, "abc", b"last")
    holder = service.PilotHolder(pilot_id=number, ce_id=1, stamp="abc", vo=0, vos=[1, 2], login=b"last".hex())
    token = service.pilot_token(installation.issuer, holder, timedelta(days=1))

    pilot = await who(installation, token)

    assert pilot == Principal(
        vo=0, vo_name="instance", account_id=0, account="pilot:abc", permissions=frozenset({"pilots:report"}),
        vos=(0, 1, 2), pilot_id=number, ce_id=1,
    )  # fmt: skip
    assert not pilot.is_instance_admin


async def test_a_suspended_account_is_barred_within_30_seconds(installation: Installation, world: World) -> None:
    token = signed(installation)
    await who(installation, token)

    await service.set_state(installation.deployment, admin(world), "alice", AccountState.SUSPENDED)
    installation.later(REMEMBERED)

    with pytest.raises(AccountSuspended):
        await who(installation, token)
    await service.set_state(installation.deployment, admin(world), "alice", AccountState.ACTIVE)
    assert (await who(installation, token)).account == "alice"


async def test_a_changed_group_takes_effect_within_30_seconds(installation: Installation, world: World) -> None:
    token = signed(installation)
    before = await who(installation, token)
    async with installation.database.transaction([1]) as conn:
        await execute(conn, "UPDATE account_group SET permissions = '{rules:manage}' WHERE name = 'users'")

    assert await who(installation, token) is before, "it is remembered"
    installation.later(REMEMBERED)
    assert (await who(installation, token)).permissions == {"rules:manage"}


async def test_a_new_password_voids_the_tokens_of_the_old_one(installation: Installation, world: World) -> None:
    await installation.with_password(1, "alice")
    tokens = await service.login(installation.deployment, "belle", "alice", PASSWORD)
    await who(installation, tokens.access_token)
    installation.later(timedelta(minutes=1))

    await service.change_password(installation.deployment, admin(world), "alice", "battery staple")

    with pytest.raises(TokenRevoked):
        await who(installation, tokens.access_token)
    renewed = await service.login(installation.deployment, "belle", "alice", "battery staple")
    assert (await who(installation, renewed.access_token)).account == "alice"


async def test_a_remembered_token_still_expires(installation: Installation) -> None:
    token = installation.issuer.sign({"sub": "belle:alice", "aud": URL, "scope": "sancho"}, timedelta(seconds=10))
    await who(installation, token)
    installation.later(timedelta(seconds=10))

    with pytest.raises(TokenExpired):
        await who(installation, token)


async def test_a_removed_key_is_distrusted_within_30_seconds(installation: Installation) -> None:
    token = signed(installation)
    await who(installation, token)
    for path in installation.keys.iterdir():
        path.unlink()
    rotate(installation.keys, clock=installation.clock)
    installation.later(REMEMBERED)

    with pytest.raises(TokenInvalid):
        await who(installation, token)


async def test_a_vo_that_came_later_is_known_at_once(installation: Installation) -> None:
    await who(installation, signed(installation))
    async with installation.database.transaction([0, 7]) as conn:
        await execute(conn, "INSERT INTO vo (vo, name) VALUES (7, 'ska')")
        await execute(conn, "INSERT INTO account (vo, kind, name) VALUES (7, 'U', 'carol')")

    carol = await who(installation, signed(installation, sub="ska:carol"))

    assert (carol.vos, carol.groups, carol.permissions) == ((7,), (), frozenset())


@pytest.mark.parametrize("text", ["", "nonsense", "\ud800", "a.b.c", "é" * 50_000])
async def test_nonsense_is_no_token(installation: Installation, text: str) -> None:
    with pytest.raises(TokenInvalid):
        await who(installation, text)
