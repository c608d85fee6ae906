"""The helpers themselves: a program is ready when it is said to be, and nothing of it is left."""

import os
import sys
from pathlib import Path

import pytest

from tests.conftest import eventually
from tests.realparts import parts
from tests.realparts.parts import listening, need, run, started
from tests.realparts.pki import Authority
from tests.storage_site import free_port

WITH_CHILD = """
import http.server, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.signal(15, 1); signal.pause()"])
print(child.pid, flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.BaseHTTPRequestHandler).serve_forever()
"""


async def test_a_program_and_its_children_end_with_the_block(tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    with started([sys.executable, "-c", WITH_CHILD, str(port)], listening(port), log=log) as process:
        await eventually(lambda: bool(log.read_text()))
        child = int(log.read_text().split()[0])
        assert os.getpgid(child) == process.pid

    assert not listening(port)()
    await eventually(lambda: not Path(f"/proc/{child}").exists() or "State:\tZ" in _status(child))


def _status(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return "State:\tZ"


def test_a_program_that_does_not_start_shows_its_log(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no such grid')"]
    with (
        pytest.raises(AssertionError, match="no such grid"),
        started(command, lambda: False, log=tmp_path / "log"),
    ):
        pass


@pytest.mark.parametrize("ci", [False, True])
def test_what_is_missing_and_cannot_be_installed_is_named(ci: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts.os, "geteuid", lambda: 1000)
    monkeypatch.setenv("CI", str(ci).lower())

    outcome = pytest.fail.Exception if ci else pytest.skip.Exception
    with pytest.raises(outcome, match="of the Debian package no-such-package"):
        need("no-such-package", "no-such-command")


def test_openssl_finds_the_certificates_of_the_throw_away_authority_good(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "pki")
    good, bad = [authority.host(), authority.user("Alice")], authority.user("Mallory")
    authority.revoke(bad)

    verify = ("openssl", "verify", "-CApath", authority.certificates, "-crl_check")
    run(*verify, *(one.cert_file for one in good))
    with pytest.raises(AssertionError, match="certificate revoked"):
        run(*verify, bad.cert_file)
