"""What accounts may use, and use: Rucio's limits are our quotas of one account.

A quota whose expression is the name of an RSE is a *local* limit, any other a *global* one. Where an account has no
quota, it may use what there is, and Rucio's clients are told `Infinity`; a limit that is set to that is removed. What
quotas of the VO as a whole leave is not told here.
"""

import uuid
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from fastapi import APIRouter, Depends, Response
from fastapi.responses import StreamingResponse

from sancho.compat.rucio import limits_translate as say
from sancho.compat.rucio.accounts_wire import LimitIn
from sancho.compat.rucio.caller import (
    Configuration,
    Configure,
    RucioCaller,
    RucioConfigure,
    RucioSnapshot,
    RucioTransaction,
    gives,
)
from sancho.compat.rucio.errors import LimitNotFound
from sancho.compat.rucio.rses_errors import RseLimitNotFound
from sancho.compat.rucio.rses_wire import RseLimitIn, RseLimitNamed
from sancho.compat.rucio.streams import JSON_STREAM, stream_of
from sancho.identity import service as identity
from sancho.identity.model import Account
from sancho.kit.db import Connection
from sancho.rses import service as rses
from sancho.rules import service as rules
from sancho.rules.model import Quota, Usage

router = APIRouter(prefix="/rucio/accounts", include_in_schema=False, strict_content_type=False)
of_rses = APIRouter(prefix="/rucio/rses", include_in_schema=False, strict_content_type=False)
legacy = APIRouter(prefix="/rucio/accountlimits", include_in_schema=False, strict_content_type=False)
Json = Depends(gives("application/json"))
Streams = Depends(gives(JSON_STREAM))
KIND = "Quota"
SPACE = "MaxSpaceAvailable"
MOST = 10_000
"""Quotas, or RSEs, of one account that an answer is made of."""


async def _quotas(conn: Connection, account: Account) -> list[Quota]:
    found = await rules.list_quotas(conn, account.vo, account.account_id, page=("", MOST))
    return [quota for quota in found if quota.account is not None]


async def _usage(conn: Connection, account: Account) -> list[Usage]:
    return await rules.usage(conn, account.vo, account.account_id, page=(0, 0, MOST))


# ---- limits


@router.get("/{account}/limits", dependencies=[Json])
@router.get("/{account}/limits/local", dependencies=[Json])
async def local_limits(account: str, caller: RucioCaller, conn: RucioTransaction) -> dict[str, int]:
    """Show the limits of an account on single RSEs."""
    known = await identity.get_account(conn, caller.vo, account)
    return say.local(await _quotas(conn, known), await rses.rses(conn))


@router.get("/{account}/limits/global", dependencies=[Json])
async def global_limits(account: str, caller: RucioCaller, conn: RucioTransaction) -> dict[str, Any]:
    """Show the limits of an account on sets of RSEs, and which RSEs these are now."""
    known = await identity.get_account(conn, caller.vo, account)
    return say.everywhere(await _quotas(conn, known), await rses.rses(conn))


@router.get("/{account}/limits/{rse}", dependencies=[Json])
@router.get("/{account}/limits/local/{rse}", dependencies=[Json])
async def local_limit(account: str, rse: str, caller: RucioCaller, conn: RucioTransaction) -> dict[str, int | None]:
    """Show the limit of an account on an RSE; None where it has none of its own."""
    known = await identity.get_account(conn, caller.vo, account)
    there = await rses.get(conn, rse)
    return {rse: say.local(await _quotas(conn, known), [there]).get(rse)}


@router.get("/{account}/limits/global/{rse_expression:path}", dependencies=[Json])
async def global_limit(
    account: str, rse_expression: str, caller: RucioCaller, conn: RucioTransaction
) -> dict[str, int | None]:
    """Show the limit of an account on the RSEs that an expression means; None where it has none of its own."""
    known = await identity.get_account(conn, caller.vo, account)
    expression = say.read_expression(rse_expression)
    rses.parse(expression)
    return {
        expression: min((q.limit for q in await _quotas(conn, known) if q.rse_expression == expression), default=None)
    }


