"""The local CE passes the suite, keeps what it starts to itself, and leaves nothing behind."""

import json
import os
import pwd
import signal
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from sancho.local.processes import wait_until
from sancho_contract.compute import PilotState
from sancho_contract.testing.compute import Bench, ComputeElementConformance, Place, on_a_bench
from sancho_plugins.local_ce import Environment, LocalComputeElement, LocalSettings
from sancho_plugins.local_keeper import GRACE, start_time

AS_ROOT = os.geteuid() == 0
NOBODY = "nobody"


def pids(folder: Path) -> list[int]:
    """Every process that was started with a path below this folder among its words."""
    found: list[int] = []
    for one in Path("/proc").iterdir():
        try:
            if one.name.isdigit() and str(folder).encode() in (one / "cmdline").read_bytes():
                found.append(int(one.name))
        except OSError:
            continue
    return sorted(found)


def proc(pid: int, name: str) -> str:
    """What the kernel says of a process."""
    return Path(f"/proc/{pid}/{name}").read_bytes().decode()


def pilot_of(folder: Path, stamp: str) -> int:
    """The pilot itself: the one whose parent is its keeper."""
    return next(pid for pid in pids(folder / stamp) if "config.json" in proc(pid, "cmdline"))


class TestLocalComputeElement(ComputeElementConformance):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = tmp_path / "ce"
        monkeypatch.setenv("SANCHO_DATABASE_URL", "postgresql://of-the-worker")
        monkeypatch.setenv("SANCHO_GRID_HOME", "/of/the/grid")

    def element(self, **more: object) -> LocalComputeElement:
        environments = {"demo": Environment(path=(Path("/opt/demo/bin"),), variables={"A": "b"})}
        settings = {"folder": self.folder, "environments": environments, **more}
        return LocalComputeElement(LocalSettings.model_validate(settings))

    def unreachable(self) -> LocalComputeElement:
        blocked = self.folder.parent / "file"
        blocked.touch()
        return LocalComputeElement(LocalSettings(folder=blocked / "ce"))

    @contextmanager
    def place(self) -> Generator[Place]:
        foreign = "0123456789abcdef:1:2:0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a"
        yield Place(self.element, self.unreachable, foreign_reference=foreign, tags=("env:demo", "env:other"))
        assert wait_until(lambda: not pids(self.folder), timeout=30.0)

    @on_a_bench
    async def test_what_a_pilot_is_told_is_its_own(self, bench: Bench) -> None:
        pilot = bench.spec()
        await bench.submit(pilot)
        await bench.until_arrived(pilot)
        mine = self.folder / pilot.stamp
        assert self.folder.stat().st_mode & 0o777 == 0o700
        assert mine.stat().st_mode & 0o777 == 0o700
        assert (mine / "secret").stat().st_mode & 0o777 == 0o600
        config = json.loads((mine / "config.json").read_text())
        assert config["environments"] == {"demo": {"path": ["/opt/demo/bin"], "variables": {"A": "b"}}}
        assert pilot.secret not in json.dumps(config)
        assert bench.server.seen[pilot.stamp].offer["tags"] == ["env:demo"]
        for pid in pids(mine):
            variables = proc(pid, "environ")
            assert "of-the-worker" not in variables
            assert "SANCHO_GRID_HOME=/of/the/grid" in variables
            assert pilot.secret not in variables + proc(pid, "cmdline")

    @on_a_bench
    async def test_a_pilot_is_nobodys_child(self, bench: Bench) -> None:
        pilot = bench.spec()
        (reference,) = await bench.submit(pilot)
        keeper = int(reference.split(":")[1])
        assert f"PPid:\t{os.getpid()}\n" not in proc(keeper, "status")
        assert os.getsid(keeper) != os.getsid(0)

    @on_a_bench
    async def test_a_pilot_that_is_killed_by_a_signal_is_started_again(self, bench: Bench) -> None:
        pilot = bench.spec()
        (reference,) = await bench.submit(pilot)
        for _ in range(2):
            await bench.until_arrived(pilot)
            bench.server.seen[pilot.stamp].offer = {}
            os.kill(pilot_of(self.folder, pilot.stamp), signal.SIGKILL)
        await bench.until_arrived(pilot)
        os.kill(pilot_of(self.folder, pilot.stamp), signal.SIGKILL)
        await bench.until_state(reference, PilotState.FAILED)
        assert (self.folder / pilot.stamp / "exit").read_text() == str(128 + signal.SIGKILL)

    @on_a_bench
    async def test_a_pilot_whose_keeper_was_killed_ends_and_has_failed(self, bench: Bench) -> None:
        pilot = bench.spec()
        (reference,) = await bench.submit(pilot)
        await bench.until_arrived(pilot)
        os.kill(int(reference.split(":")[1]), signal.SIGKILL)
        await bench.until_state(reference, PilotState.FAILED)

        async def gone() -> bool:
            return pids(self.folder) == []

        await bench.until(gone)
        assert bench.server.seen[pilot.stamp].retired == "stopped"

    @on_a_bench
    async def test_pilots_that_are_killed_while_they_begin_need_not_be_forced(self, bench: Bench) -> None:
        for _ in range(10):
            references = await bench.submit(bench.spec(), bench.spec())
            await bench.element.kill(references)
        forced = time.monotonic() + GRACE

        async def ended() -> bool:
            states = await bench.element.states(list(bench.references.values()))
            return {*states.values()} <= {PilotState.DONE, PilotState.FAILED}

        await bench.until(ended)
        assert time.monotonic() < forced

    @on_a_bench
    async def test_a_pid_that_is_used_again_is_not_taken_for_the_pilot(self, bench: Bench) -> None:
        pilot = bench.spec(idle=timedelta(0))
        (reference,) = await bench.submit(pilot)
        await bench.until_state(reference, PilotState.DONE)
        stamp, _, start, boot = reference.split(":")
        (self.folder / stamp / "exit").unlink()
        mistaken = f"{stamp}:{os.getpid()}:{start}:{boot}"
        other_boot = f"{stamp}:{os.getpid()}:{start_time(os.getpid())}:0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a"
        for wrong in (mistaken, other_boot):
            assert (await bench.element.states([wrong]))[wrong] is PilotState.FAILED
            await bench.element.kill([wrong])

    @on_a_bench
    async def test_folders_of_pilots_that_ended_long_ago_are_removed(self, bench: Bench) -> None:
        pilot = bench.spec(idle=timedelta(0))
        (reference,) = await bench.submit(pilot)
        await bench.until_state(reference, PilotState.DONE)
        os.utime(self.folder / pilot.stamp / "exit", (0, 0))
        await bench.submit(bench.spec(idle=timedelta(0)))
        assert (await bench.element.states([reference]))[reference] is PilotState.UNKNOWN

    @on_a_bench
    async def test_a_stamp_is_started_once(self, bench: Bench) -> None:
        pilot, other = bench.spec(), bench.spec(idle=timedelta(0))
        await bench.submit(pilot)
        given = await bench.element.submit([pilot, other])
        bench.references |= given
        assert given.keys() == {other.stamp}

    @pytest.mark.skipif(not AS_ROOT, reason="only root may become another user")
    @on_a_bench
    async def test_pilots_run_as_the_user_of_the_settings(self, bench: Bench) -> None:
        with tempfile.TemporaryDirectory(dir="/var/tmp") as scratch:
            os.chmod(scratch, 0o711)  # noqa: PTH101 - where it lies is of no matter
            self.folder = Path(scratch) / "ce"
            bench.element = self.element(user=NOBODY)
            pilot = bench.spec()
            (reference,) = await bench.submit(pilot)
            await bench.until_arrived(pilot)
            status = proc(pilot_of(self.folder, pilot.stamp), "status")
            assert f"Uid:\t{pwd.getpwnam(NOBODY).pw_uid}\t" in status
            assert (self.folder / pilot.stamp).stat().st_mode & 0o777 == 0o700
            await bench.element.kill([reference])
            await bench.until_state(reference, PilotState.DONE)
