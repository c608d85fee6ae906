"""What tests of the pilot are made of."""

import io
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

from tests.pilot.conftest import Pilots
from tests.pilot.stand_in import Attempt

UNTIL_GO = "echo started; while [ ! -e ../../../../go ]; do sleep 0.05; done"
"""Payloads lie four folders below the folder of the test."""


def interpreters() -> list[str]:
    """Every Python on this machine that a pilot may run on."""
    found = {sys.executable}
    for folder in (Path("/usr/bin"), *Path.home().glob(".pyenv/versions/*/bin")):
        found |= {str(path.resolve()) for path in folder.glob("python3*") if path.name[7:].replace(".", "").isdigit()}
    good: dict[str, str] = {}
    for python in sorted(found):
        asked = subprocess.run(
            [python, "-I", "-S", "-c", "import sys, ssl; print('%d.%d' % sys.version_info[:2])"],
            capture_output=True,
            text=True,
            check=False,
        )
        version = tuple(int(part) for part in asked.stdout.split(".")) if asked.returncode == 0 else ()
        if version >= (3, 8):
            good[asked.stdout.strip()] = python
    return [good[version] for version in sorted(good, key=lambda v: tuple(map(int, v.split("."))))]


def archive(**files: str) -> bytes:
    """A sandbox; every file in it is executable."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o755
            tar.addfile(member, io.BytesIO(content.encode()))
    return raw.getvalue()


def unpacked(content: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


def output(number: int, path: str) -> dict[str, Any]:
    return {"number": number, "path": path, "did": f"mc:{path}"}


def says(attempt: Attempt, words: str) -> bool:
    return bool(attempt.beats) and words in attempt.beats[-1]["tail"]


def wait_for_log(pilots: Pilots, words: str) -> None:
    """Wait until the pilot's log has these words; `tail -f` sees them as soon as they are written."""
    with subprocess.Popen(["tail", "-n", "+1", "-f", str(pilots.log)], stdout=subprocess.PIPE, text=True) as tail:
        assert tail.stdout is not None
        try:
            assert any(words in line for line in tail.stdout)
        finally:
            tail.kill()
