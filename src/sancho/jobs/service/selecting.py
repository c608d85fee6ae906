"""Which jobs a change is about, when a search says so instead of ids."""

from collections.abc import Collection

from sancho.jobs.model import JobState
from sancho.jobs.service.searching import LookUps, prepare, search_page
from sancho.jobs.store import ranges, searching, submitting
from sancho.kit.access import Principal, require_owner
from sancho.kit.db import Connection
from sancho.kit.query import All, Predicate, Query

SELECTED_AT_ONCE = 1000
HOW = {JobState.KILLED: "killed", JobState.HELD: "held", JobState.WAITING: "released"}


def _narrowed(caller: Principal, query: Query, states: Collection[JobState]) -> Query:
    tests: list[Query] = [query, Predicate("state", "in", tuple(sorted(state.word for state in states)))]
    if not caller.may("jobs:manage"):
        tests.append(Predicate("account:id", "=", (str(caller.account_id),)))
    return All(tuple(tests))


async def chosen(
    conn: Connection, caller: Principal, query: Query, more: LookUps, *, states: Collection[JobState],
    cursor: str | None,
) -> tuple[list[int], str | None]:  # fmt: skip
    """Ids of jobs in one of these states that a query finds and the caller may change, from the lowest on.

    Whoever may not change jobs of others gets their own alone. The answer also says where to go on, and a job that has
    changed since is passed by: so calls come to an end. Raises what `searching.search_page` does.
    """
    page = (cursor, SELECTED_AT_ONCE)
    return await search_page(conn, caller.vo, _narrowed(caller, query, states), more, sort="id", page=page)


async def change_ranges(
    conn: Connection, caller: Principal, query: Query, more: LookUps, *, states: Collection[JobState], state: JobState
) -> list[tuple[int, int]]:
    """Put all jobs without rows that a query finds, and that are in one of these states, into another.

    Return the first and the last of each range. A fixed number of statements, however many jobs. What asks for ids or
    numbers of jobs finds none here: `chosen` does. Raises what `searching.search_page` does.
    """
    wanted = await prepare(conn, caller.vo, _narrowed(caller, query, states), more)
    found = await searching.range_ids(conn, caller.vo, wanted) if wanted.whole else {}
    if not found:
        return []
    await ranges.lock_submissions(conn, caller.vo, found.values())
    found = await searching.range_ids(conn, caller.vo, wanted)  # pieces that were taken out meanwhile are in it
    await ranges.lock(conn, caller.vo, found)
    for account_id, name in sorted(set((await ranges.owners(conn, caller.vo, found)).values())):
        require_owner(caller, account_id, "jobs:manage", what="A job", owner=name)
    detail = f"{HOW[state]} by {caller.account}"
    moved = await ranges.move(conn, caller.vo, found, states, state, detail=detail)
    counts: dict[int, int] = {}
    for one in moved:
        step = (state is JobState.WAITING) - (one.before is JobState.WAITING)
        counts[one.task_queue_id] = counts.get(one.task_queue_id, 0) + step * (one.last_id - one.first_id + 1)
    if state is JobState.WAITING:
        await submitting.wake_queues(conn, caller.vo, list(counts))
    await submitting.count_waiting(conn, caller.vo, {queue: number for queue, number in counts.items() if number})
    return [(one.first_id, one.last_id) for one in moved]
