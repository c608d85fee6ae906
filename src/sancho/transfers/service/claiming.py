"""Requests are taken from the queue with a lease, and given back when their worker dies."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sancho.kit import faults, telemetry
from sancho.kit.db import Connection, all_vos
from sancho.kit.deployment import Deployment
from sancho.kit.tasks import defer
from sancho.rses import service as rses
from sancho.rses.model import Operation, Rse
from sancho.transfers import plan
from sancho.transfers.model import Claimed, Failure, RequestState, Started
from sancho.transfers.service.recording import give_back
from sancho.transfers.store import claims
from sancho.transfers.store.claims import Attempt, Ready

LEASE = timedelta(seconds=20)
"""How long an attempt belongs to its worker unless it says that it lives."""
RECOVERED_AT_ONCE = 500
NO_SOURCE = "no source: no RSE that can be read and has a link to the destination has the file"

_claimed = faults.point("transfers.claimed")
_log = telemetry.log(__name__)


async def claim(deployment: Deployment, limit: int) -> list[Started]:
    """Take up to `limit` requests, the VOs in turn, and choose their sources; each is ours while its lease lasts.

    Requests without a source are put back with the reason, for later; after some tries they have failed.
    """
    now = deployment.clock.now()
    vos = await all_vos(deployment.database)
    async with deployment.database.transaction(vos) as conn:
        ready = await claims.claim_ready(conn, vos, now, limit)
        claimed = await claims.activate(conn, ready) if ready else []
        if not claimed:
            return []
        seen = await rses.rses(conn)
        sources, targets = rses.reached(seen, Operation.COPY_FROM), rses.reached(seen, Operation.COPY_TO)
        chosen, paths = await _choose(conn, claimed, sources)
        closed = [c for c in claimed if not plan.takes(targets, c.rse_id)]
        sourced = [c for c in claimed if c not in closed and chosen[c.request_id] is not None]
        await _put_back(conn, closed, "the destination cannot be written now", now)
        sourceless = [c for c in claimed if c not in closed and c not in sourced]
        await _put_back(conn, sourceless, NO_SOURCE, now, limit=plan.SOURCELESS_TRIES)
        started = await _begin(conn, sourced, chosen, (sources, targets), now + LEASE)
    _claimed()
    return [
        replace(one, source_path=paths.get((one.request.vo, one.request.did_id, one.source.rse_id))) for one in started
    ]


async def _choose(
    conn: Connection, claimed: Sequence[Claimed], known: Mapping[int, Rse]
) -> tuple[dict[int, int | None], dict[tuple[int, int, int], str]]:
    """The source of each request, by its id, and where sources lie that are said to lie elsewhere than by id."""
    distances = await rses.distances(conn)
    holders: dict[tuple[int, int], list[int]] = {}
    paths: dict[tuple[int, int, int], str] = {}
    for vo, did_id, rse_id, path in await claims.sources(conn, [(c.vo, c.did_id) for c in claimed]):
        if plan.gives(known, rse_id):
            holders.setdefault((vo, did_id), []).append(rse_id)
        if path is not None:
            paths[vo, did_id, rse_id] = path
    chosen = {
        c.request_id: plan.choose_source(
            plan.routes(holders.get((c.vo, c.did_id), ()), c.rse_id, distances), c.failed_rse_ids
        )
        for c in claimed
    }
    return chosen, paths


async def _begin(
    conn: Connection, sourced: Sequence[Claimed], chosen: Mapping[int, int | None],
    known: tuple[Mapping[int, Rse], Mapping[int, Rse]], lease_until: datetime,
) -> list[Started]:  # fmt: skip
    if not sourced:
        return []
    sources, targets = known
    attempts = [Attempt(c.vo, c.request_id, chosen[c.request_id] or 0) for c in sourced]
    ids = await claims.insert_attempts(conn, attempts, lease_until)
    return [
        Started(ids[c.request_id], c, sources[attempt.source_rse_id], targets[c.rse_id])
        for c, attempt in zip(sourced, attempts, strict=True)
    ]


async def _put_back(
    conn: Connection, unsourced: Sequence[Claimed], reason: str, now: datetime, *, limit: int = plan.TRIES
) -> None:
    if not unsourced:
        return
    states = {c.request_id: plan.state_after(c.tries + 1, limit) for c in unsourced}
    await claims.unclaim(conn, [(c.vo, c.request_id, states[c.request_id]) for c in unsourced], reason)
    waiting = [c for c in unsourced if states[c.request_id] is RequestState.WAITING]
    await claims.insert_ready(
        conn, [Ready(c.vo, c.priority, c.rse_id, c.request_id, now + plan.wait_after(c.tries + 1)) for c in waiting]
    )
    for vo in sorted({c.vo for c in unsourced}):
        failed = [list(c.key) for c in unsourced if c.vo == vo and states[c.request_id] is RequestState.FAILED]
        if failed:
            await defer(conn, "rules:stick", vo=vo, keys=failed, reason=reason)


async def recover(deployment: Deployment) -> int:
    """Put back requests whose worker has not been heard of; return how many. Safe to run twice, and at once."""
    now = deployment.clock.now()
    vos = await all_vos(deployment.database)
    async with deployment.database.transaction(vos) as conn:
        expired = await claims.expired(conn, vos, now, RECOVERED_AT_ONCE)
    recovered = 0
    for vo, request_id, transfer_id in expired:
        async with deployment.database.transaction([vo]) as conn:
            recovered += await give_back(
                conn, (vo, request_id, transfer_id), Failure("its worker was not heard of any more"), now, expired=True
            )
    if recovered:
        _log.warning("transfers were taken from workers that are gone", transfers=recovered)
    return recovered
