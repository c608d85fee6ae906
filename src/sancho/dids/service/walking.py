"""Pages of a search below collections, of those that it names or that say what is looked for.

Ids of what may be found come from there some at a time, in order, and are looked at until the page is full. So a page
costs what it looks at, however many files are below.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sancho.dids.model import Did, DidKind, Found, MetadataKey
from sancho.dids.store import contents, searching, walking
from sancho.kit.db import Connection
from sancho.kit.query import All, Predicate, Query
from sancho.kit.search import NARROW, Condition, plan

FEW = 1_000
"""DIDs that say something themselves and are all kept: of more, those that come next are asked for."""
COLLECTIONS = 50_000
"""Collections that a page begins from; where there are more, DIDs are looked at as they come, wherever they are."""
PART, LARGEST_PART = 2, 5_000
"""What is looked at first, in pages, and the most that is looked at by one statement."""
LOOKED_AT = 20_000
"""DIDs that one page looks at. Then it ends as it is, and says where the next one goes on."""


@dataclass(frozen=True)
class Walk:
    """Where to look: collections by id, the datasets of them, and what says what is looked for itself."""

    collections: Sequence[int]
    datasets: Sequence[int]
    own: Sequence[int] = ()
    """All that say it themselves, unless there are many."""
    saying: Condition | None = None
    """Those, of many."""
    within: int | None = None
    """A collection that all of it must be below, if it is not so anyhow."""

    async def following(self, conn: Connection, vo: int, after: int, number: int) -> tuple[list[int], int | None]:
        """At most so many ids that come next, in order; and after which id to go on, None at the end."""
        found = [*_behind(self.own, after, number), *_behind(self.collections, after, number)]
        ends = [number < len(ids) - bisect_right(ids, after) for ids in (self.own, self.collections)]
        horizon = 2**63 - 1
        if self.saying is not None:
            said = await walking.saying(conn, vo, self.saying, after=after, limit=number)
            found += said
            ends.append(len(said) == number)
        if self.datasets:
            files, is_last = await walking.files(conn, vo, self.datasets, after=after, limit=number)
            found += files
            ends.append(not is_last)
            horizon = files[-1] if files and not is_last else horizon
        ordered = [did_id for did_id in sorted(set(found)) if did_id <= horizon]
        some = ordered[:number]
        return some, some[-1] if some and (any(ends) or len(some) < len(ordered) or horizon < 2**63 - 1) else None


def _behind(ids: Sequence[int], after: int, number: int) -> Sequence[int]:
    first = bisect_right(ids, after)
    return ids[first : first + number]


def leader(wanted: Query | None, keys: Mapping[str, MetadataKey]) -> Predicate | None:
    """The test by a key that all that is found meets and that likely finds little; None when there is none."""
    terms = wanted.terms if isinstance(wanted, All) else (wanted,)
    tests = [
        term for term in terms
        if isinstance(term, Predicate) and term.operator != "!=" and term.field in keys and keys[term.field].is_searched
    ]  # fmt: skip
    return next((term for term in tests if term.operator in NARROW), next(iter(tests), None))


async def below(conn: Connection, vo: int, did_id: int) -> Walk | None:
    """All that is below a collection; None: there are more than `COLLECTIONS` in it, at any depth."""
    return await _below(conn, vo, [did_id], but=did_id)


async def walk_of(
    conn: Connection, vo: int, within: Did | None, test: Predicate | None, keys: Mapping[str, MetadataKey],
    *, inherit: bool,
) -> Walk | None:  # fmt: skip
    """Where to look for what is below a collection and meets a test; with `inherit`, also by what those above say.

    What says it is begun from if it is little, or less than what is below the collection. None: it is too much either
    way, or neither was given.
    """
    place = None if within is None else await below(conn, vo, within.did_id)
    said = None if test is None or not (inherit or within) else await _said(conn, vo, test, keys, inherit=inherit)
    if said is None or within is None:
        return said or place
    here = replace(said, within=within.did_id)
    if place is None:
        return here
    if said.saying is not None:
        return place
    if not said.datasets:
        return here
    there = await contents.tally(conn, vo, place.datasets)
    return here if (await contents.tally(conn, vo, said.datasets)).files < there.files else place


async def _said(
    conn: Connection, vo: int, test: Predicate, keys: Mapping[str, MetadataKey], *, inherit: bool
) -> Walk | None:
    said = plan(test, {test.field: walking.said_by(keys[test.field])}, searching.THING)
    own = await walking.saying(conn, vo, said, limit=FEW + 1)
    few = len(own) <= FEW
    if not inherit:
        return Walk((), (), own=own) if few else None
    roots = own if few else await walking.collections_saying(conn, vo, said, limit=COLLECTIONS + 1)
    there = await _below(conn, vo, roots) if len(roots) <= COLLECTIONS else None
    if there is None:
        return None
    return Walk(there.collections, there.datasets, own if few else (), None if few else said)


async def _below(conn: Connection, vo: int, root_ids: Sequence[int], *, but: int | None = None) -> Walk | None:
    found = await walking.collections(conn, vo, root_ids, limit=COLLECTIONS + 1)
    if len(found) > COLLECTIONS:
        return None
    datasets = [did_id for did_id, kind in found if kind is DidKind.DATASET]
    return Walk(sorted(did_id for did_id, _ in found if did_id != but), datasets)


async def page_there(
    conn: Connection, vo: int, walk: Walk, condition: Condition, kinds: Sequence[DidKind], *, page: tuple[int, int]
) -> Found:
    """The first DIDs there that meet a condition: above an id, so many; fewer, though more come, by `LOOKED_AT`."""
    after, limit = page
    met: list[Did] = []
    looked_at, number = 0, PART * limit
    conditions = [condition, *([walking.inside(walk.within)] if walk.within is not None else [])]
    going_on: int | None = after
    while going_on is not None and looked_at < LOOKED_AT:
        ids, following = await walk.following(conn, vo, going_on, min(number, LARGEST_PART))
        if not ids:
            return Found(met, None)
        wanted = limit - len(met)
        here = searching.both([walking.among(ids), *conditions])
        met += await searching.page(conn, vo, here, kinds, after=going_on, limit=wanted)
        if len(met) == limit:
            return Found(met, met[-1].did_id)
        looked_at, number, going_on = looked_at + len(ids), 4 * number, following
    return Found(met, going_on)
