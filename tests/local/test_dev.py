"""A grid that runs with us: its programs take up changed code, and nothing stays when we end."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

import sancho
from sancho.local import control
from sancho.local.processes import marked, wait_until
from sancho.local.programs import MARK
from tests.local.running import free_port, program

pytestmark = pytest.mark.xdist_group("grid")
SOURCE = Path(sancho.__file__).parents[1]


@pytest.fixture
def code(folder: Path) -> Path:
    """A copy of our code, to be changed."""
    return shutil.copytree(SOURCE, folder / "src", ignore=shutil.ignore_patterns("__pycache__"))


@pytest.fixture
def develop(folder: Path, code: Path) -> Iterator["subprocess.Popen[str]"]:
    """`sancho dev` on the copy, as it starts; what it says goes to a file."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("SANCHO_")}
    words = ["dev", "--home", str(folder / "grid"), "--port", str(free_port())]
    with (folder / "said").open("w") as out, subprocess.Popen(
        [sys.executable, "-m", "sancho", *words], env=clean | {"PYTHONPATH": str(code)}, cwd="/",
        stdin=subprocess.DEVNULL, stdout=out, stderr=out, text=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()
            control.stop(folder / "grid")


def title(url: str) -> str | None:
    """How the API calls itself, when it answers."""
    with suppress(httpx2.TransportError):
        return str(httpx2.get(f"{url}/openapi.json", trust_env=False).json()["info"]["title"])
    return None


def test_changed_code_is_taken_up_and_nothing_stays_when_it_ends(
    develop: "subprocess.Popen[str]", folder: Path, code: Path
) -> None:
    home, said = folder / "grid", folder / "said"
    assert wait_until(lambda: "Watching" in said.read_text() or develop.poll() is not None, timeout=120)
    assert f"Watching {code};" in said.read_text()
    url = f"http://127.0.0.1:{develop.args[-1]}"  # pyright: ignore[reportIndexIssue]
    assert title(url) == "Sancho"
    database, storage = program(home, "postgres"), program(home, "storage-disk-a")

    app = code / "sancho" / "app.py"
    app.write_text(app.read_text().replace('title="Sancho"', 'title="Rocinante"'))

    assert wait_until(lambda: title(url) == "Rocinante", timeout=60, step=0.2)
    assert wait_until(lambda: "sancho/app.py changed: starting again" in said.read_text(), timeout=10)
    assert database.alive
    assert program(home, "storage-disk-a") != storage

    develop.send_signal(signal.SIGINT)
    assert develop.wait(120) == 0
    assert marked(MARK, str(home)) == []
    assert control.find_supervisor(home) is None
    assert (home / "config.toml").exists()
