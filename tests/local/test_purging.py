"""The end of a grid: the last that its tests do with it."""

from pathlib import Path
from typing import Any

import pytest

from tests.local.running import everything, sancho

pytestmark = pytest.mark.xdist_group("grid")


def test_purge_removes_it_and_nothing_else(up: dict[str, Any]) -> None:
    home = Path(up["home"])
    before = everything(home)
    (home / "mine").write_text("kept")
    done = sancho("down", "--home", str(home), "--purge", "--yes")
    assert done.returncode == 0, done.stderr
    assert not any(one.alive for one in before)
    assert [path.name for path in home.iterdir()] == ["mine"]
    assert sancho("status", "--home", str(home)).returncode == 1
