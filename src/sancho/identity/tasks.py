"""Background work of identity."""

from datetime import timedelta

from sancho.identity import service
from sancho.kit.db import all_vos
from sancho.kit.deployment import Deployment
from sancho.kit.tasks import Tasks

tasks = Tasks("identity")


@tasks.task("tidy", every=timedelta(hours=1))
async def tidy(deployment: Deployment) -> None:
    """Delete refresh tokens that have expired."""
    async with deployment.database.transaction(await all_vos(deployment.database)) as conn:
        await service.forget_expired(conn, deployment.clock.now())
