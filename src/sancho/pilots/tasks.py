"""Background work of pilots."""

from datetime import timedelta

from sancho.kit.deployment import Deployment
from sancho.kit.tasks import Tasks
from sancho.pilots import service

tasks = Tasks("pilots")


@tasks.task("provision", every=timedelta(seconds=2))
async def provision(deployment: Deployment) -> None:
    """Start pilots where jobs wait."""
    await service.provision(deployment)


@tasks.task("watch", every=timedelta(seconds=5))
async def watch(deployment: Deployment) -> None:
    """Ask the CEs about pilots that may have ended in silence."""
    await service.watch(deployment)


@tasks.task("retire_lost", every=timedelta(seconds=5))
async def retire_lost(deployment: Deployment) -> None:
    """Give up pilots that fell silent."""
    await service.retire_lost(deployment)
