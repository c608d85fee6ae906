"""Background work of jobs."""

from datetime import timedelta

from sancho.jobs import service
from sancho.kit import faults
from sancho.kit.db import all_vos, make_partitions
from sancho.kit.deployment import Deployment
from sancho.kit.tasks import Tasks

tasks = Tasks("jobs")
_closed = faults.point("jobs.datasets-closed")
_followed = faults.point("jobs.followed")


@tasks.task("wake")
async def wake(deployment: Deployment, *, vo: int) -> None:
    """Close datasets that are complete now, and let the jobs that waited for them be matched; see to shared inputs."""
    async with deployment.database.transaction([vo]) as conn:
        await service.close_datasets(conn, vo)
    _closed()
    async with deployment.database.transaction([vo]) as conn:
        await service.resolve_all(conn, vo)
    async with deployment.database.transaction([vo]) as conn:
        await service.look_again(conn, vo)


@tasks.task("wake_all", every=timedelta(seconds=5))
async def wake_all(deployment: Deployment) -> None:
    """The same for every VO: inputs also become complete by hands other than ours."""
    for vo in await all_vos(deployment.database):
        await follow(deployment, vo=vo)
        await wake(deployment, vo=vo)


@tasks.task("want")
async def want(deployment: Deployment, *, vo: int) -> None:
    """Say what the jobs of a VO want of data, so that it is kept for them. Safe to run twice, and at once."""
    async with deployment.database.transaction([vo]) as conn:
        await service.want_inputs(conn, vo)


@tasks.task("want_all", every=timedelta(seconds=30))
async def want_all(deployment: Deployment) -> None:
    """The same for every VO."""
    for vo in await all_vos(deployment.database):
        async with deployment.database.transaction([vo]) as conn:
            await service.want_inputs(conn, vo)


@tasks.task("follow")
async def follow(deployment: Deployment, *, vo: int) -> None:
    """See to the jobs that wait for jobs that have ended."""
    more = True
    while more:
        async with deployment.database.transaction([vo]) as conn:
            more = await service.follow(conn, vo)
        if more:
            _followed()


@tasks.task("recall_all", every=timedelta(minutes=10))
async def recall_all(deployment: Deployment) -> None:
    """See to the jobs that were not told of the end of those that they wait for."""
    for vo in await all_vos(deployment.database):
        async with deployment.database.transaction([vo]) as conn:
            await service.recall(conn, vo)


@tasks.task("rest_all", every=timedelta(minutes=1))
async def rest_all(deployment: Deployment) -> None:
    """Put empty task queues to sleep."""
    for vo in await all_vos(deployment.database):
        async with deployment.database.transaction([vo]) as conn:
            await service.rest(conn, vo)


@tasks.task("clean_sandboxes", every=timedelta(hours=1))
async def clean_sandboxes(deployment: Deployment) -> None:
    """Delete sandboxes that no job has any more."""
    for vo in await all_vos(deployment.database):
        await service.clean_sandboxes(deployment, vo)


@tasks.task("forget_commands", every=timedelta(hours=1))
async def forget_commands(deployment: Deployment) -> None:
    """Forget old commands: whom they were for has long ended."""
    for vo in await all_vos(deployment.database):
        async with deployment.database.transaction([vo]) as conn:
            await service.forget_commands(conn, vo)


@tasks.task("forget_jobs", every=timedelta(days=1))
async def forget_jobs(deployment: Deployment) -> None:
    """Forget jobs that ended long ago, and their history."""
    if deployment.keep_jobs is None:
        return
    for vo in await all_vos(deployment.database):
        await service.forget_old_jobs(deployment, vo, deployment.keep_jobs)
    await service.drop_old_history(deployment, deployment.keep_jobs)


@tasks.task("forgive_all", every=timedelta(minutes=1))
async def forgive_all(deployment: Deployment) -> None:
    """Let jobs that have avoided a site for long wait for any site again."""
    for vo in await all_vos(deployment.database):
        async with deployment.database.transaction([vo]) as conn:
            await service.forgive(conn, vo)


@tasks.task("lose_silent", every=timedelta(minutes=5))
async def lose_silent(deployment: Deployment) -> None:
    """Give up what others than our pilots run and have said nothing of for long."""
    for vo in await all_vos(deployment.database):
        more = True
        while more:
            async with deployment.database.transaction([vo]) as conn:
                more = bool(await service.lose_silent(conn, vo, deployment.silent_jobs, deployment.clock))


@tasks.task("prepare_weeks", every=timedelta(days=1))
async def prepare_weeks(deployment: Deployment) -> None:
    """Make the partitions of the coming weeks."""
    async with deployment.database.transaction([0]) as conn:
        await make_partitions(conn)
