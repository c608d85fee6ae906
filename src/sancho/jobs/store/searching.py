"""Searches for jobs: ids first, by what a condition and an order need; then what is shown of each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, LiteralString

from psycopg import sql

from sancho.jobs.model import Logged
from sancho.jobs.store import ranges
from sancho.jobs.store.fields import joined
from sancho.kit.db import Connection, fetch, fetch_rows, fetch_values
from sancho.kit.search import REGEX, SQL_LIKE, Composable, Condition

FEW = 5_000
"""So many jobs are looked up one by one and sorted in a moment."""
MOST = 2 * FEW
"""Where few were expected and so many are found, the planner knew too little."""
LAST = 2**62
THING = sql.SQL("j.job_id")
TRUE = sql.SQL("true")
FROM = sql.SQL("FROM job j {joins} WHERE j.vo = %(vo)s AND {condition}")
WITHIN = sql.SQL(" AND j.job_id BETWEEN %(lowest)s::bigint AND %(highest)s::bigint")
AMONG = sql.SQL(" AND j.job_id = ANY(%(ids)s::bigint[])")
RANGES: LiteralString = """
    FROM (SELECT g.range_id, g.vo, g.state, 0::smallint AS attempts, g.task_queue_id, g.account_id,
                 NULL::integer AS site_id, {job_id} AS job_id, g.changed_at, g.submission_id, g.base_id,
                 greatest(g.first_id, %(lowest)s::bigint) AS first_id, least(g.last_id, %(highest)s::bigint) AS last_id
            FROM job_range g
           WHERE g.vo = %(vo)s AND g.first_id <= %(highest)s::bigint AND g.last_id >= %(lowest)s::bigint) j
    {joins} WHERE {condition}
