"""Real programs for tests: installed when missing, started on loopback, ended by whoever started them.

As root a missing Debian package is installed, and none of its services is started. Anybody else has the test
skipped, with the package that it lacks; with CI=true that is a failure.
"""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from tests.storage_site import wait_for

PATH = f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"
"""Where programs are; daemons lie where an ordinary user's PATH does not lead."""
NO_SERVICES = Path("/usr/sbin/policy-rc.d")
LOCK = Path("/tmp/sancho-realparts.lock")


def need(package: str, command: str) -> str:
    """Where a program of a Debian package is, installed if need be; `command` may also be the path of a file."""
    found = _find(command)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get") is not None:
        _install(package, command)
        found = _find(command)
    if found is None:
        lack(f"{command} is missing, of the Debian package {package}")
    return found


def lack(what: str) -> NoReturn:
    """Skip the test for what this machine lacks; with CI=true, fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


def _find(command: str) -> str | None:
    if command.startswith("/"):
        return command if Path(command).exists() else None
    return shutil.which(command, path=PATH)


def _install(package: str, command: str) -> None:
    """Install a package, one at a time on this machine; try again with fresh lists."""
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _find(command) is not None:
            return
        ours = not NO_SERVICES.exists()
        if ours:
            NO_SERVICES.write_text("#!/bin/sh\nexit 101\n")
            NO_SERVICES.chmod(0o755)
        try:
            if not _apt("install", "--no-install-recommends", package):
                _apt("update")
                _apt("install", "--no-install-recommends", package)
        finally:
            if ours:
                NO_SERVICES.unlink(missing_ok=True)


def _apt(*said: str) -> bool:
    command = ["apt-get", "-qq", "-y", "-o", "DPkg::Lock::Timeout=300", *said]
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "PATH": PATH}
    return subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0


def run(*command: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    """Run a program to its end and return what it printed; a failure shows that."""
    done = subprocess.run(
        list(map(str, command)), env=_environment(env), cwd=cwd, text=True, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.returncode}\n{done.stdout}"
    return done.stdout


def listening(port: int) -> Callable[[], bool]:
    """Say, when called, whether somebody listens on a port of the loopback address."""

    def connected() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    return connected


@contextmanager
def started(
    command: Sequence[str | Path], ready: Callable[[], bool], *,
    log: Path, env: Mapping[str, str] | None = None, user: str | None = None,
) -> Generator[subprocess.Popen[bytes]]:  # fmt: skip
    """A program that is ready, in a session of its own until the block ends; `user` is who it runs as under root."""
    words = list(map(str, command))
    as_user = user if os.geteuid() == 0 else None
    with log.open("ab") as out:
        process = subprocess.Popen(
            words, env=_environment(env), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            start_new_session=True, user=as_user, group=as_user, extra_groups=[] if as_user else None,
        )  # fmt: skip

    def is_ready() -> bool:
        assert _lives(process), f"{words[0]} did not start:\n{log.read_text(errors='replace')[-4000:]}"
        return ready()

    try:
        wait_for(is_ready, f"the start of {words[0]}")
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a program of ours and all that it started in its session."""
    if process.returncode is not None:
        return  # its id may be somebody else's by now
    os.killpg(process.pid, signal.SIGTERM)
    try:
        wait_for(lambda: not _lives(process), "its end", within=10)
    except AssertionError:
        pass
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # children as well; not reaped yet, so the id is still ours
        process.wait()


def _lives(process: subprocess.Popen[bytes]) -> bool:
    """Look without reaping it."""
    return process.returncode is None and (
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    )


def _environment(more: Mapping[str, str] | None) -> dict[str, str]:
    return os.environ | {"PATH": PATH} | dict(more or {})
