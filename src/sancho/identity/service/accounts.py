"""Accounts and groups: find them, suspend them, change a password."""

import re
from collections.abc import Iterable

from sancho.identity import plan, store
from sancho.identity.errors import (
    AccountNotFound,
    BeyondYours,
    GroupNotFound,
    NoGroup,
    NotInGroup,
    PasswordsOff,
    PasswordWrong,
)
from sancho.identity.model import Account, AccountState, Group, Roll
from sancho.identity.service.fitness import fitness_in
from sancho.identity.service.passwords import Guard, check_room, fits, make_hash
from sancho.kit.access import Principal, require, require_owner
from sancho.kit.db import Connection
from sancho.kit.deployment import Deployment
from sancho.vos import service as vos
from sancho.vos.model import LOWER_NAME

_guard = Guard(burst=10)


async def find_account(conn: Connection, vo: int, name: str) -> Account | None:
    """Find an account of a VO by name."""
    if not re.fullmatch(LOWER_NAME, name):
        return None
    found = await store.list_accounts(conn, vo, names=[name])
    return found[0] if found else None


async def get_account(conn: Connection, vo: int, name: str, *, field: str | None = "account") -> Account:
    """Return an account of a VO by name; raises `AccountNotFound`, blaming `field`."""
    found = await find_account(conn, vo, name)
    if found is None:
        raise AccountNotFound(account=name, field=field)
    return found


async def ensure_service_account(conn: Connection, vo: int, name: str) -> int:
    """The id of an account by which the system itself acts in a VO; made when there is none. It can not log in."""
    found = await find_account(conn, vo, name)
    if found is not None:
        return found.account_id
    made = await store.put_accounts(conn, vo, names=[name], kinds=["S"], emails=[None], suspended=[None])
    return made[name]


async def accounts(conn: Connection, vo: int, ids: Iterable[int]) -> dict[int, Account]:
    """Return accounts of a VO by id; ids of others are left out."""
    wanted = sorted(set(ids))
    return {a.account_id: a for a in await store.list_accounts(conn, vo, ids=wanted)} if wanted else {}


async def list_accounts(conn: Connection, vo: int, *, after: str = "", limit: int = 100) -> list[Account]:
    """A page of a VO's accounts in order of their names, from beyond `after` on."""
    return await store.list_accounts(conn, vo, after=after, limit=limit)


async def administrators(conn: Connection, vo: int) -> list[str]:
    """The names of a VO's accounts that are active and may do everything."""
    return await store.administrators(conn, vo)


async def roll(conn: Connection, vo: int) -> Roll:
    """What tells whether anything has changed of a VO's configuration or accounts, as a transaction sees it."""
    return await store.roll(conn, vo)


async def roll_now(deployment: Deployment, vo: int) -> Roll:
    """The same, asked in an exchange of its own: for answers that are kept."""
    return await store.roll_now(deployment.database, vo)


async def groups(conn: Connection, vo: int) -> list[Group]:
    """The groups of a VO, the oldest first."""
    return await store.list_groups(conn, vo)


async def groups_of(conn: Connection, vos: Iterable[int]) -> list[Group]:
    """The groups of VOs that the transaction serves; of each the oldest first."""
    return await store.groups_of(conn, list(vos))


async def primary_group(
    conn: Connection, vo: int, account_id: int, wanted: str | None, *, field: str = "group"
) -> Group:
    """Return the group in whose name an account acts: the one it wants, or the oldest of those it is in.

    Raises `GroupNotFound`, `NotInGroup` or `NoGroup`; the first two blame `field`.
    """
    mine = await store.list_groups(conn, vo, account_id=account_id)
    if wanted is not None:
        found = next((group for group in mine if group.name == wanted), None)
        if found is not None:
            return found
        if wanted not in {group.name for group in await store.list_groups(conn, vo)}:
            raise GroupNotFound(group=wanted, field=field)
    if wanted is not None or not mine:
        account = (await accounts(conn, vo, [account_id]))[account_id].name
        if wanted is None:
            raise NoGroup(account=account)
        groups = ", ".join(g.name for g in mine) or "none"
        raise NotInGroup(account=account, group=wanted, groups=groups, field=field)
    return mine[0]


async def set_state(deployment: Deployment, caller: Principal, name: str, state: AccountState) -> Account:
    """Suspend an account of the caller's VO or let it act again; suspending voids its refresh tokens.

    Its access tokens are refused within 30 seconds. Being in that state already is fine.
    Raises `AccountNotFound`, or `BeyondYours` for somebody with more permissions.
    """
    require(caller, "accounts:manage", on=f"account:{name}")
    async with deployment.database.transaction([caller.vo]) as conn:
        account = await get_account(conn, caller.vo, name, field="name")
        await require_reach(conn, caller, account)
        await store.set_state(conn, caller.vo, [name], state.value)
        if state is AccountState.SUSPENDED:
            await store.revoke_all(conn, caller.vo, [account.account_id], deployment.clock.now())
            proofs = await store.list_identities(conn, caller.vo, account_id=account.account_id)
            await store.bar(conn, caller.vo, [proof.subject for proof in proofs], None)  # no provider lets it in again
        return await get_account(conn, caller.vo, name, field="name")


async def change_password(
    deployment: Deployment, caller: Principal, name: str, password: str, *, current: str | None = None
) -> None:
    """Set the password of an account of the caller's VO, and void all of its tokens.

    One's own needs the current one; another's, `accounts:manage` and all the permissions of that account.
    Raises `PasswordWrong`, what `make_hash` raises, `PasswordsOff`, `AccountNotFound`, `PermissionMissing` or
    `BeyondYours`.
    """
    async with deployment.database.transaction([caller.vo]) as conn:
        own = await get_account(conn, caller.vo, name, field="name")
        vo = await vos.get(conn, caller.vo_name)
    if own.account_id != caller.account_id:
        require(caller, "accounts:manage", on=f"account:{name}")
    if not vo.passwords:
        raise PasswordsOff(vo=vo.name)
    if own.account_id == caller.account_id:
        await _prove(deployment, caller, current or "")
        require_owner(caller, own.account_id, "accounts:manage", what="This account", owner=name, on=f"account:{name}")
    secret_hash = await make_hash(password, fitness_in(deployment, vo.name, vo.alias or "", name))
    now = deployment.clock.now()
    async with deployment.database.transaction([caller.vo]) as conn:
        account = await get_account(conn, caller.vo, name, field="name")
        if account.account_id != caller.account_id:
            await require_reach(conn, caller, account)
        ids = [account.account_id]
        await store.put_passwords(conn, caller.vo, account_ids=ids, names=[name], hashes=[secret_hash], now=now)
        await store.revoke_all(conn, caller.vo, ids, now)


async def _prove(deployment: Deployment, caller: Principal, password: str) -> None:
    who = caller.vo_name, caller.account
    check_room()
    _guard.begin(who, deployment.clock.now())
    async with deployment.database.transaction([caller.vo]) as conn:
        known = await store.credential(conn, caller.vo, caller.account)
    if not await fits(known.secret_hash if known else None, password):
        raise PasswordWrong
    _guard.forgive(who)


async def require_reach(conn: Connection, caller: Principal, account: Account) -> None:
    """Nobody takes over from others what they do not have themselves; raises `BeyondYours`."""
    lacking = plan.beyond(caller.permissions, await store.list_groups(conn, caller.vo), account.groups)
    if lacking:
        raise BeyondYours(what=f"Account {account.name}", account=caller.account, permissions=", ".join(lacking))
