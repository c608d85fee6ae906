"""Background work of the server, queued in the transaction that makes it necessary.

A feature declares its tasks in `tasks.py` on a `Tasks` blueprint; others ask for them by name, so news can travel
upwards without an import: `await defer(conn, "rules:settle", vo=vo, replicas=[…])`. State and task commit
together. A task is safe to run twice, opens its own transactions, and may be killed at any moment: the queue
gives it to another worker.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Concatenate, ParamSpec, cast

from procrastinate import App, Blueprint, JobContext, PsycopgConnector, RetryStrategy
from procrastinate.exceptions import AlreadyEnqueued

from sancho.kit import telemetry
from sancho.kit.db import Connection
from sancho.kit.deployment import Deployment

P = ParamSpec("P")
RETRY = RetryStrategy(max_attempts=10, exponential_wait=2)
TRACE = "traceparent"

_deferrer = App(connector=PsycopgConnector())  # never opened: every deferral brings its own connection


@dataclass(frozen=True)
class Periodic:
    """A task that the worker starts again and again, whoever was last to run it."""

    name: str
    every: timedelta


@dataclass
class Tasks:
    """The tasks of one feature; `app` registers them under the feature's name."""

    feature: str
    blueprint: Blueprint = field(default_factory=Blueprint)
    periodic: list[Periodic] = field(default_factory=list[Periodic])

    def task(
        self, name: str, *, every: timedelta | None = None, queue: str = "default", retry: bool = True
    ) -> Callable[[Callable[Concatenate[Deployment, P], Awaitable[None]]], Callable[Concatenate[Deployment, P], Awaitable[None]]]:
        """Declare a task: an async function of the deployment and JSON-able keyword arguments.

        With `every`, the worker also starts it, without arguments, at that interval; then it never overlaps itself.
        """

        def declare(
            function: Callable[Concatenate[Deployment, P], Awaitable[None]],
        ) -> Callable[Concatenate[Deployment, P], Awaitable[None]]:
            full_name = f"{self.feature}:{name}"

            async def run(context: JobContext, **arguments: Any) -> None:
                deployment = cast(Deployment, context.additional_context["deployment"])
                with telemetry.span(full_name, traceparent=arguments.pop(TRACE, None)):
                    await cast(Any, function)(deployment, **arguments)

            self.blueprint.task(
                name=name, queue=queue, pass_context=True, retry=RETRY if retry and every is None else False
            )(run)
            if every is not None:
                self.periodic.append(Periodic(full_name, every))
            return function

        return declare


async def defer(
    conn: Connection, name: str, *, queue: str = "default", after: timedelta | None = None, once: str | None = None,
    **arguments: Any,
) -> None:  # fmt: skip
    """Queue a task in this transaction: it runs if, and only if, the transaction commits.

    `once` names a piece of work: while an equal one waits to be started, this call adds nothing.
    `after` delays the start. The current trace goes along.
    """
    traceparent = telemetry.traceparent()
    job = _deferrer.configure_task(
        name, queue=queue, queueing_lock=once, connection=conn, schedule_in=_as_parameters(after)
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


def _as_parameters(after: timedelta | None) -> Any:
    return None if after is None else {"seconds": after.total_seconds()}
