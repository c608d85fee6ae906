"""Background work of decisions."""

from datetime import timedelta

from sancho.decisions import service
from sancho.kit.deployment import Deployment
from sancho.kit.tasks import Tasks

tasks = Tasks("decisions")


@tasks.task("seal", every=timedelta(seconds=5))
async def seal(deployment: Deployment) -> None:
    """Seal the new rows of the audit log into batches. Safe to run twice, and at once."""
    await service.seal(deployment)
