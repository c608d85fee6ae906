"""Rucio's accounts: who one is, and who others are."""

from fastapi import Depends, Response
from fastapi.responses import RedirectResponse

from sancho.compat.rucio import translate
from sancho.compat.rucio.caller import RucioCaller, RucioTransaction, gives
from sancho.compat.rucio.wire import Account
from sancho.identity import service as identity
from sancho.kit.web import Branch

router = Branch(prefix="/rucio/accounts", include_in_schema=False, dependencies=[Depends(gives("application/json"))])


@router.get("/whoami")
async def whoami(caller: RucioCaller) -> Response:
    """Send the client to its own account, which it finds beside this."""
    return RedirectResponse(caller.account, 303)


@router.get("/{account}")
async def account(account: str, caller: RucioCaller, conn: RucioTransaction) -> Account:
    """Show an account of the VO; its address only to itself and to those who manage accounts."""
    known = await identity.get_account(conn, caller.vo, account)
    seen = known.account_id == caller.account_id or caller.may("accounts:manage", f"account:{account}")
    return translate.account_of(known, email=known.email if seen else None)
