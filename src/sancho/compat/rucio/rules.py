"""Rucio's rules and locks. A rule's id is our number in 32 hex digits."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from sancho.compat.rucio import rules_translate as say
from sancho.compat.rucio.caller import RucioCaller, RucioSnapshot, RucioTransaction, gives, refuse_unserved
from sancho.compat.rucio.errors import NotForOthers, PartNotServed
from sancho.compat.rucio.rules_caller import Number
from sancho.compat.rucio.rules_wire import Datasets, Dids, LeaveIn, RuleIn, RulesQuery
from sancho.compat.rucio.streams import JSON_STREAM, stream_of
from sancho.compat.rucio.translate import id_of
from sancho.dids import service as dids
from sancho.dids.model import Did, DidKind
from sancho.identity import service as identity
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.replicas import service as replicas
from sancho.replicas.model import ReplicaKey, ReplicaState
from sancho.rses import service as rses
from sancho.rules import service
from sancho.rules.model import Asked, LockState, Rule, RuleRequest
from sancho.transfers import service as transfers

GRACE = timedelta(hours=1)
"""How long a rule that is withdrawn still holds."""
EXAMINED = 100
"""Locks without their files that an analysis names."""
ONE = [Depends(gives("application/json"))]
STREAMS = [Depends(gives(JSON_STREAM))]
router = APIRouter(prefix="/rucio/rules", include_in_schema=False, strict_content_type=False)
of_dids = APIRouter(prefix="/rucio/dids", include_in_schema=False, dependencies=STREAMS)
of_accounts = APIRouter(prefix="/rucio/accounts", include_in_schema=False, dependencies=STREAMS)
locks = APIRouter(prefix="/rucio/locks", include_in_schema=False, strict_content_type=False, dependencies=STREAMS)


@router.post("/", status_code=201)
@router.post("", status_code=201)
async def create(body: RuleIn, caller: RucioCaller, conn: RucioTransaction) -> list[str]:
    """Make a rule for each of some DIDs, all or none, for the caller itself; say their ids."""
    if body.account not in (None, caller.account):
        raise NotForOthers(account=body.account or "")
    found = await dids.resolve(conn, caller.vo, [did.did for did in body.dids])
    if body.grouping == "NONE":
        await _refuse_spreading(conn, caller, found, body)
    asked = [
        RuleRequest(
            did=did.did, copies=body.copies, rse_expression=body.rse_expression, lifetime=body.lifetime,
            activity=body.activity or "default", comment=body.comment, ask_approval=body.ask_approval,
        )
        for did in found
    ]  # fmt: skip
    return [id_of(rule.rule_id) for rule in await service.create_all(conn, caller, asked)]


async def _refuse_spreading(conn: Connection, caller: Principal, found: Sequence[Did], body: RuleIn) -> None:
    """Raise `PartNotServed` for the first DID whose files would have to be placed one by one.

    Where there are no more RSEs than copies, each file goes to all of them, however they are grouped.
    """
    spread = next((did for did in found if did.kind is not DidKind.FILE), None)
    if spread is not None and len(await rses.resolve(conn, body.rse_expression, vo=caller.vo)) > body.copies:
        raise PartNotServed(
            part="grouping NONE", what=f"a rule on {spread.did}, which is no file, over more RSEs than copies,"
        )


@router.get("/", dependencies=STREAMS)
@router.get("", dependencies=STREAMS)
async def list_rules(query: Annotated[RulesQuery, Query()], caller: RucioCaller, conn: RucioSnapshot) -> Response:
    """Stream the rules of the VO, or those that are asked for, newest first."""
    if query.is_of_none:
        return await stream_of(_once(()))
    asked = Asked(
        account=query.account, scope=query.scope, name=query.name, state=say.state_of(query.state),
        rse_expression=query.rse_expression, activity=query.activity,
        kind=DidKind(query.did_type[0]) if query.did_type else None, since=query.created_after,
        before=query.created_before, copies=query.copies, locked=query.locked,
        comment=query.comments,
    )  # fmt: skip
    return await _rules(conn, caller.vo, asked)


@router.get("/{rule_id}", dependencies=ONE)
async def show(rule_id: Number, caller: RucioCaller, conn: RucioTransaction) -> dict[str, Any]:
    """Show a rule and how far it is carried out."""
    return say.rule_of(await service.show(conn, caller.vo, rule_id))


@router.delete("/{rule_id}")
async def delete(
    rule_id: Number,
    caller: RucioCaller,
    conn: RucioTransaction,
    body: LeaveIn | None = None,  # noqa: ARG001 - said
) -> Response:
    """Withdraw a rule: it ends in an hour, as in Rucio."""
    await service.delete(conn, caller, rule_id, grace=GRACE)
    return Response(None, 200)


@router.get("/{rule_id}/locks", dependencies=STREAMS)
async def rule_locks(rule_id: Number, caller: RucioCaller, conn: RucioSnapshot) -> Response:
    """Stream the locks of a rule."""
    await service.get(conn, caller.vo, rule_id)
    return await stream_of(
        [say.lock_of(lock, rule_id) for lock in some] async for some in service.stream_locks(conn, caller.vo, rule_id)
    )


@router.get("/{rule_id}/analysis", dependencies=ONE)
async def analyse(rule_id: Number, caller: RucioCaller, conn: RucioTransaction) -> dict[str, Any]:
    """Say why a rule is not carried out, and name the first of its files that do not come."""
    rule = await service.show(conn, caller.vo, rule_id)
    found = await service.list_locks(conn, caller.vo, rule_id) if rule.stuck else []
    stuck = [lock for lock in found if lock.state is LockState.STUCK][:EXAMINED]
    keys = [ReplicaKey(lock.did_id, lock.rse_id) for lock in stuck]
    tried = await transfers.tried(conn, caller.vo, keys)
    known = {rse.rse_id: rse.name for rse in await rses.rses(conn)}
    sources: dict[int, list[str]] = {}
    for one in await replicas.list(conn, caller.vo, [key.did_id for key in keys]):
        if one.state is ReplicaState.AVAILABLE and one.rse_id in known:
            sources.setdefault(one.did_id, []).append(known[one.rse_id])
    return {
        "rule_error": rule.error or say.STATES[rule.state],
        "transfers": [
            say.trouble_of(lock, tried.get(key), sources.get(key.did_id, ()))
            for lock, key in zip(stuck, keys, strict=True)
        ],
    }


@of_dids.get("/{scope}/{name:path}/rules")
async def rules_on(scope: str, name: str, caller: RucioCaller, conn: RucioSnapshot) -> Response:
    """Stream the rules on a DID."""
    await dids.get(conn, caller.vo, f"{scope}:{name}")
    asked = Asked(scope=scope, name=name)
    return await _rules(conn, caller.vo, asked)


@of_dids.get("/{scope}/{name:path}/associated_rules")
async def rules_over(scope: str, name: str, caller: RucioCaller, conn: RucioSnapshot) -> Response:
    """Say which rules hold a DID: those on it, and on whatever it is in."""
    did = await dids.get(conn, caller.vo, f"{scope}:{name}")
    return await stream_of(_once(await service.over(conn, did)))


@of_accounts.get("/{account}/rules")
async def rules_of(account: str, caller: RucioCaller, conn: RucioSnapshot) -> Response:
    """Stream the rules of an account, newest first."""
    await identity.get_account(conn, caller.vo, account)
    asked = Asked(account=account)
    return await _rules(conn, caller.vo, asked)


@locks.post("/bulk_locks_for_dids")
async def locks_of_many(body: Dids, caller: RucioCaller, conn: RucioSnapshot) -> Response:
    """Stream what rules hold of the datasets among and below some DIDs."""
    return await _held(conn, caller.vo, await dids.resolve(conn, caller.vo, [did.did for did in body.dids]))


@locks.get("/{rse}")
async def locks_on(
    rse: str,
    query: Annotated[Datasets, Query()],  # noqa: ARG001 - it must be said
    caller: RucioCaller,
    conn: RucioSnapshot,
) -> Response:
    """Stream what rules hold of datasets on an RSE."""
    one = await rses.get(conn, rse)
    found = service.dataset_locks_on(conn, caller.vo, one.rse_id)
    return await stream_of([say.dataset_lock_of(lock) for lock in some] async for some in found)


@locks.get("/{scope}/{name:path}", dependencies=[Depends(refuse_unserved)])
async def locks_of(
    scope: str,
    name: str,
    query: Annotated[Datasets, Query()],  # noqa: ARG001 - it must be said
    caller: RucioCaller,
    conn: RucioSnapshot,
) -> Response:
    """Stream what rules hold of a dataset, or of those in a container."""
    return await _held(conn, caller.vo, [await dids.get(conn, caller.vo, f"{scope}:{name}")])


async def _rules(conn: Connection, vo: int, asked: Asked) -> Response:
    return await stream_of([say.rule_of(rule) for rule in some] async for some in service.stream(conn, vo, asked))


async def _held(conn: Connection, vo: int, found: list[Did]) -> Response:
    return await stream_of(
        [say.dataset_lock_of(lock) for lock in some] async for some in service.dataset_locks(conn, vo, found)
    )


async def _once(rules: Iterable[Rule]) -> AsyncIterator[Iterable[Any]]:
    yield [say.rule_of(rule) for rule in rules]
