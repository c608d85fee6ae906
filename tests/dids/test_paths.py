"""Paths: one tree for each scope, its directories with what is below them."""

from collections.abc import Sequence
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sancho.dids import service
from sancho.dids.errors import DidExists, PathMalformed, PathNotFound
from sancho.dids.model import DidKind, NewFile, Tally, parse_path
from sancho.dids.store import paths
from sancho.kit.db import Connection, Database, execute, fetch_rows
from sancho.kit.migrate import migrations
from tests.conftest import Databases
from tests.dids.given import given_collection, given_files, person
from tests.served import Served
from tests.world import World

PART = st.text(st.sampled_from("ab%_-.é0"), min_size=1, max_size=3).filter(lambda part: part.strip("."))
NAME = st.lists(PART, min_size=1, max_size=4).map("/".join)


async def paths_in(conn: Connection, world: World, path: str, *, page: int = 1000) -> list[str]:
    """All paths in a directory, page by page; directories end with `/`."""
    found: list[str] = []
    after = ""
    while True:
        seen = await service.look(conn, person(world, "alice"), path, after=after, limit=page)
        found += [f"{entry.name}{'' if entry.kind else '/'}" for entry in seen.entries]
        if len(seen.entries) < page:
            return found
        after = found[-1].rstrip("/").rpartition("/")[2] + "/" * found[-1].endswith("/")


async def directory(conn: Connection, world: World, path: str) -> Tally | None:
    return (await service.look(conn, person(world, "alice"), path, limit=0)).directory


async def test_a_directory_lists_what_is_directly_in_it(conn: Connection, world: World) -> None:
    await given_files(conn, world, "top", "2026/a", "2026/x/b", "2026/x/c", "2026-1", "2026.1", "20260/d")
    await given_collection(conn, world, "2026")

    assert await paths_in(conn, world, "/belle/mc") == ["2026", "2026-1", "2026.1", "2026/", "20260/", "top"]
    assert await paths_in(conn, world, "/belle/mc/2026/") == ["2026/a", "2026/x/"]
    found = await service.look(conn, person(world, "alice"), "/belle/mc/2026/x", limit=10)
    assert (found.did, found.directory) == (None, Tally(2, 30 + 40))
    assert [(e.scope, e.kind, e.size, e.adler32, e.account) for e in found.entries] == [
        ("mc", DidKind.FILE, 30, "89abcdef", "alice"),
        ("mc", DidKind.FILE, 40, "89abcdef", "alice"),
    ]


async def test_what_is_both_a_did_and_a_directory_is_shown_as_both(conn: Connection, world: World) -> None:
    a, _ = await given_files(conn, world, "other", "2026/a")
    await service.attach(conn, world.belle, await given_collection(conn, world, "2026"), [a])

    both = await service.look(conn, person(world, "alice"), "/belle/mc/2026", limit=10)
    assert both.did is not None
    assert (both.did.kind, both.of_did, both.directory) == (DidKind.DATASET, Tally(1, 10), Tally(1, 20))
    only = await service.look(conn, person(world, "alice"), "/belle/mc/2026/", limit=10)
    assert (only.did, only.directory) == (None, Tally(1, 20))
    with pytest.raises(PathNotFound):
        await service.look(conn, person(world, "alice"), "/belle/mc/other/", limit=10)
    listed = (await service.look(conn, person(world, "alice"), "/belle/mc", limit=10, sizes=True)).entries
    assert [(e.name, e.kind, e.files, e.size) for e in listed] == [
        ("2026", DidKind.DATASET, 1, 10), ("2026", None, 1, 20), ("other", DidKind.FILE, None, 10),
    ]  # fmt: skip


async def test_above_scopes_there_is_ones_own_vo_alone(conn: Connection, world: World) -> None:
    await given_files(conn, world, "a/b")
    await given_files(conn, world, "secret/b", vo=world.gridpp)

    root = await service.look(conn, person(world, "alice"), "/", limit=10)
    assert [(e.scope, e.files, e.size) for e in root.entries] == [("", 1, 10)]
    scopes = await service.look(conn, person(world, "alice"), "/belle", limit=1000)
    assert {e.scope for e in scopes.entries} == {s.name for s in await service.list_scopes(conn, world.belle)}
    assert {e.scope: e.files for e in scopes.entries}["mc"] == 1
    behind = await service.look(conn, person(world, "alice"), "/belle", after="mc/", limit=1000)
    assert [e.scope for e in behind.entries] == [e.scope for e in scopes.entries if e.scope > "mc"]
    for path in ("/gridpp", "/gridpp/", "/gridpp/mc", "/gridpp/mc/secret", "/gridpp/mc/secret/b", "/nowhere"):
        with pytest.raises(PathNotFound):
            await service.look(conn, person(world, "alice"), path, limit=10)


