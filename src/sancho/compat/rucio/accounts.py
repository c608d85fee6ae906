"""Rucio's accounts: who one is, who others are, and who shall be there.

An account made here is in the group `users`, as far as the VO has it, for Rucio's accounts may do ordinary things
from the start. One that is deleted is suspended, as any account of ours: what it owns stays its own.
"""

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from sancho.compat.rucio import translate
from sancho.compat.rucio.accounts_wire import AccountAttributeIn, AccountChange, AccountIn
from sancho.compat.rucio.caller import (
    Configuration,
    RucioCaller,
    RucioConfigure,
    RucioSnapshot,
    RucioTransaction,
    gives,
)
from sancho.compat.rucio.errors import AccountAttributeNotFound, AccountExists, PartNotServed, SaidTogether
from sancho.compat.rucio.streams import JSON_STREAM, stream_of
from sancho.compat.rucio.wire import Account
from sancho.identity import service as identity
from sancho.identity.model import Account as OurAccount
from sancho.identity.model import AccountState
from sancho.identity.service import identities
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.kit.web import Deployed
from sancho.vos.model import Spec

router = APIRouter(prefix="/rucio/accounts", include_in_schema=False, strict_content_type=False)
Json = Depends(gives("application/json"))
LISTS = [Depends(gives(JSON_STREAM))]
ADMIN = "admin"
"""The attribute that says whether an account may do everything, which follows from its groups."""
KIND = "Account"
NEW_ACCOUNTS_GROUP = "users"
PAGE = 1000
administrators_of = identity.administrators
STATES = {"ACTIVE": AccountState.ACTIVE, "SUSPENDED": AccountState.SUSPENDED, "DELETED": AccountState.SUSPENDED}


@router.get("", dependencies=LISTS)
@router.get("/", dependencies=LISTS)
async def list_accounts(
    request: Request,
    caller: RucioCaller,
    conn: RucioSnapshot,
    account_type: Annotated[str | None, Query(max_length=20)] = None,
    identity: Annotated[str | None, Query(max_length=16_384)] = None,
) -> StreamingResponse:
    """Stream the accounts of the VO: all, those of a type, with some attributes, those that something proves."""
    pages = _pages(conn, caller) if identity is None else _proven(conn, caller, identity)
    wanted = account_type.upper() if account_type else None
    asked = {key: value for key, value in request.query_params.items() if key not in {"account_type", "identity"}}
    administrators = await administrators_of(conn, caller.vo) if ADMIN in asked else ()
    return await stream_of(
        _listed(pages, caller, wanted, lambda account: translate.fits(account, asked, administrators))
    )


async def _pages(conn: Connection, caller: Principal) -> AsyncIterator[list[OurAccount]]:
    after = ""
    while page := await identity.list_accounts(conn, caller.vo, after=after, limit=PAGE):
        yield page
        after = page[-1].name


async def _proven(conn: Connection, caller: Principal, subject: str) -> AsyncIterator[list[OurAccount]]:
    proofs = await identities.proofs_by(conn, caller, subject)
    yield list((await identity.accounts(conn, caller.vo, [proof.account_id for proof in proofs])).values())


async def _listed(
    pages: AsyncIterator[list[OurAccount]], caller: Principal, wanted: str | None, fits: Callable[[OurAccount], bool]
) -> AsyncIterator[Iterable[Any]]:
    manages = caller.may("accounts:manage")
    async for page in pages:
        yield [
            translate.account_in_list(account, seen=manages or account.account_id == caller.account_id)
            for account in page
            if wanted in (None, account.kind.name) and fits(account)
        ]


@router.get("/whoami", dependencies=[Json])
async def whoami(caller: RucioCaller) -> Response:
    """Send the client to its own account, which it finds beside this."""
    return RedirectResponse(caller.account, 303)


@router.get("/{account}", dependencies=[Json])
async def account(account: str, caller: RucioCaller, conn: RucioTransaction) -> Account:
    """Show an account of the VO; its address only to itself and to those who manage accounts."""
    known = await identity.get_account(conn, caller.vo, account)
    seen = known.account_id == caller.account_id or caller.may("accounts:manage", f"account:{account}")
    return translate.account_of(known, email=known.email if seen else None)


@router.post("/{account}", status_code=201)
async def add(account: str, body: AccountIn, configure: RucioConfigure) -> Response:
    """Make an account, by a document of this name."""
    async with configure() as config:
        await config.read(KIND, account)
        if await identity.find_account(config.conn, config.caller.vo, account) is not None:
            raise AccountExists(account=account)
        groups = {group.name for group in await identity.groups(config.conn, config.caller.vo)}
        said: Spec = {"kind": body.type.lower(), "groups": sorted(groups & {NEW_ACCOUNTS_GROUP})}
        await config.put(KIND, account, said if body.email is None else {**said, "email": body.email})
    return Response("Created", 201)


@router.put("/{account}")
async def change(
    account: str, body: AccountChange, caller: RucioCaller, configure: RucioConfigure, deployment: Deployed
) -> Response:
    """Suspend an account or let it act again; or change its type or its address, by its document."""
    said = body.model_dump(exclude_unset=True)
    if body.status is not None:
        if len(said) > 1:
            raise SaidTogether(name="status")
        await identity.set_state(deployment, caller, account, STATES[body.status])
        return Response(None, 200)
    async with configure() as config:
        spec = await config.read(KIND, account)
        known = await identity.get_account(config.conn, config.caller.vo, account)
        await config.put(KIND, account, translate.account_spec(known, spec, said))
    return Response(None, 200)


@router.delete("/{account}")
async def suspend(account: str, caller: RucioCaller, deployment: Deployed) -> Response:
    """Suspend an account."""
    await identity.set_state(deployment, caller, account, AccountState.SUSPENDED)
    return Response(None, 200)


@router.get("/{account}/attr", dependencies=[Json])
@router.get("/{account}/attr/", dependencies=[Json])
async def attributes(account: str, caller: RucioCaller, conn: RucioTransaction) -> list[dict[str, Any]]:
    """Show the attributes of an account, and whether it may do everything."""
    known = await identity.get_account(conn, caller.vo, account)
    said = {**known.attributes, ADMIN: known.name in await identity.administrators(conn, caller.vo)}
    return [{"key": key, "value": value} for key, value in said.items()]


@router.post("/{account}/attr/{key}", status_code=201)
async def put_attribute(account: str, key: str, body: AccountAttributeIn, configure: RucioConfigure) -> Response:
    """Give an account an attribute, by its document; what it may do is not one."""
    if key == ADMIN:
        raise PartNotServed(part=f"attribute {ADMIN}", what="an account")
    async with configure() as config:
        await _change(config, account, lambda had: {**had, key: body.value})
    return Response("Created", 201)


@router.delete("/{account}/attr/{key}")
async def drop_attribute(account: str, key: str, configure: RucioConfigure) -> Response:
    """Take an attribute from an account."""

    def without(had: dict[str, Any]) -> dict[str, Any]:
        if key not in had:
            raise AccountAttributeNotFound(account=account, key=key[:100])
        return {name: value for name, value in had.items() if name != key}

    async with configure() as config:
        await _change(config, account, without)
    return Response(None, 200)


async def _change(config: Configuration, account: str, changed: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    spec = await config.read(KIND, account)
    known = await identity.get_account(config.conn, config.caller.vo, account)
    said = {"attributes": changed(dict(known.attributes))}
    await config.put(KIND, account, {**translate.account_spec(known, spec, {}), **said})
