"""Native routes of identity: tokens, the discovery document, accounts and groups."""

from dataclasses import asdict, replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Response
from pydantic import BaseModel, Field

from sancho.identity import service
from sancho.identity.errors import (
    AccountNotFound,
    BeyondYours,
    GrantIncomplete,
    GrantUnknown,
    LoginRefused,
    PasswordUnfit,
    PasswordWrong,
    RefreshRefused,
    TooManyLogins,
)
from sancho.identity.model import LONGEST_PASSWORD, Account, AccountState, Group
from sancho.kit.access import INSTANCE, Principal
from sancho.kit.errors import PermissionMissing
from sancho.kit.problem import problems
from sancho.kit.web import Authenticated, Caller, Deployed, Transaction
from sancho.vos import service as vos
from sancho.vos.errors import VoNotFound

router = APIRouter(tags=["identity"])
public_router = APIRouter(tags=["identity"])

Text = Annotated[str, Field(max_length=LONGEST_PASSWORD)]


class TokenForm(BaseModel):
    """What OAuth sends to get tokens; fields that we do not know are ignored, as it demands."""

    grant_type: Text
    vo: Text | None = None
    username: Text | None = None
    password: Text | None = None
    refresh_token: Text | None = None

    def said(self, name: str) -> str:
        """A field that is needed; raises `GrantIncomplete` when it is not there."""
        value = getattr(self, name)
        if not value:
            raise GrantIncomplete(what=name)
        return value


class RevokeForm(BaseModel):
    """What OAuth sends to void a token."""

    token: Text


class TokensOut(BaseModel):
    """An access token, and a refresh token that gives the next pair, once."""

    access_token: str
    refresh_token: str
    token_type: str
    expires_in: int
    refresh_expires_in: int
    scope: str


class WhoAmI(BaseModel):
    """Who the caller is, and what the caller may do."""

    vo: str
    account: str
    groups: tuple[str, ...]
    permissions: list[str]


class AccountOut(BaseModel):
    """An account; its address is shown to itself and to those who manage accounts."""

    account_id: int
    name: str
    kind: str
    state: str
    email: str | None
    created_at: datetime
    groups: tuple[str, ...]

    @classmethod
    def of(cls, account: Account, caller: Principal) -> "AccountOut":
        """Render an account for somebody."""
        seen = account.account_id == caller.account_id or caller.may("accounts:manage")
        return cls(
            account_id=account.account_id, name=account.name, kind=account.kind.word, state=account.state.word,
            email=account.email if seen else None, created_at=account.created_at, groups=account.groups,
        )  # fmt: skip


class PasswordIn(BaseModel, extra="forbid"):
    """A new password."""

    password: Annotated[str, Field(max_length=LONGEST_PASSWORD)]
    current_password: Annotated[str | None, Field(max_length=LONGEST_PASSWORD)] = None
    """Needed to change one's own."""


async def _acting(
    caller: Caller,
    deployment: Deployed,
    vo: Annotated[str | None, Query(max_length=100, description="A VO other than one's own.")] = None,
) -> Principal:
    """The caller, acting in the VO that was asked for; only who administers the installation may name another."""
    if vo is None or vo == caller.vo_name:
        return caller
    if caller.is_instance_admin:
        async with deployment.database.transaction([INSTANCE]) as conn:
            known = next((v for v in await vos.list_vos(conn) if v.name == vo and v.vo in caller.vos), None)
        if known is not None:
            return replace(caller, vo=known.vo, vo_name=known.name)
    raise VoNotFound(vo=vo, field="vo")


Acting = Annotated[Principal, Depends(_acting)]


@router.post(
    "/auth/token",
    responses=problems(LoginRefused, RefreshRefused, TooManyLogins, GrantUnknown, GrantIncomplete),
)
async def token(deployment: Deployed, response: Response, form: Annotated[TokenForm, Form()]) -> TokensOut:
    """Exchange a password, or a refresh token, for tokens. Needs no token."""
    match form.grant_type:
        case "password":
            vo, account, password = form.said("vo"), form.said("username"), form.said("password")
            tokens = await service.login(deployment, vo, account, password)
        case "refresh_token":
            tokens = await service.refresh(deployment, form.said("refresh_token"))
        case _:
            raise GrantUnknown
    response.headers["cache-control"] = "no-store"
    return TokensOut(**asdict(tokens))


