"""What somebody may do, and why."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from sancho.decisions import plan
from sancho.decisions.errors import PermissionUnknown
from sancho.decisions.model import Explanation
from sancho.identity import service as identity
from sancho.identity.model import PERMISSIONS
from sancho.kit.access import Directory, Principal, decide, require
from sancho.kit.db import Connection
from sancho.kit.policy import spell_in

OwnerOf = Callable[[Connection, int, str], Awaitable[set[int]]]
"""Finds the accounts to which a thing of a VO belongs, by its name without the kind; none when there is none."""
ObstacleOf = Callable[[Connection, Principal, str], Awaitable[str | None]]
"""Says why an account cannot do to a thing, by its name without the kind, what it is permitted to; None when it can."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What features know that a decision depends on."""

    owners: Mapping[str, OwnerOf]
    """By kind of thing."""
    obstacles: Mapping[str, ObstacleOf]
    """By permission, for DIDs."""


async def explain(
    conn: Connection, caller: Principal, authenticator: Directory, question: tuple[str, str, str | None],
    facts: Facts,
) -> Explanation:  # fmt: skip
    """Say whether an account may use a permission on a thing (`question`), what decided it, and what would be needed.

    About others of the VO it is for who may `accounts:manage`. Nothing is noted but a denial to ask. Raises
    `PermissionUnknown`, `AccountNotFound`, or `PathUnfit` for a path of another VO.
    """
    account, permission, on = question
    if account != caller.account:
        require(caller, "accounts:manage", on=f"account:{account}")
    if permission not in PERMISSIONS:
        raise PermissionUnknown(permission=permission, known=", ".join(sorted(PERMISSIONS)))
    thing = None if on is None else spell_in(caller.vo_name, on)
    principal = await authenticator.principal_of(conn, caller.vo, caller.vo_name, account)
    if principal is None:
        await identity.get_account(conn, caller.vo, account)  # or it does not exist
        return Explanation(
            account=account, permission=permission, on=thing, allowed=False,
            because=(f"Account {account} is suspended.",), needed=("The account has to be activated.",),
        )  # fmt: skip
    kind, _, name = (thing or "").partition(":")
    own = kind in facts.owners and principal.account_id in await facts.owners[kind](conn, caller.vo, name)
    own = own and permission.endswith(":manage")
    decision = decide(principal, permission, thing, own=own)
    obstacle = facts.obstacles.get(permission) if decision.allowed and kind == "did" and name != "*" else None
    if obstacle and (why := await obstacle(conn, principal, name)) is not None:
        return Explanation(
            account=account, permission=permission, on=thing, allowed=False, because=(why,),
            needed=("A scope of one's own, a shared one, or dids:manage.",),
        )  # fmt: skip
    groups = [(group.name, group.permissions) for group in await identity.groups(conn, caller.vo)]
    return Explanation(
        account=account, permission=permission, on=thing, allowed=decision.allowed, because=decision.because,
        needed=plan.needed(decision, permission, groups),
    )  # fmt: skip
