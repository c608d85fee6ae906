"""Smart datasets: what they hold follows a search, so rules, jobs and lists know nothing of it."""

from sancho.dids.errors import CollectionClosed, NotSmart
from sancho.dids.model import Did, DidKind, Refreshed, Search, SmartDataset
from sancho.dids.service.catalogue import by_id, get, require_change
from sancho.dids.service.changing import attach, close, detach
from sancho.dids.service.creating import ensure_dataset
from sancho.dids.service.searching import FASTER, Fields, condition_of
from sancho.dids.store import attaching, searching, smart
from sancho.kit import query
from sancho.kit.access import Principal
from sancho.kit.db import Connection, in_time
from sancho.kit.errors import Invalid, NotFound
from sancho.kit.tasks import defer

AT_ONCE = 10_000
"""Files that one transaction brings into a dataset, and that it takes out of it."""
LONGEST_REFRESH = 60
"""Seconds that a search for them may take."""


async def follow(
    conn: Connection, caller: Principal, did: str, where: str, more: Fields, *, scope: str | None = None
) -> SmartDataset:
    """Let an open dataset, made if there is none, hold the files that a search finds, from now on. For its owner.

    A task sees to it. What it held before and is not found goes, unless it only grows. Raises what `ensure_dataset`
    and `search_page` do.
    """
    asked = _search(where, scope)
    await condition_of(conn, caller.vo, asked, more)
    dataset = await ensure_dataset(conn, caller, did, field="did")
    if not await _lock_open(conn, caller.vo, dataset.did_id):
        raise CollectionClosed(did=did, field="did")
    await smart.put(conn, caller.vo, dataset.did_id, where, scope)
    await defer_refresh(conn, caller.vo, dataset.did_id)
    return await followed(conn, dataset)


async def _lock_open(conn: Connection, vo: int, did_id: int) -> bool:
    """Keep a dataset from being closed or erased until the end of the transaction, and say whether it is open."""
    return (await attaching.lock_to_attach(conn, vo, [did_id])).get(did_id, False)


def _search(where: str, scope: str | None) -> Search:
    return Search(wanted=query.parse(where), scope=scope, kinds=(DidKind.FILE,))


async def followed(conn: Connection, did: Did) -> SmartDataset:
    """The search that a dataset follows; raises `NotSmart`."""
    found = await smart.find(conn, did.vo, did.did_id)
    if found is None:
        raise NotSmart(did=did.did)
    return found


async def defer_refresh(conn: Connection, vo: int, did_id: int) -> None:
    """Have a task bring a dataset up to date, once for all who ask before it begins."""
    await defer(conn, "dids:refresh", once=f"dids:refresh:{vo}:{did_id}", vo=vo, did_id=did_id)


async def refresh_due(conn: Connection, vo: int) -> None:
    """Have tasks bring every smart dataset of a VO up to date."""
    for did_id in await smart.list_ids(conn, vo):
        await defer_refresh(conn, vo, did_id)


async def refresh(conn: Connection, vo: int, did_id: int, more: Fields, *, after: int = 0) -> Refreshed:
    """Bring a dataset up to date with its search, at most `AT_ONCE` files in and out; rules above are told.

    Of more, those with the lowest ids; the next call does the rest when it is given where this one ended, `after`.

    Two at once do one after the other. A dataset that is closed, whose time has come, or that follows nothing stays as
    it is, and so does one whose search is no longer good, which says why. What is to be erased is not brought in, and
    stays in until it is.
    """
    asked = await smart.lock(conn, vo, did_id)
    dataset = (await by_id(conn, vo, [did_id])).get(did_id)
    if asked is None or dataset is None or not dataset.open:
        return Refreshed(0, 0, more=0)
    try:
        condition = await condition_of(conn, vo, _search(asked.query, asked.scope), more)
        async with in_time(conn, LONGEST_REFRESH, hint=FASTER):
            new = await searching.missing(conn, vo, did_id, condition, page=(after, AT_ONCE))
            gone = await searching.superfluous(conn, vo, did_id, condition, page=(after, AT_ONCE))
    except (Invalid, NotFound) as e:  # a key is gone, or is no longer indexed; or it takes too long
        await smart.note(conn, vo, did_id, fault=str(e))
        return Refreshed(0, 0, more=0)
    if not await _lock_open(conn, vo, did_id):  # closed just now
        return Refreshed(0, 0, more=0)
    still_there = await attaching.lock_children(conn, vo, new)
    if still_there:
        await attach(conn, vo, did_id, sorted(still_there))
    if gone:
        await detach(conn, vo, did_id, gone)
    await smart.note(conn, vo, did_id, fault=None)
    more_behind = min((ids[-1] for ids in (new, gone) if len(ids) == AT_ONCE), default=0)
    return Refreshed(len(still_there), len(gone), more=more_behind)


async def refresh_now(conn: Connection, caller: Principal, did: str, more: Fields) -> Refreshed:
    """Bring a dataset up to date now, for its owner; what one transaction cannot do is left to a task.

    Raises `NotSmart`, `CollectionClosed`, `DidNotFound` or `NotYours`.
    """
    dataset = await get(conn, caller.vo, did)
    require_change(caller, dataset)
    await followed(conn, dataset)
    if not dataset.open:
        raise CollectionClosed(did=dataset.did)
    done = await refresh(conn, caller.vo, dataset.did_id, more)
    if done.more:
        await defer_refresh(conn, caller.vo, dataset.did_id)
    return done


async def freeze(conn: Connection, caller: Principal, did: str) -> Did:
    """Let a dataset follow its search no longer, and close it as it is. For its owner.

    Raises `NotSmart`, `DidNotFound` or `NotYours`.
    """
    dataset = await get(conn, caller.vo, did)
    require_change(caller, dataset)
    if not await smart.delete(conn, caller.vo, dataset.did_id):
        raise NotSmart(did=dataset.did)
    await close(conn, caller.vo, dataset.did_id)
    return await get(conn, caller.vo, did)