@router.post("/auth/revoke")
async def revoke(deployment: Deployed, form: Annotated[RevokeForm, Form()]) -> None:
    """Void a refresh token and all that came from the same login. Needs no token of another kind."""
    await service.revoke(deployment, form.token)


@public_router.get("/.well-known/openid-configuration")
async def discovery(deployment: Deployed) -> dict[str, Any]:
    """Where tokens come from and how to check them."""
    issuer, base = service.issuer_of(deployment).issuer, deployment.public_url
    return {
        "issuer": issuer,
        "jwks_uri": f"{base}/.well-known/jwks.json",
        "token_endpoint": f"{base}/v1/auth/token",
        "revocation_endpoint": f"{base}/v1/auth/revoke",
        "grant_types_supported": ["password", "refresh_token"],
        "response_types_supported": [],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [service.ALGORITHM],
        "token_endpoint_auth_methods_supported": ["none"],
        "scopes_supported": ["sancho"],
    }


@public_router.get("/.well-known/jwks.json")
async def jwks(deployment: Deployed, response: Response) -> dict[str, Any]:
    """The public keys that check our tokens."""
    response.headers["cache-control"] = "public, max-age=300"
    return service.issuer_of(deployment).jwks()


@router.get("/whoami")
async def whoami(caller: Authenticated) -> WhoAmI:
    """Say who the caller is, an account or a pilot."""
    return WhoAmI(
        vo=caller.vo_name, account=caller.account, groups=caller.groups, permissions=sorted(caller.permissions)
    )


@router.get("/accounts", responses=problems(VoNotFound))
async def accounts(
    caller: Acting,
    conn: Transaction,
    after: Annotated[str, Query(pattern=r"^[a-z0-9._-]{0,63}$")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[AccountOut]:
    """List the accounts of the VO by name; `after` the last one seen gives the next page."""
    return [AccountOut.of(a, caller) for a in await service.list_accounts(conn, caller.vo, after=after, limit=limit)]


@router.get("/accounts/{name}", responses=problems(AccountNotFound, VoNotFound))
async def account(name: str, caller: Acting, conn: Transaction) -> AccountOut:
    """Show an account of the VO."""
    return AccountOut.of(await service.get_account(conn, caller.vo, name, field="name"), caller)


@router.post("/accounts/{name}/suspend", responses=problems(AccountNotFound, PermissionMissing, BeyondYours))
async def suspend(name: str, caller: Acting, deployment: Deployed) -> AccountOut:
    """Bar an account; its tokens are void within 30 seconds."""
    return AccountOut.of(await service.set_state(deployment, caller, name, AccountState.SUSPENDED), caller)


@router.post("/accounts/{name}/activate", responses=problems(AccountNotFound, PermissionMissing, BeyondYours))
async def activate(name: str, caller: Acting, deployment: Deployed) -> AccountOut:
    """Let a suspended account act again."""
    return AccountOut.of(await service.set_state(deployment, caller, name, AccountState.ACTIVE), caller)


@router.post(
    "/accounts/{name}/password",
    status_code=204,
    responses=problems(AccountNotFound, PermissionMissing, BeyondYours, PasswordWrong, PasswordUnfit),
)
async def change_password(name: str, body: PasswordIn, caller: Acting, deployment: Deployed) -> None:
    """Set a password; all tokens of the account become void."""
    await service.change_password(deployment, caller, name, body.password, current=body.current_password)


@router.get("/groups", responses=problems(VoNotFound))
async def groups(caller: Acting, conn: Transaction) -> list[Group]:
    """List the groups of the VO."""
    return await service.groups(conn, caller.vo)
