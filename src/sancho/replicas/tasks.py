"""Background work of replicas."""

from datetime import timedelta

from sancho.kit.deployment import Deployment
from sancho.kit.tasks import Tasks
from sancho.replicas import service

tasks = Tasks("replicas")


@tasks.task("reap", every=timedelta(seconds=10))
async def reap(deployment: Deployment) -> None:
    """Delete replicas that nothing holds any more."""
    await service.reap(deployment)


@tasks.task("return", every=timedelta(seconds=20))
async def return_due(deployment: Deployment) -> None:
    """Let replicas be available again that were not for a time."""
    await service.return_due(deployment)


@tasks.task("sweep", every=timedelta(seconds=60))
async def sweep(deployment: Deployment) -> None:
    """Delete files that nobody knows, once their grace has passed."""
    await service.sweep(deployment)
