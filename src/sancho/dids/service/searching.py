"""Searches over what DIDs are, what they say, and what features above know of them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

from sancho.dids.errors import MetadataKeyNotIndexed
from sancho.dids.model import Did, DidKind, Found, Listed, MetadataKey, Search
from sancho.dids.service.catalogue import get_collection
from sancho.dids.service.scopes import scope_ids
from sancho.dids.service.walking import leader, page_there, walk_of
from sancho.dids.store import metadata, reading, searching
from sancho.dids.store.fields import FIELDS
from sancho.kit import query
from sancho.kit.db import Connection, in_time
from sancho.kit.search import Condition, SearchField, plan

Fields = Sequence[SearchField]
LONGEST_SEARCH = 10
FASTER = (
    "Say where to look, a scope or a collection, or add a test that few DIDs meet by a key that is indexed: tests "
    "that only say what is not (~, !=), or only ask for size, time, owner or state, look at every DID."
)
"""What to do when a search takes too long."""


async def condition_of(conn: Connection, vo: int, asked: Search, more: Fields) -> Condition:
    """What a search asks for, in SQL; raises what `search_page` does."""
    where = await _where(conn, vo, asked)
    if asked.within is not None:
        found = await get_collection(conn, vo, asked.within, field="within")
        where.append(searching.below(found.did_id))
    if asked.wanted is not None:
        keys = await _keys(conn, vo, asked)
        known = fields(list(keys.values()), more, inherit=asked.inherit)
        where.append(plan(asked.wanted, known, searching.THING, few=asked.within is not None))
    return searching.both(where)


async def _where(conn: Connection, vo: int, asked: Search) -> list[Condition]:
    """What is asked of scope and name."""
    conditions: list[Condition] = []
    if asked.scope is not None:
        scope_id = (await scope_ids(conn, vo, [asked.scope]))[asked.scope]
        conditions.append(searching.in_scope(scope_id))
    if asked.prefix:
        conditions.append(searching.named(asked.prefix))
    return conditions


async def _keys(conn: Connection, vo: int, asked: Search) -> dict[str, MetadataKey]:
    """The keys of a VO, if those in the query may be asked for where the search looks."""
    keys = {key.name: key for key in await metadata.list_keys(conn, vo)}
    _require_place(asked, keys)
    return keys


def fields(keys: Sequence[MetadataKey], more: Fields, *, inherit: bool = False) -> Mapping[str, SearchField]:
    """All that DIDs can be searched by. What every DID has wins over a key of the same name."""
    own = {key.name: searching.field_of(key, inherit=inherit) for key in keys}
    return {**own, **{field.name: field for field in more}, **FIELDS}


def _require_place(asked: Search, keys: Mapping[str, MetadataKey]) -> None:
    nowhere = asked.scope is None and asked.within is None
    for test in query.predicates(asked.wanted) if asked.wanted is not None else ():
        key = keys.get(test.field)
        if key is not None and not key.is_searched and (nowhere or asked.inherit):
            raise MetadataKeyNotIndexed(key=key.name)


async def search_page(
    conn: Connection, vo: int, asked: Search, more: Fields = (), *, after: int = 0, limit: int
) -> Found:
    """The first DIDs that a search finds whose ids are above `after`, by id. `more` are fields of features above.

    What is searched for below a collection, or by what collections say, is looked at part by part: a page may be
    short, or empty, although more is to come. Raises `ScopeNotFound`, `DidNotFound`, `NotACollection`,
    `MetadataKeyNotIndexed`, what `kit.search.plan` does, or `TooSlow` after `LONGEST_SEARCH` seconds.
    """
    async with in_time(conn, LONGEST_SEARCH, hint=FASTER):
        if asked.within is not None or asked.inherit:
            found = await _walked(conn, vo, asked, more, page=(after, limit))
            if found is not None:
                return found
        condition = await condition_of(conn, vo, asked, more)
        dids = await searching.page(conn, vo, condition, asked.kinds, after=after, limit=limit)
        return Found(dids, dids[-1].did_id if len(dids) == limit else None)


async def _walked(
    conn: Connection, vo: int, asked: Search, more: Fields, *, page: tuple[int, int]
) -> Found | None:  # fmt: skip
    """The page, from the collections that the search begins with; None when there are none, or too many."""
    where = await _where(conn, vo, asked)
    within = None if asked.within is None else await get_collection(conn, vo, asked.within, field="within")
    keys = {} if asked.wanted is None else await _keys(conn, vo, asked)
    known = fields(list(keys.values()), more, inherit=asked.inherit)
    if asked.wanted is not None:
        where.append(plan(asked.wanted, known, searching.THING, few=True))
    own = {name: key for name, key in keys.items() if name not in FIELDS and name not in {f.name for f in more}}
    lead = leader(asked.wanted, own)
    walk = await walk_of(conn, vo, within, lead, own, inherit=asked.inherit)
    if walk is None:
        return None
    if DidKind.FILE not in asked.kinds:
        walk = replace(walk, datasets=())
    return await page_there(conn, vo, walk, searching.both(where), asked.kinds, page=page)


async def newest(conn: Connection, vo: int, kinds: Sequence[DidKind], *, limit: int) -> list[Did]:
    """The DIDs of these kinds that were made last, the newest first; of files, from those with the highest ids.

    Raises `TooSlow` after `LONGEST_SEARCH` seconds, as may be where there are many DIDs and hardly any of the kind.
    """
    async with in_time(conn, LONGEST_SEARCH, hint="Search for them in a scope."):
        return await searching.newest(conn, vo, kinds, limit=limit)


async def search(
    conn: Connection, vo: int, asked: Search, more: Fields = (), *, limit: int | None = None, deep: bool = False
) -> AsyncIterator[list[Listed]]:
    """What a search finds, by name; if it is deep, each part is followed by what is below it, of the kinds asked for.

    `limit` counts only what meets the search itself. Raises what `search_page` does, before anything else.
    """
    condition = await condition_of(conn, vo, asked, more)
    async for found in searching.by_name(conn, vo, condition, asked.kinds, limit=limit):
        yield found
        roots = [did.did_id for did in found if did.kind is not DidKind.FILE]
        if deep and roots:
            async for below in reading.branches(conn, vo, roots, deepest=None):
                yield [branch.child for branch in below if branch.child.kind in asked.kinds]
