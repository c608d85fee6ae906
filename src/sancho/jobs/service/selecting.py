"""Which jobs a change is about, when a search says so instead of ids."""

from collections.abc import Collection

from sancho.jobs.model import JobState
from sancho.jobs.service.searching import LookUps, search_page
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.kit.query import All, Predicate, Query

SELECTED_AT_ONCE = 1000


async def chosen(
    conn: Connection, caller: Principal, query: Query, more: LookUps, *, states: Collection[JobState],
    cursor: str | None,
) -> tuple[list[int], str | None]:  # fmt: skip
    """Ids of jobs in one of these states that a query finds and the caller may change, from the lowest on.

    Whoever may not change jobs of others gets their own alone. The answer also says where to go on, and a job that has
    changed since is passed by: so calls come to an end. Raises what `searching.search_page` does.
    """
    tests: list[Query] = [query, Predicate("state", "in", tuple(sorted(state.word for state in states)))]
    if not caller.may("jobs:manage"):
        tests.append(Predicate("account:id", "=", (str(caller.account_id),)))
    page = (cursor, SELECTED_AT_ONCE)
    return await search_page(conn, caller.vo, All(tuple(tests)), more, sort="id", page=page)
