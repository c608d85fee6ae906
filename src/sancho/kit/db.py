"""PostgreSQL: transactions that serve named VOs, and rows that become values.

The caller of a service owns the transaction. Every transaction says which VOs it serves; row-level security
shows it nothing else. `Transaction` is for writes and short reads, `Snapshot` for long streamed reads: it is
read-only, sees one moment, and has a small pool of its own so that slow clients cannot hold the database.

Connections are shared between VOs: whoever is alone may use all of them, and when several wait, the next free one
goes to the VO that holds the fewest for its weight. What serves many VOs at once counts as the VO `instance`'s.
"""

import asyncio
import itertools
import os
import random
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache, lru_cache
from typing import Any, LiteralString, TypeVar

from psycopg import AsyncConnection, AsyncCursor, errors, sql
from psycopg.conninfo import make_conninfo
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout
from pydantic import TypeAdapter

from sancho.kit.adapters import ADAPTERS
from sancho.kit.errors import Conflict, Invalid, Unavailable
from sancho.kit.fair import Crowded, Party, Turns
from sancho.kit.glances import Glances
from sancho.kit.search import PatternUnfit
from sancho.kit.tenancy import INSTANCE

Connection = AsyncConnection[TupleRow]
T = TypeVar("T")
Query = LiteralString | sql.SQL | sql.Composed


Hear = Callable[[float], Awaitable[list[str]]]
"""Waits so many seconds for news; gives those that came, as soon as there are any."""
BeforeCommit = Callable[[Connection, Sequence[int]], Awaitable[None]]

SEARCH_PATH = "-c search_path=sancho,procrastinate"


class DatabaseBusy(Unavailable):
    """All database connections are in use."""

    code = "database_busy"

    def __init__(self) -> None:
        """Ask to come back in a moment."""
        super().__init__(retry_after=1)


class DatabaseAway(Unavailable):
    """The database does not answer."""

    code = "database_away"

    def __init__(self) -> None:
        """Ask to come back when it may have restarted."""
        super().__init__(retry_after=2)


class Collision(Conflict):
    """Two requests changed the same thing at once ({detail}); nothing was changed by this one."""

    code = "collision"

    def __init__(self, *, detail: str) -> None:
        """Carry the database's word for it."""
        super().__init__(detail=detail, hint="Send the request again.")


class TooSlow(Invalid):
    """This would take longer than {seconds} s, so it was given up."""

    code = "too_slow"

    def __init__(self, *, seconds: int, hint: str) -> None:
        """Name the limit, and what to do."""
        super().__init__(seconds=seconds, hint=hint)


async def _configure(conn: Connection) -> None:
    await conn.set_autocommit(True)  # transactions are opened by hand, so that BEGIN and the VOs go in one round trip


async def _configure_snapshot(conn: Connection) -> None:
    await _configure(conn)
    await conn.execute("SET statement_timeout = '10min'; SET idle_in_transaction_session_timeout = '1min'")


def named(url: str, program: str) -> str:
    """The same database, to which connections say what this process is, its pid, since when and where it runs.

    `sancho.programs` reads it there.
    """
    name = f"sancho {program} {os.getpid()} {int(time.time())} {socket.gethostname()}"
    return make_conninfo(url, application_name=name)


