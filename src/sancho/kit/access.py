"""Who is calling, and what they may do.

Every route, service and plugin call gets a `Principal` as the argument `caller`: the account, groups and
permissions behind one request. `app` installs the resolver (identity's) that turns a bearer token into one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, LiteralString, Protocol

from sancho.kit.errors import Forbidden, PermissionMissing

INSTANCE = 0
"""Id of the reserved VO `instance`, which owns shared resources and whose administrators run the installation."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Principal:
    """The account, groups and permissions behind one request; `vos` are the VOs its transactions may serve."""

    vo: int
    vo_name: str
    account_id: int
    account: str
    groups: tuple[str, ...] = ()
    permissions: frozenset[str] = frozenset()
    vos: tuple[int, ...]
    pilot_id: int | None = None
    """Set when the caller is a pilot: then it has no account of its own (`account_id` 0)."""

    @property
    def is_instance_admin(self) -> bool:
        """True for administrators of the installation itself."""
        return self.vo == INSTANCE and "*" in self.permissions

    def may(self, permission: LiteralString) -> bool:
        """Say whether a permission, a verb on a kind such as `rules:create`, is held."""
        return permission in self.permissions or "*" in self.permissions


def require(caller: Principal, permission: LiteralString) -> None:
    """Let the caller pass, or raise `PermissionMissing`."""
    if not caller.may(permission):
        raise PermissionMissing(account=caller.account, vo=caller.vo_name, permission=permission)


class NotYours(Forbidden):
    """{what} belongs to account {owner}."""

    code = "not_yours"

    def __init__(self, *, what: str, owner: str) -> None:
        """Name the thing and its owner."""
        super().__init__(what=what, owner=owner, hint="Ask its owner, or an administrator of your VO.")


def require_owner(caller: Principal, account_id: int, permission: LiteralString, *, what: str, owner: str) -> None:
    """Let the owner pass, and whoever holds `permission` over other people's things; else raise `NotYours`."""
    if caller.account_id != account_id and not caller.may(permission):
        raise NotYours(what=what, owner=owner)


class NotForPilots(Forbidden):
    """This route is for people; a pilot has those under /v1/pilot."""

    code = "not_for_pilots"

    def __init__(self) -> None:
        """A pilot's token serves every VO of its CE, so nothing of theirs is shown to it beyond its own work."""
        super().__init__(hint="Log in as an account.")


class NotAPilot(Forbidden):
    """Only pilots may use this route."""

    code = "not_a_pilot"

    def __init__(self) -> None:
        """People use /v1/jobs."""
        super().__init__(hint="See /docs for the routes of users.")


Algorithm = Literal["Ed25519", "ES256"]
"""How a token is signed: Ed25519 for ourselves, ES256 for software that knows nothing newer, such as storages."""


class Signer(Protocol):
    """Signs tokens in the name of this installation; identity provides it."""

    issuer: str

    def sign(self, claims: Mapping[str, Any], lifetime: timedelta, *, algorithm: Algorithm = "Ed25519") -> str:
        """Make a JWT: `claims` and our `iss`, `iat`, `nbf`, `exp`, `jti`."""
        ...


class Authenticator(Protocol):
    """Turns a bearer token into a principal; identity provides it."""

    async def authenticate(self, token: str) -> Principal:
        """Check the token and say who it is; raises `Unauthorized` or `Forbidden`."""
        ...
