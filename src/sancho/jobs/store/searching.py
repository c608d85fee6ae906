"""Searches for jobs: ids first, by what a condition and an order need; then what is shown of each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, LiteralString

from psycopg import sql

from sancho.jobs.model import Logged
from sancho.jobs.store.fields import joined
from sancho.kit.db import Connection, fetch, fetch_rows, fetch_values
from sancho.kit.search import REGEX, SQL_LIKE, Composable, Condition

FEW = 5_000
"""So many jobs are looked up one by one and sorted in a moment."""
THING = sql.SQL("j.job_id")
TRUE = sql.SQL("true")
FROM = sql.SQL("FROM job j {joins} WHERE j.vo = %(vo)s AND {condition}")
MATCHING: Mapping[str, LiteralString] = {
    SQL_LIKE: "SELECT w FROM unnest(%(words)s::text[]) AS w WHERE w LIKE %(by)s::text",
    REGEX: "SELECT w FROM unnest(%(words)s::text[]) AS w WHERE w ~ %(by)s::text",
}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which jobs: a condition, and the aliases that are in it."""

    condition: Condition
    needs: frozenset[str] = frozenset()
    narrow: bool = False
    """There is a condition."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What comes first: values, each from the lowest or from the highest, and then the id."""

    by: Sequence[tuple[Composable, bool, bool]] = ()
    """An expression, whether the highest comes first, and whether every job has it: else what has none comes last."""
    newest: bool = True
    """Among equals, whether the highest id comes first."""
    needs: frozenset[str] = frozenset()

    @property
    def clause(self) -> Composable:
        """The clause."""
        return self._clause([value for value, *_ in self.by], sql.SQL("j.job_id"))

    @property
    def of_found(self) -> Composable:
        """The clause, where values have been found and are called `k0`, `k1`."""
        return self._clause([sql.Identifier(f"k{n}") for n in range(len(self.by))], sql.SQL("job_id"))

    def _clause(self, values: Sequence[sql.Composable], job_id: Composable) -> Composable:
        # What an index serves is said without more: that nothing is null there, the planner does not know.
        down_as = {True: sql.SQL("{} DESC"), False: sql.SQL("{} DESC NULLS LAST")}
        parts = [
            (down_as[always] if down else sql.SQL("{}")).format(value)
            for value, (_, down, always) in zip(values, self.by, strict=True)
        ]
        return sql.SQL(", ").join([*parts, sql.SQL("{} DESC" if self.newest else "{}").format(job_id)])


@dataclass(frozen=True, kw_only=True)
class After:
    """Where a page begins: behind the job of an id, which has this value in the one column that a list is sorted by."""

    job_id: int
    value: Composable | None = None
    at: datetime | None = None
    down: bool = True

    @property
    def condition(self) -> Condition:
        """What is behind it; the first test is one that an index serves."""
        sign = sql.SQL("<" if self.down else ">")
        if self.value is None:
            return Condition(sql.SQL("j.job_id {} %(after_id)s::bigint").format(sign), {"after_id": self.job_id})
        text = sql.SQL(
            "({0} {1}= %(after_at)s::timestamptz"
            " AND ({0}, j.job_id) {1} (%(after_at)s::timestamptz, %(after_id)s::bigint))"
        )
        return Condition(text.format(self.value, sign), {"after_id": self.job_id, "after_at": self.at})


def both(wanted: Wanted, more: Condition, needs: Iterable[str] = ()) -> Wanted:
    """What meets another condition too."""
    condition = Condition(
        sql.SQL("{} AND {}").format(wanted.condition.sql, more.sql), {**wanted.condition.params, **more.params}
    )
    return replace(wanted, condition=condition, needs=wanted.needs | frozenset(needs))


def _from(wanted: Wanted, more: Iterable[str] = ()) -> Composable:
    return FROM.format(joins=joined([*wanted.needs, *more]), condition=wanted.condition.sql)


async def page(
    conn: Connection, vo: int, wanted: Wanted, order: Order, *, limit: int, offset: int = 0
) -> list[int]:  # fmt: skip
    """Ids of jobs, in order.

    Where few jobs are expected, all of them are found and then sorted. Left to itself, the planner would rather go
    through jobs in order until it has met enough, which takes long when those that meet the condition are old.
    """
    params = {"vo": vo, "limit": limit, "offset": offset, **wanted.condition.params}
    source = _from(wanted, order.needs)
    if wanted.narrow and await _estimate(conn, sql.SQL("SELECT j.job_id {}").format(source), params) < FEW:
        keys = sql.SQL("").join(
            sql.SQL(", {} AS {}").format(value, sql.Identifier(f"k{n}")) for n, (value, *_) in enumerate(order.by)
        )
        query = sql.SQL(
            "WITH found AS MATERIALIZED (SELECT j.job_id {} {}) SELECT job_id FROM found ORDER BY {} LIMIT %(limit)s"
            " OFFSET %(offset)s"
        ).format(keys, source, order.of_found)
    else:
        query = sql.SQL("SELECT j.job_id {} ORDER BY {} LIMIT %(limit)s OFFSET %(offset)s").format(source, order.clause)
    return await fetch_values(conn, query, params)


async def _estimate(conn: Connection, query: Composable, params: Mapping[str, object]) -> float:
    """How many rows the planner expects."""
    plan = await fetch_values(conn, sql.SQL("EXPLAIN (FORMAT JSON) {}").format(query), params)
    return plan[0][0]["Plan"]["Plan Rows"]


