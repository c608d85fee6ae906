"""Files are carried, a few at once, while the leases of their attempts are kept alive."""

import asyncio
from datetime import timedelta
from weakref import WeakKeyDictionary

from sancho.kit import faults, telemetry
from sancho.kit.db import Database, all_vos
from sancho.kit.deployment import Deployment
from sancho.rses import service as rses
from sancho.rses.model import Place, Rse
from sancho.transfers import plan
from sancho.transfers.model import Failure, Started
from sancho.transfers.service.claiming import LEASE, claim
from sancho.transfers.service.recording import record
from sancho.transfers.store import claims
from sancho_contract.storage import ObjectMissing, StorageRefused, StorageUnavailable
from sancho_contract.transfer import Arrived, ChecksumMismatch, SourceFailed, TransferFailed, TransferSpec

AT_ONCE = 4
"""Files that one process carries at once."""
CLAIMING = 60.0
"""Seconds after which one run of the task claims no more and ends when what it carries has arrived."""
RENEWED_EVERY = 5.0
"""Seconds between signs of life; well below the lease."""
TOKEN_LIFETIME = timedelta(hours=1)

_carried = faults.point("transfers.carried")
_busy: WeakKeyDictionary[Database, int] = WeakKeyDictionary()
_log = telemetry.log(__name__)


async def carry(deployment: Deployment) -> int:
    """Carry what is ready until nothing is, or for a minute; return how many files were tried.

    However many tasks run, a process carries no more than `AT_ONCE` files at once. Safe to be killed anywhere:
    leases end, and carrying a file again finds what is there.
    """
    database = deployment.database
    running: dict[asyncio.Task[None], Started] = {}
    tried, until = 0, asyncio.get_running_loop().time() + CLAIMING
    keeper = asyncio.create_task(_keep_alive(deployment, running))
    try:
        while True:
            free = AT_ONCE - _busy.get(database, 0)
            started: list[Started] = []
            if free > 0 and asyncio.get_running_loop().time() < until:
                _busy[database] = (
                    _busy.get(database, 0) + free
                )  # while claiming, so that two do not claim for one place
                try:
                    started = await claim(deployment, free)
                finally:
                    _busy[database] -= free
            for one in started:
                _busy[database] = _busy.get(database, 0) + 1
                running[asyncio.create_task(_carry_and_record(deployment, one))] = one
            tried += len(started)
            if not running:
                return tried
            done, _ = await asyncio.wait({keeper, *running}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                one = running.pop(task, None)
                if one is not None and task.cancelled():
                    await record(deployment, one, Failure("nobody wants it any more"))
                else:
                    task.result()
    finally:
        await _cancel([keeper, *running])


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _keep_alive(deployment: Deployment, running: dict[asyncio.Task[None], Started]) -> None:
    """Say from time to time that the attempts go on; stop those that are not ours, or not wanted, any more."""
    while True:
        await asyncio.sleep(RENEWED_EVERY)
        mine = {started.transfer_id: task for task, started in running.items()}
        if not mine:
            continue
        vos = await all_vos(deployment.database)
        async with deployment.database.transaction(vos) as conn:
            wanted = await claims.renew(conn, sorted(mine), deployment.clock.now() + LEASE)
        for transfer_id in mine.keys() - wanted:
            mine[transfer_id].cancel()


async def _carry_and_record(deployment: Deployment, started: Started) -> None:
    request = started.request
    try:
        with telemetry.span(
            "transfers.carry", traceparent=request.traceparent, source=started.source.name,
            destination=started.destination.name, did_id=request.did_id,
        ):  # fmt: skip
            outcome = await carry_one(deployment, started)
            _carried()
            await record(deployment, started, outcome)
    finally:
        _busy[deployment.database] -= 1


async def carry_one(deployment: Deployment, started: Started) -> Arrived | Failure:
    """Carry one file with the transfer tool and say how it went; no transaction may be open."""
    source, destination = started.source, started.destination
    settings = plan.tool_settings((source.plugin, source.settings), (destination.plugin, destination.settings))
    tool = deployment.extensions.get("sancho.transfer", "streamed", settings)
    try:
        return await tool.carry(_spec(deployment, started))
    except SourceFailed as e:
        return await _blame_source(deployment, started, e)
    except TransferFailed as e:
        bad = isinstance(e, ChecksumMismatch) and not e.retryable
        return Failure(e.detail, source_bad=bad, retry_after=_seconds(e.retry_after))


def _spec(deployment: Deployment, started: Started) -> TransferSpec:
    request = started.request
    source, destination = _source(started), _place(started, started.destination, request.path)
    subject = f"transfer:{started.transfer_id}"
    return TransferSpec(
        transfer_id=started.transfer_id,
        source_url=source.url,
        source_token=rses.token(
            deployment.signer, started.source, subject=subject, lifetime=TOKEN_LIFETIME, read=[source.path]
        ),
        destination_url=destination.url,
        destination_token=rses.token(
            deployment.signer, started.destination, subject=subject, lifetime=TOKEN_LIFETIME,
            read=[destination.path], create=[destination.path], modify=[destination.path],
        ),
        size=request.size,
        adler32=request.adler32,
    )  # fmt: skip


def _source(started: Started) -> Place:
    return _place(started, started.source, started.source_path)


def _place(started: Started, rse: Rse, path: str | None) -> Place:
    request = started.request
    return rses.place(rse, request.vo_name, request.scope, request.did_id, request.name, path)


async def _blame_source(deployment: Deployment, started: Started, error: SourceFailed) -> Failure:
    """Ask the source itself whether it has the file before calling its replica bad: it may refuse for other reasons."""
    failure = Failure(error.detail, retry_after=_seconds(error.retry_after))
    if error.retryable:
        return failure
    place = _source(started)
    token = rses.token(
        deployment.signer, started.source, subject=f"transfer:{started.transfer_id}", lifetime=timedelta(minutes=5),
        read=[place.path],
    )  # fmt: skip
    try:
        await rses.storage(deployment.extensions, started.source).stat(place.url, token)
    except ObjectMissing:
        _log.warning("a replica is not on its storage", rse=started.source.name, did_id=started.request.did_id)
        return Failure("the file is not there", source_bad=True)
    except (StorageUnavailable, StorageRefused):
        return failure
    return failure


def _seconds(retry_after: float | None) -> timedelta | None:
    return None if retry_after is None else timedelta(seconds=retry_after)
