"""What tests of the pilot may ask for: the pilot as one file, a stand-in for the server, and pilots to start."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from sancho_pilot.build import build_zipapp
from sancho_pilot.journal import replay
from tests.pilot.stand_in import StandIn

DRIVER = Path(__file__).with_name("driver.py")
DEADLINE = 60.0


class Pilots:
    """Starts pilots, all in one work folder, and looks at their logs when they have ended."""

    def __init__(self, folder: Path, pyz: Path, server: StandIn) -> None:
        self.folder, self.pyz, self.server = folder, pyz, server
        self.work = folder / "work"
        self.log = folder / "pilot.log"
        self.config = folder / "config.json"
        self.secret = folder / "secret"
        self.settings: dict[str, Any] = {
            "url": server.url,
            "ca_file": None,
            "stamp": server.stamp,
            "secret_file": str(self.secret),
            "workdir": str(self.work),
            "slot": {"cores": 2, "memory": 2_000_000_000, "walltime": 3600},
            "tags": ["x86_64", "env:demo", "env:not-here"],
            "environments": {"demo": {"path": [str(folder / "env" / "bin")], "variables": {"DEMO": "yes"}}},
            "idle": 1,
            "site": "SITE-A",
        }
        self._started: list[subprocess.Popen[bytes]] = []

    def start(
        self, *, python: str = sys.executable, die_at: str | None = None, **settings: Any
    ) -> subprocess.Popen[bytes]:
        """Start a pilot, like a batch system would: with an environment of its own."""
        self.config.write_text(json.dumps({**self.settings, **settings}))
        if not self.secret.exists():
            self.secret.write_text(self.server.first_secret)
            self.secret.chmod(0o600)
        program = [str(self.pyz)] if die_at is None else [str(DRIVER), str(self.pyz), die_at]
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [python, "-I", "-S", *program, str(self.config)],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": "/usr/bin:/bin", "PILOTS_OWN": "not for payloads"},
                start_new_session=True,
            )
        self._started.append(process)
        return process

    def run(self, **settings: Any) -> int:
        """Run a pilot until it ends; return its exit code."""
        return self.start(**settings).wait(DEADLINE)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def said(self) -> list[str]:
        return [line["said"] for line in self.lines() if "said" in line]

    def leavings(self) -> Sequence[int]:
        """Processes that run with this pilot's mark."""
        mark = f"SANCHO_PILOT={self.server.stamp}".encode()
        found: list[int] = []
        for folder in Path("/proc").iterdir():
            try:
                if folder.name.isdigit() and mark in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
            except OSError:
                continue
        return found

    def end(self) -> None:
        for process in self._started:
            if process.poll() is None:
                process.kill()
                process.wait(DEADLINE)
        for pid in self.leavings():
            os.kill(pid, signal.SIGKILL)

    def check(self) -> None:
        """What holds for every pilot: it keeps secrets, speaks the protocol, and its thoughts can be thought again."""
        if not self.log.exists():
            return
        log = self.log.read_text()
        assert not [secret for secret in self.server.issued if secret in log]
        assert "Traceback" not in log
        assert self.server.errors == []
        for event, then, now in replay(log.splitlines()):
            assert then == now, event


@pytest.fixture(scope="session")
def pyz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pilot as one file."""
    target = tmp_path_factory.mktemp("pilot") / "sancho-pilot.pyz"
    build_zipapp(str(target))
    return target


@pytest.fixture
def server() -> Iterator[StandIn]:
    """A stand-in for the server."""
    made = StandIn()
    yield made
    made.stop()


@pytest.fixture
def pilots(tmp_path: Path, pyz: Path, server: StandIn) -> Iterator[Pilots]:
    """Pilots that are gone, and whose logs have been looked at, when the test ends."""
    made = Pilots(tmp_path, pyz, server)
    yield made
    made.end()
    made.check()
