"""Two connections at once: see that one waits for the other, without sleeping."""

from sancho.kit.db import Database
from tests.conftest import eventually


async def until_one_waits(database: Database) -> None:
    """Wait until some connection to this database waits for a lock."""

    async def waits() -> bool:
        async with database.transaction([0]) as conn:
            found = await conn.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            row = await found.fetchone()
            return row is not None and row[0] > 0

    await eventually(waits)
