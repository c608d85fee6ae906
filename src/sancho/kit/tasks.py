"""Background work of the server, queued in the transaction that makes it necessary.

A feature declares its tasks in `tasks.py` on a `Tasks`; others ask for them by name, so news can travel
upwards without an import: `await defer(conn, "rules:settle", vo=vo, replicas=[…])`. State and task commit
together. A task is safe to run twice, opens its own transactions, and may be killed at any moment: the queue
gives it to another worker.

VOs take turns: a task that is deferred with `vo` stands behind that VO's own tasks and beside the first ones of
others, however many of theirs wait. Tasks of no VO take turns with the VOs; those that the clock starts come first.

Each task has a queue of its own, of the same name, and a worker looks at the queues of the tasks that it knows: while
releases change, those of the new one wait for its workers.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Concatenate, ParamSpec, TypeAlias, cast

from procrastinate import App, JobContext, PsycopgConnector, RetryStrategy
from procrastinate.exceptions import AlreadyEnqueued

from sancho.kit import telemetry
from sancho.kit.db import Connection, fetch_value
from sancho.kit.deployment import Deployment

P = ParamSpec("P")
TaskFunction: TypeAlias = Callable[Concatenate[Deployment, P], Awaitable[None]]
RETRY = RetryStrategy(max_attempts=10, exponential_wait=2)
TRACE = "traceparent"

# Start-time fair queueing: a task's tag is one more than that of its VO's last one, and no less than that of the task
# that is next. The queue takes the highest priority first, so a tag of n is a priority of -n; what waits for a moment
# to come (a later try) has an old tag, and says nothing of how far the queue has come. `kit.migrate` makes the index.
PRIORITY = """
SELECT least(
    (SELECT priority - 1 FROM procrastinate_jobs
      WHERE status = 'todo' AND coalesce(args->>'vo', '') = %(vo)s ORDER BY priority LIMIT 1),
    coalesce((SELECT priority FROM procrastinate_jobs
               WHERE status = 'todo' AND priority < 0 AND scheduled_at IS NULL ORDER BY priority DESC, id LIMIT 1), -1))
"""

_deferrer = App(connector=PsycopgConnector())  # never opened: every deferral brings its own connection


@dataclass
class Tasks:
    """The tasks of one feature; `app` registers them under the feature's name."""

    feature: str
    registrations: list[Callable[[App], None]] = field(default_factory=list[Callable[[App], None]])

    def task(
        self, name: str, *, every: timedelta | None = None, retry: bool = True
    ) -> Callable[[TaskFunction[P]], TaskFunction[P]]:
        """Declare a task: an async function of the deployment and JSON-able keyword arguments.

        With `every` (seconds up to a minute, or whole minutes), the queue also starts it without arguments at that
        interval, however many workers there are; a start is left out while the one before it waits.
        """
        full_name = f"{self.feature}:{name}"

        def declare(function: TaskFunction[P]) -> TaskFunction[P]:
            async def run(context: JobContext, **arguments: Any) -> None:
                deployment = cast(Deployment, context.additional_context["deployment"])
                if every is not None:
                    arguments.pop("timestamp", None)  # the queue's own: which tick this is
                outcome = "failed"
                try:
                    with telemetry.span(full_name, traceparent=arguments.pop(TRACE, None)):
                        await cast(Any, function)(deployment, **arguments)
                    outcome = "done"
                finally:
                    telemetry.TASKS.labels(full_name, outcome).inc()

            def register(app: App) -> None:
                task = app.task(
                    name=full_name, queue=full_name, pass_context=True,
                    retry=RETRY if retry and every is None else False,
                    queueing_lock=full_name if every is not None else None,
                )(run)  # fmt: skip
                if every is not None:
                    app.periodic(cron=_cron(every), periodic_id=full_name)(cast(Any, task))

            self.registrations.append(register)
            return function

        return declare


async def defer(
    conn: Connection, name: str, *, after: timedelta | None = None, once: str | None = None,
    in_turn: str | None = None, **arguments: Any,
) -> None:  # fmt: skip
    """Queue a task in this transaction: it runs if, and only if, the transaction commits.

    `once` names a piece of work: while an equal one waits to be started, this call adds nothing. Those with the same
    `in_turn` run one after the other, in the order in which they were queued. `after` delays the start. The current
    trace goes along.
    """
    traceparent = telemetry.traceparent()
    priority = await fetch_value(conn, PRIORITY, {"vo": str(arguments.get("vo", ""))})
    job = _deferrer.configure_task(
        name,
        queue=name,
        lock=in_turn,
        queueing_lock=once,
        connection=conn,
        schedule_in=_as_parameters(after),
        priority=priority,
    )
    if traceparent is not None:
        arguments[TRACE] = traceparent
    if once is None:
        await job.defer_async(**arguments)
        return
    try:
        async with conn.transaction():
            await job.defer_async(**arguments)
    except AlreadyEnqueued:
        return


def _cron(every: timedelta) -> str:
    seconds = int(every.total_seconds())
    if seconds < 60:
        return f"* * * * * */{seconds}"
    if seconds < 3600:
        return f"*/{seconds // 60} * * * *"
    return f"0 */{seconds // 3600} * * *" if seconds < 86400 else "0 3 * * *"


def _as_parameters(after: timedelta | None) -> Any:
    return None if after is None else {"seconds": after.total_seconds()}
