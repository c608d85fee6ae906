"""The tutorials do what they say: their blocks marked `sh run` run in order, in one shell, on a grid of their own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TUTORIALS = sorted((Path(__file__).parents[2] / "docs" / "tutorials").glob("*.md"))
RUN = re.compile(r"^```sh run\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PATIENCE = 400


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_the_commands_of_a_tutorial_work_in_their_order(page: Path, tmp_path: Path) -> None:
    blocks = RUN.findall(page.read_text(encoding="utf-8"))
    assert blocks
    work = tmp_path / "work"
    work.mkdir()
    variables = {k: v for k, v in os.environ.items() if not k.startswith("SANCHO_")} | {
        "SANCHO_HOME": str(tmp_path / "home"),
        "SANCHO_CONFIG_HOME": str(tmp_path / "config"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    try:
        done = subprocess.run(
            ["bash", "-euxo", "pipefail", "-c", "\n".join(blocks)],
            cwd=work, env=variables, timeout=PATIENCE, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-5000:]
        assert "pi is about 3.14" in (work / "pi.txt").read_text()
    finally:
        subprocess.run(["sancho", "down", "--purge", "--yes"], env=variables, timeout=PATIENCE, check=False)
