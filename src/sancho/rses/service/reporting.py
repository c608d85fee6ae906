"""What storages say is on them."""

from datetime import datetime

from sancho.kit.access import Principal, require
from sancho.kit.db import Connection
from sancho.rses import store
from sancho.rses.errors import RseOfOthers
from sancho.rses.model import Report, Rse

KEPT = 1000
"""Reports of one source about one RSE, the newest."""


async def report(conn: Connection, caller: Principal, rse: Rse, said: Report) -> None:
    """Note what a source says is on a storage; needs `rses:report` in the VO that owns it.

    Raises `RseOfOthers`.
    """
    require(caller, "rses:report", on=f"rse:{rse.name}")
    if rse.vo != caller.vo:
        raise RseOfOthers(rse=rse.name)
    await store.put_report(conn, rse.vo, rse.rse_id, said)
    await store.drop_old_reports(conn, rse.vo, rse.rse_id, said.source, KEPT)


async def newest_reports(conn: Connection, rse: Rse) -> list[Report]:
    """The last report of each source, in order of their names."""
    return await store.newest_reports(conn, rse.rse_id)


async def reports_by_rse(conn: Connection) -> dict[int, list[Report]]:
    """The last report of each source about each RSE that this transaction sees, if not older than a month; by id."""
    found: dict[int, list[Report]] = {}
    for rse_id, said in await store.last_reports(conn):
        found.setdefault(rse_id, []).append(said)
    return found


async def reports(
    conn: Connection, rse: Rse, *, source: str | None = None, before: datetime | None = None, limit: int = 100
) -> list[Report]:
    """What was reported, by one source or any, newest first; from before a time, if one is said."""
    return await store.reports(conn, rse.rse_id, source, before, limit)
