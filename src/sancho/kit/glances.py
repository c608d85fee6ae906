"""Short queries for one row each, of which those that are wanted at the same time share one exchange.

What is asked of nearly every request costs more in talking to the database than in the database. So a query is
prepared once for a connection; the message that runs it is a transaction of its own; and while one message is under
way, what else the same VOs want is gathered for the next one.
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import cache
from itertools import count
from typing import Any, LiteralString, NamedTuple
from weakref import WeakKeyDictionary

from psycopg import AsyncClientCursor, AsyncConnection, errors
from psycopg.rows import TupleRow, dict_row

Connection = AsyncConnection[TupleRow]
Row = dict[str, Any]

GREETING = "SET LOCAL sancho.vo = '{}'; SET LOCAL plan_cache_mode = force_generic_plan; "
GREETINGS = 2
"""How many results come before those of the queries."""
PARAMETER = re.compile(r"%\((\w+)\)s")
MOST_TOGETHER = 50
"""So many queries go in one message: more would keep the first one waiting for the last."""


class Glance(NamedTuple):
    """A query as a statement that the database prepares, and what runs it."""

    name: str
    prepare: bytes
    run: bytes


_numbers = count(1)


@cache
def glance_of(query: LiteralString) -> Glance:
    """The glance of a query, always the same one."""
    names = list(dict.fromkeys(PARAMETER.findall(query)))
    statement = query % {name: f"${n}" for n, name in enumerate(names, 1)}
    name = f"glance_{next(_numbers)}"
    given = f"({', '.join(f'%({name})s' for name in names)})" if names else ""
    return Glance(name, f"PREPARE {name} AS {statement}".encode(), f"EXECUTE {name}{given}".encode())


class Wanted(NamedTuple):
    """A query that somebody waits for."""

    glance: Glance
    params: Mapping[str, Any]
    answer: asyncio.Future[Row | None]


class Glances:
    """What is wanted of one database, by the VOs that it is wanted for.

    Queries of different VOs never share a message. One that fails, fails alone: the others of its message are asked
    again. Who waits no longer keeps nobody up.
    """

    def __init__(self, lease: Callable[[tuple[int, ...]], AbstractAsyncContextManager[Connection]]) -> None:
        """`lease` gives a connection, outside of any transaction, for what some VOs want."""
        self._lease = lease
        self._prepared: WeakKeyDictionary[Connection, set[str]] = WeakKeyDictionary()
        self._wanted: dict[tuple[int, ...], deque[Wanted]] = {}
        self._asking: set[asyncio.Task[None]] = set()

    async def ask(self, vos: tuple[int, ...], query: LiteralString, params: Mapping[str, Any]) -> Row | None:
        """The row that a query gives, which sees what these VOs may; raises what `lease` and the database do."""
        wanted = Wanted(glance_of(query), params, asyncio.get_running_loop().create_future())
        if vos in self._wanted:
            self._wanted[vos].append(wanted)
        else:
            self._wanted[vos] = deque([wanted])
            task = asyncio.create_task(self._ask_all(vos))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)
        return await wanted.answer

    def waiting(self, vos: tuple[int, ...]) -> int:
        """How many queries of these VOs wait for a message to go."""
        return len(self._wanted.get(vos, ()))

    def forget(self, conn: Connection) -> bool:
        """Prepare all anew on a connection; says whether there was anything on it."""
        return self._prepared.pop(conn, None) is not None

    async def _ask_all(self, vos: tuple[int, ...]) -> None:
        queue, alone = self._wanted[vos], 0
        try:
            while queue:
                batch: list[Wanted] = []
                try:
                    async with self._lease(vos) as conn:
                        batch = [queue.popleft() for _ in range(min(len(queue), 1 if alone else MOST_TOGETHER))]
                        rows = await self._exchange(conn, vos, batch)
                except Exception as e:  # noqa: BLE001  whoever waits is told
                    if len(batch) > 1:
                        queue.extendleft(reversed(batch))
                        alone = len(batch)
                        continue
                    _refuse(batch or list(queue), e)
                    if not batch:
                        queue.clear()
                else:
                    _give(batch, rows)
                alone = max(0, alone - 1)
        finally:
            for wanted in self._wanted.pop(vos):
                wanted.answer.cancel()

    async def _exchange(self, conn: Connection, vos: tuple[int, ...], batch: list[Wanted]) -> list[Row | None]:
        try:
            return await self._send(conn, vos, batch)
        except errors.InvalidSqlStatementName:  # psycopg lets go of all statements after a savepoint's rollback
            self.forget(conn)
            return await self._send(conn, vos, batch)

    async def _send(self, conn: Connection, vos: tuple[int, ...], batch: list[Wanted]) -> list[Row | None]:
        known = self._prepared.setdefault(conn, set())
        for glance in {wanted.glance.name: wanted.glance for wanted in batch}.values():
            if glance.name not in known:
                await conn.execute(glance.prepare, prepare=False)
                known.add(glance.name)
        cursor = AsyncClientCursor(conn, row_factory=dict_row)
        runs = [cursor.mogrify(wanted.glance.run, wanted.params) for wanted in batch]
        await cursor.execute((GREETING.format(",".join(str(int(vo)) for vo in vos)) + "; ".join(runs)).encode())
        rows: list[Row | None] = []
        for number in range(len(batch)):
            await cursor.set_result(GREETINGS + number)
            rows.append(await cursor.fetchone())
        return rows


def _give(batch: list[Wanted], rows: list[Row | None]) -> None:
    for wanted, row in zip(batch, rows, strict=True):
        if not wanted.answer.done():
            wanted.answer.set_result(row)


def _refuse(batch: list[Wanted], why: Exception) -> None:
    for wanted in batch:
        if not wanted.answer.done():
            wanted.answer.set_exception(why)
