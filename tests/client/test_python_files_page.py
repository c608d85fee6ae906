"""The page on Python's files does what it says: its blocks run in order, in a grid where nothing has their names."""

import re
from pathlib import Path
from typing import Any

import pytest

from sancho_client.filesystem.filesystem import SanchoFileSystem
from tests.client.conftest import Grid

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "python-files.md"
RUN = re.compile(r"^```python run\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_page_does_what_it_says(grid: Grid, unique: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SANCHO_URL", grid.url)
    monkeypatch.setenv("SANCHO_TOKEN", grid.token("root"))
    monkeypatch.setenv("SANCHO_CONFIG_HOME", str(tmp_path / "config"))
    SanchoFileSystem.clear_instance_cache()
    blocks = RUN.findall(PAGE.read_text(encoding="utf-8"))
    assert len(blocks) == 4
    names: dict[str, Any] = {}
    for block in blocks:
        exec(block.replace("run1", unique), names)
    names["fs"].close()
    SanchoFileSystem.clear_instance_cache()
