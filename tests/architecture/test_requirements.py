"""The pinned requirements: they name no host and no path, are complete, and hold what pyproject.toml asks for."""

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PINNED = sorted((ROOT / "requirements").glob("*.txt"))


def pinned(path: Path) -> set[str]:
    return {line.split("==")[0] for line in path.read_text().splitlines() if re.match(r"[a-z0-9._-]+==", line)}


def wanted(*extras: str) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = project["dependencies"] + [name for extra in extras for name in project["optional-dependencies"][extra]]
    return {re.split(r"[^a-z0-9._-]", name.lower())[0] for name in asked}


@pytest.mark.parametrize("path", PINNED, ids=lambda path: path.name)
def test_pins_name_neither_host_nor_path(path: Path) -> None:
    foreign = [
        line
        for line in path.read_text().splitlines()
        if "://" in line or " @ " in line or re.search(r"(^|\s)/\w", line) or re.match(r"-", line)
    ]

    assert not foreign


@pytest.mark.parametrize("path", PINNED, ids=lambda path: path.name)
def test_every_pin_has_hashes(path: Path) -> None:
    lines = path.read_text().splitlines()

    bare = [
        line for line, after in zip(lines, [*lines[1:], ""], strict=True) if "==" in line and "--hash=" not in after
    ]

    assert not bare


@pytest.mark.parametrize("name", ["server.txt", "dev.txt"])
def test_the_pins_hold_what_the_project_asks_for(name: str) -> None:
    assert wanted("server") <= pinned(ROOT / "requirements" / name)


def test_what_is_tested_is_what_is_served() -> None:
    served, tested = (
        {line for line in (ROOT / "requirements" / name).read_text().splitlines() if re.match(r"[a-z0-9._-]+==", line)}
        for name in ("server.txt", "dev.txt")
    )

    assert served <= tested


def test_the_packages_of_the_page_are_pinned_and_their_lock_names_no_host() -> None:
    page = json.loads((ROOT / "web" / "package.json").read_text())
    lock = json.loads((ROOT / "web" / "package-lock.json").read_text())["packages"]
    loose = [v for kind in ("dependencies", "devDependencies") for v in page[kind].values() if not v[0].isdigit()]

    assert not loose
    assert [name for name, one in lock.items() if name and ("resolved" in one or "integrity" not in one)] == []


def test_no_file_of_the_page_is_long() -> None:
    made = {"schema.d.ts", "fields.ts"}
    files = [path for path in (ROOT / "web" / "src").rglob("*.ts*") if path.name not in made]

    assert [path.name for path in files if len(path.read_text().splitlines()) > 300] == []
