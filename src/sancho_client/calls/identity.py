"""Logging in and out, accounts and groups."""

from collections.abc import Mapping
from types import NoneType
from typing import Any

from sancho_client.call import Call, Lines, Pages, body, segment
from sancho_client.models.identity import (
    Account,
    ClientSecret,
    DeviceLogin,
    Erased,
    Group,
    Identity,
    OpenLogin,
    PersonalLine,
    Proof,
    Tokens,
    Ways,
    Whoami,
)

PAGE = 500


def login(vo: str, account: str, password: str, scope: str | None = None) -> Call[Tokens]:
    """Exchange a password for tokens; `scope` None: for all that the account may do."""
    form = {"grant_type": "password", "vo": vo, "username": account, "password": password, **body(scope=scope)}
    return Call(method="POST", path="/v1/auth/token", answer=Tokens, form=form, public=True, repeatable=True)


def login_by_certificate(vo: str, scope: str | None = None) -> Call[Tokens]:
    """Exchange the certificate that this connection shows for an access token; nothing renews that."""
    form = {"grant_type": "client_credentials", "client_id": "sancho", "vo": vo, **body(scope=scope)}
    return Call(method="POST", path="/v1/auth/token", answer=Tokens, form=form, public=True, repeatable=True)


def ways(vo: str) -> Call[Ways]:
    """How one may log in to a VO, beside a password."""
    return Call(method="GET", path="/v1/auth/ways", answer=Ways, query={"vo": vo}, public=True)


def begin_on_device(vo: str, scope: str | None = None) -> Call[DeviceLogin]:
    """Begin a login that somebody goes on with in a browser, wherever it is."""
    form = {"client_id": "sancho", "vo": vo, "scope": scope or "sancho"}
    path = "/v1/auth/device_authorization"
    return Call(method="POST", path=path, answer=DeviceLogin, form=form, public=True, repeatable=True)


def finish_on_device(device_code: str) -> Call[Tokens]:
    """Ask for the tokens of a login on a device; a problem `login_pending` until somebody has approved it."""
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": device_code}
    return Call(method="POST", path="/v1/auth/token", answer=Tokens, form=form, public=True)


def redeem(code: str, *, redirect_uri: str, verifier: str) -> Call[Tokens]:
    """Exchange the code that a browser has brought for tokens."""
    form = {
        "grant_type": "authorization_code", "client_id": "sancho", "code": code, "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }  # fmt: skip
    return Call(method="POST", path="/v1/auth/token", answer=Tokens, form=form, public=True)


def exchange(
    token: str, *, scope: str | None = None, audience: str | None = None, vo: str | None = None
) -> Call[Tokens]:
    """Exchange a token for a narrower one, for one of another audience, or one of an identity provider for ours."""
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "subject_token": token,
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
        **body(scope=scope, audience=audience, vo=vo),
    }  # fmt: skip
    return Call(method="POST", path="/v1/auth/token", answer=Tokens, form=form, public=True, repeatable=True)


def logins(*, everybody: bool = False) -> Call[list[OpenLogin]]:
    """The logins that can still be renewed: one's own, or with `accounts:manage` everybody's in the VO."""
    return Call(method="GET", path="/v1/auth/logins", answer=list[OpenLogin], query={"everybody": everybody})


def end_login(login_id: str) -> Call[None]:
    """End a login: all of its tokens are void."""
    return Call(method="DELETE", path=f"/v1/auth/logins/{segment(login_id)}", answer=NoneType)


def client_secret(name: str) -> Call[ClientSecret]:
    """Make the secret of a service account, instead of the one before."""
    return Call(method="POST", path=f"/v1/accounts/{segment(name)}/secret", answer=ClientSecret)


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


def change_attributes(name: str, attributes: Mapping[str, Any], *, vo: str | None = None) -> Call[Account]:
    """Give an account attributes, or with None take them away; others stay."""
    sent = {"attributes": dict(attributes)}
    return Call(method="PATCH", path=f"/v1/accounts/{segment(name)}", answer=Account, json=sent, query={"vo": vo})


def groups(vo: str | None = None) -> Pages[Group]:
    """The groups of the VO."""
    return Pages(path="/v1/groups", item=Group, query={"vo": vo})


def identities(name: str, *, vo: str | None = None) -> Pages[Identity]:
    """What proves an account."""
    return Pages(path=f"/v1/accounts/{segment(name)}/identities", item=Identity, query={"vo": vo})


def add_identity(name: str, kind: str, subject: str, *, vo: str | None = None) -> Call[Identity]:
    """Let a line of an `.pub` file (`ssh_key`), or a name in certificates (`x509`), prove an account."""
    path = f"/v1/accounts/{segment(name)}/identities"
    sent = body(kind=kind, subject=subject)
    return Call(method="POST", path=path, answer=Identity, json=sent, query={"vo": vo}, repeatable=True)


def remove_identity(name: str, subject: str, *, vo: str | None = None) -> Call[None]:
    """Let a key, by its print, or a name in certificates prove an account no more."""
    path = f"/v1/accounts/{segment(name)}/identities"
    return Call(method="DELETE", path=path, answer=NoneType, query={"subject": subject, "vo": vo})


def export_person(name: str, vo: str | None = None) -> Lines[PersonalLine]:
    """Everything that is held of the person behind an account."""
    return Lines(path=f"/v1/accounts/{segment(name)}/export", item=PersonalLine, query={"vo": vo}, method="POST")


def erase_person(name: str, vo: str | None = None) -> Call[Erased]:
    """Take a person out of everything; their account goes on under a pseudonym."""
    return Call(method="POST", path=f"/v1/accounts/{segment(name)}/erase", answer=Erased, query={"vo": vo})


def proofs_by(subject: str, *, vo: str | None = None) -> Call[list[Proof]]:
    """Which accounts a name in a certificate, a key's print, or `ISSUER SUB` proves."""
    return Call(method="GET", path="/v1/identities", answer=list[Proof], query={"subject": subject, "vo": vo})