class Database:
    """The pools of one process. Open it once, close it at the end; both may be repeated."""

    def __init__(
        self, url: str, *, size: int = 10, snapshots: int = 4, timeout: float = 5.0,
        weigh: Callable[[Party], float] | None = None, before_commit: BeforeCommit | None = None,
    ) -> None:  # fmt: skip
        """Prepare pools of `size` and `snapshots` connections; waiting longer than `timeout` s is `DatabaseBusy`.

        `weigh` says what share of the connections a VO (its id) has while others want them too. `before_commit` is the
        last thing that a transaction does; it is told which VOs the transaction serves.
        """
        self._before_commit = before_commit
        options: dict[str, Any] = {"options": SEARCH_PATH, "context": ADAPTERS}
        self._url, self._timeout = url, timeout
        self._room = 20 * size
        self._turns = Turns(size, room=self._room, weigh=weigh)
        self._glances = Glances(lambda vos: self._connection(self._pool, self._turns, vos))
        self._snapshot_turns = Turns(snapshots, room=5 * snapshots, weigh=weigh)
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            url, kwargs=options, min_size=1, max_size=size, timeout=timeout, open=False,
            configure=_configure, check=None, name="work",
        )  # fmt: skip
        self._snapshots: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            url, kwargs=options, min_size=0, max_size=snapshots, timeout=timeout, open=False,
            configure=_configure_snapshot, name="snapshots",
        )  # fmt: skip

    async def open(self) -> None:
        """Start the pools; does not wait for the database."""
        await self._pool.open()
        await self._snapshots.open()

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.close()
        await self._snapshots.close()

    @asynccontextmanager
    async def transaction(self, vos: Iterable[int], *, plan_once: bool = False) -> AsyncIterator[Connection]:
        """Run one transaction that serves `vos` (ids); commit on leaving, roll back on an error.

        With `plan_once`, the plan of a statement is made once for a connection, not anew for the values it is given:
        for short statements that run often, of which planning is the longest part.

        Raises `DatabaseBusy`, `Crowded` when too much of the same VO waits, `DatabaseAway`, or `Collision` after a
        deadlock or a lock wait that was too long.
        """
        served = tuple(vos)
        opening = _opening("BEGIN", served, plan_once=plan_once)
        async with self._lease(self._pool, self._turns, served, opening) as conn:
            yield conn
            if self._before_commit is not None:
                await self._before_commit(conn, served)

    @asynccontextmanager
    async def snapshot(self, vos: Iterable[int]) -> AsyncIterator[Connection]:
        """Read one moment of the database, for as long as a client streams; never write."""
        begin, served = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", tuple(vos)
        async with self._lease(self._snapshots, self._snapshot_turns, served, _opening(begin, served)) as conn:
            yield conn

    async def glance(
        self, vos: Iterable[int], kind: type[T], query: LiteralString, params: Mapping[str, Any] | None = None,
        *, first: LiteralString | None = None,
    ) -> T | None:  # fmt: skip
        """Run one short query for at most one row (as `find` does) in a transaction of its own, in a single exchange.

        `first` is run before it: what it waits for, the query sees. For what is asked of nearly every request; its plan
        is made once for a connection, as by `plan_once`, and what else is wanted for the same VOs meanwhile shares the
        next exchange. Raises as `transaction` does.
        """
        served = tuple(vos)
        if self._glances.waiting(served) >= self._room:
            raise Crowded
        queries: list[LiteralString] = [query] if first is None else [first, query]
        row = await self._glances.ask(served, queries, params or {})
        return None if row is None else _adapter(kind).validate_python(row)

    @asynccontextmanager
    async def listening(self, channel: LiteralString) -> AsyncIterator[Hear]:
        """Hear what others say on a channel (`pg_notify`), over a connection of its own; raises `DatabaseAway`."""
        try:
            async with await AsyncConnection.connect(self._url, autocommit=True) as conn:
                await conn.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))

                async def hear(seconds: float) -> list[str]:
                    return [news.payload async for news in conn.notifies(timeout=seconds, stop_after=1)]

                yield hear
        except (errors.OperationalError, errors.InterfaceError) as e:
            raise DatabaseAway from e

    @asynccontextmanager
    async def _lease(
        self, pool: AsyncConnectionPool[Connection], turns: Turns, vos: tuple[int, ...], opening: bytes
    ) -> AsyncIterator[Connection]:
        async with self._connection(pool, turns, vos) as conn:
            await conn.execute(opening)
            try:
                yield conn
            except BaseException:
                if not conn.broken:
                    glanced = self._glances.forget(conn)  # psycopg lets go of its statements, so of all, too
                    await conn.execute("ROLLBACK; DEALLOCATE ALL" if glanced else "ROLLBACK")
                raise
            await conn.execute("COMMIT", prepare=False)

    @asynccontextmanager
    async def _connection(
        self, pool: AsyncConnectionPool[Connection], turns: Turns, vos: tuple[int, ...]
    ) -> AsyncIterator[Connection]:
        party = vos[0] if len(vos) == 1 else INSTANCE
        try:
            await turns.take(party, timeout=self._timeout)
        except TimeoutError as e:
            raise DatabaseBusy from e
        try:
            async with pool.connection() as conn:
                yield conn
        except PoolTimeout as e:
            raise DatabaseBusy from e
        except (errors.DeadlockDetected, errors.LockNotAvailable, errors.SerializationFailure) as e:
            raise Collision(detail=type(e).__name__) from e
        except (errors.OperationalError, errors.InterfaceError) as e:
            if e.sqlstate and not e.sqlstate.startswith(("08", "57P")):
                raise
            raise DatabaseAway from e
        finally:
            turns.give_back(party)


