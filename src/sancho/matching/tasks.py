"""Background work of matching: the board of each process that serves pilots, and what owners had of late."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from sancho.kit import telemetry
from sancho.kit.db import Database, Hear, all_vos
from sancho.kit.deployment import Deployment
from sancho.kit.errors import SanchoError
from sancho.kit.tasks import Tasks
from sancho.matching import service
from sancho.matching.model import QueueKey
from sancho.matching.service import Matcher

tasks = Tasks("matching")
_log = telemetry.log(__name__)
NEWS = "task_queue"
"""The channel on which `jobs` says which queues were filled, as `VO.QUEUE`."""
EVERYTHING_EVERY = 10.0
"""Seconds after which all is read anew, whether there were news or not."""
LIMITS_EVERY = 1.0
"""Seconds after which what runs is counted again, while a limit keeps jobs waiting."""
GATHERED = 0.05
"""Seconds between readings, in which more news may come."""


@tasks.task("average", every=timedelta(minutes=1))
async def average(deployment: Deployment) -> None:
    """Note what owners have now in their averages."""
    async with deployment.database.transaction(await all_vos(deployment.database)) as conn:
        await service.average(conn)


@asynccontextmanager
async def following(database: Database, matcher: Matcher) -> AsyncIterator[None]:
    """Keep a matcher fresh while the block runs; whenever that fails it says that nobody follows it."""
    task = asyncio.create_task(_follow(database, matcher))
    try:
        yield
    finally:
        matcher.followed = False
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _follow(database: Database, matcher: Matcher) -> None:
    while True:
        try:
            async with database.listening(NEWS) as hear:
                while True:
                    await _read(database, matcher, None)
                    matcher.followed = True
                    await _until_all_is_due(database, matcher, hear)
        except SanchoError as e:  # the database is away or busy
            _log.info("what waits cannot be read now", reason=str(e))
        finally:
            matcher.followed = False  # whatever ended it: a board that nobody keeps fresh must not be believed
        await asyncio.sleep(1.0)


async def _until_all_is_due(database: Database, matcher: Matcher, hear: Hear) -> None:
    clock = asyncio.get_running_loop().time
    due = clock() + EVERYTHING_EVERY
    while (left := due - clock()) > 0:
        wait = min(left, LIMITS_EVERY) if matcher.board.limited else left
        if keys := sorted({_key(text) for text in await hear(wait)}):
            await _read(database, matcher, keys)
            await asyncio.sleep(GATHERED)
        if matcher.board.full:
            async with database.transaction(await all_vos(database)) as conn:
                await service.read_limits(conn, matcher)


async def _read(database: Database, matcher: Matcher, keys: list[QueueKey] | None) -> None:
    vos = await all_vos(database) if keys is None else sorted({vo for vo, _ in keys})
    async with database.transaction(vos) as conn:
        if keys is None:
            await service.read(conn, matcher)
        else:
            await service.read_some(conn, matcher, keys)


def _key(text: str) -> QueueKey:
    vo, _, queue = text.partition(".")
    return int(vo), int(queue)
