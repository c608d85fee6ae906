"""Rucio's rules change: by options, approved, denied, moved, reduced; and their history."""

from fastapi import APIRouter, Depends, Response

from sancho.compat.rucio import rules_translate as say
from sancho.compat.rucio.caller import RucioCaller, RucioSnapshot, RucioTransaction, gives
from sancho.compat.rucio.rules_caller import Number
from sancho.compat.rucio.rules_wire import ChangeIn, MoveIn, Options, Override, ReduceIn
from sancho.compat.rucio.streams import JSON_STREAM, stream_of
from sancho.compat.rucio.translate import id_of
from sancho.dids import service as dids
from sancho.rules import service
from sancho.rules.model import Change

STREAMS = [Depends(gives(JSON_STREAM))]
KEPT = {"lifetime", "comment", "account", "activity", "locked"}
"""Options that change what a rule asks for."""
router = APIRouter(prefix="/rucio/rules", include_in_schema=False, strict_content_type=False)


@router.put("/{rule_id}")
async def change(rule_id: Number, body: ChangeIn, caller: RucioCaller, conn: RucioTransaction) -> Response:
    """Approve or deny a rule that waits, or change what it asks for, and try now what is stuck."""
    options = body.options
    if options.approve is not None:
        await _decide(conn, caller, rule_id, options)
        return Response(None, 200)
    fields = frozenset(options.model_fields_set & KEPT)
    said = Change(
        fields, options.lifetime, options.comment, options.activity or "default", options.locked, options.account
    )
    await service.change(conn, caller, rule_id, said)
    if options.boost_rule or options.state is not None:
        await service.retry(conn, caller, rule_id)
    return Response(None, 200)


async def _decide(conn: RucioTransaction, caller: RucioCaller, rule_id: int, options: Options) -> None:
    if options.approve:
        await service.approve(conn, caller, rule_id)
    else:
        await service.deny(conn, caller, rule_id, options.comment)


@router.post("/{rule_id}/move", status_code=201)
async def move(rule_id: Number, body: MoveIn, caller: RucioCaller, conn: RucioTransaction) -> str:
    """Have the copies of a rule elsewhere; say the id of the rule that takes its place once it is ok."""
    said = body.override or Override()
    fields = frozenset(said.model_fields_set)
    instead = Change(fields, said.lifetime, said.comment, said.activity, copies=said.copies)
    return id_of((await service.move(conn, caller, rule_id, body.rse_expression, instead)).rule_id)


@router.post("/{rule_id}/reduce")
async def reduce(rule_id: Number, body: ReduceIn, caller: RucioCaller, conn: RucioTransaction) -> str:
    """Let a rule ask for fewer copies; it stays the same rule."""
    return id_of((await service.reduce(conn, caller, rule_id, body.copies, exclude=body.exclude_expression)).rule_id)


@router.get("/{rule_id}/history", dependencies=STREAMS)
async def rule_history(rule_id: Number, caller: RucioCaller, conn: RucioSnapshot) -> Response:
    """Stream what was done to a rule, newest first; raises `RuleNotFound` for one that never was."""
    await service.history(conn, caller.vo, rule_id=rule_id, page=(0, 1))
    found = service.stream_history(conn, caller.vo, rule_id=rule_id)
    return await stream_of([say.event_of(event) for event in some] async for some in found)


@router.get("/{scope}/{name:path}/history", dependencies=STREAMS)
async def did_history(scope: str, name: str, caller: RucioCaller, conn: RucioSnapshot) -> Response:
    """Stream what was done to the rules on a DID, newest first."""
    did = await dids.get(conn, caller.vo, f"{scope}:{name}")
    found = service.stream_history(conn, caller.vo, did_id=did.did_id)
    return await stream_of([say.event_of(event) for event in some] async for some in found)