@lru_cache(maxsize=1000)
def _opening(begin: LiteralString, vos: tuple[int, ...], *, plan_once: bool = False) -> bytes:
    """What opens a transaction, in one message: several statements cannot have parameters."""
    plans = ", set_config('plan_cache_mode', 'force_generic_plan', true)" if plan_once else ""
    return f"{begin}; {_serving(vos)}{plans}".encode()


def _serving(vos: tuple[int, ...]) -> str:
    return f"SELECT set_config('sancho.vo', '{_words(vos)}', true)"


def _words(vos: tuple[int, ...]) -> str:
    return ",".join(str(int(vo)) for vo in vos)


async def narrow(conn: Connection, vos: Iterable[int]) -> None:
    """Serve fewer VOs for the rest of this transaction: least privilege once it is known whose work this is."""
    await conn.execute("SELECT set_config('sancho.vo', %s, true)", [",".join(str(int(vo)) for vo in vos)])


@asynccontextmanager
async def serving(conn: Connection, vos: Iterable[int]) -> AsyncIterator[None]:
    """Serve other VOs, and only them, while the block lasts; then again those from before.

    Whoever calls it has a right to what it reads there, and says in its docstring which: no policy checks it.
    """
    before = await fetch_value(conn, "SELECT current_setting('sancho.vo')")
    await narrow(conn, vos)
    try:
        yield
    finally:
        # A transaction that a statement broke takes its settings back by itself.
        if conn.info.transaction_status is TransactionStatus.INTRANS:
            await conn.execute("SELECT set_config('sancho.vo', %s, true)", [before])


@asynccontextmanager
async def in_time(conn: Connection, seconds: int, *, hint: str = "Ask for less.") -> AsyncIterator[None]:
    """Give up a statement of this block that takes longer: raise `TooSlow`, and take back what the block did.

    A pattern of a search that the database cannot read raises `PatternUnfit`.
    """
    before = await fetch_value(conn, "SELECT current_setting('statement_timeout')")
    try:
        async with conn.transaction():
            await conn.execute("SELECT set_config('statement_timeout', %s, true)", [f"{seconds}s"])
            yield
    except errors.QueryCanceled as e:
        raise TooSlow(seconds=seconds, hint=hint) from e
    except (errors.InvalidRegularExpression, errors.InvalidEscapeSequence) as e:
        raise PatternUnfit(reason=e.diag.message_primary or "it is malformed") from e
    await conn.execute("SELECT set_config('statement_timeout', %s, true)", [before])


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


async def execute(conn: Connection, query: Query, params: Mapping[str, Any] | None = None) -> int:
    """Run a statement; say how many rows it touched."""
    return (await conn.execute(query, params)).rowcount


async def fetch(conn: Connection, kind: type[T], query: Query, params: Mapping[str, Any] | None = None) -> list[T]:
    """Run a query; make each row a `kind` (a dataclass whose fields are the columns), enums and all."""
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query, params)
        rows = await cursor.fetchall()
    return _adapter(list[kind]).validate_python(rows)


