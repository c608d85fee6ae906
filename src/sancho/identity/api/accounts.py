"""Native routes of accounts and groups."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, cast

from fastapi import Depends, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from sancho.identity import service
from sancho.identity.errors import (
    AccountNotFound,
    AlreadyErased,
    BeyondYours,
    NotAService,
    PasswordBreached,
    PasswordFrequent,
    PasswordObvious,
    PasswordsOff,
    PasswordUnfit,
    PasswordWrong,
)
from sancho.identity.model import LONGEST_PASSWORD, Account, AccountState, Attribute, Group
from sancho.identity.service import exchange, personal
from sancho.identity.service.personal import Erased
from sancho.kit.access import NotYours, Principal
from sancho.kit.errors import PermissionMissing
from sancho.kit.personal import PersonalData
from sancho.kit.problem import problems
from sancho.kit.web import Authenticated, Caller, Deployed, Transaction, native
from sancho.vos import service as vos
from sancho.vos.errors import DocumentInvalid, VoNotFound
from sancho.vos.model import Kind

router = native(tags=["identity"])


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
    attributes: Mapping[str, Attribute]

    @classmethod
    def of(cls, account: Account, caller: Principal) -> "AccountOut":
        """Render an account for somebody."""
        seen = account.account_id == caller.account_id or caller.may("accounts:manage")
        return cls(
            account_id=account.account_id, name=account.name, kind=account.kind.word, state=account.state.word,
            email=account.email if seen else None, created_at=account.created_at, groups=account.groups,
            attributes=account.attributes,
        )  # fmt: skip


class PasswordIn(BaseModel, extra="forbid"):
    """A new password."""

    password: Annotated[str, Field(max_length=LONGEST_PASSWORD)]
    current_password: Annotated[str | None, Field(max_length=LONGEST_PASSWORD)] = None
    """Needed to change one's own."""


class AccountChangeIn(BaseModel, extra="forbid"):
    """What is to change about an account."""

    attributes: Annotated[dict[str, Any], Field(min_length=1, max_length=200, examples=[{"country": "AT"}])]
    """Texts, numbers and booleans by name; null takes one away."""


async def _acting(
    caller: Caller,
    deployment: Deployed,
    vo: Annotated[str | None, Query(max_length=100, description="A VO other than one's own.")] = None,
) -> Principal:
    """The caller, acting in the VO that was asked for; only who administers the installation may name another."""
    return await vos.acting(deployment, caller, vo)


Acting = Annotated[Principal, Depends(_acting)]


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


@router.patch(
    "/accounts/{name}", responses=problems(AccountNotFound, PermissionMissing, BeyondYours, DocumentInvalid, VoNotFound)
)
async def change(
    name: str, body: AccountChangeIn, request: Request, caller: Acting, deployment: Deployed
) -> AccountOut:
    """Give an account attributes, which say something of it and give no rights; others than those named stay."""
    kinds = cast(Sequence[Kind[Any]], request.app.state.kinds)
    async with deployment.database.transaction(caller.vos) as conn:
        return AccountOut.of(await service.change_attributes(conn, caller, name, body.attributes, kinds), caller)


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
    responses=problems(
        AccountNotFound, PermissionMissing, BeyondYours, PasswordWrong, PasswordUnfit, PasswordFrequent,
        PasswordObvious, PasswordBreached, PasswordsOff,
    ),
)  # fmt: skip
async def change_password(name: str, body: PasswordIn, caller: Acting, deployment: Deployed) -> None:
    """Set a password; all tokens of the account become void."""
    await service.change_password(deployment, caller, name, body.password, current=body.current_password)


class SecretOut(BaseModel):
    """A client's id and its secret, which is shown this once."""

    client_id: str
    client_secret: str


@router.post(
    "/accounts/{name}/secret", responses=problems(AccountNotFound, PermissionMissing, BeyondYours, NotAService)
)
async def make_secret(name: str, caller: Acting, conn: Transaction) -> SecretOut:
    """Make the secret by which a service account gets tokens (`client_credentials`), instead of the one before."""
    client_id, secret = await exchange.make_client_secret(conn, caller, name)
    return SecretOut(client_id=client_id, client_secret=secret)


def _parts(request: Request) -> Sequence[PersonalData]:
    return cast(Sequence[PersonalData], request.app.state.personal)


@router.post(
    "/accounts/{name}/export",
    response_class=StreamingResponse,
    responses=problems(AccountNotFound, NotYours, BeyondYours, VoNotFound),
)
async def export(name: str, request: Request, caller: Acting, deployment: Deployed) -> StreamingResponse:
    """Stream everything that is held of the person behind an account, one JSON document a line; no secrets."""
    person = await personal.person_to_tell(deployment, caller, name)
    return StreamingResponse(
        personal.tell(deployment, person, _parts(request)), media_type="application/x-ndjson",
        headers={"cache-control": "no-store"},
    )  # fmt: skip


@router.post(
    "/accounts/{name}/erase",
    responses=problems(AccountNotFound, PermissionMissing, BeyondYours, AlreadyErased, VoNotFound),
)
async def erase(name: str, request: Request, caller: Acting, deployment: Deployed) -> Erased:
    """Take a person out of everything: their account keeps what it owned, under a pseudonym. There is no way back."""
    return await personal.erase(deployment, caller, name, _parts(request))


@router.get("/groups", responses=problems(VoNotFound))
async def groups(caller: Acting, conn: Transaction) -> list[Group]:
    """List the groups of the VO."""
    return await service.groups(conn, caller.vo)
