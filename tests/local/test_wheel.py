"""A built wheel in a clean virtual environment gets to a finished job, far from the tree that it was built from."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sancho.local.processes import marked
from sancho.local.programs import MARK
from sancho.web import service as page
from tests.local.running import free_port
from tests.realparts.parts import lack

ROOT = Path(__file__).parents[2]
PACKAGES = ["sancho", "sancho_client", "sancho_contract", "sancho_pilot", "sancho_plugins"]
PATIENCE = 120
SCOPE = "{kind: Scope, vo: demo, name: wheel, spec: {account: admin}}"
JOB = """
name: hello
command: [sh, -c, 'echo "job $SANCHO_JOB_ID was here" > hello.txt']
outputs:
  - {path: hello.txt, did: "wheel:hello.txt"}
"""


class Installed:
    """Sancho as somebody has it who never saw its sources: a wheel, an environment, a home and an empty folder."""

    def __init__(self, folder: Path) -> None:
        self.venv, self.grid, self.work = folder / "venv", folder / "grid", folder / "work"
        self.work.mkdir()
        self.variables = {"PATH": f"{self.venv}/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": str(self.work)}
        build(["hatchling", "build", "--target", "wheel", "--directory", str(folder)])
        (self.wheel,) = folder.glob("*.whl")
        build(["uv", "venv", "--quiet", "--python", sys.executable, str(self.venv)])
        build(
            ["uv", "pip", "install", "--quiet", "--python", str(self.venv / "bin" / "python"), f"{self.wheel}[server]",
             "--constraints", str(ROOT / "requirements" / "server.txt")]
        )  # fmt: skip

    def shell(self, commands: str) -> str:
        """Run commands as a user's shell would; return what they write, in which there is no traceback."""
        done = subprocess.run(
            ["sh", "-euc", commands], cwd=self.work, env=self.variables, timeout=PATIENCE, text=True, check=False,
            capture_output=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr + done.stdout
        assert "Traceback" not in done.stderr
        return done.stdout

    def say(self, commands: str) -> str:
        """The same in a shell that knows where the grid is."""
        return self.shell(f'eval "$(sancho env --home {self.grid})"\n{commands}')

    def traces_of_sources(self) -> list[str]:
        """What the processes of the grid have to do with the tree: folders, open files, mapped files, words."""
        found: list[str] = []
        for process in marked(MARK, str(self.grid)):
            proc = Path("/proc", str(process.pid))
            with suppress(FileNotFoundError, ProcessLookupError):  # a pilot may end, or close a file, at any moment
                words = [(proc / name).read_text(errors="replace") for name in ("cmdline", "environ", "maps")]
                links = [str(one.readlink()) for one in [proc / "cwd", proc / "exe", *(proc / "fd").iterdir()]]
                found += [f"{process.pid}: {text[:200]}" for text in [*words, *links] if str(ROOT) in text]
        return found


def build(words: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout


@pytest.fixture
def installed(folder: Path) -> Iterator[Installed]:
    """An installation; what it has started is stopped by its own verb."""
    if not page.built():
        lack("the web page has not been built: `make web`")
    made = Installed(folder)
    try:
        yield made
    finally:
        if made.grid.exists():
            made.shell(f"sancho down --home {made.grid} --purge --yes")


def test_a_wheel_in_a_clean_environment_gets_to_a_finished_job(installed: Installed) -> None:
    files = zipfile.ZipFile(installed.wheel).namelist()
    assert {f"{page.index().relative_to(ROOT / 'src')}", "sancho/web/host/host-1.d.ts"} <= set(files)
    sources = {str(path.relative_to(ROOT / "src")) for path in (ROOT / "src").rglob("*") if path.is_file()}
    packed = {name for name in zipfile.ZipFile(installed.wheel).namelist() if ".dist-info/" not in name}
    assert packed == {name for name in sources if "__pycache__" not in name}
    assert {name.partition("/")[0] for name in packed} == set(PACKAGES)

    where = f"import {', '.join(PACKAGES)}; print(*({', '.join(f'{name}.__file__' for name in PACKAGES)}), sep='\\n')"
    for file in installed.shell(f'python -c "{where}"').splitlines():
        assert Path(file).is_relative_to(installed.venv)

    installed.shell(f"sancho up --home {installed.grid} --port {free_port()}")
    (installed.work / "scope.yaml").write_text(SCOPE)
    (installed.work / "hello.yaml").write_text(JOB)
    installed.say("sancho apply -f scope.yaml")
    (job,) = json.loads(installed.say("sancho job submit hello.yaml --json"))["job_ids"]
    installed.say(f"sancho job wait {job} --timeout {PATIENCE / 2}")
    assert json.loads(installed.say(f"sancho job show {job} --json"))["state"] == "done"
    installed.say("sancho data get wheel:hello.txt")
    assert (installed.work / "hello.txt").read_text() == f"job {job} was here\n"

    assert len(marked(MARK, str(installed.grid))) > 2
    assert installed.traces_of_sources() == []
    installed.shell(f"sancho down --home {installed.grid} --purge --yes")
    assert marked(MARK, str(installed.grid)) == []
    assert not installed.grid.exists() or list(installed.grid.iterdir()) == []
