"""Logging in and out, accounts and groups."""

from types import NoneType

from sancho_client.call import Call, Pages, body, segment
from sancho_client.models.identity import Account, Group, Tokens, Whoami

PAGE = 500


def login(vo: str, account: str, password: str) -> Call[Tokens]:
    """Exchange a password for tokens."""
    form = {"grant_type": "password", "vo": vo, "username": account, "password": password}
    return Call(method="POST", path="/v1/auth/token", answer=Tokens, form=form, public=True, repeatable=True)


def revoke(refresh_token: str) -> Call[None]:
    """End a login: its refresh token and all that came of it are good for nothing from now on."""
    form = {"token": refresh_token}
    return Call(method="POST", path="/v1/auth/revoke", answer=NoneType, form=form, public=True, repeatable=True)


def whoami() -> Call[Whoami]:
    """The account behind the token."""
    return Call(method="GET", path="/v1/whoami", answer=Whoami)


def accounts(vo: str | None = None) -> Pages[Account]:
    """The accounts of the VO, by name; administrators of the installation may name another."""
    return Pages(path="/v1/accounts", item=Account, query={"vo": vo}, cursor="after", key="name", page_size=PAGE)


def account(name: str, vo: str | None = None) -> Call[Account]:
    """One account."""
    return Call(method="GET", path=f"/v1/accounts/{segment(name)}", answer=Account, query={"vo": vo})


def suspend(name: str, vo: str | None = None) -> Call[Account]:
    """Bar an account."""
    path = f"/v1/accounts/{segment(name)}/suspend"
    return Call(method="POST", path=path, answer=Account, query={"vo": vo}, repeatable=True)


def activate(name: str, vo: str | None = None) -> Call[Account]:
    """Let a suspended account act again."""
    path = f"/v1/accounts/{segment(name)}/activate"
    return Call(method="POST", path=path, answer=Account, query={"vo": vo}, repeatable=True)


def change_password(name: str, password: str, *, current: str | None = None, vo: str | None = None) -> Call[None]:
    """Set a password; all tokens of the account become void. `current` is needed for one's own."""
    path = f"/v1/accounts/{segment(name)}/password"
    sent = body(password=password, current_password=current)
    return Call(method="POST", path=path, answer=NoneType, json=sent, query={"vo": vo})


def groups(vo: str | None = None) -> Pages[Group]:
    """The groups of the VO."""
    return Pages(path="/v1/groups", item=Group, query={"vo": vo})
