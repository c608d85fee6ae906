"""Pages do what they say: blocks marked `sh run` run in order, in one shell and folder of the page's own.

Every tutorial has such blocks, and those how-tos that begin with a grid. They share one grid, since starting it takes
longer than most pages: `sancho up` finds it running. So a page leaves it running, but the last one, which stops it.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.compat.rucio_client import READ
from tests.stubs import sancho_stub, write_stub

pytestmark = pytest.mark.xdist_group("pages")  # one grid for all

DOCS = Path(__file__).parents[2] / "docs"
RUCIO = Path(__file__).parents[2] / ".venv-compat" / "bin" / "rucio"
FIND: dict[str, dict[str, str]] = {
    "how-to/onboard-a-vo.md": {
        "created.txt": "a pilot at site-",
        "checked.txt": "a pilot at site-",
        "run7/run7/events.txt": "collisions",
        "refused.txt": "not readable\nnot submitted\n",
    },
    "tutorials/from-rucio-to-sancho.md": {"replicas.txt": "disk-b: http", "why.txt": "no source"},
    "tutorials/first-job-and-first-rule.md": {"pi.txt": "pi is about 3.14"},
}
"""Pages that run, in this order, and files that each leaves in its folder, with something that is in them."""
RUN = re.compile(r"^```sh run\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PATIENCE = 400


def test_every_tutorial_and_every_page_with_such_blocks_is_run() -> None:
    pages = {path for path in DOCS.rglob("*.md") if RUN.search(path.read_text(encoding="utf-8"))}
    assert {*pages, *DOCS.glob("tutorials/*.md")} == {DOCS / page for page in FIND}


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """The environment of whoever reads the pages; the grid that the first one starts is removed in the end."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "bin").mkdir()
    if RUCIO.exists():
        write_stub(folder / "bin" / "rucio", python=RUCIO.with_name("python"), modules=READ, program=RUCIO)
    known = {k: v for k, v in os.environ.items() if not k.startswith(("SANCHO_", "RUCIO_"))} | {
        "SANCHO_HOME": str(folder / "home"),
        "SANCHO_CONFIG_HOME": str(folder / "config"),
        "PATH": f"{sancho_stub().parent}:{Path(sys.executable).parent}:{folder}/bin:{os.environ['PATH']}",
    }
    yield known
    subprocess.run(["sancho", "down", "--purge", "--yes"], env=known, timeout=PATIENCE, check=False)


@pytest.mark.parametrize("page", FIND)
def test_the_commands_of_a_page_work_in_their_order(page: str, variables: Mapping[str, str], tmp_path: Path) -> None:
    blocks = RUN.findall((DOCS / page).read_text(encoding="utf-8"))
    assert blocks
    done = subprocess.run(
        ["bash", "-euxo", "pipefail", "-c", "\n".join(blocks)],
        cwd=tmp_path, env=variables, timeout=PATIENCE, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-5000:]
    for file, words in FIND[page].items():
        assert words in (tmp_path / file).read_text(), done.stdout[-5000:]