@pytest.mark.parametrize(
    "path",
    [
        "//", "/belle//mc", "//belle/mc", "/belle/mc//a", "/belle/mc/a//", "/belle/mc/a//b", "/belle/mc/..",
        "/belle/mc/../raw/a", "/belle/../gridpp/mc", "/belle/mc/./a", "/belle/mc/a/..", "/belle/m!c/a", "/belle/mc/a b",
        "/belle/mc/a\x00", "/belle/mc/" + "a" * 251,
    ],
)  # fmt: skip
def test_a_path_that_is_none_is_refused(path: str) -> None:
    with pytest.raises(PathMalformed):
        parse_path(path)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(NAME, max_size=12, unique=True), data=st.data(), page=st.integers(1, 3))
async def test_the_tree_and_its_sizes_are_what_the_names_make(
    conn: Connection, world: World, names: list[str], data: st.DataObject, page: int
) -> None:
    async with conn.transaction(force_rollback=True):
        collections = data.draw(st.lists(st.sampled_from(names), unique=True)) if names else []
        files = [name for name in names if name not in collections]
        for name in collections:
            await given_collection(conn, world, name)
        if files:
            await given_files(conn, world, *files)
        gone = data.draw(st.lists(st.sampled_from(files), unique=True)) if files else []
        await execute(conn, "DELETE FROM did WHERE name = ANY(%(gone)s)", {"gone": gone})
        sizes = {name: 10 * n for n, name in enumerate(files, 1) if name not in gone}

        left = [name for name in names if name not in gone]
        folders = {"", *(name[:at] for name in left for at, c in enumerate(name) if c == "/")}
        for folder in folders:
            prefix = f"{folder}/" if folder else ""
            below = [name.removeprefix(prefix) for name in left if name.startswith(prefix)]
            expected = {f"{prefix}{head}{slash}" for head, slash, _ in (name.partition("/") for name in below)}
            assert await paths_in(conn, world, f"/belle/mc/{prefix}", page=page) == sorted(expected, key=str.encode)
            inside = [size for name, size in sizes.items() if name.startswith(prefix)]
            assert await directory(conn, world, f"/belle/mc/{prefix}") == Tally(len(inside), sum(inside))
        rest = await fetch_rows(
            conn, "SELECT path FROM path_tally GROUP BY path HAVING sum(files) <> 0 OR sum(size) <> 0", {}
        )
        assert {path for (path,) in rest} == {f for f in folders if any(n.startswith(f"{f}/") or not f for n in sizes)}


async def test_wildcards_in_names_mean_themselves(conn: Connection, world: World) -> None:
    await given_files(conn, world, "a%/x", "a_/y", "ab/z", "a*/w")

    assert await paths_in(conn, world, "/belle/mc/a%") == ["a%/x"]
    assert await paths_in(conn, world, "/belle/mc/a_") == ["a_/y"]
    assert await paths_in(conn, world, "/belle/mc/a*") == ["a*/w"]
    assert await directory(conn, world, "/belle/mc/a%") == Tally(1, 10)


async def test_those_who_register_in_one_directory_do_not_wait_for_each_other(database: Database, world: World) -> None:
    async with database.transaction([world.belle]) as one, database.transaction([world.belle]) as other:
        await given_files(one, world, "run/a")
        await given_files(other, world, "run/b", "run/c")

    async with database.transaction([world.belle]) as conn:
        assert await directory(conn, world, "/belle/mc/run") == Tally(3, 10 + 10 + 20)


async def test_what_is_rolled_back_is_not_counted(database: Database, world: World) -> None:
    async with database.transaction([world.belle]) as conn:
        await given_files(conn, world, "run/a")
    with pytest.raises(DidExists):
        async with database.transaction([world.belle]) as conn:
            await given_files(conn, world, "run/b", "run/a")

    async with database.transaction([world.belle]) as conn:
        assert await directory(conn, world, "/belle/mc/run") == Tally(1, 10)


async def test_a_name_never_changes(conn: Connection, world: World) -> None:
    await given_files(conn, world, "a")
    with pytest.raises(psycopg.errors.RaiseException, match="never change"):
        await execute(conn, "UPDATE did SET name = 'b'", {})


