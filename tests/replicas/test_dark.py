"""Files on a storage that nobody knows: noted, and deleted after a grace, but never what the catalogue knows."""

from datetime import timedelta

import pytest

from sancho.kit.db import Connection, Database
from sancho.kit.errors import PermissionMissing
from sancho.replicas import service
from sancho.replicas.errors import FileKnown, PathNotInArea
from sancho.replicas.service.dark import DARK_GRACE
from sancho.rses.errors import RseNotFound
from tests.dids.given import person
from tests.replicas import shelf as shelves
from tests.replicas.given import given_replicas
from tests.replicas.shelf import Shelf, StoppedClock
from tests.world import World

PREFIX = "file:///nowhere/a-disk"


async def note(conn: Connection, world: World, *texts: str, rse: str = "A-DISK") -> int:
    return await service.quarantine(conn, person(world, "root", "replicas:manage"), rse, texts, reason="found")


async def left(database: Database) -> list[str]:
    async with database.transaction([1]) as conn:
        return [path for (path,) in await (await conn.execute("SELECT path FROM dark_file ORDER BY path")).fetchall()]


async def test_a_file_that_nobody_knows_goes_after_its_grace(database: Database, world: World) -> None:
    shelf, clock = Shelf({f"{PREFIX}/belle/old", f"{PREFIX}/belle/mc/a%20b"}), StoppedClock()
    deployment = shelves.deployment(database, shelf, clock)
    async with database.transaction([0, 1]) as conn:
        assert await note(conn, world, f"{PREFIX}/belle/old", "/belle/mc/a b") == 2
        assert await note(conn, world, "/belle/old") == 0

    assert await service.sweep(deployment) == 0
    clock.advance(DARK_GRACE)
    assert await service.sweep(deployment) == 2

    assert shelf.files == set()
    assert (f"{PREFIX}/belle/old", "reaper storage.read:/belle/old storage.modify:/belle/old 300 s") in shelf.asked
    assert await left(database) == []


async def test_a_storage_that_is_away_is_asked_again_later(database: Database, world: World) -> None:
    shelf, clock = Shelf({f"{PREFIX}/belle/old"}), StoppedClock()
    shelf.away = "old"
    deployment = shelves.deployment(database, shelf, clock)
    async with database.transaction([0, 1]) as conn:
        await note(conn, world, "/belle/old", "/belle/gone")
    clock.advance(DARK_GRACE)

    assert await service.sweep(deployment) == 1
    assert await service.sweep(deployment) == 0
    assert await left(database) == ["/belle/old"]
    shelf.away = None
    clock.advance(timedelta(hours=1))
    assert await service.sweep(deployment) == 1


async def test_what_is_known_by_then_stays(database: Database, world: World) -> None:
    clock = StoppedClock()
    async with database.transaction([0, 1]) as conn:
        (key,) = await given_replicas(conn, world, "f")
        url = await shelves.url(conn, world, key, "f")
        with pytest.raises(FileKnown, match="mc:f"):
            await note(conn, world, "/belle/x", url)
        query = "INSERT INTO dark_file (vo, rse_id, account_id, path, not_before) VALUES (1, %s, %s, %s, now())"
        await conn.execute(query, [key.rse_id, world.account[1, "root"], url.removeprefix(PREFIX)])
    shelf = Shelf({url})

    assert await service.sweep(shelves.deployment(database, shelf, clock)) == 0

    assert shelf.files == {url}
    assert shelf.asked == []
    assert await left(database) == []


async def test_only_files_in_the_own_area_are_taken_and_by_who_may(conn: Connection, world: World) -> None:
    elsewhere = ("/gridpp/mc/x", "/belle", "belle/x", "root://elsewhere//belle/x", f"{PREFIX}2/belle/x")
    tricky = ("/belle/../gridpp/x", "/belle/%2e%2e/x", "/belle//x", "/belle/%66", "/belle/a%2fb", f"{PREFIX}/belle/x?y")
    for text in (*elsewhere, *tricky):
        with pytest.raises(PathNotInArea):
            await note(conn, world, "/belle/fine", text)
            pytest.fail(text)
    with pytest.raises(RseNotFound):
        await note(conn, world, "/belle/x", rse="NO-DISK")
    with pytest.raises(PermissionMissing):
        await service.quarantine(conn, person(world, "alice"), "A-DISK", ["/belle/x"])
