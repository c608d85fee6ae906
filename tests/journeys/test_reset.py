"""An instance for development is emptied of jobs and pilots, and of nothing else; any other is not."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from sancho.cli import main
from sancho.pilots.errors import PilotsAtWork
from sancho.vos.errors import VoNotFound
from tests.architecture.checks import tables
from tests.journeys.conftest import Untouched
from tests.journeys.given import Contents, Grid

pytestmark = pytest.mark.xdist_group("reset")
MIGRATIONS = Path(__file__).parents[2] / "src" / "sancho" / "migrations"
OWNED = {feature: {t for t, owner in tables(MIGRATIONS).items() if owner == feature} for feature in ("jobs", "pilots")}
ALL = OWNED["jobs"] | OWNED["pilots"]


async def reset(grid: Grid, monkeypatch: pytest.MonkeyPatch, *options: str, development: str = "true") -> Result:
    monkeypatch.setenv("SANCHO_DATABASE_URL", grid.served.url)
    monkeypatch.setenv("SANCHO_DEVELOPMENT", development)
    verbs, words = main.command_line(of_servers=True), ["reset", *options]
    return await asyncio.to_thread(CliRunner().invoke, verbs, words, standalone_mode=False)


def left(contents: dict[str, tuple[Any, ...]]) -> dict[str, int]:
    return {table: contents[table][0] for table in ALL}


def grid_without(contents: dict[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    return {table: seen for table, seen in contents.items() if table not in ALL}


async def test_jobs_and_pilots_go_and_all_else_stays(untouched: Untouched, monkeypatch: pytest.MonkeyPatch) -> None:
    async with untouched.copied() as grid:
        before = grid.contents.read()
        assert all(left(before)[table] for table in ("job", "attempt", "pilot", "sandbox", "waiting_job"))

        result = await reset(grid, monkeypatch, "--jobs", "--pilots", "--json")

        assert result.exception is None, result.exception
        after = grid.contents.read()
        assert not any(left(after).values()), "a table of jobs or pilots was left out"
        assert grid_without(after) == grid_without(before)
        said = json.loads(result.output)
        assert said["vos"] is None
        assert said["removed"] == {
            feature: {table: left(before)[table] for table in owned} for feature, owned in OWNED.items()
        }
        again = await reset(grid, monkeypatch, "--jobs", "--pilots")
        assert again.output == "jobs: there were none\npilots: there were none\n"


async def test_the_jobs_of_one_vo_go_alone(untouched: Untouched, monkeypatch: pytest.MonkeyPatch) -> None:
    async with untouched.copied() as grid:
        belle, gridpp = (Contents(grid.owner_url, where=f"vo = {vo}") for vo in (1, 2))
        others = gridpp.read()

        result = await reset(grid, monkeypatch, "--jobs", "--vo", "belle")

        assert result.exception is None, result.exception
        assert "jobs: " in result.output
        assert " 7 job," in result.output
        assert not any(seen[0] for table, seen in belle.read().items() if table in OWNED["jobs"])
        assert gridpp.read() == others
        belle.close()
        gridpp.close()


async def test_pilots_at_work_stay_and_so_does_everything_with_them(
    untouched: Untouched, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with untouched.copied() as grid:
        before = grid.contents.read()
        assert isinstance((await reset(grid, monkeypatch, "--pilots")).exception, PilotsAtWork)
        assert isinstance((await reset(grid, monkeypatch, "--jobs", "--vo", "nowhere")).exception, VoNotFound)
        assert before["pilot"] == grid.contents.read()["pilot"]


async def test_nothing_is_touched_where_people_work(untouched: Untouched, monkeypatch: pytest.MonkeyPatch) -> None:
    async with untouched.copied() as grid:
        before = grid.contents.read()
        for development, options, said in (
            ("false", ("--jobs",), "SANCHO_DEVELOPMENT"), ("true", (), "--jobs"),
        ):  # fmt: skip
            refused = (await reset(grid, monkeypatch, *options, development=development)).exception
            assert isinstance(refused, typer.BadParameter)
            assert said in refused.format_message()
        assert grid.contents.read() == before
