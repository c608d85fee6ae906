"""Searches for jobs by all that is known of them, pages, counts and summaries.

What people ask for by name (a site, an account, a DID, the stamp of a pilot) is looked up once for the whole query and
found by id, so that an index serves it. A parameter has no declared type: `param.events = 5` finds the number and the
text.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sancho.jobs.errors import CursorMalformed, NotToBeShown, TooManyGroups
from sancho.jobs.model import JobState, Logged
from sancho.jobs.store import searching
from sancho.jobs.store.fields import BY_MEMBER, FIELDS, NEVER_SHOWN, JobField, field_of, parameter_of, ranked
from sancho.jobs.store.searching import After, Order, Wanted
from sancho.kit.db import Connection, in_time
from sancho.kit.query import All, Either, Not, Predicate, Query, predicates
from sancho.kit.search import (
    PATTERNS,
    Condition,
    PatternUnfit,
    SearchField,
    read_boolean,
    read_number,
    read_text,
)
from sancho.kit.search import plan as plan_search

LONGEST_SEARCH = 10
FASTER = (
    "Add a test that few jobs meet and that is indexed: id, state, site, account, name, submission, submitted_at, "
    "changed_at, started_at, error, input, output, pilot or a parameter. Tests that only say what is not (~, !=), or "
    "only ask for what a job needs or used, look at every job."
)
MOST_GROUPS = 10_000
"""Groups that a summary tells apart."""
HINT = "The fields are listed in `sancho job list --help`; what jobs say of themselves is param.NAME."
Names = Mapping[str, list[int]]
LookUp = Callable[[Connection, int, Sequence[str]], Awaitable[Names]]
"""Finds ids by names, for a VO; `app` gathers those of features above, by the field that they are for."""
LookUps = Mapping[str, LookUp]
_DID = re.compile(r"([^:]{1,100}):(.{1,300})", re.DOTALL)
_ID = re.compile(r"[0-9]{1,18}", re.ASCII)
_CURSOR = re.compile(r"(?:([0-9]{1,18})_)?([0-9]{1,18})", re.ASCII)
ENDED = frozenset(state.word for state in JobState if state.final)
NEVER = Not(Predicate("id", "exists", ()))
ALWAYS = Predicate("id", "exists", ())


# ---- queries made ready


async def _dids(conn: Connection, vo: int, names: Sequence[str]) -> Names:
    return await searching.dids_named(conn, vo, _split(names))


async def _makers(conn: Connection, vo: int, names: Sequence[str]) -> Names:
    return await searching.promised_by(conn, vo, _split(names))


def _split(names: Sequence[str]) -> list[tuple[str, str]]:
    found = [_DID.fullmatch(name) for name in names]
    return [(one[1], one[2]) for one in found if one]


OWN: Mapping[str, tuple[tuple[str, LookUp], ...]] = {
    "site": (("site:id", searching.sites_named),),
    "account": (("account:id", searching.accounts_named),),
    "input": (("input:id", _dids),),
    "output": (("id", _makers), ("output:id", _dids)),
}
"""What is looked up here: by which field it is then found."""


def _looked_up(more: LookUps) -> Mapping[str, tuple[tuple[str, LookUp], ...]]:
    return {**OWN, **{name: (("pilot", look),) for name, look in more.items()}}


async def prepare(conn: Connection, vo: int, query: Query | None, more: LookUps) -> Wanted:
    """What a query asks for, in SQL: raises what `kit.search.plan` does. One look-up for each kind of name in it."""
    if query is None:
        return Wanted(condition=Condition(searching.TRUE, {}))
    known = _looked_up(more)
    asked: dict[str, set[str]] = {}
    for test in predicates(query):
        if test.field in known and test.operator in ("=", "!=", "in"):
            asked.setdefault(test.field, set()).update(text for text in test.values if read_text(text) is not None)
    ids: dict[tuple[str, str], Names] = {}
    for name, texts in asked.items():
        for field, look in known[name]:
            ids[name, field] = await look(conn, vo, sorted(texts))
    ready, bounds, among = by_id(said_once(rewritten(query, ids)))
    used = {test.field: found for test in predicates(ready) if (found := field_of(test.field)) is not None}
    fields: dict[str, SearchField] = {name: field.search for name, field in FIELDS.items() if ":" not in name}
    fields |= {name: field.search for name, field in used.items()}
    condition = plan_search(ready, fields, searching.THING, hint=HINT)
    return Wanted(
        condition=condition, needs=frozenset(alias for field in used.values() for alias in field.needs), narrow=True,
        by_member=any(test.field in BY_MEMBER and test.operator != "exists" for test in predicates(ready)),
        bounds=bounds, among=among,
    )  # fmt: skip


def by_id(query: Query) -> tuple[Query, tuple[int, int], frozenset[int] | None]:
    """A query without the tests on ids that all jobs have to meet, and what those leave: bounds, and ids. Pure."""
    low, high, among = 0, searching.LAST, None
    rest: list[Query] = []
    for term in query.terms if isinstance(query, All) else (query,):
        match term:
            case Predicate("id", "=" | "in" | "between" | "<" | "<=" | ">" | ">=" as operator, values) if all(
                _ID.fullmatch(text) for text in values
            ):
                ids = [int(text) for text in values]
                if operator in ("=", "in"):
                    among = frozenset(ids) if among is None else among & frozenset(ids)
                elif operator == "between":
                    low, high = max(low, ids[0]), min(high, ids[1])
                elif operator[0] == "<":
                    high = min(high, ids[0] - (operator == "<"))
                else:
                    low = max(low, ids[0] + (operator == ">"))
            case _:
                rest.append(term)
    left = rest[0] if len(rest) == 1 else All(tuple(rest)) if rest else ALWAYS
    return left, (low, high), among


def rewritten(query: Query, ids: Mapping[tuple[str, str], Names]) -> Query:
    """The same query, with ids for names and with tests on parameters by what their values are. Pure."""
    match query:
        case All(terms):
            return All(tuple(rewritten(term, ids) for term in terms))
        case Either(terms):
            return Either(tuple(rewritten(term, ids) for term in terms))
        case Not(term):
            return Not(rewritten(term, ids))
        case Predicate(name, "!=", values) if parameter_of(name) or any(field == name for field, _ in ids):
            return Not(rewritten(Predicate(name, "=", values), ids))
        case Predicate(name, ("=" | "in"), values) if found := [key for key in ids if key[0] == name]:
            return _either(
                Predicate(field, "in", tuple(str(number) for number in numbers))
                for _, field in found
                if (numbers := [n for text in values for n in ids[name, field].get(text, ())])
            )
        case Predicate(name, operator, values) if parameter_of(name) and operator != "exists":
            return _of_parameter(name, operator, values)
        case Predicate():
            return query


def said_once(query: Query) -> Query:
    """The same query, where jobs whose state says that they have ended are not asked for it again. Pure.

    The planner takes two tests of one state for independent, and expects a hundredth of what there is.
    """
    match query:
        case All(terms) if any(_says_ended(term) for term in terms):
            return All(tuple(_as_changed(term) for term in terms))
        case All(terms):
            return All(tuple(said_once(term) for term in terms))
        case Either(terms):
            return Either(tuple(said_once(term) for term in terms))
        case Not(term):
            return Not(said_once(term))
        case Predicate():
            return query


def _says_ended(query: Query) -> bool:
    match query:
        case Predicate("state", "=" | "in", values):
            return all(text.lower() in ENDED for text in values)
        case _:
            return False


def _as_changed(query: Query) -> Query:
    match query:
        case All(terms):
            return All(tuple(map(_as_changed, terms)))
        case Either(terms):
            return Either(tuple(map(_as_changed, terms)))
        case Not(term):
            return Not(_as_changed(term))
        case Predicate("ended_at", operator, values):
            return Predicate("changed_at", operator, values)
        case Predicate():
            return query


def _of_parameter(name: str, operator: str, values: tuple[str, ...]) -> Query:
    numbers = [number for text in values if (number := _number(text)) is not None]
    if operator in ("=", "in"):
        texts = Predicate(f"{name}:word", "in", values)
        return Either((Predicate(f"{name}:number", "in", tuple(numbers)), texts)) if numbers else texts
    if operator in ("<", "<=", ">", ">=", "between") and len(numbers) == len(values):
        return Predicate(f"{name}:number", operator, tuple(numbers))
    return Predicate(f"{name}:word", operator, values)


def _number(text: str) -> str | None:
    truth = read_boolean(text)
    found = read_number(text) if truth is None else float(truth)
    return None if found is None else repr(found)


def _either(terms: Iterable[Query]) -> Query:
    found = tuple(terms)
    return found[0] if len(found) == 1 else Either(found) if found else NEVER


# ---- pages


def order_of(sort: str) -> tuple[Order, JobField, bool]:
    """How `sort` (`changed_at`, `-id`) orders; what by, and whether the highest comes first."""
    down, name = sort.startswith("-"), sort.removeprefix("-")
    field = FIELDS[name]
    by = [] if name == "id" else [(field.search.value, down, field.always)]
    return Order(by=by, newest=down, needs=frozenset(field.needs)), field, down


async def search_page(
    conn: Connection, vo: int, query: Query | None, more: LookUps, *, sort: str, page: tuple[str | None, int]
) -> tuple[list[int], str | None]:
    """Ids of jobs that a query finds: `page` is where it begins, and how many; the answer says where the next begins.

    `sort` is `id` or a time that every job has, with a `-` before it from the highest. Raises `CursorMalformed`,
    what `kit.search.plan` does, `PatternUnfit`, or `TooSlow` after `LONGEST_SEARCH` seconds.
    """
    cursor, limit = page
    wanted = await prepare(conn, vo, query, more)
    order, field, down = order_of(sort)
    after = None if cursor is None else _after(cursor, field, down=down)
    async with in_time(conn, LONGEST_SEARCH, hint=FASTER):
        found = await searching.page(conn, vo, wanted, order, part=(limit, 0), after=after)
    if len(found) < limit:
        return found, None
    if field.search.name == "id":
        return found, str(found[-1])
    last = await searching.shown(conn, vo, found[-1:], [field.search.value], field.needs)
    return found, f"{_microseconds(last[0][0])}_{found[-1]}" if last else None


def _after(cursor: str, field: JobField, *, down: bool) -> After:
    found = _CURSOR.fullmatch(cursor)
    timed = field.search.name != "id"
    if found is None or (found[1] is not None) != timed:
        raise CursorMalformed(cursor=cursor)
    if not timed:
        return After(job_id=int(found[2]), down=down)
    try:
        at = datetime.fromtimestamp(int(found[1]) // 1_000_000, UTC).replace(microsecond=int(found[1]) % 1_000_000)
    except (OverflowError, ValueError) as e:
        raise CursorMalformed(cursor=cursor) from e
    return After(job_id=int(found[2]), value=field.search.value, at=at, down=down, needs=frozenset(field.needs))


def _microseconds(at: datetime) -> int:
    return int(at.replace(microsecond=0).timestamp()) * 1_000_000 + at.microsecond


async def search_part(
    conn: Connection, vo: int, query: Query | None, more: LookUps, *,
    order: Sequence[tuple[str | tuple[JobState, ...], bool]], part: tuple[int, int],
) -> list[int]:  # fmt: skip
    """Ids of jobs that a query finds, in order of any fields (and whether from the highest): so many, after so many.

    States in place of a field are the order of states. For foreign clients, who page by number. Raises what
    `search_page` does.
    """
    wanted = await prepare(conn, vo, query, more)
    fields = [(shown_field(name) if isinstance(name, str) else ranked(name), down) for name, down in order]
    names = [name for name, _ in order]
    if "id" in names:  # of what comes behind it, nothing is left to order
        fields, order = fields[: names.index("id")], order[: names.index("id") + 1]
    by = [(field.shown, down, field.always) for field, down in fields if field.shown is not None]
    newest = not order or order[-1][1]
    needs = frozenset(alias for field, _ in fields for alias in field.needs)
    async with in_time(conn, LONGEST_SEARCH, hint=FASTER):
        ordered = Order(by=by, newest=newest, needs=needs, by_member=bool(BY_MEMBER.difference({"id"}) & set(names)))
        return await searching.page(conn, vo, wanted, ordered, part=(part[1], part[0]))


async def count(conn: Connection, vo: int, query: Query | None, more: LookUps) -> int:
    """How many jobs a query finds, exactly; raises what `search_page` does."""
    wanted = await prepare(conn, vo, query, more)
    async with in_time(conn, LONGEST_SEARCH, hint=FASTER):
        return await searching.count(conn, vo, wanted)


# ---- what is shown


def shown_field(name: str) -> JobField:
    """A field whose value may be shown; raises `NotToBeShown`."""
    field = None if name in NEVER_SHOWN or ":" in name else field_of(name)
    if field is None:
        raise NotToBeShown(name=name)
    return field


async def values(conn: Connection, vo: int, job_ids: Sequence[int], names: Sequence[str]) -> list[list[Any]]:
    """Values of jobs by fields, in the order of the ids; a state is a `JobState`. Raises `NotToBeShown`."""
    fields = [shown_field(name) for name in names]
    if not fields:
        return [[] for _ in job_ids]
    needs = {alias for field in fields for alias in field.needs}
    rows = await searching.shown(conn, vo, job_ids, [f.shown for f in fields if f.shown is not None], needs)
    return [_told(names, row) for row in rows]


def _told(names: Sequence[str], row: Sequence[Any]) -> list[Any]:
    return [JobState(value) if name == "state" else value for name, value in zip(names, row, strict=False)]


async def summarise(
    conn: Connection, vo: int, query: Query | None, more: LookUps, *, by: Sequence[str]
) -> list[tuple[list[Any], int]]:
    """How many jobs that a query finds have each combination of values; a state is a `JobState`.

    Raises `NotToBeShown`, `TooManyGroups` and what `search_page` does.
    """
    wanted = await prepare(conn, vo, query, more)
    fields = [shown_field(name) for name in by]
    needs = {alias for field in fields for alias in field.needs}
    shown = [(field.shown, False, False) for field in fields if field.shown is not None]
    groups = Order(by=shown, needs=frozenset(needs), by_member=not BY_MEMBER.isdisjoint(by))
    async with in_time(conn, LONGEST_SEARCH, hint=FASTER):
        rows = await searching.groups(conn, vo, wanted, groups, limit=MOST_GROUPS + 1)
    if len(rows) > MOST_GROUPS:
        raise TooManyGroups(limit=MOST_GROUPS)
    return [(_told(by, row[:-1]), row[-1]) for row in rows]


async def histories(conn: Connection, vo: int, job_ids: Sequence[int]) -> dict[int, list[Logged]]:
    """Every state that each of some jobs has been in, with why, and all that was reported of it, in order."""
    found: dict[int, list[Logged]] = {}
    for line in await searching.histories(conn, vo, job_ids):
        found.setdefault(line.job_id, []).append(line)
    return found


async def matching(conn: Connection, operator: str, pattern: str, words: Sequence[str]) -> list[str]:
    """The words that a pattern of the database's own kind, one of `kit.search.PATTERNS`, fits.

    Raises `PatternUnfit`, or `TooSlow` as a search does.
    """
    assert operator in PATTERNS, operator
    if read_text(pattern) is None:
        raise PatternUnfit(reason="it has characters that are none")
    async with in_time(conn, LONGEST_SEARCH, hint="Use a simpler pattern."):
        return await searching.matching(conn, operator, pattern, words)
