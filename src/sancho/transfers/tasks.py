"""Background work of transfers."""

from datetime import timedelta

from sancho.kit.deployment import Deployment
from sancho.kit.tasks import Tasks
from sancho.transfers import service

tasks = Tasks("transfers")


@tasks.task("carry", every=timedelta(seconds=10))
async def carry(deployment: Deployment) -> None:
    """Carry files that are ready to be carried."""
    await service.carry(deployment)


@tasks.task("recover", every=timedelta(seconds=15))
async def recover(deployment: Deployment) -> None:
    """Give the transfers of dead workers to living ones."""
    await service.recover(deployment)
