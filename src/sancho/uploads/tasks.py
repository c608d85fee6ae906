"""Background work of uploads."""

from datetime import timedelta

from sancho.kit.deployment import Deployment
from sancho.kit.tasks import Tasks
from sancho.uploads import service

tasks = Tasks("uploads")


@tasks.task("expire", every=timedelta(seconds=30))
async def expire(deployment: Deployment) -> None:
    """Empty the paths of uploads that were never committed."""
    while await service.expire(deployment):
        pass
