"""Background work of the topology."""

from datetime import timedelta

from sancho.kit.db import all_vos
from sancho.kit.deployment import Deployment
from sancho.kit.tasks import Tasks
from sancho.sites import service

tasks = Tasks("sites")


@tasks.task("downtimes", every=timedelta(seconds=15))
async def downtimes(deployment: Deployment) -> None:
    """Switch off what is down by now, and back on what is down no more. Safe to run twice."""
    vos = await all_vos(deployment.database)
    async with deployment.database.transaction(vos) as conn:
        await service.follow(conn, vos, deployment.clock.now())
