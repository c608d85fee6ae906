"""Background work of VOs: what a process keeps knowing while it runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sancho.kit import telemetry
from sancho.kit.access import INSTANCE
from sancho.kit.db import Database
from sancho.kit.errors import SanchoError
from sancho.kit.fair import Shares
from sancho.vos import service

_log = telemetry.log(__name__)


@asynccontextmanager
async def following_shares(database: Database, known: Shares, *, every: float = 15.0) -> AsyncIterator[None]:
    """Keep `known` as the newest configuration has it, looked at `every` so many seconds, while the block runs."""

    async def follow() -> None:
        while True:
            try:
                async with database.transaction([INSTANCE]) as conn:
                    known.set(await service.shares(conn))
            except SanchoError as e:  # the database is away or busy: what was known will do
                _log.info("the shares of VOs cannot be read now", reason=str(e))
            await asyncio.sleep(every)

    following = asyncio.create_task(follow())
    try:
        yield
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
