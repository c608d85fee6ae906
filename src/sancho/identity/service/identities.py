"""How accounts prove who they are beside a password or a provider's word: SSH keys, names in certificates."""

import re
from collections.abc import Sequence

from sancho.identity import store
from sancho.identity.errors import IdentityNotFound, IdentityTaken, NameInvalid, TooManyIdentities
from sancho.identity.model import Account, Identity, Introduction, NewIdentity, Proof
from sancho.identity.service.accounts import get_account, require_reach
from sancho.identity.service.ssh import parse_public_key
from sancho.kit.access import Principal, require, require_owner
from sancho.kit.db import Connection
from sancho.kit.errors import PermissionMissing

MOST_IDENTITIES = 20
_NAME = re.compile(r"(?:/[A-Za-z0-9.]+=[^/\x00-\x1f]+)(?:/[^\x00-\x1f]+)?")


async def list_identities(conn: Connection, caller: Principal, name: str) -> list[Identity]:
    """What proves an account: one's own, or with `accounts:manage` anybody's in the VO."""
    account = await get_account(conn, caller.vo, name, field="name")
    if account.account_id != caller.account_id and not caller.may("accounts:manage", f"account:{name}"):
        raise PermissionMissing(account=caller.account, vo=caller.vo_name, permission="accounts:manage")
    return await store.list_identities(conn, caller.vo, account_id=account.account_id)


async def proofs_by(conn: Connection, caller: Principal, subject: str, *, kind: Proof | None = None) -> list[Identity]:
    """What of a subject proves which accounts: with `accounts:manage` all of the VO's, else one's own."""
    found = await store.list_identities(conn, caller.vo, kind=kind, subject=subject)
    every = caller.may("accounts:manage")
    return [proof for proof in found if every or proof.account_id == caller.account_id]


async def add_ssh_key(conn: Connection, caller: Principal, name: str, public_key: str) -> Identity:
    """Let who has a key log in to an account: one's own, or with `accounts:manage` another's within one's reach.

    Raises `SshKeyInvalid`, `IdentityTaken`, `TooManyIdentities` or `BeyondYours`, which a token that does not allow
    all that its account may do gets for its own account too: a key would.
    """
    key = parse_public_key(public_key)
    return await _add(conn, caller, name, Proof.SSH_KEY, key.subject, detail=key.text)


async def add_certificate_name(conn: Connection, caller: Principal, name: str, dn: str) -> Identity:
    """Let who has a certificate in this name log in to an account; needs `accounts:manage`, for names can be claimed.

    Raises what `add_ssh_key` raises, but `NameInvalid`.
    """
    require(caller, "accounts:manage", on=f"account:{name}")
    if len(dn) > 1000 or not _NAME.fullmatch(dn):
        raise NameInvalid
    return await _add(conn, caller, name, Proof.X509, dn)


async def introduce(
    conn: Connection, caller: Principal, said: Sequence[Introduction]
) -> tuple[int, list[Introduction]]:  # fmt: skip
    """Let people be known when they come, many at once; needs `accounts:manage`, for subjects can be claimed.

    Return how many are new, and those that prove another account already, which they go on to do. The caller has made
    the accounts, which are within its reach, and the providers. Doing it again changes nothing. Raises `NameInvalid`.
    """
    require(caller, "accounts:manage", on=sorted({f"account:{one.account}" for one in said}))
    if any(one.kind is Proof.X509 and (len(one.subject) > 1000 or not _NAME.fullmatch(one.subject)) for one in said):
        raise NameInvalid
    accounts = await store.list_accounts(conn, caller.vo, names=[one.account for one in said])
    ids = {account.name: account.account_id for account in accounts}
    new = [
        NewIdentity(account_id=ids[one.account], kind=one.kind, subject=one.subject, issuer=one.issuer)
        for one in said
        if one.account in ids
    ]
    added = await store.add_identities(conn, caller.vo, new)
    owners = await store.owners_of(conn, caller.vo, [o.kind.value for o in said], [o.subject for o in said])
    return added, [one for one in said if owners.get((one.kind.value, one.subject)) != ids.get(one.account)]


async def _add(
    conn: Connection, caller: Principal, name: str, kind: Proof, subject: str, *, detail: str | None = None
) -> Identity:
    account = await _within_reach(conn, caller, name)
    known = await store.list_identities(conn, caller.vo, account_id=account.account_id)
    if len(known) >= MOST_IDENTITIES and subject not in {one.subject for one in known if one.kind is kind}:
        raise TooManyIdentities(account=name, most=MOST_IDENTITIES)
    new = NewIdentity(account_id=account.account_id, kind=kind, subject=subject, detail=detail)
    if not await store.put_identity(conn, caller.vo, new):
        raise IdentityTaken
    (made,) = await store.list_identities(conn, caller.vo, kind=kind, subject=subject)
    return made


async def remove_identity(conn: Connection, caller: Principal, name: str, subject: str) -> None:
    """Let a key or a name in a certificate prove an account no more; tokens it has given end by themselves.

    Raises `IdentityNotFound`, or what `add_ssh_key` raises.
    """
    account = await _within_reach(conn, caller, name)
    for kind in (Proof.SSH_KEY, Proof.X509):
        if await store.drop_identity(conn, caller.vo, account.account_id, kind, subject):
            return
    raise IdentityNotFound(account=name, subject=subject[:200])


async def _within_reach(conn: Connection, caller: Principal, name: str) -> Account:
    account = await get_account(conn, caller.vo, name, field="name")
    if account.account_id == caller.account_id:
        what, on = "This account", f"account:{name}"
        require_owner(caller, account.account_id, "accounts:manage", what=what, owner=name, on=on)
    else:
        require(caller, "accounts:manage", on=f"account:{name}")
    await require_reach(conn, caller, account)
    return account
