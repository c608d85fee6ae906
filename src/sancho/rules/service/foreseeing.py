"""What would come of placing what a rule lacks, for whoever asks why it is stuck; nothing is changed."""

from collections.abc import Sequence

from sancho.dids.model import File
from sancho.kit.db import Connection
from sancho.rses.errors import RseExpressionEmpty, RseExpressionInvalid
from sancho.rules import plan
from sancho.rules.errors import TooFewRses
from sancho.rules.model import BATCH, Candidate, Prospect, Quota, Target
from sancho.rules.service.placing import demands_of, options
from sancho.rules.service.quotas import exceeded
from sancho.rules.store import facts, locks, quotas


async def foresee(conn: Connection, vo: int, rule_id: int) -> Prospect | None:
    """What would come of placing what a rule lacks now, of up to `BATCH` files; None when it lacks nothing.

    It is found with the decisions that placement makes, given a little more room, one RSE more, or fewer copies.
    """
    target = await locks.target(conn, vo, rule_id)
    files = [] if target is None else await facts.files_lacking(conn, vo, target, 0, BATCH)
    if target is None or not files:
        return None
    return await (_placed if target.rse_ids else _chosen)(conn, vo, target, files)


async def _chosen(conn: Connection, vo: int, target: Target, files: Sequence[File]) -> Prospect:
    """Of a rule that has no RSEs yet."""
    total = (len(files), sum(file.size for file in files))
    try:
        candidates, over = await options(conn, vo, target, [file.did_id for file in files])
    except (RseExpressionEmpty, RseExpressionInvalid) as e:
        return Prospect(*total, reason=str(e))

    def choose(able: Sequence[Candidate], rooms: Sequence[Quota], copies: int = target.copies) -> plan.Choice:
        return plan.choose(able, copies=copies, files=total, account_id=target.account_id, quotas=rooms)

    choice = choose(candidates, over)
    if choice.rse_ids:
        return Prospect(*total)
    fewer = next((n for n in range(target.copies - 1, 0, -1) if choose(candidates, over, n).rse_ids), None)
    if choice.refused is not None:
        lacking = plan.room_lacking(over, lambda rooms: choose(candidates, rooms).refused)
        return Prospect(*total, reason=str(exceeded(*choice.refused)), lacking=tuple(lacking), copies=fewer)
    would_do = [
        one.name
        for n, one in enumerate(candidates)
        if not one.writable
        and choose([*candidates[:n], one._replace(writable=True), *candidates[n + 1 :]], over).rse_ids
    ]
    few = TooFewRses(copies=target.copies, found=choice.found, rse_expression=target.rse_expression)
    return Prospect(*total, reason=str(few), unwritable=tuple(would_do), copies=fewer)


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
