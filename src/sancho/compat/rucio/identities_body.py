"""What proves Rucio's accounts, by whichever route it comes: passwords, SSH keys, names in certificates."""

from typing import NoReturn

from sancho.compat.rucio.accounts_wire import IdentityIn, IdentityNamed
from sancho.compat.rucio.errors import NoSuchProof, PasswordExists, PasswordLacking, UserNameDiffers
from sancho.identity import service as identity
from sancho.identity.model import Proof
from sancho.identity.service import identities
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.kit.deployment import Deployment


async def prove(
    deployment: Deployment, caller: Principal, account: str, body: IdentityIn, *, again: bool = False
) -> None:
    """Let something prove an account; a password not when there is one already, but `again`."""
    if body.authtype == "USERPASS":
        await _give_password(deployment, caller, account, body, again=again)
        return
    async with deployment.database.transaction(caller.vos) as conn:
        await add_proof(conn, caller, account, body)


async def add_proof(conn: Connection, caller: Principal, account: str, body: IdentityIn) -> None:
    """Let a key or a name in a certificate prove an account."""
    if body.authtype == "SSH":
        await identities.add_ssh_key(conn, caller, account, body.identity)
    elif body.authtype == "X509":
        await identities.add_certificate_name(conn, caller, account, body.identity)
    else:
        refuse(body, "made")


async def _give_password(
    deployment: Deployment, caller: Principal, account: str, body: IdentityIn, *, again: bool = False
) -> None:
    if body.identity != account:
        raise UserNameDiffers(name=body.identity[:100], account=account)
    if body.password is None:
        raise PasswordLacking
    async with deployment.database.transaction(caller.vos) as conn:
        known = await identities.list_identities(conn, caller, account)
    if not again and any(one.kind is Proof.PASSWORD for one in known):
        raise PasswordExists(account=account)
    await identity.change_password(deployment, caller, account, body.password)


def subject(kind: str, said: str) -> str:
    """What we call an identity: a key, which may come whole, by its print, and anything else as it is."""
    whole = kind == "SSH" and " " in said.strip()
    return identity.parse_public_key(said).subject if whole else said


def refuse(body: IdentityNamed, what: str) -> NoReturn:
    """Raise that this kind of proof cannot be made or removed here, with what to do instead."""
    instead = (
        "set another password, or suspend the account" if body.authtype == "USERPASS" else "its provider does that"
    )
    raise NoSuchProof(kind=body.authtype, what=what, instead=instead)
