"""pytest's workers as forks of one interpreter that has read every test: reading them takes longer than many of them.

A hook of the controlling process, and the program that it starts: `python -m tests.nursery SOCKET ARGUMENTS…` collects
what pytest finds by these arguments, then serves forks; see `zygote`.
"""

import gc
import io
import shlex
import subprocess
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from tests.zygote import serve

HERE = Path(__file__).parent


def fork_workers(config: pytest.Config) -> None:
    """Let xdist, which has said by now how many workers there shall be, start them as forks."""
    here = config.invocation_params.dir == config.rootpath
    if not here or config.option.collectonly or {*config.option.tx} != {"popen"}:
        return
    folder = tempfile.TemporaryDirectory(prefix="sancho-nursery-", dir="/tmp")
    path = f"{folder.name}/socket"
    nursery = subprocess.Popen(
        [sys.executable, "-m", "tests.nursery", path, *config.args], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    config.add_cleanup(folder.cleanup)
    config.add_cleanup(lambda: nursery.communicate() and None)
    assert nursery.stdout is not None
    assert nursery.stdout.readline() == b"ready\n"
    python = shlex.join([sys.executable, "-I", "-S", str(HERE / "stub.py"), path, str(HERE / "worker.py")])
    config.option.tx = [f"popen//python={python}"] * len(config.option.tx)


def main(path: str, *arguments: str) -> None:
    """Read the tests, then serve."""
    gc.disable()
    with redirect_stdout(io.StringIO()):
        pytest.main(["--collect-only", "-qq", "-n0", "-p", "no:cacheprovider", *arguments])
    gc.enable()
    serve(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
