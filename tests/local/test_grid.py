"""A whole grid on this machine, by the command line: up, killed, down, up again, gone."""

import json
import os
import pwd
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest

from sancho.local import access, control, grid
from sancho.local.home import Home
from sancho.local.postgres import ADMIN, OWNER, Cluster, temporary_cluster
from sancho.local.processes import Process, find_process, marked, wait_until
from sancho.local.programs import MARK, State, read_state
from sancho.local.tls import trust
from sancho_client.calls import identity
from sancho_client.calls import topology as calls
from sancho_client.client import Client

pytestmark = pytest.mark.xdist_group("grid")
PROGRAMS = ["postgres", "api", "worker", "storage-disk-a", "storage-disk-b"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def sancho(*words: str, environment: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    clean = {k: v for k, v in os.environ.items() if not k.startswith("SANCHO_")}
    return subprocess.run(
        [sys.executable, "-m", "sancho", *words],
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


@pytest.fixture(scope="module")
def up() -> Iterator[dict[str, Any]]:
    """A grid with two VOs, and what `sancho up` said of it."""
    with scratch_home() as scratch:
        Path(scratch).chmod(0o711)
        home = Path(scratch) / "grid"
        try:
            yield said("up", "--home", str(home), "--port", str(free_port()), "--vo", "belle", "--vo", "gridpp")
        finally:
            control.stop(home)


@pytest.fixture
def home(up: dict[str, Any]) -> Path:
    return Path(up["home"])


def speaking(home: Path, vo: str) -> Client:
    """A client that speaks for the administrator of a VO."""
    return access.client(Home(home), Home(home).config(), vo)


def who(home: Path, vo: str = "belle") -> tuple[str, str]:
    with speaking(home, vo) as client:
        me = client.send(identity.whoami())
    return me.vo, me.account


def test_its_administrator_is_shown_a_password_once_and_can_log_in(up: dict[str, Any], home: Path) -> None:
    for vo in ("belle", "gridpp", "instance"):
        form = {"grant_type": "password", "username": "admin", "password": up["password"], "vo": vo}
        answer = httpx2.post(f"{up['url']}/v1/auth/token", data=form, trust_env=False)
        assert answer.status_code == 200, answer.text
    kept = [path for path in home.rglob("*") if path.is_file() and path.stat().st_size < 10_000]
    assert not any(up["password"].encode() in path.read_bytes() for path in kept)


def test_a_shell_gets_all_it_needs_to_use_the_grid(up: dict[str, Any], home: Path) -> None:
    there = said("env", "--home", str(home))
    assert there["SANCHO_URL"] == up["url"]
    assert there["RUCIO_HOST"] == there["RUCIO_AUTH_HOST"] == f"{up['url']}/rucio"
    assert there["RUCIO_VO"] == "belle"
    assert there["RUCIO_ACCOUNT"] == "admin"
    assert there["DIRACX_URL"] == up["url"]
    assert stat.S_IMODE(Path(there["SANCHO_TOKEN_FILE"]).stat().st_mode) == 0o600
    lines = sancho("env", "--home", str(home), "--vo", "gridpp").stdout
    shell = ["sh", "-c", f"{lines}\n{sys.executable} -m sancho whoami --json"]
    me = json.loads(subprocess.run(shell, capture_output=True, text=True, check=True).stdout)
    assert (me["vo"], me["account"]) == ("gridpp", "admin")
    refused = sancho("env", "--home", str(home), "--vo", "atlas")
    assert refused.returncode == 1
    assert "it has belle, gridpp" in refused.stderr


def test_both_vos_may_use_both_sites(home: Path) -> None:
    for vo in ("belle", "gridpp"):
        with speaking(home, vo) as client:
            assert sorted(one.name for one in client.pages(calls.sites())) == ["site-a", "site-b"]
            assert sorted(one.name for one in client.pages(calls.ces())) == ["ce-a", "ce-b"]
            assert sorted(one.name for one in client.pages(calls.rses())) == ["disk-a", "disk-b"]


def test_up_on_a_grid_that_runs_is_harmless(up: dict[str, Any], home: Path) -> None:
    before = everything(home)
    again = said("up", "--home", str(home))
    assert (again["url"], again["vos"], again["password"]) == (up["url"], ["belle", "gridpp"], None)
    assert everything(home) == before
    refused = sancho("up", "--home", str(home), "--vo", "atlas")
    assert refused.returncode == 1
    assert "sancho down" in refused.stderr
    assert everything(home) == before


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_killed_comes_back_and_the_grid_answers_again(up: dict[str, Any], home: Path, name: str) -> None:
    before = program(home, name)
    os.kill(before.pid, signal.SIGKILL)
    assert wait_until(lambda: not before.alive, timeout=10)
    assert program(home, name) != before
    assert who(home) == ("belle", "admin")


def test_status_and_doctor_find_it_well(home: Path) -> None:
    for name in PROGRAMS:
        program(home, name)
    status = said("status", "--home", str(home))
    assert status["running"]
    assert status["ready"]
    assert [one["name"] for one in status["programs"]] == PROGRAMS
    checks = said("doctor", "--home", str(home))
    assert [one for one in checks if one["result"] == "fail"] == []
    named = {one["name"]: one["seen"] for one in checks}
    assert named["migrations"] == "up to date"
    assert named["API"].endswith("200")
    assert named["storage disk-a"].endswith("200")
    assert "PostgreSQL 18" in named["database"]
    text = sancho("status", "--home", str(home))
    assert text.returncode == 0
    assert "storage-disk-b" in text.stdout


def test_everything_survives_down_and_up_and_the_death_of_the_supervisor(up: dict[str, Any], home: Path) -> None:
    before = everything(home)
    assert sancho("down", "--home", str(home)).returncode == 0
    assert not any(one.alive for one in before)
    assert marked(MARK, str(home)) == []
    assert sancho("status", "--home", str(home)).returncode == 3

    again = said("up", "--home", str(home), "--vo", "atlas")
    assert again["vos"] == ["belle", "gridpp", "atlas"]
    assert again["url"] == up["url"]
    assert again["password"] not in {None, up["password"]}
    with speaking(home, "atlas") as client:
        assert len(list(client.pages(calls.rses()))) == 2

    supervisor = control.find_supervisor(home)
    assert supervisor is not None
    os.kill(supervisor.pid, signal.SIGKILL)
    assert wait_until(lambda: not supervisor.alive, timeout=10)
    assert said("up", "--home", str(home))["password"] is None
    assert who(home) == ("belle", "admin")


def test_purge_removes_it_and_nothing_else(up: dict[str, Any], home: Path) -> None:
    before = everything(home)
    (home / "mine").write_text("kept")
    done = sancho("down", "--home", str(home), "--purge", "--yes")
    assert done.returncode == 0, done.stderr
    assert not any(one.alive for one in before)
    assert [path.name for path in home.iterdir()] == ["mine"]
    assert sancho("status", "--home", str(home)).returncode == 1


def test_with_tls_clients_that_trust_its_authority_are_served() -> None:
    with scratch_home() as scratch:
        Path(scratch).chmod(0o711)
        home = Path(scratch) / "grid"
        try:
            ready = said("up", "--home", str(home), "--port", str(free_port()), "--tls")
            assert ready["url"].startswith("https://")
            there = said("env", "--home", str(home))
            assert there["SANCHO_CA_FILE"] == there["RUCIO_CA_CERT"] == str(home / "tls" / "ca.pem")
            assert said("whoami", environment=there)["vo"] == "demo"
            health = httpx2.get(
                f"{ready['url']}/v1/health/ready", verify=trust(home / "tls" / "ca.pem"), trust_env=False
            )
            assert health.status_code == 200
            with pytest.raises(httpx2.ConnectError):
                httpx2.get(f"{ready['url']}/v1/health/ready", trust_env=False)
        finally:
            control.stop(home)


def test_it_runs_on_a_database_of_somebody_elses() -> None:
    with scratch_home() as scratch, temporary_cluster() as foreign:
        home = Path(scratch) / "grid"
        let_owner_make_roles(foreign)
        try:
            said("up", "--home", str(home), "--port", str(free_port()), "--database-url", foreign.url(OWNER))
            assert who(home, "demo") == ("demo", "admin")
            assert not (home / "pg").exists()
            checks = {one["name"]: one for one in said("doctor", "--home", str(home))}
            assert checks["role of the server"]["seen"] == "sancho_server is bound by row-level security"
            assert "sancho_server" in (home / "config.toml").read_text()
            assert sancho("down", "--home", str(home), "--purge", "-y").returncode == 0
            assert foreign.postmaster() is not None
        finally:
            control.stop(home)


def let_owner_make_roles(cluster: Cluster) -> None:
    with psycopg.connect(cluster.url(ADMIN, "postgres"), autocommit=True) as conn:
        conn.execute("ALTER ROLE sancho_owner CREATEROLE")
    idents = cluster.folder / "pg_ident.conf"
    users = {line.split()[1] for line in idents.read_text().splitlines()}
    idents.write_text(idents.read_text() + "".join(f"ours {user} sancho_server\n" for user in users))
    with psycopg.connect(cluster.url(ADMIN, "postgres"), autocommit=True) as conn:
        conn.execute("SELECT pg_reload_conf()")


def test_a_grid_that_cannot_get_ready_says_why_and_leaves_nothing_running() -> None:
    with scratch_home() as scratch, socket.socket() as taken:
        Path(scratch).chmod(0o711)
        home = Path(scratch) / "grid"
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused = sancho("up", "--home", str(home), "--port", port)
        assert refused.returncode == 1
        assert f"Port {port} is in use" in refused.stderr
        assert control.find_supervisor(home) is None
        assert marked(MARK, str(home)) == []


def test_in_the_foreground_it_ends_when_it_is_told_to() -> None:
    with scratch_home() as scratch:
        Path(scratch).chmod(0o711)
        home = Path(scratch) / "grid"
        command = [
            sys.executable,
            "-m",
            "sancho",
            "up",
            "--foreground",
            "--home",
            str(home),
            "--port",
            str(free_port()),
        ]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
            try:
                assert wait_until(
                    lambda: (one := control.find_supervisor(home)) is not None and one.pid == running.pid, timeout=120
                )
                before = everything(home)
            finally:
                running.terminate()
            assert running.wait(60) == 0
        assert not any(one.alive for one in before)


def test_a_unit_for_systemd_names_this_python_and_this_home(tmp_path: Path) -> None:
    unit = sancho("up", "--home", str(tmp_path), "--print-unit").stdout
    assert f"ExecStart={sys.executable} -m sancho up --foreground --home {tmp_path}" in unit
    assert re.search(r"^KillMode=mixed$", unit, re.MULTILINE)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")
def test_somebody_without_rights_runs_a_grid_of_their_own() -> None:
    nobody = pwd.getpwnam("nobody")
    python = next((p for p in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}") if _may_run(p)), None)
    if python is None:
        pytest.skip("every interpreter lies in a private folder")
    with scratch_home() as scratch:
        os.chown(scratch, nobody.pw_uid, nobody.pw_gid)
        home = Path(scratch) / "grid"
        path = ":".join(entry for entry in sys.path if entry)
        environment = {"PATH": os.defpath, "HOME": scratch, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}

        def as_nobody(*words: str) -> None:
            done = subprocess.run(
                [python, "-m", "sancho", *words],
                env=environment,
                cwd="/",
                capture_output=True,
                text=True,
                check=False,
                user=nobody.pw_uid,
                group=nobody.pw_gid,
                extra_groups=[],
            )
            assert done.returncode == 0, done.stderr

        try:
            as_nobody("up", "--home", str(home), "--port", str(free_port()))
            before = everything(home)
            assert {Path(f"/proc/{one.pid}").stat().st_uid for one in before} == {nobody.pw_uid}
            assert stat.S_IMODE(home.stat().st_mode) == 0o700
            as_nobody("down", "--home", str(home))
            assert not any(one.alive for one in before)
        finally:
            control.stop(home)


def _may_run(python: str) -> bool:
    nobody = pwd.getpwnam("nobody")
    command = [python, "-c", "import sys; sys.exit(0)"]
    try:
        return (
            subprocess.run(
                command, user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[], cwd="/", check=False
            ).returncode
            == 0
        )
    except PermissionError:
        return False


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, whose folders others cannot enter")
def test_a_home_in_roots_private_folder_has_its_database_where_its_user_can_reach_it() -> None:
    with scratch_home() as scratch:
        home = Home(Path(scratch) / "grid")
        config = grid.prepare(home, grid.Wishes(port=free_port()), print)
        assert stat.S_IMODE(Path(scratch).stat().st_mode) == 0o700
        assert config.postgres_folder is not None
        assert config.postgres_folder.is_relative_to("/var/lib/sancho")
        assert config.begun == ("demo",)
        grid.purge(home)
        assert not config.postgres_folder.exists()
        assert not home.folder.exists()


def test_a_process_is_known_by_more_than_its_number() -> None:
    with subprocess.Popen([shutil.which("sleep") or "sleep", "60"]) as other:
        real = find_process(other.pid)
        assert real is not None
        Process(other.pid, "another life").send(signal.SIGKILL)
        Process(other.pid, "another life").stop(grace=0.01)
        assert real.alive
        real.stop()
        assert not real.alive
