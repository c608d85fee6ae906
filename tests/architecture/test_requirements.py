"""The pinned requirements: they name no host and no path, are complete, and hold what pyproject.toml asks for."""

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