async def find(conn: Connection, kind: type[T], query: Query, params: Mapping[str, Any] | None = None) -> T | None:
    """Run a query for at most one row; None when there is none."""
    rows = await fetch(conn, kind, query, params)
    return rows[0] if rows else None


async def fetch_rows(conn: Connection, query: Query, params: Mapping[str, Any] | None = None) -> list[TupleRow]:
    """Run a query; give the rows as plain tuples."""
    return await (await conn.execute(query, params)).fetchall()


async def fetch_values(conn: Connection, query: Query, params: Mapping[str, Any] | None = None) -> list[Any]:
    """Run a query of one column; give its values."""
    return [row[0] for row in await fetch_rows(conn, query, params)]


async def fetch_value(conn: Connection, query: Query, params: Mapping[str, Any] | None = None) -> Any:
    """Run a query of one row and one column; None when there is no row."""
    row = await (await conn.execute(query, params)).fetchone()
    return row[0] if row else None


async def stream(
    conn: Connection, query: Query, params: Mapping[str, Any] | None = None, *, chunk: int = 1000
) -> AsyncIterator[Sequence[TupleRow]]:
    """Read a long result in chunks from a server-side cursor: constant memory, whatever the length.

    Whoever does not read to the end may leave it: then the cursor lasts as long as the transaction. So nothing is said
    to a connection for somebody who hung up, which by then may have been given to another.
    """
    name = await _declare(conn, query, params)
    fetch = _FETCH.format(chunk, name)
    while rows := await (await conn.execute(fetch, prepare=False)).fetchall():
        yield rows
    await conn.execute(_CLOSE.format(name))


async def stream_as(
    conn: Connection, kind: type[T], query: Query, params: Mapping[str, Any] | None = None, *, chunk: int = 1000
) -> AsyncIterator[list[T]]:
    """Read a long result as `stream` does; make each row a `kind`, as `fetch` does."""
    name = await _declare(conn, query, params)
    fetch = _FETCH.format(chunk, name)
    while rows := await (await conn.cursor(row_factory=dict_row).execute(fetch, prepare=False)).fetchall():
        yield _adapter(list[kind]).validate_python(rows)
    await conn.execute(_CLOSE.format(name))


_FETCH, _CLOSE = sql.SQL("FETCH FORWARD {} FROM {}"), sql.SQL("CLOSE {}")
_cursors = itertools.count(1)


async def _declare(conn: Connection, query: Query, params: Mapping[str, Any] | None) -> sql.Identifier:
    """A new server-side cursor, by its name, which no other has."""
    name = sql.Identifier(f"stream {next(_cursors)}")
    text = sql.SQL(query) if isinstance(query, str) else query
    await conn.execute(sql.SQL("DECLARE {} NO SCROLL CURSOR FOR {}").format(name, text), params)
    return name


async def make_partitions(conn: Connection) -> None:
    """Make the partitions of the coming weeks, for every table that is partitioned by time."""
    await execute(conn, "SELECT make_partitions((now() + interval '8 weeks')::date)")


async def again(work: Callable[[], Awaitable[T]], *, tries: int = 5) -> T:
    """Do a piece of work that is safe to repeat; repeat it after a `Collision`, with a short random pause."""
    for n in range(1, tries):
        try:
            return await work()
        except Collision:
            await asyncio.sleep(random.uniform(0.01, 0.05 * 2**n))  # noqa: S311 - a pause, not a secret
    return await work()


async def all_vos(database: Database) -> list[int]:
    """Ids of every VO, the reserved VO `instance` (0) included: what a worker's claim serves."""
    async with database.transaction([0]) as conn:
        return await fetch_values(conn, "SELECT vo FROM vo ORDER BY vo")


__all__ = [
    "AsyncCursor", "Collision", "Connection", "Database", "DatabaseAway", "DatabaseBusy", "Hear", "Query", "TooSlow",
    "again",
    "all_vos", "execute", "fetch", "fetch_rows", "fetch_value", "fetch_values", "find", "in_time", "make_partitions",
    "narrow", "serving", "stream", "stream_as",
]  # fmt: skip
