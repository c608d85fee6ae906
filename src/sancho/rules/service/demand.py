"""What jobs want is kept for them: counted, pinned while it is wanted, and let go after the last of them has ended.

Who changes demand or pins is alone in the VO. Locks are taken in the order of placing; a worker may be killed between
any two steps, for each looks at what is there.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sancho.dids import service as dids
from sancho.identity import service as identity
from sancho.kit import faults, telemetry
from sancho.kit.db import Connection
from sancho.kit.deployment import Deployment
from sancho.kit.tasks import defer
from sancho.rses import service as rses
from sancho.rses.errors import RseExpressionEmpty, RseExpressionInvalid
from sancho.rules import plan
from sancho.rules.model import (
    BATCH,
    DEMAND_ACCOUNT,
    GRACE,
    RECALL,
    RECALLS,
    Demand,
    Pin,
    TapeRse,
    Target,
    Want,
    Wanted,
)
from sancho.rules.service.placing import place_affordable
from sancho.rules.store import demand, locks, quotas, rows
from sancho.vos import service as vos

LOOK_EVERY = timedelta(minutes=5)
"""So often the replicas of what is wanted are seen to, whether something happened to them or not."""
AT_ONCE = 500
"""DIDs that one transaction sees to."""
ROUNDS = 20
"""Transactions that one run makes at most."""
ACTIVITY = "demand"
_pinned = faults.point("rules.pinned")
_log = telemetry.log(__name__)


async def want(conn: Connection, vo: int, wanted: Sequence[Demand]) -> None:
    """Let this be all that jobs of a VO want: call `alone` first, and count after it. Safe to run twice.

    What is wanted anew is pinned in the background; pins that nobody wants any more end after a grace.
    """
    known = await dids.tallies(conn, vo, [one.did_id for one in wanted])
    sized = [one._replace(files=known[one.did_id].files, size=known[one.did_id].size) for one in wanted]
    new = await demand.put(conn, vo, sized)
    changing = await demand.lock_changing(conn, vo)
    if changing:
        await demand.end_or_keep(conn, vo, changing, GRACE)
    if new:
        await defer(conn, "rules:pin", once=f"rules:pin:{vo}", vo=vo)


async def alone(conn: Connection, vo: int) -> None:
    """Be the only one who counts what jobs of a VO want, and pins it, until the transaction ends."""
    await demand.alone(conn, vo)


async def wanted(conn: Connection, vo: int, did_ids: Sequence[int]) -> dict[int, Wanted]:
    """How many jobs want each of these DIDs by its name, as it was last counted; those that nobody wants are left out.

    It says which rule pins what, if any: where rules hold all of it anyway, none needs to.
    """
    return await demand.of_dids(conn, vo, did_ids)


async def pin(deployment: Deployment, vo: int, did_ids: Sequence[int] | None = None) -> None:
    """Hold what jobs want, of these DIDs or of all that are due, batch by batch, and recall what is on tape alone.

    Safe to run twice, and at once.
    """
    for _ in range(ROUNDS):
        async with deployment.database.transaction([vo]) as conn:
            seen = await pin_some(conn, vo, did_ids)
        _pinned()
        if did_ids is not None or not seen:
            break
    async with deployment.database.transaction([vo]) as conn:
        await recall(conn, vo)


async def pin_some(conn: Connection, vo: int, did_ids: Sequence[int] | None = None) -> list[int]:
    """Hold what jobs want, of these DIDs or of the first that are due; return those that were seen to.

    For each file that is the replica where most of its DID is, unless something holds that anyway, or nobody may
    delete it. A VO without room for it in its quotas is told by the rule, which is tried again.
    """
    await demand.alone(conn, vo)
    roots = (
        sorted(did_ids) if did_ids is not None else await demand.due(conn, vo, LOOK_EVERY, most=AT_ONCE, files=BATCH)
    )
    if not roots:
        return []
    await locks.lock_collections(conn, vo, roots)
    chosen = plan.pins(await demand.copies(conn, vo, roots))
    if chosen:
        account_id = await identity.ensure_service_account(conn, vo, DEMAND_ACCOUNT)
        await _hold(conn, vo, account_id, chosen, ACTIVITY)
    await demand.note_looked(conn, vo, roots)
    return roots


async def recall(conn: Connection, vo: int) -> int:
    """Ask for the next files that jobs want and that are on tape alone; say how many. Safe to run twice, and at once.

    They come in the order in which they are on their tapes, as many at once as the RSE takes, to its `recall_to` or
    else to disks of its site, as far as quotas have room; each is held there as what is pinned.
    """
    await demand.alone(conn, vo)
    under_way = await demand.tapes(conn, vo)
    if not under_way:
        return 0
    found = await demand.on_tape(conn, vo, list(under_way), BATCH)
    if not found:
        return 0
    tapes = await _tapes(conn, vo, under_way)
    account_id = await identity.ensure_service_account(conn, vo, DEMAND_ACCOUNT)
    disks = sorted({disk_id for tape in tapes for disk_id in tape.disk_ids})
    rooms = await quotas.quotas_over(conn, vo, [account_id], disks) if disks else []
    chosen = plan.recalls(found, tapes, account_id, rooms)
    if chosen:
        await locks.lock_collections(conn, vo, sorted({one.root for one in chosen}))
        await _hold(conn, vo, account_id, chosen, RECALL)
    return len(chosen)


async def _tapes(conn: Connection, vo: int, under_way: Mapping[int, int]) -> list[TapeRse]:
    """The tape RSEs of which this many recalls are under way, with the disks that they go to."""
    known = await rses.rses(conn, vo=vo)
    found: list[TapeRse] = []
    for tape in known:
        if tape.rse_id not in under_way:
            continue
        said, most = tape.attributes.get("recall_to"), tape.attributes.get("recalls")
        try:
            to = [rse for rse in known if rse.site_id == tape.site_id]
            if isinstance(said, str):
                to = await rses.resolve(conn, said, vo=vo)
        except (RseExpressionEmpty, RseExpressionInvalid) as e:
            _log.warning("nothing can be recalled from a tape", rse=tape.name, reason=str(e))
            continue
        disks = tuple(rse.rse_id for rse in to if rse.writable and rse.attributes.get("istape") is not True)
        room = (most if isinstance(most, int) and not isinstance(most, bool) else RECALLS) - under_way[tape.rse_id]
        found.append(TapeRse(tape.rse_id, disks, room))
    return found


async def _hold(conn: Connection, vo: int, account_id: int, chosen: Sequence[Pin], activity: str) -> None:
    """Hold replicas for the DIDs that they are wanted by; those that are to be made are asked for in this order."""
    rule_of = await _rules_for(conn, vo, account_id, sorted({one.root for one in chosen}))
    wants = [Want(one.did_id, one.rse_id, rule_of[one.root], one.size) for one in chosen]
    in_turn = tuple(one.did_id for one in chosen) if activity == RECALL else ()
    targets = [Target(rule_id, account_id, root, 1, "*", (), activity, in_turn) for root, rule_id in rule_of.items()]
    lacking = await place_affordable(conn, vo, targets, sorted(wants), lacking={})
    whole = sorted(set(rule_of.values()) - lacking.keys())
    await rows.lock_rules(conn, vo, whole)
    await demand.mark_pinned(conn, vo, whole)


async def _rules_for(conn: Connection, vo: int, account_id: int, roots: Sequence[int]) -> dict[int, int]:
    """The rules that pin for these DIDs, made where there is none."""
    known = await demand.pins(conn, vo, roots)
    missing = [root for root in roots if root not in known]
    if missing:
        version = await vos.current_version(conn)
        known |= await demand.insert_pins(conn, vo, account_id, missing, activity=ACTIVITY, version=version)
    return known