@router.post("/{account}/limits/local/{rse}", status_code=201)
@legacy.post("/local/{account}/{rse}", status_code=201)
async def set_local(account: str, rse: str, body: LimitIn, configure: RucioConfigure) -> Response:
    """Let an account use so many bytes on an RSE."""
    async with configure() as config:
        there = await rses.get(config.conn, rse, vo=config.caller.vo)
        await _set(config, account, [there.name, f"rse={there.name}"], body.size)
    return Response("Created", 201)


@router.post("/{account}/limits/global/{rse_expression:path}", status_code=201)
@legacy.post("/global/{account}/{rse_expression:path}", status_code=201)
async def set_global(account: str, rse_expression: str, body: LimitIn, configure: RucioConfigure) -> Response:
    """Let an account use so many bytes on the RSEs that an expression means."""
    async with configure() as config:
        await _set(config, account, [say.read_expression(rse_expression)], body.size)
    return Response("Created", 201)


@router.delete("/{account}/limits/local/{rse}")
@legacy.delete("/local/{account}/{rse}")
async def delete_local(account: str, rse: str, configure: RucioConfigure) -> Response:
    """Let an account have no limit of its own on an RSE any more."""
    return await _delete(configure, account, [rse, f"rse={rse}"])


@router.delete("/{account}/limits/global/{rse_expression:path}")
@legacy.delete("/global/{account}/{rse_expression:path}")
async def delete_global(account: str, rse_expression: str, configure: RucioConfigure) -> Response:
    """Let an account have no limit of its own on the RSEs that an expression means any more."""
    return await _delete(configure, account, [say.read_expression(rse_expression)])


legacy.add_api_route("/{account}/{rse}", set_local, methods=["POST"], status_code=201)
legacy.add_api_route("/{account}/{rse}", delete_local, methods=["DELETE"])


async def _delete(configure: Configure, account: str, spellings: Sequence[str]) -> Response:
    async with configure() as config:
        if not await _set(config, account, spellings, None):
            raise LimitNotFound(account=account[:100], rse_expression=spellings[0][:100])
    return Response(None, 200)


async def _set(config: Configuration, account: str | None, spellings: Sequence[str], size: int | None) -> int:
    """Let the documents that limit an account so, or a new one, say this size, or with None be gone; count them.

    Without an account, those that limit the VO as a whole.
    """
    fresh = f"rucio.{uuid.uuid4().hex[:16]}"
    await config.read(KIND, fresh)
    if account is None:
        known = await _of_all(config.conn, config.caller.vo)
    else:
        known = await _quotas(config.conn, await identity.get_account(config.conn, config.caller.vo, account))
    there = [quota.name for quota in known if quota.rse_expression in spellings]
    said = {} if account is None else {"account": account}
    spec = None if size is None else {**said, "rse_expression": spellings[-1], "size": size}
    await config.put_all((KIND, name, spec) for name in there or ([] if size is None else [fresh]))
    return len(there)


# ---- of all of the VO together


async def _of_all(conn: Connection, vo: int) -> list[Quota]:
    return [quota for quota in await rules.list_quotas(conn, vo, page=("", MOST)) if quota.account is None]


@of_rses.get("/{rse}/limits", dependencies=[Json])
async def rse_limits(rse: str, caller: RucioCaller, conn: RucioTransaction) -> dict[str, int]:
    """Say how many bytes the VO may have on an RSE, where a quota for all of it together says so."""
    there = await rses.get(conn, rse)
    size = say.local(await _of_all(conn, caller.vo), [there]).get(there.name)
    return {} if size is None else {SPACE: size}


@of_rses.put("/{rse}/limits")
async def set_rse_limit(rse: str, body: RseLimitIn, configure: RucioConfigure) -> Response:
    """Let the VO have so many bytes on an RSE, or as many as there are."""
    async with configure() as config:
        there = await rses.get(config.conn, rse, vo=config.caller.vo)
        await _set(config, None, [there.name, f"rse={there.name}"], body.size)
    return Response(None, 200)


