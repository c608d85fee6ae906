"""Background work of rules; replicas travel as [file, RSE] pairs of ids."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sancho.kit.db import all_vos
from sancho.kit.deployment import Deployment
from sancho.kit.tasks import Tasks
from sancho.replicas.model import ReplicaKey
from sancho.rules import service

tasks = Tasks("rules")


@tasks.task("settle")
async def settle(deployment: Deployment, *, vo: int, keys: Sequence[Sequence[int]]) -> None:
    """Settle the locks on replicas that have arrived. Safe to run twice."""
    async with deployment.database.transaction([vo]) as conn:
        await service.settle(conn, vo, _replicas(keys))


@tasks.task("stick")
async def stick(deployment: Deployment, *, vo: int, keys: Sequence[Sequence[int]], reason: str) -> None:
    """Let the locks on replicas whose transfers have failed be stuck. Safe to run twice."""
    async with deployment.database.transaction([vo]) as conn:
        await service.stick(conn, vo, _replicas(keys), reason)


@tasks.task("recopy")
async def recopy(deployment: Deployment, *, vo: int, keys: Sequence[Sequence[int]]) -> None:
    """Have bad replicas that rules hold brought anew. Safe to run twice."""
    async with deployment.database.transaction([vo]) as conn:
        await service.recopy(conn, vo, _replicas(keys))


@tasks.task("extend")
async def extend(deployment: Deployment, *, vo: int, parent_ids: Sequence[int], file_ids: Sequence[int]) -> None:
    """Let rules follow what was attached to collections. Safe to run twice."""
    async with deployment.database.transaction([vo]) as conn:
        await service.extend(conn, vo, parent_ids=parent_ids, file_ids=file_ids)


@tasks.task("retract")
async def retract(deployment: Deployment, *, vo: int, parent_ids: Sequence[int], file_ids: Sequence[int]) -> None:
    """Let rules follow what was detached from collections. Safe to run twice."""
    more = True
    while more:
        async with deployment.database.transaction([vo]) as conn:
            more = await service.retract(conn, vo, parent_ids=parent_ids, file_ids=file_ids)


@tasks.task("place")
async def place(deployment: Deployment, *, vo: int, rule_id: int) -> None:
    """Place the locks of a large rule, batch by batch. Safe to run twice."""
    await service.place(deployment, vo, rule_id)


@tasks.task("expire", every=timedelta(seconds=10))
async def expire(deployment: Deployment) -> None:
    """Remove rules that are past their time, and those whose place others have taken."""
    await service.replace_moved(deployment)
    await service.expire(deployment)


@tasks.task("give_up")
async def give_up(deployment: Deployment, *, vo: int, account_id: int, did_id: int, until: str) -> None:
    """Remove the rules that came with the uploads of an account which has given them up. Safe to run twice."""
    await service.give_up(deployment, vo, account_id, did_id, datetime.fromisoformat(until))


@tasks.task("trim")
async def trim(deployment: Deployment, *, vo: int, rule_id: int) -> None:
    """Let go what a rule holds beyond what it asks for. Safe to run twice."""
    await service.trim(deployment, vo, rule_id)


@tasks.task("pin")
async def pin(deployment: Deployment, *, vo: int, did_ids: Sequence[int] | None = None) -> None:
    """Hold what jobs want, of these DIDs or of all that are due. Safe to run twice, and at once."""
    await service.pin(deployment, vo, did_ids)


@tasks.task("pin_all", every=timedelta(minutes=1))
async def pin_all(deployment: Deployment) -> None:
    """Hold what jobs want, wherever it has not been seen to for a while."""
    for vo in await all_vos(deployment.database):
        await service.pin(deployment, vo)


@tasks.task("repair", every=timedelta(seconds=15))
async def repair(deployment: Deployment) -> None:
    """Try stuck rules again that are due."""
    await service.repair(deployment)


@tasks.task("erase", every=timedelta(seconds=15))
async def erase(deployment: Deployment) -> None:
    """Erase DIDs whose time has come and that no rule of others is over."""
    await service.erase(deployment)


@tasks.task("record", every=timedelta(hours=1))
async def record(deployment: Deployment) -> None:
    """Write down what accounts lock, so that it is known later what it was on each day."""
    await service.record_usage(deployment)


def _replicas(keys: Sequence[Sequence[int]]) -> list[ReplicaKey]:
    return [ReplicaKey(did_id, rse_id) for did_id, rse_id in keys]
