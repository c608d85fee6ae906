"""A CE without a batch system: pilots as detached processes of this machine.

Each pilot has a private folder below the CE's own, named by its stamp: its configuration, its secret, its log, its
work, and `exit` with its exit code once it has ended. A keeper (`local_keeper`) starts the pilot and ends whatever
it leaves; both outlive the worker. The reference of a pilot, `stamp:pid:start time:boot`, names its keeper: another
worker finds it by that, and never mistakes a recycled pid for it.
"""

import asyncio
import hashlib
import json
import os
import pwd
import re
import shutil
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from sancho_contract.compute import CEUnavailable, PilotSpec, PilotState
from sancho_contract.secrets import SecretReader
from sancho_plugins import local_keeper
from sancho_plugins.local_keeper import start_time

KEEPER = Path(local_keeper.__file__)
SYSTEM_PYTHON = Path("/usr/bin/python3")
KEPT_FOR = 86_400.0
"""Seconds that the folder of an ended pilot is kept, for whoever wants to read its log."""
STAMP = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
REFERENCE = re.compile(rf"(?P<stamp>{STAMP.pattern}):(?P<pid>\d+):(?P<start>\d+):(?P<boot>[0-9a-f-]+)")


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
    user: str | None = None
    """User of this machine that pilots and payloads run as, when the worker runs as root; `folder` and the interpreter
    must be within its reach."""


class LocalComputeElement:
    """Starts pilots as processes of this machine. See `ComputeElement` for what callers may rely on."""

    Settings: type[BaseModel] = LocalSettings

    def __init__(self, settings: LocalSettings, _secret: SecretReader | None = None) -> None:
        """Use the CE's folder; it is made when the first pilot is submitted. This machine asks for no secret."""
        self._settings = settings
        self._building = asyncio.Lock()
        self._built: Path | None = None

    async def submit(self, pilots: Sequence[PilotSpec]) -> Mapping[str, str]:
        """Start pilots; one that cannot be started here is left out, unless none can."""
        if not pilots:
            return {}
        started: dict[str, str] = {}
        trouble: OSError | None = None
        try:
            program = await self._program()
            self._tidy()
        except OSError as problem:
            raise CEUnavailable(f"{self._settings.folder}: {problem.strerror}") from problem
        for pilot in pilots:
            try:
                started[pilot.stamp] = await self._start(program, pilot)
            except OSError as problem:
                trouble = problem
        if trouble is not None and not started:
            raise CEUnavailable(f"{self._settings.folder}: {trouble.strerror}") from trouble
        return started

    async def states(self, references: Sequence[str]) -> Mapping[str, PilotState]:
        """Look for the processes."""
        return {reference: self._state(reference) for reference in references}

    async def kill(self, references: Sequence[str]) -> None:
        """Ask pilots to end: they stop their payloads and say good-bye; after half a minute they are killed."""
        for reference in references:
            named = REFERENCE.fullmatch(reference)
            if named is not None and _alive(named):
                with suppress(ProcessLookupError):
                    os.kill(int(named["pid"]), signal.SIGTERM)

    # ------------------------------------------------------------------------------------------ starting

    async def _program(self) -> Path:
        """The pilot as one file, built once in the life of this process; pilots that run keep the one they have."""
        async with self._building:
            if self._built is None or not self._built.exists():
                self._make_folder(self._settings.folder)
                new = self._settings.folder / f"sancho-pilot.{os.getpid()}.new"
                await _run(sys.executable, "-m", "sancho_pilot.build", str(new))
                digest = hashlib.sha256(new.read_bytes()).hexdigest()[:12]
                self._built = new.rename(self._settings.folder / f"sancho-pilot-{digest}.pyz")
        return self._built

    def _make_folder(self, folder: Path) -> None:
        """Make the CE's folder; a user of its own may pass through it, and not look around."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700 if self._settings.user is None else 0o711)

    async def _start(self, program: Path, pilot: PilotSpec) -> str:
        if STAMP.fullmatch(pilot.stamp) is None:
            raise CEUnavailable(f"{pilot.stamp!r} is no name for a folder")
        folder = self._settings.folder / pilot.stamp
        folder.mkdir(mode=0o700)
        user = self._user()
        _write_private(folder / "secret", pilot.secret, user)
        _write_private(folder / "config.json", json.dumps(self._configuration(folder, pilot)), user)
        command = [str(self._python()), "-I", "-S", str(program), str(folder / "config.json")]
        orders = {"command": command, "nice": self._settings.nice, "user": user, "memory": pilot.memory}
        _write_private(folder / "orders.json", json.dumps(orders), None)
        if user is not None:
            os.chown(folder, *user)
        said = await _run(sys.executable, "-I", "-S", str(KEEPER), str(folder / "orders.json"))
        if not said:
            raise CEUnavailable(f"the keeper of pilot {pilot.stamp} did not start; see {folder}/log")
        pid, start = said.split()
        return f"{pilot.stamp}:{pid}:{start}:{_boot()}"

    def _python(self) -> Path:
        """The interpreter of the pilots; ours may lie where another user cannot reach it."""
        return self._settings.python or (Path(sys.executable) if self._settings.user is None else SYSTEM_PYTHON)

    def _user(self) -> tuple[int, int] | None:
        """Uid and gid of the pilots, when they are not ours."""
        if self._settings.user is None or os.geteuid() != 0:
            return None
        try:
            entry = pwd.getpwnam(self._settings.user)
        except KeyError:
            raise CEUnavailable(f"there is no user {self._settings.user} on this machine") from None
        return entry.pw_uid, entry.pw_gid

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

    # ------------------------------------------------------------------------------------------- looking

    def _state(self, reference: str) -> PilotState:
        named = REFERENCE.fullmatch(reference)
        if named is None or not (self._settings.folder / named["stamp"]).is_dir():
            return PilotState.UNKNOWN
        alive = _alive(named)  # first this, then the exit code: a keeper writes it while it is alive
        try:
            code = (self._settings.folder / named["stamp"] / "exit").read_text().strip()
        except FileNotFoundError:
            return PilotState.RUNNING if alive else PilotState.FAILED
        return PilotState.DONE if code == "0" else PilotState.FAILED

    def _tidy(self) -> None:
        """Remove what ended long ago: pilots' folders, and programs of the pilot that none of them can use any more."""
        long_ago = time.time() - KEPT_FOR
        for ended in self._settings.folder.glob("*/exit"):
            if ended.stat().st_mtime < long_ago:
                shutil.rmtree(ended.parent, ignore_errors=True)
        for program in self._settings.folder.glob("sancho-pilot*"):
            if program != self._built and program.is_file() and program.stat().st_mtime < long_ago:
                program.unlink(missing_ok=True)


def _alive(named: re.Match[str]) -> bool:
    return named["boot"] == _boot() and start_time(int(named["pid"])) == int(named["start"])


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _write_private(path: Path, text: str, owner: tuple[int, int] | None) -> None:
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(text, encoding="utf-8")
    if owner is not None:
        os.chown(path, *owner)


async def _run(*words: str) -> str:
    """Run a program of ours; return what it says."""
    process = await asyncio.create_subprocess_exec(
        *words, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, complaint = await process.communicate()
    if process.returncode != 0:
        raise CEUnavailable(f"{Path(words[-2]).name}: {complaint.decode(errors='replace')[-500:]}")
    return said.decode()
