"""Background work of placement."""

from datetime import timedelta

from sancho.kit.db import all_vos
from sancho.kit.deployment import Deployment
from sancho.kit.tasks import Tasks
from sancho.placement import service

tasks = Tasks("placement")


@tasks.task("place_all", every=timedelta(minutes=1))
async def place_all(deployment: Deployment) -> None:
    """Copy inputs of waiting jobs to where they can run, for VOs that allow it, and let go of what nobody wants."""
    for vo in await all_vos(deployment.database):
        async with deployment.database.transaction([vo]) as conn:
            await service.keep(conn, vo)
        for _ in range(service.AT_ONCE):
            async with deployment.database.transaction([vo]) as conn:
                begun = await service.place(conn, vo, now=deployment.clock.now())
            if begun is None:
                break
