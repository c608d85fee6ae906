"""Leave no pilot behind: for instances that are made for development and tests."""

from collections.abc import Sequence

from sancho.kit.db import Connection
from sancho.pilots import store
from sancho.pilots.errors import PilotsAtWork


async def empty(conn: Connection, vos: Sequence[int]) -> dict[str, int]:
    """Forget all pilots of the CEs of these VOs; return how many rows were in each table.

    The transaction serves all VOs, whose jobs these pilots may run. What runs at a CE is not ended, but let in no
    more. Raises `PilotsAtWork` while jobs run in them, which nobody would end.
    """
    count = await store.count_at_work(conn, vos)
    if count:
        raise PilotsAtWork(count=count)
    return await store.empty(conn, vos)
