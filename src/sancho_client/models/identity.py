"""Who is asking: tokens, accounts, groups."""

from datetime import datetime

from sancho_client.models.base import Answer, Strings


class Tokens(Answer):
    """What a login or a renewal gives."""

    access_token: str
    expires_in: float
    refresh_token: str | None = None


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
    created_at: datetime


class Group(Answer):
    """A named set of accounts with permissions and a fair share."""

    name: str
    permissions: Strings = ()
    share: float = 1