"""
EACH: LiteralString = "generate_series(greatest(g.first_id, %(lowest)s::bigint), least(g.last_id, %(highest)s::bigint))"
NAMED: LiteralString = "FROM (" + ranges.MEMBERS + ") j {joins} WHERE {condition}"
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
    by_member: bool = False
    """Some jobs of one range may meet it, and others not."""
    bounds: tuple[int, int] = (0, LAST)
    """The lowest and the highest id, beside the condition."""
    among: frozenset[int] | None = None
    """The only ids, beside the condition."""

    @property
    def whole(self) -> bool:
        """All jobs of a range meet it, or none."""
        return not self.by_member and self.among is None and self.bounds == (0, LAST)

    def params(self, vo: int) -> dict[str, object]:
        """All that a statement needs to know."""
        low, high = self.bounds
        return {
            "vo": vo, "lowest": low, "highest": high, "ids": sorted(self.among or ()), **self.condition.params
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Order:
    """What comes first: values, each from the lowest or from the highest, and then the id."""

    by: Sequence[tuple[Composable, bool, bool]] = ()
    """An expression, whether the highest comes first, and whether every job has it: else what has none comes last."""
    newest: bool = True
    """Among equals, whether the highest id comes first."""
    needs: frozenset[str] = frozenset()
    by_member: bool = False
    """Jobs of one range differ in these values."""

    @property
    def keys(self) -> Composable:
        """The values, called `k0`, `k1`, behind others in a list."""
        return sql.SQL("").join(
            sql.SQL(", {} AS {}").format(value, sql.Identifier(f"k{n}")) for n, (value, *_) in enumerate(self.by)
        )

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
    needs: frozenset[str] = frozenset()

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

    def within(self, low: Composable, high: Composable) -> tuple[Composable, Composable, Condition]:
        """The first and the last job of a range that are behind it, and the ranges that have any."""
        reached = (
            sql.SQL("{} < %(after_id)s::bigint").format(low)
            if self.down
            else sql.SQL("{} > %(after_id)s::bigint").format(high)
        )
        last, first = sql.SQL("least({}, %(after_id)s::bigint - 1)"), sql.SQL("greatest({}, %(after_id)s::bigint + 1)")
        edge = last.format(high) if self.down else first.format(low)
        params: dict[str, object] = {"after_id": self.job_id}
        if self.value is not None:
            equal = sql.SQL("CASE WHEN {} = %(after_at)s::timestamptz THEN {} ELSE {} END")
            edge = equal.format(self.value, edge, high if self.down else low)
            sign = sql.SQL("<" if self.down else ">")
            text = sql.SQL("({0} {1} %(after_at)s::timestamptz OR ({0} = %(after_at)s::timestamptz AND {2}))")
            reached = text.format(self.value, sign, reached)
            params["after_at"] = self.at
        return (low, edge, Condition(reached, params)) if self.down else (edge, high, Condition(reached, params))


def both(wanted: Wanted, more: Condition, needs: Iterable[str] = ()) -> Wanted:
    """What meets another condition too."""
    condition = Condition(
        sql.SQL("{} AND {}").format(wanted.condition.sql, more.sql), {**wanted.condition.params, **more.params}
    )
    return replace(wanted, condition=condition, needs=wanted.needs | frozenset(needs))


def _from(wanted: Wanted, more: Iterable[str] = ()) -> Composable:
    return FROM.format(joins=joined([*wanted.needs, *more]), condition=_condition(wanted))


def _condition(wanted: Wanted) -> Composable:
    within = WITHIN if wanted.bounds != (0, LAST) else sql.SQL("")
    return sql.SQL("{}{}{}").format(wanted.condition.sql, within, AMONG if wanted.among is not None else sql.SQL(""))


async def page(
    conn: Connection, vo: int, wanted: Wanted, order: Order, *, part: tuple[int, int], after: After | None = None
) -> list[int]:
    """Ids of jobs, in order: so many, behind so many.

    Where few jobs are expected, all of them are found and then sorted. Left to itself, the planner would rather go
    through jobs in order until it has met enough, which takes long when those that meet the condition are old. When
    they turn out to be many, they are met soon, and are gone through in order after all.
    """
    behind = wanted if after is None else both(wanted, after.condition, after.needs)
    params = {"limit": part[0], "offset": part[1], "top": sum(part), "most": MOST, **behind.params(vo)}
    source = _from(behind, order.needs)
    found = sql.SQL("SELECT j.job_id{} {}").format(order.keys, source)
    parts = sql.SQL("TABLE found")
    if await ranges.there_are(conn, vo):
        parts = sql.SQL("TABLE found UNION ALL ({})").format(_of_ranges(wanted, behind, order, after))
    query = sql.SQL(
        "WITH found AS MATERIALIZED ({}) SELECT job_id, (SELECT count(*) FROM found) FROM ({}) AS one"
        " ORDER BY {} LIMIT %(limit)s OFFSET %(offset)s"
    )
    if wanted.narrow and await _estimate(conn, sql.SQL("SELECT j.job_id {}").format(source), params) < FEW:
        some = sql.SQL("{} LIMIT %(most)s").format(found)
        rows = await fetch_rows(conn, query.format(some, parts, order.of_found), params)
        if (rows[0][1] < MOST) if rows else part[1] < MOST:
            return [job_id for job_id, _ in rows]
    first = sql.SQL("{} ORDER BY {} LIMIT %(top)s").format(found, order.clause)
    return [job_id for job_id, _ in await fetch_rows(conn, query.format(first, parts, order.of_found), params)]


def _of_ranges(wanted: Wanted, behind: Wanted, order: Order, after: After | None) -> Composable:
    """The first jobs, in order, that have no rows: each for itself where they differ, else range by range."""
    if wanted.among is not None or wanted.by_member or order.by_member:
        query = sql.SQL("SELECT j.job_id{} {} ORDER BY {} LIMIT %(top)s")
        return query.format(order.keys, _from_ranges(behind, order.needs, each=True), order.clause)
    low, high = sql.SQL("j.first_id"), sql.SQL("j.last_id")
    there = replace(wanted, needs=behind.needs)
    if after is not None:
        low, high, reached = after.within(low, high)
        there = both(there, reached)
    # A list of what is sorted is made longer as far as it is read.
    query = sql.SQL(
        """
        SELECT {series} AS job_id{names}
          FROM (SELECT {low} AS low, {high} AS high{keys} {source} ORDER BY {clause} LIMIT %(top)s) AS r LIMIT %(top)s
        """
    )
    return query.format(
        series=sql.SQL("generate_series(r.high, r.low, -1)" if order.newest else "generate_series(r.low, r.high)"),
        names=sql.SQL("").join(sql.SQL(", r.{}").format(sql.Identifier(f"k{n}")) for n in range(len(order.by))),
        low=low, high=high, keys=order.keys, source=_from_ranges(there, order.needs, each=False), clause=order.clause,
    )  # fmt: skip


def _from_ranges(wanted: Wanted, more: Iterable[str] = (), *, each: bool) -> Composable:
    """Ranges that meet a condition, or `each` of their jobs that does."""
    source = RANGES if wanted.among is None else NAMED
    return sql.SQL(source).format(
        job_id=sql.SQL(EACH if each else "g.first_id"),
        joins=joined([*wanted.needs, *more], unwritten=True),
        condition=wanted.condition.sql if wanted.among is None else _condition(wanted),
    )


async def _estimate(conn: Connection, query: Composable, params: Mapping[str, object]) -> float:
    """How many rows the planner expects."""
    plan = await fetch_values(conn, sql.SQL("EXPLAIN (FORMAT JSON) {}").format(query), params)
    return plan[0][0]["Plan"]["Plan Rows"]


async def count(conn: Connection, vo: int, wanted: Wanted) -> int:
    """How many jobs there are."""
    query = sql.SQL("SELECT count(*) {}").format(_from(wanted))
    if await ranges.there_are(conn, vo):
        each = wanted.by_member or wanted.among is not None
        query = sql.SQL("SELECT ({}) + (SELECT {} {})").format(
            query, sql.SQL(_number(each=each)), _from_ranges(wanted, each=each)
        )
    return (await fetch_values(conn, query, wanted.params(vo)))[0]


def _number(*, each: bool) -> LiteralString:
    return "count(*)" if each else "coalesce(sum(j.last_id - j.first_id + 1), 0)::bigint"


async def groups(
    conn: Connection, vo: int, wanted: Wanted, by: Order, *, limit: int
) -> list[tuple[Any, ...]]:  # fmt: skip
    """How many jobs have each combination of values, from the lowest: the values, and the number."""
    numbers = sql.SQL(", ").join(sql.Literal(n) for n in range(1, len(by.by) + 1))
    values = sql.SQL(", ").join(sql.SQL("{}").format(value) for value, *_ in by.by)
    query = sql.SQL("SELECT {}, count(*) {} GROUP BY {}").format(values, _from(wanted, by.needs), numbers)
    if await ranges.there_are(conn, vo):
        each = wanted.by_member or by.by_member or wanted.among is not None
        names = sql.SQL(", ").join(sql.Identifier(f"k{n}") for n in range(len(by.by)))
        query = sql.SQL(
            "SELECT {names}, sum(n)::bigint FROM ({written} UNION ALL SELECT {values}, {number} {source}"
            " GROUP BY {numbers}) AS part ({names}, n) GROUP BY {numbers}"
        ).format(
            names=names, written=query, values=values, number=sql.SQL(_number(each=each)),
            source=_from_ranges(wanted, by.needs, each=each), numbers=numbers,
        )  # fmt: skip
    query = sql.SQL("{} ORDER BY {} LIMIT %(limit)s").format(query, numbers)
    return await fetch_rows(conn, query, {"limit": limit, **wanted.params(vo)})


async def range_ids(conn: Connection, vo: int, wanted: Wanted) -> dict[int, int]:
    """The ranges all of whose jobs meet a condition that is for whole ones, and the submission of each."""
    query = sql.SQL("SELECT j.range_id, j.submission_id {}").format(_from_ranges(wanted, each=False))
    return dict(await fetch_rows(conn, query, wanted.params(vo)))


async def shown(
    conn: Connection, vo: int, job_ids: Sequence[int], values: Sequence[Composable], needs: Iterable[str]
) -> list[tuple[Any, ...]]:
    """Values of jobs, in the order of their ids as they are given; an id of no job is left out."""
    query = sql.SQL(
        """
        SELECT {values}, wanted.place
          FROM unnest(%(ids)s::bigint[]) WITH ORDINALITY AS wanted (job_id, place)
          JOIN job j ON j.job_id = wanted.job_id AND j.vo = %(vo)s
          {joins}
         UNION ALL
        SELECT {values}, j.place FROM ({members}) AS j {joins_of_ranges}
         ORDER BY {place}
        """
    )
    needed = list(needs)
    rows = await fetch_rows(
        conn,
        query.format(
            values=sql.SQL(", ").join(values), joins=joined(needed), members=sql.SQL(ranges.MEMBERS),
            joins_of_ranges=joined(needed, unwritten=True), place=sql.Literal(len(values) + 1),
        ),
        {"vo": vo, "ids": list(job_ids)},
    )  # fmt: skip
    return [row[:-1] for row in rows]


async def histories(conn: Connection, vo: int, job_ids: Sequence[int]) -> list[Logged]:
    """Every state that jobs have been in, and all that was reported of them, in order of their times."""
    return await fetch(
        conn,
        Logged,
        f"""
        SELECT h.job_id, h.state, h.at, h.detail, h.source, h.minor, h.application, h.asked
          FROM job_history h
         WHERE h.job_id = ANY(%(ids)s) AND h.vo = %(vo)s
           AND h.at >= (SELECT min(s.submitted_at)
                          FROM job_spec p JOIN submission s ON s.submission_id = p.submission_id AND s.vo = p.vo
                         WHERE p.job_id = ANY(%(ids)s) AND p.vo = %(vo)s)
         UNION ALL
        SELECT j.job_id, h.state::"char", h.at, h.detail, NULL, NULL, NULL, NULL
          FROM ({ranges.MEMBERS}) AS j
         CROSS JOIN LATERAL jsonb_to_recordset(j.history) AS h (state text, at timestamptz, detail text)
         ORDER BY job_id, at
        """,  # noqa: S608 - literals
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