@of_rses.delete("/{rse}/limits")
async def delete_rse_limit(rse: str, body: RseLimitNamed, configure: RucioConfigure) -> Response:
    """Let the VO have as many bytes on an RSE as there are."""
    async with configure() as config:
        there = await rses.get(config.conn, rse, vo=config.caller.vo)
        if not await _set(config, None, [there.name, f"rse={there.name}"], None):
            raise RseLimitNotFound(name=body.name, rse=rse)
    return Response(None, 200)


# ---- usage


@router.get("/{account}/usage", dependencies=[Streams])
@router.get("/{account}/usage/", dependencies=[Streams])
@router.get("/{account}/usage/local", dependencies=[Streams])
async def local_usage(account: str, caller: RucioCaller, conn: RucioSnapshot) -> StreamingResponse:
    """Stream what an account locks on RSEs, or has a limit on, uploads under way included."""
    known = await identity.get_account(conn, caller.vo, account)
    seen = await rses.rses(conn)
    return await stream_of(_once(say.local_usage(await _usage(conn, known), await _quotas(conn, known), seen)))


@router.get("/{account}/usage/global", dependencies=[Streams])
async def global_usage(account: str, caller: RucioCaller, conn: RucioSnapshot) -> StreamingResponse:
    """Stream what an account uses of its limits on sets of RSEs."""
    known = await identity.get_account(conn, caller.vo, account)
    seen = await rses.rses(conn)
    wide = [q for q in await _quotas(conn, known) if say.rse_alone(q.rse_expression, seen) is None]
    used = await _usage(conn, known)
    return await stream_of(_once([say.global_usage(q.rse_expression, used, q.rse_ids, q.limit) for q in wide]))


@router.get("/{account}/usage/history/{rse}", dependencies=[Json])
async def usage_history(account: str, rse: str, caller: RucioCaller, conn: RucioTransaction) -> list[dict[str, Any]]:
    """Say what an account locked on an RSE at the end of the days on which that changed."""
    known = await identity.get_account(conn, caller.vo, account)
    there = await rses.get(conn, rse)
    found = await rules.usage_history(conn, caller.vo, known.account_id, there.rse_id)
    return [say.usage_on(one) for one in reversed(found)]


@of_rses.get("/{rse}/accounts/usage", dependencies=[Streams])
async def usage_by_account(rse: str, caller: RucioCaller, conn: RucioSnapshot) -> StreamingResponse:
    """Stream what each account locks on an RSE, and its limit there."""
    there = await rses.get(conn, rse)
    quotas = [q for q in await rules.list_quotas(conn, caller.vo, page=("", MOST)) if q.account is not None]
    used = await rules.usage(conn, caller.vo, rse_id=there.rse_id, page=(0, 0, MOST))
    return await stream_of(_once(say.usage_by_account(there, used, quotas)))


@router.get("/{account}/usage/{rse}", dependencies=[Streams])
@router.get("/{account}/usage/local/{rse}", dependencies=[Streams])
async def usage_on(account: str, rse: str, caller: RucioCaller, conn: RucioSnapshot) -> StreamingResponse:
    """Say what an account locks on an RSE."""
    known = await identity.get_account(conn, caller.vo, account)
    there = await rses.get(conn, rse)
    here = [used for used in await _usage(conn, known) if used.rse_id == there.rse_id]
    return await stream_of(_once([say.usage_row(there, here, say.local(await _quotas(conn, known), [there]).get(rse))]))


@router.get("/{account}/usage/global/{rse_expression:path}", dependencies=[Streams])
async def usage_by_expression(
    account: str, rse_expression: str, caller: RucioCaller, conn: RucioSnapshot
) -> StreamingResponse:
    """Say what an account locks on the RSEs that an expression means."""
    known = await identity.get_account(conn, caller.vo, account)
    expression = say.read_expression(rse_expression)
    meant = [rse.rse_id for rse in await rses.resolve(conn, expression)]
    limit = min((q.limit for q in await _quotas(conn, known) if q.rse_expression == expression), default=None)
    return await stream_of(_once([say.global_usage(expression, await _usage(conn, known), meant, limit)]))


async def _once(documents: Iterable[Any]) -> AsyncIterator[Iterable[Any]]:
    yield documents
