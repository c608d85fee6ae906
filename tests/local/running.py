"""Grids that run, for the tests of a whole one."""

import json
import os
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sancho.local import access, control
from sancho.local.home import Home
from sancho.local.processes import Process, wait_until
from sancho.local.programs import State, read_state
from sancho_client.calls import identity
from sancho_client.client import Client
from tests.stubs import sancho_stub

PROGRAMS = ["postgres", "api", "worker", "storage-disk-a", "storage-disk-b"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def sancho(*words: str, environment: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    clean = {k: v for k, v in os.environ.items() if not k.startswith("SANCHO_")}
    return subprocess.run(
        [sancho_stub(), *words],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={**clean, **(environment or {})},
    )


def said(*words: str, environment: Mapping[str, str] | None = None) -> Any:
    """What a verb says with `--json`; it must succeed."""
    done = sancho(*words, "--json", environment=environment)
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


def program(home: Path, name: str) -> Process:
    """The process of a program, once it is ready."""
    found: list[Process] = []

    def look() -> bool:
        state = read_state(home)
        programs = [] if state is None else [one for one in state.programs if one.name == name]
        found[:] = [one.process for one in programs if one.state is State.READY and one.process is not None]
        return any(one.alive for one in found)

    assert wait_until(look, timeout=60), f"{name} is not ready"
    return found[0]


def everything(home: Path) -> list[Process]:
    supervisor = control.find_supervisor(home)
    assert supervisor is not None
    return [supervisor, *(program(home, name) for name in PROGRAMS)]


def scratch_home() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="sancho-test-", dir="/tmp")


def speaking(home: Path, vo: str) -> Client:
    """A client that speaks for the administrator of a VO."""
    return access.client(Home(home), Home(home).config(), vo)


def who(home: Path, vo: str = "belle") -> tuple[str, str]:
    with speaking(home, vo) as client:
        me = client.send(identity.whoami())
    return me.vo, me.account
