"""The door of accounting: write what was used, ask for sums."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sancho.accounting import store
from sancho.accounting.model import By, Entry, Sum
from sancho.kit.access import Principal
from sancho.kit.db import Connection, in_time

LATELY = timedelta(hours=6)
"""Transfers of so long ago say how fast others may be."""
SAMPLED = 1000
LONGEST = 30
"""Seconds that sums may take: every entry of the time that is asked about is read."""


async def record(conn: Connection, entries: Sequence[Entry]) -> None:
    """Write what was used, in the transaction in which it was used. Whoever calls twice bills twice."""
    if entries:
        await store.insert_entries(conn, entries)


async def summary(
    conn: Connection, vos: Sequence[int], by: Sequence[By] = (By.ACCOUNT,), *, since: datetime, until: datetime
) -> list[Sum]:
    """What VOs used from `since` up to, not including, `until`, split by the named things; raises `TooSlow`."""
    async with in_time(conn, LONGEST, hint="Ask for fewer days."):
        return await store.sums(conn, vos, by, since, until)


def seen_by(caller: Principal, by: Sequence[By]) -> list[int]:
    """The VOs whose sums somebody is shown: all when an administrator of the installation splits by VO, else one."""
    return list(caller.vos) if By.VO in by and caller.is_instance_admin else [caller.vo]


async def speeds(conn: Connection, vo: int, rse_ids: Sequence[int]) -> dict[int, float]:
    """Bytes a second that came to RSEs by transfers of late, pauses included; where nothing came it is left out."""
    came = await store.arrivals(conn, vo, rse_ids, LATELY, SAMPLED)
    return {rse_id: size / max(since.total_seconds(), 1) for rse_id, size, since in came}
