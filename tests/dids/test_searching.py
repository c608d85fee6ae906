"""Searches: what they find is what a small model of them says, whatever is asked."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from sancho.dids import service
from sancho.dids.errors import DidNotFound, MetadataKeyNotIndexed, NotACollection, ScopeNotFound
from sancho.dids.model import DidKind, NewFile, Search
from sancho.dids.service import searching, walking
from sancho.dids.service.searching import condition_of
from sancho.dids.store.searching import FOUND
from sancho.kit.db import Connection, TooSlow, fetch_values
from sancho.kit.query import All, Either, Not, Predicate, Query, parse, render
from sancho.kit.search import SearchFieldUnknown, SearchOperatorUnfit, SearchValueUnfit
from tests.dids.given import given_collection, given_files, person
from tests.dids.metadata_given import KEYS, apply, found, said, say
from tests.world import World

Document = Mapping[str, Any]
DOCUMENTS: Mapping[str, dict[str, Any]] = {
    "a": {"run": 1, "energy": 1.5, "stream": "physics", "good": True, "detector": ["ecl"], "weights": [1, 1e15]},
    "b": {"run": 2, "stream": "cosmics", "good": False, "detector": ["ecl", "top"], "trigger": "hlt", "seed": 5},
    "c": {"run": 3, "energy": -2, "campaign": "MC16", "taken_at": "2026-05-01T10:00:00+00:00", "trigger": "l1"},
    "d": {"energy": 1.5, "campaign": "MC17", "weights": [2.5], "taken_at": "2026-05-02T10:00:00+00:00"},
    "e": {},
}
KINDS_OF_KEYS: Mapping[str, type] = {
    "run": int, "energy": float, "stream": str, "campaign": str, "good": bool, "taken_at": datetime, "trigger": str,
    "seed": int, "name": str, "size": int, "open": bool,
}  # fmt: skip
VALUES: Mapping[type, list[str]] = {
    int: ["0", "1", "2", "3", "10", "5"], float: ["1.5", "-2", "0", "1e3"], bool: ["true", "false"],
    str: ["physics", "cosmics", "MC16", "MC17", "hlt", "a", "c", "MC%", "z_"],
    datetime: ["2026-05-01T10:00:00Z", "2026-05-02", "2026-05-01T12:00:00+02:00"],
}  # fmt: skip
PATTERNS = ["MC*", "*1*", "*", "phys*cs", "M_*", "*6", "hlt"]


def _tests(name: str, kind: type) -> st.SearchStrategy[Predicate]:
    value = st.sampled_from(VALUES[kind])
    ordered = kind is not bool
    comparisons = ["=", "!=", *(["<", "<=", ">", ">="] if ordered else [])]
    return st.one_of(
        st.builds(Predicate, st.just(name), st.sampled_from(comparisons), st.tuples(value)),
        st.builds(Predicate, st.just(name), st.just("in"), st.lists(value, min_size=1, max_size=3).map(tuple)),
        st.just(Predicate(name, "exists", ())),
        *([st.builds(Predicate, st.just(name), st.just("between"), st.tuples(value, value))] if ordered else []),
        *([st.builds(Predicate, st.just(name), st.just("like"), st.tuples(st.sampled_from(PATTERNS)))] * (kind is str)),
    )


def _arrays(name: str, values: list[str]) -> st.SearchStrategy[Predicate]:
    value = st.sampled_from(values)
    return st.one_of(
        st.builds(Predicate, st.just(name), st.just("contains"), st.tuples(value)),
        st.builds(Predicate, st.just(name), st.just("in"), st.lists(value, min_size=1, max_size=3).map(tuple)),
        st.just(Predicate(name, "exists", ())),
    )


ARRAYS = [_arrays("detector", ["ecl", "top", "x"]), _arrays("weights", ["1", "1.0", "2.5", "1000000000000000", "7"])]
EVERYTHING = [*(_tests(name, kind) for name, kind in KINDS_OF_KEYS.items()), *ARRAYS]
INDEXED = [*(_tests(n, k) for n, k in KINDS_OF_KEYS.items() if n not in ("trigger", "seed")), *ARRAYS]


def queries(tests: list[st.SearchStrategy[Predicate]]) -> st.SearchStrategy[Query]:
    return st.recursive(
        st.one_of(tests),
        lambda inner: st.one_of(
            st.lists(inner, min_size=2, max_size=3).map(lambda terms: All(tuple(terms))),
            st.lists(inner, min_size=2, max_size=3).map(lambda terms: Either(tuple(terms))),
            inner.filter(lambda term: not isinstance(term, Not)).map(Not),
        ),
        max_leaves=6,
    )


def meets(query: Query, document: Document) -> bool:
    """The language, as its reference says it."""
    match query:
        case All(terms):
            return all(meets(term, document) for term in terms)
        case Either(terms):
            return any(meets(term, document) for term in terms)
        case Not(term):
            return not meets(term, document)
        case Predicate(name, operator, texts):
            return _meets(name, operator, texts, document.get(name))


def _meets(name: str, operator: str, texts: tuple[str, ...], value: Any) -> bool:
    if operator == "!=":
        return not _meets(name, "=", texts, value)
    if value is None:
        return False
    if operator == "exists":
        return True
    kind = {"detector": str, "weights": float}.get(name) or KINDS_OF_KEYS[name]
    wanted: list[Any] = [_read(kind, text) for text in texts]
    if isinstance(value, list):
        return any(one in wanted for one in value)
    have: Any = _read(kind, str(value)) if kind is datetime else value
    if operator == "like":
        return _like(have, texts[0])
    return {
        "=": lambda: have == wanted[0], "<": lambda: have < wanted[0], "<=": lambda: have <= wanted[0],
        ">": lambda: have > wanted[0], ">=": lambda: have >= wanted[0], "in": lambda: have in wanted,
        "between": lambda: wanted[0] <= have <= wanted[-1],
    }[operator]()  # fmt: skip


def _read(kind: type, text: str) -> Any:
    if kind is datetime:
        at = datetime.fromisoformat(text)
        return at if at.tzinfo else at.replace(tzinfo=UTC)
    return text == "true" if kind is bool else kind(text)


def _like(text: str, pattern: str) -> bool:
    first, *rest = pattern.split("*")
    if not rest:
        return text == pattern
    if not text.startswith(first) or not text.endswith(rest[-1]) or len(text) < len(first) + len(rest[-1]):
        return False
    text = text[len(first) : len(text) - len(rest[-1])]
    for part in rest[:-1]:
        at = text.find(part)
        if at < 0:
            return False
        text = text[at + len(part) :]
    return True


async def given_documents(conn: Connection, world: World) -> dict[str, Document]:
    """Files that say something, and what they are besides."""
    await apply(conn, world, **KEYS)
    await given_files(conn, world, *DOCUMENTS)
    for name, document in DOCUMENTS.items():
        await say(conn, world, name, **document)
    sizes = {name: 10 * n for n, name in enumerate(DOCUMENTS, 1)}
    return {name: {**doc, "name": name, "size": sizes[name], "open": False} for name, doc in DOCUMENTS.items()}


def asked(strategy: st.SearchStrategy[Query], number: int) -> list[Query]:
    """That many queries, the simple ones first."""
    gathered: list[Query] = []

    @settings(max_examples=number, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(strategy)
    def gather(query: Query) -> None:
        gathered.append(query)

    gather()
    return gathered


async def test_a_search_finds_what_the_language_says(conn: Connection, world: World) -> None:
    known = await given_documents(conn, world)
    for query in asked(queries(EVERYTHING), 400):
        wanted = [name for name, document in known.items() if meets(query, document)]
        assert await found(conn, world, render(query), scope="mc") == wanted, render(query)


async def given_inheritance(conn: Connection, world: World) -> dict[str, Document]:
    """The same in collections that say something too, and what each says with what it inherits."""
    await given_documents(conn, world)
    files = {did.name: did.did_id for did in await service.find_all(conn, world.belle, [f"mc:{n}" for n in DOCUMENTS])}
    one, two = await given_collection(conn, world, "one"), await given_collection(conn, world, "two")
    top = await given_collection(conn, world, "top", DidKind.CONTAINER)
    await service.attach(conn, world.belle, one, [files["a"], files["d"], files["e"]])
    await service.attach(conn, world.belle, two, [files["b"], files["e"]])
    await service.attach(conn, world.belle, top, [two])
    await say(conn, world, "one", run=10, detector=["top"], good=False)
    await say(conn, world, "two", run=2, stream="cosmics", weights=[7])
    await say(conn, world, "top", run=3, energy=0, detector=["x"], campaign="MC16")
    names = [*DOCUMENTS, "one", "two", "top"]
    sizes: dict[str, int | None] = {name: 10 * n for n, name in enumerate(DOCUMENTS, 1)}
    return {
        name: {
            **await said(conn, world, name, inherit=True), "name": name, "size": sizes.get(name),
            "open": name not in DOCUMENTS,
        }
        for name in names
    }  # fmt: skip


async def test_what_is_inherited_is_found_as_it_is_shown(conn: Connection, world: World) -> None:
    known = await given_inheritance(conn, world)
    for query in asked(queries(INDEXED), 150):
        wanted = {name for name, document in known.items() if meets(query, document)}
        assert set(await found(conn, world, render(query), inherit=True)) == wanted, render(query)


@pytest.mark.parametrize(
    ("few", "collections", "near", "part", "looked_at"), [(1000, 9, 200, 9, 99), (0, 9, 1, 1, 1), (1, 1, 1, 2, 3)]
)  # fmt: skip
async def test_what_is_below_is_found_once_however_it_is_walked(
    conn: Connection, world: World, monkeypatch: pytest.MonkeyPatch,
    few: int, collections: int, near: int, part: int, looked_at: int,
) -> None:  # fmt: skip
    known = await given_inheritance(conn, world)
    for name, value in (("FEW", few), ("COLLECTIONS", collections), ("LARGEST_PART", part), ("LOOKED_AT", looked_at)):
        monkeypatch.setattr(walking, name, value)
    monkeypatch.setattr("sancho.dids.store.walking.NEAR", near)
    everything = await found(conn, world, "name exists", inherit=True)
    below = {"top": {"two", "b", "e"}, "one": {"a", "d", "e"}}
    for n, query in enumerate(asked(queries(INDEXED), 30)):
        wanted = [name for name in everything if meets(query, known[name])]
        assert await found(conn, world, render(query), inherit=True, limit=2) == wanted, render(query)
        place = ("top", "one")[n % 2]
        inside = [name for name in wanted if name in below[place]]
        assert await found(conn, world, render(query), inherit=True, within=f"mc:{place}", limit=2) == inside
    several = "detector in (ecl, top, x)"
    assert sorted(await found(conn, world, several, inherit=True, limit=1)) == ["a", "b", "d", "e", "one", "top", "two"]
    assert await found(conn, world, "run = 10", inherit=True, within="mc:top", limit=2) == ["e"]
    assert await found(conn, world, "run in (2, 10)", inherit=True, within="mc:top", limit=2) == sorted(
        below["top"], key=everything.index
    )
    for where, names in ((None, ["b", "e", "two"]), ("run = 2", ["b", "two"]), ("run > 2", []), ("size > 20", ["e"])):
        assert sorted(await found(conn, world, where, within="mc:top", limit=1)) == names
    assert await found(conn, world, "run = 2", within="mc:top", kinds=[DidKind.DATASET]) == ["two"]


async def test_a_search_says_where_it_looks(conn: Connection, world: World) -> None:
    await given_documents(conn, world)
    await given_files(conn, world, "theirs", vo=world.gridpp)
    dataset = await given_collection(conn, world, "run1")
    top = await given_collection(conn, world, "top", DidKind.CONTAINER)
    ids = [did.did_id for did in await service.find_all(conn, world.belle, ["mc:a", "mc:b"])]
    await service.attach(conn, world.belle, dataset, ids)
    await service.attach(conn, world.belle, top, [dataset])
    assert await found(conn, world, None, within="mc:top") == ["a", "b", "run1"]
    assert await found(conn, world, "run > 1", within="mc:top") == ["b"]
    assert await found(conn, world, "run > 1", prefix="c") == ["c"]
    assert await found(conn, world, "kind = dataset") == ["run1"]
    assert await found(conn, world, "account = alice & scope = mc", kinds=[DidKind.CONTAINER]) == ["top"]
    assert await found(conn, world, "adler32 = 89abcdef & size <= 20") == ["a", "b"]
    page = await service.search_page(conn, world.belle, Search(parse("run exists")), limit=2)
    rest = await service.search_page(conn, world.belle, Search(parse("run exists")), after=page.following or 0, limit=2)
    assert [did.name for did in [*page.dids, *rest.dids]] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("where", "error", "words"),
    [
        ("rnu = 1", SearchFieldUnknown, "no key rnu to search by; did you mean run"),
        ("nonsense = 1", SearchFieldUnknown, "no key nonsense to search by\\."),
        ("run = x", SearchValueUnfit, "'x' is no number, as run needs"),
        ("size = 1.5", SearchValueUnfit, "is no integer, as size"),
        ("size > 9999999999999999999", SearchValueUnfit, "is no integer, as size"),
        ("taken_at > now", SearchValueUnfit, "is no time, as taken_at"),
        ("taken_at > 0001-01-01T00:00:00+23:00", SearchValueUnfit, "is no time, as taken_at"),
        ("good = 1", SearchValueUnfit, "is no boolean, as good"),
        ("kind = tape", SearchValueUnfit, "'tape' is no word, as kind"),
        ("adler32 = xyz", SearchValueUnfit, "is no word, as adler32"),
        ("run like 1*", SearchOperatorUnfit, "cannot be asked for with like, but with: =, !="),
        ("good > false", SearchOperatorUnfit, "cannot be asked for with >"),
        ("detector = ecl", SearchOperatorUnfit, "detector .text array. cannot be"),
        ("stream contains x", SearchOperatorUnfit, "cannot be asked for with contains"),
        ("trigger = x", MetadataKeyNotIndexed, "trigger is not indexed"),
        ("run = 1 & ~(good = true | seed = 1)", MetadataKeyNotIndexed, "seed is not indexed"),
    ],
)
async def test_what_cannot_be_asked_is_named(
    conn: Connection, world: World, where: str, error: type[Exception], words: str
) -> None:
    await apply(conn, world, **KEYS)
    with pytest.raises(error, match=words):
        await found(conn, world, where)


async def test_where_there_is_nothing_cannot_be_searched(conn: Connection, world: World) -> None:
    await apply(conn, world, **KEYS)
    await given_files(conn, world, "a")
    with pytest.raises(ScopeNotFound):
        await found(conn, world, "run = 1", scope="none")
    with pytest.raises(DidNotFound):
        await found(conn, world, "run = 1", within="mc:none")
    with pytest.raises(NotACollection):
        await found(conn, world, "run = 1", within="mc:a")
    with pytest.raises(MetadataKeyNotIndexed):
        await found(conn, world, "trigger = x", scope="mc", inherit=True)


async def test_a_search_of_many_uses_the_index_of_a_slot(conn: Connection, world: World) -> None:
    await apply(conn, world, **KEYS)
    scope, account = world.scope[world.belle, "mc"], world.account[world.belle, "alice"]
    files = [NewFile(None, scope, f"many/{n:05}", 1, None) for n in range(20_000)]
    await service.register_files(conn, world.belle, account, files)
    await conn.execute(
        "INSERT INTO metadata_search (vo, did_id, n1, t1) SELECT vo, did_id, did_id % 5000, 'x' FROM did WHERE size = 1"
    )
    query = sql.SQL("EXPLAIN " + FOUND + " ORDER BY d.did_id LIMIT 1000")
    for where in ("run = 17", "stream = physics", "run = 17 | run = 18", "run between 17 and 18 & stream = x"):
        condition = await condition_of(conn, world.belle, Search(parse(where)), ())
        params = {"vo": world.belle, "kinds": list(DidKind), **condition.params}
        plan = "\n".join(await fetch_values(conn, query.format(condition.sql), params))
        assert "metadata_search_" in plan, plan
        assert "Seq Scan on metadata_search" not in plan, plan


async def test_a_search_that_takes_too_long_is_given_up(
    conn: Connection, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slowly(conn: Connection, *_: object, **more: object) -> None:
        await conn.execute("SELECT pg_sleep(60)")

    await given_files(conn, world, "a")
    with monkeypatch.context() as slow:
        slow.setattr(searching, "LONGEST_SEARCH", 1)
        slow.setattr(searching.searching, "page", slowly)
        with pytest.raises(TooSlow, match="longer than 1 s") as e:
            await found(conn, world, "~(name = a)")
    assert "a scope or a collection" in str(e.value.hint)
    assert await found(conn, world, "name = a") == ["a"]
    assert await fetch_values(conn, "SELECT current_setting('statement_timeout')") == ["0"]


async def test_collections_are_found_by_what_is_below_them_and_by_their_ends(conn: Connection, world: World) -> None:
    a, b, c = await given_files(conn, world, "a", "b", "c")
    one, two = [await given_collection(conn, world, name) for name in ("one", "two")]
    box, all_ = [await given_collection(conn, world, name, DidKind.CONTAINER) for name in ("box", "all")]
    await service.attach(conn, 1, one, [a])
    await service.attach(conn, 1, two, [b, c])
    await service.attach(conn, 1, box, [one, two])
    await service.attach(conn, 1, all_, [box])
    await service.erase(conn, person(world, "alice"), ["mc:two"], after=timedelta(days=3))

    async def names(text: str) -> list[str]:
        found = await service.search_page(conn, world.belle, Search(parse(text)), limit=10)
        return [did.name for did in found.dids]

    assert await names("files = 3") == ["box", "all"]
    assert await names("files between 1 and 2 & kind = dataset") == ["one", "two"]
    assert await names("total_size = 10") == ["a", "one"]
    assert await names("total_size > 59") == ["box", "all"]
    assert await names("ends_at exists & ends_at < 2200-01-01") == ["two"]
    assert await names("monotonic = true") == []
    tallied = await service.info(conn, await service.get(conn, 1, "mc:all"))
    assert (tallied.files, tallied.size) == (3, 60)
