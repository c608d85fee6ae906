"""Scopes: whose they are, and who may make DIDs in them."""

from collections.abc import Callable, Iterable, Sequence
from itertools import repeat

from sancho.dids.errors import ScopeExists, ScopeMalformed, ScopeNotFound, ScopeNotYours
from sancho.dids.model import DidKind, Scope, is_scope, parse_did
from sancho.dids.service.naming import check_names, check_scopes
from sancho.dids.store import rows
from sancho.identity import service as identity
from sancho.kit.access import Principal, require
from sancho.kit.db import Connection
from sancho.kit.policy import did as thing


async def scope_ids(conn: Connection, vo: int, names: Sequence[str], *, field: str = "scope") -> dict[str, int]:
    """Ids of scopes by name; raises `ScopeNotFound` naming the first that does not exist."""
    found = await rows.scope_ids(conn, vo, sorted(filter(is_scope, set(names))))
    for name in names:
        if name not in found:
            raise ScopeNotFound(scope=name, field=field)
    return found


async def list_scopes(conn: Connection, vo: int) -> list[Scope]:
    """All scopes of a VO, by name."""
    return await rows.list_scopes(conn, vo)


async def create_scope(
    conn: Connection, caller: Principal, name: str, *, shared: bool = False, account: str | None = None
) -> Scope:
    """Make a scope that belongs to the caller, or to `account`; for `dids:manage`.

    Raises `ScopeMalformed`, `ScopeExists` or `AccountNotFound`.
    """
    require(caller, "dids:manage", on=thing(f"{name}:"))
    if not is_scope(name):
        raise ScopeMalformed(scope=name)
    await check_scopes(conn, caller.vo, [name], field=lambda _: "name")
    owner_id = await _account_id(conn, caller, account)
    if not await rows.insert_scope(conn, caller.vo, owner_id, name, shared=shared):
        raise ScopeExists(scope=name)
    return (await rows.find_scopes(conn, caller.vo, [name]))[0]


async def change_scope(
    conn: Connection, caller: Principal, name: str, *, account: str | None = None, shared: bool | None = None
) -> Scope:
    """Give a scope to another account, or share it or no more; for `dids:manage`. What is None stays.

    Raises `ScopeNotFound` or `AccountNotFound`.
    """
    require(caller, "dids:manage", on=thing(f"{name}:"))
    owner_id = None if account is None else await _account_id(conn, caller, account)
    if not is_scope(name) or not await rows.update_scope(conn, caller.vo, name, account_id=owner_id, shared=shared):
        raise ScopeNotFound(scope=name)
    return (await rows.find_scopes(conn, caller.vo, [name]))[0]


async def _account_id(conn: Connection, caller: Principal, account: str | None) -> int:
    return caller.account_id if account is None else (await identity.get_account(conn, caller.vo, account)).account_id


async def put_scopes(conn: Connection, vo: int, scopes: Sequence[tuple[str, str, bool]]) -> list[str]:
    """Make or change scopes, given as (name, account, shared); return those whose account does not exist."""
    done = await rows.put_scopes(conn, vo, scopes)
    return sorted({name for name, _, _ in scopes}.difference(done))


async def remove_scopes(conn: Connection, vo: int, names: Sequence[str]) -> None:
    """Remove scopes; the database refuses while one holds a DID."""
    await rows.delete_scopes(conn, vo, names)


async def scopes_for(
    conn: Connection, caller: Principal, dids: Sequence[str], *,
    kinds: Iterable[DidKind] = repeat(DidKind.FILE), field: Callable[[int], str] = "files.{}.did".format,
) -> dict[str, int]:  # fmt: skip
    """Ids of the scopes of DIDs that the caller is about to make: its own, shared ones, or any with `dids:manage`.

    Raises `DidMalformed`, also for a name that the VO does not want for its kind, `ScopeNotFound` or `ScopeNotYours`
    for the first that will not do; `field` names it.
    """
    names = [did.partition(":")[0] for did in dids]
    found = await rows.find_scopes(conn, caller.vo, sorted(filter(is_scope, set(names))))
    known = {scope.name: scope for scope in found}
    refused = [name for name in set(names) if name not in known or not _may_use(caller, known[name])]
    if refused:
        at = min(map(names.index, refused))
        scope, _ = parse_did(dids[at], field=field(at))
        if scope not in known:
            raise ScopeNotFound(scope=scope, field=field(at))
        raise ScopeNotYours(scope=scope, owner=known[scope].account, field=field(at))
    await check_names(conn, caller.vo, zip(dids, kinds, strict=False), field=field)
    return {scope.name: scope.scope_id for scope in found}


async def obstacle(conn: Connection, caller: Principal, name: str) -> str | None:
    """Why an account that has the permission cannot make a DID of this name, or one in `mc:`; None when it can."""
    scope = name.partition(":")[0]
    found = await rows.find_scopes(conn, caller.vo, [scope]) if is_scope(scope) else []
    if not found:
        return f"Scope {scope[:100]} does not exist."
    if _may_use(caller, found[0]):
        return None
    return f"Scope {scope} belongs to account {found[0].account} and is not shared."


def _may_use(caller: Principal, scope: Scope) -> bool:
    return scope.shared or scope.account_id == caller.account_id or caller.may("dids:manage", thing(f"{scope.name}:"))
