"""The door of accounting: write what was used, ask for sums."""

from collections.abc import Sequence
from datetime import datetime

from sancho.accounting import store
from sancho.accounting.model import By, Entry, Sum
from sancho.kit.db import Connection


async def record(conn: Connection, entries: Sequence[Entry]) -> None:
    """Write what was used, in the transaction in which it was used. Whoever calls twice bills twice."""
    if entries:
        await store.insert_entries(conn, entries)


async def summary(
    conn: Connection, vo: int, by: Sequence[By] = (By.ACCOUNT,), *, since: datetime, until: datetime
) -> list[Sum]:
    """What a VO used from `since` up to, not including, `until`, split by the named things."""
    return await store.sums(conn, vo, by, since, until)