def test_files_from_before_are_counted_by_the_migration(databases: Databases) -> None:
    (migration,) = [m for m in migrations() if m.name == "0013_pre_directories.sql"]
    start = migration.text.index("INSERT INTO path_tally (")
    fill: Any = migration.text[start : migration.text.index(";", start)]
    name = databases.clone()
    with psycopg.connect(databases.url(name, "sancho_owner"), options="-c search_path=sancho") as owner:
        owner.execute(
            """
            INSERT INTO did (vo, kind, open, scope_id, size, account_id, name)
            SELECT s.vo, n.kind, false, s.scope_id, CASE n.kind WHEN 'F' THEN 7 END, s.account_id, n.name
              FROM scope s, (VALUES ('F'::"char", 'top'), ('F', 'a/b/1'), ('F', 'a/2'), ('D', 'a/b'), ('D', 'd/e'))
                   AS n (kind, name)
            """
        )
        sums: Any = "SELECT vo, scope_id, path, sum(files), sum(size) FROM path_tally GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        counted = owner.execute(sums).fetchall()
        owner.execute("DELETE FROM path_tally")
        owner.execute(fill)
        assert owner.execute(sums).fetchall() == counted
        assert [(path, files, size) for _, _, path, files, size in counted[:3]] == [
            ("", 3, 21),
            ("a", 2, 14),
            ("a/b", 1, 7),
        ]
    databases.drop(name)


async def test_a_listing_does_not_look_at_what_is_below_a_directory(conn: Connection, world: World) -> None:
    """Three directories with thousands of names below, and two files: a handful of looks into the index."""
    scope, alice = world.scope[world.belle, "mc"], world.account[world.belle, "alice"]
    names = [f"d{n % 3}/{n % 7}/{n}" for n in range(6000)]
    await service.register_files(
        conn, world.belle, alice, [NewFile(None, scope, n, 1, None) for n in [*names, "a", "z"]]
    )
    await execute(conn, "SELECT set_config('sancho.vo', %(vo)s, true)", {"vo": str(world.belle)})
    for way in ("seqscan", "bitmapscan", "sort"):  # which are chosen when statistics are of the empty table
        await execute(conn, f"SET LOCAL enable_{way} = off")

    async def touched() -> int:
        rows = await fetch_rows(
            conn, "SELECT idx_tup_fetch + seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'did'", {}
        )
        return rows[0][0]

    before = await touched()
    assert [e.name for e in await paths.entries(conn, world.belle, scope, "", after="", limit=100)] == [
        "a", "d0", "d1", "d2", "z",
    ]  # fmt: skip
    assert await touched() - before < 50


async def registered(served: Served, *dids: str, vo: str = "belle") -> None:
    files = [{"did": did, "size": 10, "adler32": "0000000a"} for did in dids]
    made = await served.send("POST", "/replicas", json={"rse": "A-DISK", "files": files}, account="root", vo=vo)
    assert made.status_code == 201, made.text


async def names_of(served: Served, path: str, **query: str | int) -> Sequence[str]:
    answer = await served.send("GET", f"/paths{path}", params=query)
    assert answer.status_code == 200, answer.text
    return [item["path"] for item in answer.json()["items"]]


async def test_the_route_shows_directories_in_pages(served: Served) -> None:
    await registered(served, "mc:run/a#?%", "mc:run/sub/b", "mc:run/z")

    assert await names_of(served, "") == await names_of(served, "/") == ["/belle/"]
    assert "/belle/mc/" in await names_of(served, "/belle")
    assert await names_of(served, "/belle/mc") == ["/belle/mc/run/"]
    first = (await served.send("GET", "/paths/belle/mc/run", params={"limit": 2})).json()
    assert ([item["path"] for item in first["items"]], first["next"]) == (
        ["/belle/mc/run/a#?%", "/belle/mc/run/sub/"],
        "sub/",
    )
    assert first["directory"] == {"files": 3, "size": 30}
    assert [(item["kind"], item["did"], item["size"]) for item in first["items"]] == [
        ("file", "mc:run/a#?%", 10),
        ("directory", None, 10),
    ]
    assert await names_of(served, "/belle/mc/run", cursor="sub/", limit=2) == ["/belle/mc/run/z"]
    one = (await served.send("GET", "/paths/belle/mc/run/a%23%3F%25")).json()
    assert (one["did"]["size"], one["directory"], one["items"]) == (10, None, [])


async def test_the_route_says_what_is_wrong_with_a_path(served: Served) -> None:
    await registered(served, "mc:run/a", vo="gridpp")

    async def refused(path: str, **query: str) -> tuple[int, str, str]:
        answer = await served.send("GET", f"/paths/{path}", params=query)
        return answer.status_code, answer.json()["code"], answer.json()["field"]

    assert await refused("gridpp/mc/run") == await refused("elsewhere/mc/run") == (404, "path_not_found", "path")
    assert await refused("belle/nowhere/a") == await refused("belle/mc/run") == (404, "path_not_found", "path")
    assert await refused("belle/mc/%2e%2e/a") == (422, "path_malformed", "path")
    assert await refused("belle/mc//a") == await refused("belle//mc") == (422, "path_malformed", "path")
    assert await refused("belle/mc", cursor="a/b") == (422, "path_malformed", "cursor")
