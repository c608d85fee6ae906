"""The words of identity: account, group, permission, tokens."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

PERMISSIONS = frozenset({
    "accounts:manage", "audit:read", "configuration:apply", "dids:create", "dids:manage", "groups:manage",
    "jobs:create", "jobs:manage", "pilots:read", "pilots:report", "policies:manage", "quotas:manage",
    "replicas:create", "replicas:manage", "rules:create", "rules:manage", "topology:manage",
    "uploads:create", "vos:create",
})  # fmt: skip
"""Every permission there is; `*` stands for all of them."""
DEFAULT_GROUPS: dict[str, tuple[str, ...]] = {
    "users": ("dids:create", "jobs:create", "rules:create", "uploads:create"),
    "admins": ("*",),
}
"""Groups that a new VO has from the start."""
SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 1024
REFRESH_GRACE = timedelta(seconds=10)
"""For so long a used refresh token may come back because the answer to its first use was lost."""


class AccountKind(Enum):
    """Who is behind an account."""

    USER = "U"
    GROUP = "G"
    SERVICE = "S"

    @property
    def word(self) -> str:
        """How it is said outside."""
        return self.name.lower()


class AccountState(Enum):
    """A suspended account may do nothing and keeps what it owns."""

    ACTIVE = "A"
    SUSPENDED = "S"

    @property
    def word(self) -> str:
        """How it is said outside."""
        return self.name.lower()


TRANSITIONS = {
    AccountState.ACTIVE: {AccountState.SUSPENDED},
    AccountState.SUSPENDED: {AccountState.ACTIVE},
}
"""Where an account may go from each state."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """Who owns rules, jobs and usage within a VO."""

    account_id: int
    vo: int
    name: str
    kind: AccountKind
    state: AccountState
    email: str | None
    created_at: datetime
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Group:
    """A named set of accounts with permissions and a fair share."""

    group_id: int
    vo: int
    name: str
    permissions: tuple[str, ...]
    share: float


@dataclass(frozen=True, kw_only=True)
class Credential:
    """What a login is checked against."""

    account_id: int
    state: AccountState
    secret_hash: str | None = field(repr=False)
    groups: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What an account is at this moment: the material of a principal."""

    account_id: int
    state: AccountState
    groups: tuple[str, ...]
    permissions: tuple[str, ...]
    proven_since: datetime | None
    """When the password was last set; tokens from before are void."""


@dataclass(frozen=True, kw_only=True)
class RefreshToken:
    """What is known of a refresh token; the token itself is not."""

    account_id: int
    account: str
    state: AccountState
    family: str
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None
    groups: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """What a login or a refresh gives. Printing it shows no token."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int
    """Seconds for which the access token is good."""
    refresh_expires_in: int
    """Seconds for which the refresh token is good."""
    token_type: str = "Bearer"  # noqa: S105 - OAuth's word
    scope: str = "sancho"
