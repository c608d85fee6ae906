"""A CE without a batch system: pilots as detached processes of this machine.

Each pilot has a private folder below the CE's own, named by its stamp: its configuration, its secret, its log, its
work, and `exit` with its exit code once it has ended. A pilot outlives the worker that started it; its reference,
`stamp:pid:start time:boot`, is enough for another worker to find it, and never mistakes a recycled pid for it.
"""

import asyncio
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from sancho_contract.compute import CEUnavailable, PilotSpec, PilotState

LAUNCH = """
import os, sys
if os.fork():
    os._exit(0)
os.setsid()
pid = os.fork()
if pid:
    os.write(1, str(pid).encode())
    os._exit(0)
log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
os.dup2(log, 1)
os.dup2(log, 2)
os.setpgid(0, 0)
keep = 'trap "" TERM; "$@"; echo $? >exit.new; mv exit.new exit'
os.execv("/bin/sh", ["sh", "-c", keep, "sh", *sys.argv[1:]])
"""
KEPT_FOR = 86_400.0
"""Seconds that the folder of an ended pilot is kept, for whoever wants to read its log."""


class Environment(BaseModel, extra="forbid", frozen=True):
    """Software that jobs ask for with the tag `env:NAME`."""

    path: tuple[Path, ...] = ()
    """Folders that come first in the payload's PATH."""
    variables: dict[str, str] = {}
    """Further variables of the payload."""


class LocalSettings(BaseModel):
    """Where pilots live, and what software the site offers."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    folder: Path
    """Private folder of this CE."""
    python: Path | None = None
    """Interpreter of the pilots (3.8 or newer); ours when absent. Payloads never run on it."""
    environments: dict[str, Environment] = {}
    """Software by name; a CE that offers `env:NAME` as a tag describes it here."""
    nice: int = 5
    """How much pilots and payloads step back behind everything else on this machine."""


class LocalComputeElement:
    """Starts pilots as processes of this machine. See `ComputeElement` for what callers may rely on."""

    Settings: type[BaseModel] = LocalSettings

    def __init__(self, settings: LocalSettings) -> None:
        """Use the CE's folder; it is made when the first pilot is submitted."""
        self._settings = settings

    async def submit(self, pilots: Sequence[PilotSpec]) -> Mapping[str, str]:
        """Start pilots; one whose folder cannot be made is left out."""
        try:
            program = await self._program()
            self._tidy()
        except OSError as e:
            raise CEUnavailable(f"{self._settings.folder}: {e.strerror}") from e
        started: dict[str, str] = {}
        for pilot in pilots:
            started[pilot.stamp] = await self._start(program, pilot)
        return started

    async def states(self, references: Sequence[str]) -> Mapping[str, PilotState]:
        """Look for the processes."""
        return {reference: self._state(reference) for reference in references}

    async def kill(self, references: Sequence[str]) -> None:
        """Ask pilots to end: they stop their payloads and say good-bye."""
        for reference in references:
            stamp, pid, start, boot = _parse(reference)
            if stamp and boot == _boot() and _start_time(pid) == start:
                os.killpg(pid, signal.SIGTERM)

    async def _program(self) -> Path:
        """The pilot as one file, built once for each version of it."""
        folder = self._settings.folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        program = folder / "sancho-pilot.pyz"
        if not program.exists():
            building = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "sancho_pilot.build", str(program), stderr=asyncio.subprocess.PIPE
            )
            _, words = await building.communicate()
            if building.returncode != 0:
                raise CEUnavailable(f"the pilot could not be built: {words.decode(errors='replace')[-500:]}")
        return program

    async def _start(self, program: Path, pilot: PilotSpec) -> str:
        folder = self._settings.folder / pilot.stamp
        folder.mkdir(mode=0o700)
        (folder / "secret").touch(mode=0o600)
        (folder / "secret").write_text(pilot.secret)
        (folder / "config.json").write_text(json.dumps(self._configuration(folder, pilot)))
        python = str(self._settings.python or sys.executable)
        launching = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", "-c", LAUNCH, "nice", "-n", str(self._settings.nice),
            python, "-I", "-S", str(program), str(folder / "config.json"),
            cwd=folder, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        said, _ = await launching.communicate()
        pid = int(said)
        return f"{pilot.stamp}:{pid}:{_start_time(pid)}:{_boot()}"

    def _configuration(self, folder: Path, pilot: PilotSpec) -> dict[str, Any]:
        return {
            "url": pilot.url, "ca_file": pilot.ca_file, "stamp": pilot.stamp, "secret_file": str(folder / "secret"),
            "workdir": str(folder / "work"), "site": pilot.site, "idle": pilot.idle.total_seconds(),
            "slot": {"cores": pilot.cores, "memory": pilot.memory, "walltime": pilot.walltime.total_seconds()},
            "tags": list(pilot.tags),
            "environments": {
                name: {"path": [str(p) for p in e.path], "variables": e.variables}
                for name, e in self._settings.environments.items()
            },
        }  # fmt: skip

    def _state(self, reference: str) -> PilotState:
        stamp, pid, start, boot = _parse(reference)
        folder = self._settings.folder / stamp
        if not stamp or not folder.is_dir():
            return PilotState.UNKNOWN
        ended = folder / "exit"
        if ended.exists():
            return PilotState.DONE if ended.read_text().strip() == "0" else PilotState.FAILED
        alive = boot == _boot() and _start_time(pid) == start
        return PilotState.RUNNING if alive else PilotState.FAILED

    def _tidy(self) -> None:
        """Remove the folders of pilots that ended long ago."""
        for ended in self._settings.folder.glob("*/exit"):
            if time.time() - ended.stat().st_mtime > KEPT_FOR:
                shutil.rmtree(ended.parent, ignore_errors=True)


def _parse(reference: str) -> tuple[str, int, int, str]:
    parts = reference.split(":")
    if len(parts) != 4 or not parts[0].isalnum() or not parts[1].isdigit() or not parts[2].isdigit():
        return "", 0, 0, ""
    return parts[0], int(parts[1]), int(parts[2]), parts[3]


def _start_time(pid: int) -> int:
    """When a process started, in clock ticks since boot; 0 when there is none, or only its remains."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if after_name[0] == "Z" else int(after_name[19])


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
