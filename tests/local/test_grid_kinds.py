"""Grids of other kinds: with TLS, on a database of somebody else's, in the foreground, of somebody without rights."""

import os
import pwd
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import httpx2
import psycopg
import pytest

from sancho.local import control, grid
from sancho.local.home import Home
from sancho.local.osuser import RunAs
from sancho.local.postgres import ADMIN, OWNER, Cluster, temporary_cluster
from sancho.local.processes import Process, find_process, marked, wait_until
from sancho.local.programs import MARK
from sancho.local.tls import trust
from tests.local.running import everything, free_port, said, sancho, scratch_home

pytestmark = pytest.mark.xdist_group("grid_kinds")


def test_with_tls_on_a_database_of_somebody_elses_clients_that_trust_its_authority_are_served() -> None:
    with scratch_home() as scratch, temporary_cluster() as foreign:
        Path(scratch).chmod(0o711)
        home = Path(scratch) / "grid"
        let_owner_make_roles(foreign)
        place = ["--home", str(home), "--port", str(free_port())]
        try:
            ready = said("up", *place, "--tls", "--database-url", foreign.url(OWNER))
            assert ready["url"].startswith("https://")
            there = said("env", "--home", str(home))
            assert there["SANCHO_CA_FILE"] == str(home / "tls" / "ca.pem")
            assert f"ca_cert = {there['SANCHO_CA_FILE']}\n" in Path(there["RUCIO_CONFIG"]).read_text()
            assert said("whoami", environment=there)["vo"] == "demo"
            trusting = trust(home / "tls" / "ca.pem")
            health = httpx2.get(f"{ready['url']}/v1/health/ready", verify=trusting, trust_env=False)
            assert health.status_code == 200
            with pytest.raises(httpx2.ConnectError):
                httpx2.get(f"{ready['url']}/v1/health/ready", trust_env=False)
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
        assert f"Port {port}, which the API would listen on, is in use" in refused.stderr
        assert "`--port`" in refused.stderr
        assert control.find_supervisor(home) is None
        assert marked(MARK, str(home)) == []


def test_a_unit_for_systemd_names_this_python_and_this_home(tmp_path: Path) -> None:
    unit = sancho("up", "--home", str(tmp_path), "--print-unit").stdout
    assert f"ExecStart={sys.executable} -m sancho up --foreground --home {tmp_path}" in unit
    assert re.search(r"^KillMode=mixed$", unit, re.MULTILINE)


def test_in_the_foreground_somebody_without_rights_runs_a_grid_of_their_own_until_it_is_told_to_end() -> None:
    with scratch_home() as scratch:
        home = Path(scratch) / "grid"
        python, who = _somebody()
        Path(scratch).chmod(0o711)
        if who is not None:
            os.chown(scratch, who.pw_uid, who.pw_gid)
        command = [python, "-m", "sancho", "up", "--foreground", "--home", str(home), "--port", str(free_port())]
        path = ":".join(entry for entry in sys.path if entry)
        environment = {"PATH": os.defpath, "HOME": scratch, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
        rights: RunAs = {} if who is None else {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}
        with subprocess.Popen(
            command, env=environment, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **rights
        ) as running:
            try:
                assert wait_until(
                    lambda: (one := control.find_supervisor(home)) is not None and one.pid == running.pid, timeout=120
                )
                before = everything(home)
                if who is not None or os.geteuid() != 0:  # root's database is of another user, who passes through
                    users = {Path(f"/proc/{one.pid}").stat().st_uid for one in before}
                    assert users == {os.geteuid() if who is None else who.pw_uid}
                    assert stat.S_IMODE(home.stat().st_mode) == 0o700
            finally:
                running.terminate()
            assert running.wait(60) == 0
        assert not any(one.alive for one in before)


def _somebody() -> tuple[str, pwd.struct_passwd | None]:
    """An interpreter, and who runs it: as root somebody without rights, if one is to be had that they may run."""
    if os.geteuid() != 0:
        return sys.executable, None
    pythons = (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}")
    python = next((one for one in pythons if _may_run(one)), None)
    return (sys.executable, None) if python is None else (python, pwd.getpwnam("nobody"))


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
