"""What jobs want of data is told to `rules`, which keep it for them."""

import re

from sancho.jobs.errors import CursorMalformed
from sancho.jobs.store import demand
from sancho.kit.access import Principal, require
from sancho.kit.db import Connection
from sancho.rules import service as rules
from sancho.rules.model import Demanded

_CURSOR = re.compile(r"([0-9]{1,18})_([0-9]{1,18})", re.ASCII)


async def want_inputs(conn: Connection, vo: int) -> None:
    """Count anew how many jobs of a VO want which DIDs, and tell; the work grows with queues, not with waiting jobs.

    Jobs that are held want nothing until they are released. What other VOs share is not among it: its owners keep it.
    """
    await rules.alone(conn, vo)
    await rules.want(conn, vo, await demand.count(conn, vo))


async def list_demand(
    conn: Connection, caller: Principal, *, cursor: str | None, limit: int
) -> tuple[list[Demanded], str | None]:  # fmt: skip
    """What jobs of the caller's VO want of data, the longest wanted first, and the cursor of the next page.

    For who manages jobs; it was counted at most half a minute ago. Raises `CursorMalformed`, `TooSlow`.
    """
    require(caller, "jobs:manage")
    place = None if cursor is None else _CURSOR.fullmatch(cursor)
    if cursor is not None and place is None:
        raise CursorMalformed(cursor=cursor)
    after = {} if place is None else {"after": (int(place[1]), int(place[2]))}
    found, last = await rules.list_demand(conn, caller.vo, limit=limit, **after)
    return found, None if last is None else f"{last[0]}_{last[1]}"
