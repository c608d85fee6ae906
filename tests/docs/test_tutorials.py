"""Pages do what they say: blocks marked `sh run` run in order, in one shell, on a grid of the page's own.

Every tutorial has such blocks, and those how-tos that begin with a grid.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
FIND: dict[str, dict[str, str]] = {
    "tutorials/first-job-and-first-rule.md": {"pi.txt": "pi is about 3.14"},
    "how-to/onboard-a-vo.md": {
        "created.txt": "a pilot at site-",
        "checked.txt": "a pilot at site-",
        "run7/run7/events.txt": "collisions",
        "refused.txt": "not readable\nnot submitted\n",
    },
}
"""Pages that run, and files that each leaves in its folder, with something that is in them."""
RUN = re.compile(r"^```sh run\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PATIENCE = 400


def test_every_tutorial_and_every_page_with_such_blocks_is_run() -> None:
    pages = {path for path in DOCS.rglob("*.md") if RUN.search(path.read_text(encoding="utf-8"))}
    assert {*pages, *DOCS.glob("tutorials/*.md")} == {DOCS / page for page in FIND}


@pytest.mark.parametrize("page", FIND)
def test_the_commands_of_a_page_work_in_their_order(page: str, tmp_path: Path) -> None:
    blocks = RUN.findall((DOCS / page).read_text(encoding="utf-8"))
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
        for file, words in FIND[page].items():
            assert words in (work / file).read_text(), done.stdout[-5000:]
    finally:
        subprocess.run(["sancho", "down", "--purge", "--yes"], env=variables, timeout=PATIENCE, check=False)