async def count(conn: Connection, vo: int, wanted: Wanted) -> int:
    """How many jobs there are."""
    query = sql.SQL("SELECT count(*) {}").format(_from(wanted))
    return (await fetch_values(conn, query, {"vo": vo, **wanted.condition.params}))[0]


async def groups(
    conn: Connection, vo: int, wanted: Wanted, by: Sequence[Composable], *, needs: Iterable[str], limit: int
) -> list[tuple[Any, ...]]:
    """How many jobs have each combination of values: the values, and the number."""
    values = sql.SQL(", ").join(by)
    numbers = sql.SQL(", ").join(sql.Literal(n) for n in range(1, len(by) + 1))
    query = sql.SQL("SELECT {}, count(*) {} GROUP BY {} ORDER BY {} LIMIT %(limit)s")
    return await fetch_rows(
        conn,
        query.format(values, _from(wanted, needs), numbers, numbers),
        {"vo": vo, "limit": limit, **wanted.condition.params},
    )


async def shown(
    conn: Connection, vo: int, job_ids: Sequence[int], values: Sequence[Composable], needs: Iterable[str]
) -> list[tuple[Any, ...]]:
    """Values of jobs, in the order of their ids as they are given; an id of no job is left out."""
    query = sql.SQL(
        """
        SELECT {values}
          FROM unnest(%(ids)s::bigint[]) WITH ORDINALITY AS wanted (job_id, place)
          JOIN job j ON j.job_id = wanted.job_id AND j.vo = %(vo)s
          {joins}
         ORDER BY wanted.place
        """
    )
    columns = sql.SQL(", ").join(values)
    return await fetch_rows(
        conn, query.format(values=columns, joins=joined(needs)), {"vo": vo, "ids": list(job_ids)}
    )  # fmt: skip


async def histories(conn: Connection, vo: int, job_ids: Sequence[int]) -> list[Logged]:
    """Every state that jobs have been in, and all that was reported of them, in order of their times."""
    return await fetch(
        conn,
        Logged,
        """
        SELECT h.job_id, h.state, h.at, h.detail, h.source, h.minor, h.application, h.asked
          FROM job_history h
         WHERE h.job_id = ANY(%(ids)s) AND h.vo = %(vo)s
           AND h.at >= (SELECT min(s.submitted_at)
                          FROM job_spec p JOIN submission s ON s.submission_id = p.submission_id AND s.vo = p.vo
                         WHERE p.job_id = ANY(%(ids)s) AND p.vo = %(vo)s)
         ORDER BY h.job_id, h.at
        """,
        {"vo": vo, "ids": list(job_ids)},
    )


async def matching(conn: Connection, operator: str, pattern: str, words: Sequence[str]) -> list[str]:
    """The words that a pattern of the database's own kind fits."""
    return await fetch_values(conn, MATCHING[operator], {"words": list(words), "by": pattern})


# ---- names to ids


async def accounts_named(conn: Connection, vo: int, names: Sequence[str]) -> dict[str, list[int]]:
    """Ids of accounts by name."""
    return _by_name(
        await fetch_rows(
            conn,
            "SELECT name, account_id FROM account WHERE vo = %(vo)s AND name = ANY(%(names)s)",
            {"vo": vo, "names": list(names)},
        )
    )


async def sites_named(conn: Connection, vo: int, names: Sequence[str]) -> dict[str, list[int]]:
    """Ids of sites by name, of those that the VO may see."""
    return _by_name(
        await fetch_rows(
            conn,
            """
            SELECT name, resource_id FROM resource
             WHERE kind = 'S' AND name = ANY(%(names)s) AND (vo = %(vo)s OR vo = 0 OR resource_id IN (
                   SELECT resource_id FROM resource_grant WHERE to_vo = %(vo)s))
            """,
            {"vo": vo, "names": list(names)},
        )
    )


async def dids_named(conn: Connection, vo: int, names: Sequence[tuple[str, str]]) -> dict[str, list[int]]:
    """Ids of DIDs by their full names."""
    return _by_name(
        await fetch_rows(
            conn,
            """
            SELECT n.scope || ':' || n.name, d.did_id
              FROM unnest(%(scopes)s::text[], %(names)s::text[]) AS n (scope, name)
              JOIN scope s ON s.name = n.scope AND s.vo = %(vo)s
              JOIN did d ON d.scope_id = s.scope_id AND d.vo = %(vo)s AND d.name = n.name AND NOT d.erased
            """,
            {"vo": vo, "scopes": [n[0] for n in names], "names": [n[1] for n in names]},
        )
    )


async def promised_by(conn: Connection, vo: int, names: Sequence[tuple[str, str]]) -> dict[str, list[int]]:
    """Ids of the jobs that make, or are to make, files of these full names."""
    return _by_name(
        await fetch_rows(
            conn,
            """
            SELECT n.scope || ':' || n.name, o.job_id
              FROM unnest(%(scopes)s::text[], %(names)s::text[]) AS n (scope, name)
              JOIN scope s ON s.name = n.scope AND s.vo = %(vo)s
              JOIN job_output o ON o.scope_id = s.scope_id AND o.vo = %(vo)s AND o.name = n.name
            """,
            {"vo": vo, "scopes": [n[0] for n in names], "names": [n[1] for n in names]},
        )
    )


def _by_name(rows: Iterable[Sequence[Any]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for name, number in rows:
        found.setdefault(name, []).append(number)
    return found
