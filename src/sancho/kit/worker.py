"""The loop that carries out deferred and periodic tasks; any number of them may run, and any may be killed.

A worker says every few seconds that it lives. What a dead one had begun is given to another by
`kit:rescue`; tasks are safe to run twice, so no more is needed. A task that has failed all its tries stays
in the queue and is tried again by `kit:revive` every quarter of an hour: what it was told of, a file that
arrived for instance, nobody else would look for. Tasks that a worker does not know it leaves to others.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, cast

from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Status

from sancho.kit import telemetry
from sancho.kit.db import SEARCH_PATH
from sancho.kit.deployment import Deployment
from sancho.kit.tasks import Tasks

FAILURES_KEPT = 24
"""Hours for which failed runs of tasks that the clock starts stay in the queue, to be looked at."""

POLL = timedelta(seconds=2)
"""A task that is due waits for a worker for so long at most, if one has room."""
SILENT = 10
"""Seconds after which a worker that says nothing is dead."""
MOST_ROUNDS = 100
DUE = """
SELECT EXISTS (SELECT FROM procrastinate_jobs
                WHERE status = 'todo' AND queue_name = ANY(%(queues)s)
                  AND (scheduled_at IS NULL OR scheduled_at <= now())) AS due
"""
BEFORE = frozenset({"default", "transfers"})
"""The queues of tasks that a release deferred in which not every task had its own."""
_log = telemetry.log(__name__)


def make_app(url: str, features: Iterable[Tasks], *, connections: int = 6) -> App:
    """A queue application with the tasks of all features, not opened yet."""
    connector = PsycopgConnector(conninfo=url, kwargs={"options": SEARCH_PATH}, min_size=1, max_size=connections)
    app = App(connector=connector)
    for tasks in features:
        for register in tasks.registrations:
            register(app)

    @app.periodic(cron="* * * * * */5", periodic_id="rescue")
    @app.task(name="kit:rescue", queue="kit:rescue", queueing_lock="kit:rescue", pass_context=True)
    async def rescue(context: JobContext, timestamp: int) -> None:
        """Give the tasks of dead workers to living ones."""
        _ = timestamp
        await take_over(context.app)

    @app.periodic(cron="*/15 * * * *", periodic_id="revive")
    @app.task(name="kit:revive", queue="kit:revive", queueing_lock="kit:revive", pass_context=True)
    async def again(context: JobContext, timestamp: int) -> None:
        """Try failed tasks again."""
        _ = timestamp
        await revive(context.app)

    return app


async def take_over(app: App) -> None:
    """Let the tasks of dead workers be carried out by living ones; of what waits already as well, one is enough."""
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=SILENT):
        _log.info("task taken over from a dead worker", task=job.task_name, id=job.id)
        try:
            await app.job_manager.retry_job(job)
        except UniqueViolation:
            await app.job_manager.finish_job(job, Status.ABORTED, delete_job=True)


async def revive(app: App) -> int:
    """Try tasks once more that have failed all their tries; say how many. Those that the clock starts wait for it."""
    failed = await app.job_manager.list_jobs_async(status="failed")
    told = [job for job in failed if job.queueing_lock != job.task_name]
    for job in told:
        _log.warning("a task that failed is tried again", task=job.task_name, id=job.id, attempts=job.attempts)
        await app.job_manager.retry_job(job)
    await app.job_manager.delete_old_jobs(nb_hours=FAILURES_KEPT, include_failed=True)
    return len(told)


def queues_of(app: App) -> list[str]:
    """The queues of the tasks that an application knows, and those that older releases used."""
    return sorted({task.queue for task in cast(Any, app).tasks.values()} | BEFORE)


async def work(
    app: App, deployment: Deployment, *, concurrency: int, wait: bool = True,
    grace: timedelta = timedelta(seconds=30),
) -> None:  # fmt: skip
    """Carry out tasks that the application knows until SIGTERM; with `wait=False`, until none is due.

    Those are included that tasks have deferred.
    """
    queues = queues_of(app)
    async with app.open_async():
        for _ in range(1 if wait else MOST_ROUNDS):
            await app.run_worker_async(
                queues=queues,
                concurrency=concurrency,
                wait=wait,
                install_signal_handlers=wait,
                delete_jobs="successful",
                additional_context={"deployment": deployment},
                shutdown_graceful_timeout=grace.total_seconds(),
                update_heartbeat_interval=2,
                stalled_worker_timeout=10,
                fetch_job_polling_interval=POLL.total_seconds(),
            )
            # A worker that does not wait ends with the first look that finds nothing, while others still defer more.
            if wait or not (await app.connector.execute_query_one_async(DUE, queues=queues))["due"]:
                return
