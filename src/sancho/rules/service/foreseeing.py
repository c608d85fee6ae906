"""What would come of a rule, or of placing what one lacks; nothing is changed.

For whoever thinks of a rule, and whoever asks why one is stuck.
"""

from collections.abc import Sequence
from datetime import timedelta

from sancho.accounting import service as accounting
from sancho.dids import service as dids
from sancho.dids.model import Did, File
from sancho.kit.access import Principal, require
from sancho.kit.db import Connection
from sancho.kit.policy import did as thing
from sancho.rses.errors import RseExpressionEmpty, RseExpressionInvalid
from sancho.rules import plan
from sancho.rules.errors import TooFewRses
from sancho.rules.model import BATCH, LARGE, Candidate, Preview, PreviewOn, Prospect, Quota, RuleRequest, Target
from sancho.rules.service.placing import demands_of, options
from sancho.rules.service.quotas import exceeded
from sancho.rules.store import facts, locks, quotas

LONGEST = timedelta(days=365)
"""What would take longer takes nobody knows how long: so little has come of late that it says no speed."""


async def foresee(conn: Connection, vo: int, rule_id: int) -> Prospect | None:
    """What would come of placing what a rule lacks now, of up to `BATCH` files; None when it lacks nothing.

    It is found with the decisions that placement makes, given a little more room, one RSE more, or fewer copies.
    """
    target = await locks.target(conn, vo, rule_id)
    files = [] if target is None else await facts.files_lacking(conn, vo, target, 0, BATCH)
    if target is None or not files:
        return None
    return await (_placed if target.rse_ids else _chosen)(conn, vo, target, files)


async def preview(conn: Connection, caller: Principal, request: RuleRequest) -> Preview:
    """What would come of a rule, for an account that may `rules:create`; raises `DidNotFound`, and as `rses.resolve`.

    It is found with the decisions that placement makes. Of a DID with more than `LARGE` files only the first say what
    is where, as they do when such a rule is made.
    """
    require(caller, "rules:create", on=[thing(request.did)])
    did = await dids.get(conn, caller.vo, request.did)
    target = Target(
        0, caller.account_id, did.did_id, request.copies, request.rse_expression, (), request.activity
    )  # fmt: skip
    total, files = await _below(conn, did, target)
    candidates, over = await options(conn, caller.vo, target, [file.did_id for file in files])
    rse_ids, prospect = _decided(target, total, candidates, over)
    seen = (len(files), sum(file.size for file in files))
    speeds = await accounting.speeds(conn, caller.vo, rse_ids)
    places = [_place(one, total, seen, speeds.get(one.rse_id)) for one in candidates if one.rse_id in rse_ids]
    charged = [(quota, total[1] * sum(quota.covers(caller.account_id, rse) for rse in rse_ids)) for quota in over]
    return Preview(
        prospect=prospect, places=tuple(places), quotas=tuple(pair for pair in charged if pair[1] or not rse_ids),
        looked_at=len(files) if len(files) < total[0] else None,
    )  # fmt: skip


async def _below(conn: Connection, did: Did, target: Target) -> tuple[tuple[int, int], list[File]]:
    """How many files are below a DID, and their bytes; and the files, or the first of them if they are very many."""
    tally = await dids.info(conn, did)
    if tally.files > LARGE:
        return (tally.files, tally.size), await facts.files_lacking(conn, did.vo, target, 0, BATCH)
    files = await dids.files(conn, did.vo, [did.did_id])
    return (len(files), sum(file.size for file in files)), files


def _place(one: Candidate, total: tuple[int, int], seen: tuple[int, int], speed: float | None) -> PreviewOn:
    """What is to be copied to an RSE, were all files as those that were looked at."""
    size = total[1]
    to_copy = size - (size * one.size // seen[1] if seen[1] else 0)
    seconds = to_copy / speed if speed else LONGEST.total_seconds()
    time = timedelta(0) if not to_copy else timedelta(seconds=seconds) if seconds < LONGEST.total_seconds() else None
    return PreviewOn(one.name, one.files, one.size, to_copy, time)


async def _chosen(conn: Connection, vo: int, target: Target, files: Sequence[File]) -> Prospect:
    """Of a rule that has no RSEs yet."""
    total = (len(files), sum(file.size for file in files))
    try:
        candidates, over = await options(conn, vo, target, [file.did_id for file in files])
    except (RseExpressionEmpty, RseExpressionInvalid) as e:
        return Prospect(*total, reason=str(e))
    return _decided(target, total, candidates, over)[1]


def _decided(
    target: Target, total: tuple[int, int], candidates: Sequence[Candidate], over: Sequence[Quota]
) -> tuple[tuple[int, ...], Prospect]:
    """The RSEs that placement would choose for files, given as (number, bytes), or what stands in the way."""

    def choose(able: Sequence[Candidate], rooms: Sequence[Quota], copies: int = target.copies) -> plan.Choice:
        return plan.choose(able, copies=copies, files=total, account_id=target.account_id, quotas=rooms)

    choice = choose(candidates, over)
    if choice.rse_ids:
        return choice.rse_ids, Prospect(*total)
    fewer = next((n for n in range(target.copies - 1, 0, -1) if choose(candidates, over, n).rse_ids), None)
    if choice.refused is not None:
        lacking = plan.room_lacking(over, lambda rooms: choose(candidates, rooms).refused)
        return (), Prospect(*total, reason=str(exceeded(*choice.refused)), lacking=tuple(lacking), copies=fewer)
    would_do = [
        one.name
        for n, one in enumerate(candidates)
        if not one.writable
        and choose([*candidates[:n], one._replace(writable=True), *candidates[n + 1 :]], over).rse_ids
    ]
    few = TooFewRses(copies=target.copies, found=choice.found, rse_expression=target.rse_expression)
    return (), Prospect(*total, reason=str(few), unwritable=tuple(would_do), copies=fewer)


async def _placed(conn: Connection, vo: int, target: Target, files: Sequence[File]) -> Prospect:
    """Of a rule whose RSEs are chosen: what is left to ask is whether its quotas have the room."""
    wants = await locks.wants_above(conn, vo, [target], [file.did_id for file in files])
    demands = demands_of({target.rule_id: target}, wants)
    pairs = demands.get(target.rule_id, {})
    rooms = await quotas.quotas_over(conn, vo, [account for account, _ in pairs], [rse for _, rse in pairs])

    def refused(rooms: Sequence[Quota]) -> tuple[Quota, int] | None:
        return plan.affordable(demands, rooms).get(target.rule_id)

    total = (len(files), sum(want.size for want in wants))
    first = refused(rooms)
    if first is None:
        return Prospect(*total)
    return Prospect(*total, reason=str(exceeded(*first)), lacking=tuple(plan.room_lacking(rooms, refused)))
