"""The words of identity: account, group, permission, tokens, logins."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any
from uuid import UUID

PERMISSIONS = frozenset({
    "accounts:manage", "audit:read", "configuration:apply", "dids:create", "dids:manage", "dids:publish",
    "groups:manage", "jobs:create", "jobs:manage", "pilots:read", "pilots:report", "policies:manage",
    "programs:report", "quotas:manage", "replicas:create", "replicas:manage", "rses:report", "rules:approve",
    "rules:create", "rules:manage", "topology:manage", "uploads:create", "vos:create",
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


LOGIN_LIFETIME = timedelta(minutes=10)
"""How long a login may take in a browser or on a device."""
POLL_EVERY = timedelta(seconds=2)
"""A device asks no more often than this whether its login is done."""


Attribute = bool | int | float | str
"""What an attribute of an account may be."""


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
    attributes: Mapping[str, Attribute] = field(default_factory=dict[str, Attribute])
    """What its VO says of it besides; it gives no rights."""


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Roll:
    """What tells whether anything has changed of a VO's configuration or of its accounts.

    The newest version that concerns it and when that was applied, the names of its suspended accounts, and its newest
    account: by documents, and by these, all else changes.
    """

    version: int | None
    applied_at: datetime | None
    suspended: tuple[str, ...]
    newest: int


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What an account is at this moment: the material of a principal."""

    account_id: int
    state: AccountState
    groups: tuple[str, ...]
    permissions: tuple[str, ...]
    proven_since: datetime | None
    """When the password was last set; tokens from before are void."""
    revoked: bool
    """Whether the token that was shown, or its login, is void before its end."""


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
    client: str
    token_scope: str


@dataclass(frozen=True, kw_only=True)
class NewRefreshToken:
    """A refresh token to be, of which only the hash is kept."""

    account_id: int
    family: UUID
    token_hash: bytes = field(repr=False)
    issued_at: datetime
    expires_at: datetime
    client: str
    token_scope: str


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """What a login or a refresh gives. Printing it shows no token."""

    access_token: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)
    """Empty where a grant gives nothing that renews itself."""
    expires_in: int
    """Seconds for which the access token is good."""
    refresh_expires_in: int | None = None
    """Seconds for which the refresh token is good."""
    token_type: str = "Bearer"  # noqa: S105 - OAuth's word
    scope: str
    id_token: str | None = field(default=None, repr=False)
    issued_token_type: str | None = None


class Proof(Enum):
    """A way to prove one is an account."""

    PASSWORD = "P"  # noqa: S105 - letters in a column, no secrets
    TOKEN_ISSUER = "O"  # noqa: S105
    SSH_KEY = "S"
    X509 = "X"
    CLIENT_SECRET = "C"  # noqa: S105

    @property
    def word(self) -> str:
        """How it is said outside."""
        return self.name.lower()


@dataclass(frozen=True, kw_only=True)
class Identity:
    """One proof of one account; `subject` is what is shown: a name, a key's print, `ISSUER SUB`."""

    account_id: int
    account: str
    kind: Proof
    subject: str
    issuer: str | None
    created_at: datetime
    proven_at: datetime | None
    barred_at: datetime | None
    """Since when its issuer says that this person is to do nothing."""
    detail: str | None = None
    """The key itself, where the subject is its print."""


@dataclass(frozen=True, kw_only=True)
class NewIdentity:
    """A proof to be: `secret_hash` where it needs a secret, `detail` the key whose print the subject is."""

    account_id: int
    kind: Proof
    subject: str
    issuer: str | None = None
    secret_hash: str | None = field(default=None, repr=False)
    detail: str | None = None


@dataclass(frozen=True, kw_only=True)
class Introduction:
    """Somebody whom a provider, or a certificate, calls so shall be let in to an account when they come."""

    account: str
    kind: Proof
    subject: str
    issuer: str | None = None
    """Of a provider, whose subjects are `ISSUER SUB`."""


@dataclass(frozen=True, kw_only=True)
class Provider:
    """Who vouches for people of a VO: `groups` maps its groups to ours, `members` are those whose members it has."""

    provider_id: int
    vo: int
    name: str
    title: str
    issuer: str
    plugin: str
    enabled: bool
    members: tuple[str, ...]
    groups: Mapping[str, str]
    settings: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class OpenLogin:
    """A login that can still be renewed: one family of refresh tokens."""

    family: UUID
    account: str
    client: str
    token_scope: str
    began_at: datetime
    renewed_at: datetime
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Pass:
    """An access token of an account, for a program that logs in anew when it ends."""

    account: str
    token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Challenge:
    """What somebody is to sign who says to have the key of an account."""

    text: str
    expires_at: datetime


class LoginKind(Enum):
    """How a login gives its tokens: by a code in a redirect, or to a device that asks."""

    CODE = "C"
    DEVICE = "D"


class LoginState(Enum):
    """Where a login is."""

    PENDING = "P"
    APPROVED = "A"
    DENIED = "D"
    USED = "U"


LOGIN_TRANSITIONS = {
    LoginState.PENDING: {LoginState.APPROVED, LoginState.DENIED},
    LoginState.APPROVED: {LoginState.USED},
    LoginState.DENIED: set[LoginState](),
    LoginState.USED: set[LoginState](),
}
"""Where a login may go from each state."""


@dataclass(frozen=True, kw_only=True)
class Login:
    """A login under way; its secrets are known only as hashes."""

    vo: int
    login_id: UUID
    kind: LoginKind
    state: LoginState
    account_id: int | None
    expires_at: datetime
    polled_at: datetime | None
    family: UUID | None
    browser_hash: bytes | None = field(repr=False)
    provider_id: int | None
    user_code: str | None = field(repr=False)
    client: str
    token_scope: str
    redirect_uri: str | None
    client_state: str | None = field(repr=False)
    nonce: str | None = field(repr=False)
    challenge: str | None


@dataclass(frozen=True, kw_only=True)
class Client:
    """A program that may ask for tokens in somebody's name. All are public: a secret in a program is none."""

    client_id: str
    title: str
    redirects: tuple[str, ...] = ()
    """Where codes may be sent, beside any port of the loopback address (RFC 8252) if `loopback` says so.

    What begins with a slash is a page of this server: one that shows the code to whoever is to type it, or our own.
    """
    loopback: bool = False
    looks_inside: bool = False
    """It reads in a refresh token when that ends: it gets it inside of a JWT, which lives a week at most."""


@dataclass(frozen=True, kw_only=True)
class TokenScope:
    """What a token is for: `permissions` None means all that its account may do; `groups` empty, in all its groups."""

    permissions: frozenset[str] | None
    groups: tuple[str, ...] = ()
    primary: bool = False
    """In the account's primary group; which one that is, is settled when the token is made."""
    more: frozenset[str] = frozenset()
    """What is added to the permissions of `groups` from other groups of the account; settled likewise."""
    openid: bool = False
    text: str
