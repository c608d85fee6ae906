"""Programs that start at once: scripts that let an interpreter that has read all modules fork; see `tests.zygote`.

For tests whose point is not how a program starts, but that start very many.
"""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

ZYGOTE = Path(__file__).with_name("zygote.py")
STUB = Path(__file__).with_name("stub.py")


@cache
def zygote(python: Path, modules: tuple[str, ...]) -> str:
    """The socket of this process's interpreter that has read modules; it is started once and ends with the process."""
    folder = tempfile.mkdtemp(prefix="sancho-zygote-", dir="/tmp")
    path = f"{folder}/socket"
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    started = subprocess.Popen(
        [python, ZYGOTE, path, *modules], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    )
    assert started.stdout is not None
    assert started.stdout.readline() == b"ready\n"

    def end() -> None:
        started.communicate()
        Path(path).unlink()
        Path(folder).rmdir()

    atexit.register(end)
    return path


def write_stub(stub: Path, *, python: Path, modules: tuple[str, ...], program: Path) -> None:
    """Write an executable that does what `python program` does, in a fork that has read `modules`."""
    asked = zygote(python, modules)
    stub.write_text(f'#!/bin/sh\nexec "{python}" -I -S "{STUB}" "{asked}" "{program}" "$@"\n')
    stub.chmod(0o755)


@cache
def sancho_stub(*modules: str) -> Path:
    """The installed `sancho`, as a stub, in a folder of its own; `modules` are those of verbs of the server."""
    folder = Path(tempfile.mkdtemp(prefix="sancho-stub-", dir="/tmp"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    python, reads = Path(sys.executable), ("sancho.cli.main", *modules)
    write_stub(folder / "sancho", python=python, modules=reads, program=python.with_name("sancho"))
    return folder / "sancho"
