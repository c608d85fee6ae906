"""Rucio's scopes: which there are, and whose."""

from fastapi import APIRouter, Depends, Response

from sancho.compat.rucio.caller import RucioCaller, RucioTransaction, gives
from sancho.dids import service as dids
from sancho.dids.errors import ScopeNotFound
from sancho.identity import service as identity

router = APIRouter(prefix="/rucio/scopes", include_in_schema=False, dependencies=[Depends(gives("application/json"))])
of_accounts = APIRouter(
    prefix="/rucio/accounts", include_in_schema=False, dependencies=[Depends(gives("application/json"))]
)


@router.get("/")
async def list_scopes(caller: RucioCaller, conn: RucioTransaction) -> list[str]:
    """List the scopes of the VO."""
    return [scope.name for scope in await dids.list_scopes(conn, caller.vo)]


@router.get("/owner")
@router.get("/owner/")
async def list_owners(caller: RucioCaller, conn: RucioTransaction) -> list[dict[str, str]]:
    """List the scopes of the VO, and whose they are."""
    return [{"scope": scope.name, "account": scope.account} for scope in await dids.list_scopes(conn, caller.vo)]


@router.get("/{account}/scopes")
@of_accounts.get("/{account}/scopes/")
async def list_scopes_of(account: str, caller: RucioCaller, conn: RucioTransaction) -> list[str]:
    """List the scopes of an account; one that has none is an error, as with Rucio."""
    owner = await identity.get_account(conn, caller.vo, account)
    found = [s.name for s in await dids.list_scopes(conn, caller.vo) if s.account_id == owner.account_id]
    if not found:
        raise ScopeNotFound(scope=f"of account {account}")
    return found


@router.post("/{account}/{scope}")
@of_accounts.post("/{account}/scopes/{scope}")
async def add_scope(account: str, scope: str, caller: RucioCaller, conn: RucioTransaction) -> Response:
    """Make a scope that belongs to an account."""
    await dids.create_scope(conn, caller, scope, account=account)
    return Response("Created", 201)


@router.put("/{account}/{scope}")
async def update_scope(account: str, scope: str, caller: RucioCaller, conn: RucioTransaction) -> Response:
    """Give a scope to another account."""
    await dids.change_scope(conn, caller, scope, account=account)
    return Response("Created", 201)
