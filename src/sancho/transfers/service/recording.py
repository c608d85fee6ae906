"""What became of an attempt is written down: arrived, failed, or wanted by nobody any more."""

from datetime import datetime

from sancho.accounting import service as accounting
from sancho.accounting.model import Entry, EntryKind
from sancho.kit import faults, telemetry
from sancho.kit.db import Connection
from sancho.kit.deployment import Deployment
from sancho.kit.tasks import defer
from sancho.replicas import service as replicas
from sancho.replicas.errors import ReplicaExists
from sancho.replicas.model import ReplicaState
from sancho.transfers import plan
from sancho.transfers.model import Failure, RequestState, Started, TransferState
from sancho.transfers.store import claims
from sancho.transfers.store.claims import Ready
from sancho_contract.transfer import Arrived

_recorded = faults.point("transfers.recorded")
_log = telemetry.log(__name__)


class _RequestGone(Exception):
    """The request has been removed, or given to somebody else, while its file was carried."""


async def record(deployment: Deployment, started: Started, outcome: Arrived | Failure) -> None:
    """Write down how an attempt ended, in one commit; what has been recorded already, or taken away, stays as it is."""
    vo = started.request.vo
    try:
        async with deployment.database.transaction([vo]) as conn:
            if isinstance(outcome, Arrived):
                await _arrived(conn, started, outcome)
            else:
                await _failed(conn, started, outcome, deployment.clock.now())
    except _RequestGone:
        if isinstance(outcome, Arrived):
            async with deployment.database.transaction([vo]) as conn:
                await _discard(conn, started)
    _recorded()


async def _arrived(conn: Connection, started: Started, arrived: Arrived) -> None:
    """Make the replica available and let its request be done.

    The request must still be there afterwards: then the replica is the one this attempt was made for, and not
    another that was placed at the same path since.
    """
    request = started.request
    await replicas.arrive(conn, request.vo, [request.key])
    if not await claims.mark_done(conn, request.vo, request.request_id):
        raise _RequestGone
    await claims.end_attempt(conn, request.vo, started.transfer_id, TransferState.DONE, None)
    entry = Entry(
        vo=request.vo, kind=EntryKind.TRANSFER, account_id=request.account_id, site_id=started.destination.site_id,
        rse_id=request.rse_id, source_rse_id=started.source.rse_id, files=1, size=arrived.bytes_moved,
        wall=arrived.duration,
    )  # fmt: skip
    await accounting.record(conn, [entry])
    _log.info("file arrived", did_id=request.did_id, rse=started.destination.name)
    await defer(conn, "rules:settle", vo=request.vo, keys=[list(request.key)])


async def _failed(conn: Connection, started: Started, failure: Failure, now: datetime) -> None:
    request = started.request
    named = Failure(
        f"{started.source.name}: {failure.reason}" if failure.source_bad else failure.reason, failure.source_bad,
        failure.retry_after,
    )  # fmt: skip
    if failure.source_bad:
        source = request.key._replace(rse_id=started.source.rse_id)
        await replicas.mark_bad(conn, request.vo, [source], reason=f"as a source: {failure.reason}")
    if not await give_back(conn, (request.vo, request.request_id, started.transfer_id), named, now):
        raise _RequestGone


async def give_back(
    conn: Connection, attempt: tuple[int, int, int], failure: Failure, now: datetime, *, expired: bool = False
) -> bool:
    """End an attempt, (vo, request, transfer), that failed, and let its request wait, or fail for good.

    A request that nobody wants any more is removed; the reaper deletes what may have been written. False, and
    nothing is changed, when the attempt does not count any more, or with `expired`, when its lease has not ended.
    """
    vo, request_id, transfer_id = attempt
    found = await claims.find_claimed(conn, vo, request_id)
    if found is None:
        return False
    key, tries, priority = found
    holds = await claims.lock_replica(conn, vo, key)
    if not await claims.lock_request(conn, vo, request_id, transfer_id):
        return False
    if expired and not await claims.lease_ended(conn, vo, transfer_id, now):
        return False
    if not holds:
        await claims.remove_request(conn, vo, request_id)
        return True
    state = plan.state_after(tries + 1)
    await claims.put_back(conn, vo, request_id, state, tries + 1, failure.reason)
    await claims.end_attempt(conn, vo, transfer_id, TransferState.FAILED, failure.reason)
    if state is RequestState.FAILED:
        await defer(conn, "rules:stick", vo=vo, keys=[list(key)], reason=failure.reason)
    else:
        wait = plan.wait_after(tries + 1)
        not_before = now + (wait if failure.retry_after is None else max(wait, failure.retry_after))
        await claims.insert_ready(conn, [Ready(vo, priority, key.rse_id, request_id, not_before)])
    return True


async def _discard(conn: Connection, started: Started) -> None:
    """Have the reaper delete a file that arrived although nobody wanted it any more.

    A replica that is there already has a request, or a deletion, of its own; either will find the file.
    """
    request = started.request
    try:
        await replicas.add(conn, request.vo, [request.key], [request.size], ReplicaState.AVAILABLE)
    except ReplicaExists:
        return
    await replicas.hold(conn, request.vo, [request.key])
    await replicas.release(conn, request.vo, [request.key])
    _log.info("a file arrived that nobody wants any more", did_id=request.did_id, rse=started.destination.name)
