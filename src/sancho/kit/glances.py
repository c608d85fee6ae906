"""Short statements for one row each, of which those that are wanted at the same time share one exchange.

What is asked of nearly every request costs more in talking to the database than in the database. So a statement is
prepared once for a connection; the message that runs it is a transaction of its own; and while one message is under
way, what else the same VOs want is gathered for the next one. Those that write share a commit, too.
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any, LiteralString, NamedTuple
from weakref import WeakKeyDictionary

from psycopg import AsyncClientCursor, AsyncConnection, Error, errors
from psycopg.rows import TupleRow, dict_row

from sancho.kit.errors import Conflict

Connection = AsyncConnection[TupleRow]
Row = dict[str, Any]

GREETING = (
    "SET LOCAL sancho.vo = '{}'; SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL lock_timeout = '{}ms'; "
)
GREETINGS = 3
"""How many results come before those of the queries."""
PARAMETER = re.compile(r"%\((\w+)\)s")
PATIENCE = 50
"""Milliseconds for which what goes together waits for a lock: others of the same VOs wait behind it, and with the
locks that it has already it may stand in somebody's way. Then each is asked alone, and waits for itself."""
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
    """Queries that somebody waits for, one after the other; what the last one gives is wanted."""

    glances: tuple[Glance, ...]
    params: Mapping[str, Any]


@dataclass
class Message:
    """What goes to the database together; newcomers join until it goes."""

    wanted: list[Wanted]
    sent: "asyncio.Task[list[Row | None]]"


class Glances:
    """What is wanted of one database, by the VOs that it is wanted for.

    Queries of different VOs never share a message. One that fails, fails alone: when the database says that it has
    undone a message, the others of it are asked again. Who waits no longer keeps nobody up.
    """

    def __init__(self, lease: Callable[[tuple[int, ...]], AbstractAsyncContextManager[Connection]]) -> None:
        """`lease` gives a connection, outside of any transaction, for what some VOs want.

        When the connection is lost it raises what is no `Error`: nobody knows then whether a message was carried out.
        """
        self._lease = lease
        self._prepared: WeakKeyDictionary[Connection, set[str]] = WeakKeyDictionary()
        self._to_go: dict[tuple[int, ...], deque[Message]] = {}
        self._under_way: dict[tuple[int, ...], asyncio.Lock] = {}

    async def ask(
        self, vos: tuple[int, ...], queries: Sequence[LiteralString], params: Mapping[str, Any]
    ) -> Row | None:
        """The row that the last of some queries gives, which sees what these VOs may, and what came before it.

        Raises what `lease` and the database do.
        """
        wanted = Wanted(tuple(map(glance_of, queries)), params)
        message = self._join(vos, wanted)
        place = len(message.wanted) - 1
        try:
            return (await asyncio.shield(message.sent))[place]
        except Conflict:
            pass  # all of it was undone
        except Error:
            if len(message.wanted) == 1:
                raise
        async with self._lease(vos) as conn:
            return (await self._exchange(conn, vos, [wanted], patience=0))[0]

    def waiting(self, vos: tuple[int, ...]) -> int:
        """How many queries of these VOs wait for a message to go."""
        return sum(len(message.wanted) for message in self._to_go.get(vos, ()))

    def forget(self, conn: Connection) -> bool:
        """Prepare all anew on a connection; says whether there was anything on it."""
        return self._prepared.pop(conn, None) is not None

    def _join(self, vos: tuple[int, ...], wanted: Wanted) -> Message:
        to_go = self._to_go.setdefault(vos, deque())
        if to_go and len(to_go[-1].wanted) < MOST_TOGETHER:
            to_go[-1].wanted.append(wanted)
        else:
            to_go.append(Message([wanted], asyncio.create_task(self._send_next(vos))))
            to_go[-1].sent.add_done_callback(_look_at)
        return to_go[-1]

    async def _send_next(self, vos: tuple[int, ...]) -> list[Row | None]:
        async with self._under_way.setdefault(vos, asyncio.Lock()):
            message: Message | None = None
            try:
                async with self._lease(vos) as conn:
                    message = self._to_go[vos].popleft()
                    return await self._exchange(conn, vos, message.wanted)
            finally:
                if message is None:
                    self._to_go[vos].popleft()

    async def _exchange(
        self, conn: Connection, vos: tuple[int, ...], wanted: Sequence[Wanted], *, patience: int = PATIENCE
    ) -> list[Row | None]:  # fmt: skip
        try:
            return await self._send(conn, vos, wanted, patience)
        except errors.InvalidSqlStatementName:  # psycopg lets go of all statements after a savepoint's rollback
            self.forget(conn)
            return await self._send(conn, vos, wanted, patience)

    async def _send(
        self, conn: Connection, vos: tuple[int, ...], wanted: Sequence[Wanted], patience: int
    ) -> list[Row | None]:  # fmt: skip
        known = self._prepared.setdefault(conn, set())
        for glance in {each.name: each for one in wanted for each in one.glances}.values():
            if glance.name not in known:
                await conn.execute(glance.prepare, prepare=False)
                known.add(glance.name)
        cursor = AsyncClientCursor(conn, row_factory=dict_row)
        runs = [cursor.mogrify(each.run, one.params) for one in wanted for each in one.glances]
        greeting = GREETING.format(",".join(str(int(vo)) for vo in vos), patience)
        await cursor.execute((greeting + "; ".join(runs)).encode())
        rows: list[Row | None] = []
        last = GREETINGS - 1
        for one in wanted:
            last += len(one.glances)
            await cursor.set_result(last)
            rows.append(await cursor.fetchone())
        return rows


def _look_at(sent: "asyncio.Task[list[Row | None]]") -> None:
    """See how it ended: nobody may be there any more whom that concerns."""
    if not sent.cancelled():
        sent.exception()
