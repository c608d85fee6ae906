"""The door of programs: say that one is alive, ask which are."""

from datetime import datetime, timedelta

from sancho.kit.access import Principal, require
from sancho.kit.db import Connection
from sancho.programs import store
from sancho.programs.errors import TooManyPrograms
from sancho.programs.model import Beat, Program

KEPT = timedelta(days=1)
"""How long a service is known that is not heard of."""
MOST = 1000
"""Services of a VO that are known at once."""


async def report(conn: Connection, caller: Principal, beat: Beat, now: datetime) -> None:
    """Note that a service of the caller's VO is alive; needs `programs:report`. Raises `TooManyPrograms`."""
    require(caller, "programs:report", on=f"program:{beat.name}")
    await store.forget(conn, caller.vo, now - KEPT)
    await store.put_beat(conn, caller.vo, beat, now)
    if await store.count(conn, caller.vo) > MOST:
        raise TooManyPrograms(vo=caller.vo_name, limit=MOST)


async def alive(conn: Connection, caller: Principal, now: datetime) -> list[Program]:
    """The services of the caller's VO that were heard of in the last day.

    For administrators of the installation, before these the programs that run it now.
    """
    installation = await store.connected(conn) if caller.is_instance_admin else []
    return [*installation, *await store.beats(conn, caller.vo, now - KEPT)]
