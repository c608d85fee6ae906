"""Who is asking: tokens, accounts, groups."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import ConfigDict

from sancho_client.models.base import Answer, Strings


class Tokens(Answer):
    """What a login or a renewal gives."""

    access_token: str
    expires_in: float
    refresh_token: str | None = None


class Way(Answer):
    """An identity provider that one may log in by."""

    name: str
    title: str
    issuer: str


class Ways(Answer):
    """How one may log in to a VO: by its identity providers, and by passwords if it has them."""

    vo: str
    passwords: bool = True
    providers: tuple[Way, ...] = ()


class DeviceLogin(Answer):
    """A login that waits for a browser; times in seconds."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: float
    interval: float = 5


class OpenLogin(Answer):
    """A login that can still be renewed."""

    login_id: str
    account: str
    client: str
    scope: str
    began_at: datetime
    renewed_at: datetime
    expires_at: datetime


class Proof(Answer):
    """An account that a name, or a key's print, proves."""

    account: str
    kind: str
    subject: str
    created_at: datetime
    proven_at: datetime | None = None


class ClientSecret(Answer):
    """By which a program gets tokens."""

    client_id: str
    client_secret: str


class Whoami(Answer):
    """The account behind a token, its groups and permissions."""

    vo: str
    account: str
    groups: Strings = ()
    permissions: Strings = ()


class Account(Answer):
    """Who owns rules, jobs and usage, within a VO."""

    name: str
    kind: str
    state: str
    email: str | None = None
    groups: Strings = ()
    attributes: Mapping[str, Any] = {}
    created_at: datetime


class Group(Answer):
    """A named set of accounts with permissions and a fair share."""

    name: str
    permissions: Strings = ()
    share: float = 1


class Identity(Answer):
    """What proves an account: a key by its print, a name in certificates, whom a provider means."""

    kind: str
    subject: str
    created_at: datetime
    proven_at: datetime | None = None


class PersonalLine(Answer):
    """One thing that is held of a person: by which feature, what it is, and all that is said of it."""

    model_config = ConfigDict(extra="allow", frozen=True)

    feature: str
    what: str


class Erased(Answer):
    """What an account is called now that its person is erased, and how many rows changed for it, by feature."""

    account: str
    changed: Mapping[str, int] = {}
