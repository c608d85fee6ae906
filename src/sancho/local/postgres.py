"""A PostgreSQL server of our own: make its data folder, start it, wait for it, stop it.

A *cluster* is one folder: `data` (PostgreSQL's own), `postgresql.conf` and the
two files that say who may connect, all three written anew at each start. It
listens on a socket in a private folder, never on the network, and knows its
clients by the operating system's word for who they are (`peer`), so there is
no password to keep. Three roles: `postgres` administers, `sancho_owner` owns
the database and migrates it, `sancho` is the server's: neither owner nor
superuser, and bound by row-level security.
"""

import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg.sql import SQL, Identifier

from sancho.local.binaries import Binaries, find_binaries
from sancho.local.errors import PostgresDataFromOtherVersion, PostgresFailed
from sancho.local.osuser import OsUser, database_user, make_passable, make_private
from sancho.local.processes import Process, command_line, end_with_parent, find_process, in_use, wait_until

ADMIN, OWNER, SERVER = "postgres", "sancho_owner", "sancho"
DATABASE = "sancho"
PORT = 5432
LONGEST_SOCKET_PATH = 103
SHORT_FOLDER = Path("/tmp")  # noqa: S108 (only for a folder that must be private and ours, or it is refused)
CLEAN_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}

NOT_DURABLE = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "shared_buffers": "128MB",  # a database that is dropped is looked for in all of them
}
MEMORY_FOLDER, ENOUGH_MEMORY = Path("/dev/shm"), 4 << 30  # noqa: S108 (as above)


class Cluster:
    """One PostgreSQL server and its folder.

    Every method may be called again: initialising, starting or stopping what
    is initialised, started or stopped already does nothing. `durable=False`
    gives up safety against power cuts for speed, and is for tests.
    """

    def __init__(self, folder: Path, *, bin_dir: Path | None = None, durable: bool = True) -> None:
        self.folder = folder.resolve()
        self.data = self.folder / "data"
        self.log = self.folder / "postgresql.log"
        self.durable = durable
        self._bin_dir = bin_dir
        self._child: subprocess.Popen[bytes] | None = None

    @cached_property
    def user(self) -> OsUser:
        """The operating system's user that the server runs as: ours, or as root a system user."""
        return database_user()

    @cached_property
    def binaries(self) -> Binaries:
        """The programs this cluster runs on."""
        return find_binaries(self._bin_dir, self.user)

    @cached_property
    def socket_folder(self) -> Path:
        """The private folder of the socket: in the cluster, or under /tmp where that path is too long for a socket."""
        near = self.folder / "socket"
        if len(os.fsencode(near / f".s.PGSQL.{PORT}")) <= LONGEST_SOCKET_PATH:
            return near
        return SHORT_FOLDER / f"sancho-{self.user.uid}-{hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:12]}"

    def url(self, role: str = SERVER, database: str = DATABASE) -> str:
        """Return the address of a database for a role; it holds no secret."""
        return f"postgresql://{role}@{quote(str(self.socket_folder), safe='')}:{PORT}/{database}"

    def initialise(self) -> None:
        """Create the data folder if there is none: UTF-8, ordered by code point, with checksums."""
        make_passable(self.folder, self.user)
        make_private(self.socket_folder, self.user)
        written_by = self.data / "PG_VERSION"
        if written_by.exists():
            found = written_by.read_text().strip()
            if found != str(self.binaries.major):
                raise PostgresDataFromOtherVersion(folder=self.data, found=found, expected=self.binaries.version)
            return
        scratch = self.folder / "data.new"
        shutil.rmtree(scratch, ignore_errors=True)
        make_private(scratch, self.user)
        self._initdb(scratch)
        scratch.rename(self.data)

    def start(self, *, timeout: float = 60.0, ends_with_us: bool = False) -> None:
        """Start the server as a child of this process and wait until it answers; make its roles and database.

        A server that is running already is used as it is. One that recovers
        from a crash is waited for as long as it lives; `timeout` is for the
        last remains of a killed one to go away.
        """
        deadline = time.monotonic() + timeout
        while self.postmaster() is None:
            words = self._spawn(self.prepare(), ends_with_us=ends_with_us)
            # The other processes of a killed server need a moment to notice, before which none can start.
            if words and ("shared memory block" not in words or time.monotonic() > deadline):
                raise PostgresFailed(doing="starting", words=words)
        self.wait_ready()
        self._make_roles()

    def prepare(self) -> list[str]:
        """Make everything ready for a start; return the command that runs the server in the foreground, as `user`."""
        self.initialise()
        self._write_configuration()
        self._forget_foreign_locks()
        files = {"config_file": "postgresql.conf", "hba_file": "pg_hba.conf", "ident_file": "pg_ident.conf"}
        settings = [word for key, name in files.items() for word in ("-c", f"{key}={self.folder / name}")]
        return [self.binaries.program("postgres"), "-D", str(self.data), *settings]

    def stop(self, *, grace: float = 30.0, at_once: bool = False) -> None:
        """Stop the server: cleanly, or `at_once` as in a crash. It never returns while the server runs."""
        how = signal.SIGQUIT if at_once else signal.SIGINT
        running = self.postmaster()
        if running is not None:
            running.send(how)
            if not self._wait_gone(running, grace):
                running.send(signal.SIGQUIT)
                if not self._wait_gone(running, grace):
                    running.send_group(signal.SIGKILL)
                    self._wait_gone(running, grace)
        self._reap()

    def postmaster(self) -> Process | None:
        """Return the server's process if it runs, whoever started it."""
        lines = self._lock_file()
        found = find_process(int(lines[0])) if lines and lines[0].isdigit() else None
        return found if found is not None and self._is_ours(found.pid) else None

    def ready(self) -> bool:
        """Say whether the server takes connections now; it does not while it recovers."""
        lines = self._lock_file()
        return len(lines) > 7 and lines[7].strip() == "ready" and self.postmaster() is not None

    def wait_ready(self) -> None:
        """Wait until the server takes connections; recovery may take long, so for as long as it lives."""
        while not wait_until(self.ready, timeout=0.5):
            if self.postmaster() is None:
                raise PostgresFailed(doing="starting", words=self._last_words())

    def _spawn(self, command: list[str], *, ends_with_us: bool) -> str:
        """Start the server and wait until it is ready; if it ended instead, return its last words."""
        self._reap()
        self.log.unlink(missing_ok=True)  # an older release let others read it
        with os.fdopen(os.open(self.log, os.O_CREAT | os.O_WRONLY, 0o600), "wb") as log:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=CLEAN_ENVIRONMENT,
                start_new_session=True,
                preexec_fn=end_with_parent(signal.SIGQUIT) if ends_with_us else None,  # noqa: PLW1509 (one system call)
                **self.user.run_as(),
            )
        self._child = child
        while not wait_until(lambda: self.ready() or child.poll() is not None, timeout=60):
            pass
        if child.poll() is None:
            return ""
        return self._last_words() or f"exit code {child.returncode}"

    def _initdb(self, folder: Path) -> None:
        locale = ["--locale-provider=libc", "--locale=C.UTF-8"]
        if self.binaries.major >= 17:
            locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        words = [self.binaries.program("initdb"), "-D", str(folder), "-U", ADMIN, "--auth=peer", "--encoding=UTF8"]
        words += [*locale, "--data-checksums", "--no-instructions", *([] if self.durable else ["--no-sync"])]
        made = subprocess.run(
            words,
            capture_output=True,
            check=False,
            cwd="/",
            env=CLEAN_ENVIRONMENT,
            **self.user.run_as(),
        )
        if made.returncode != 0:
            shutil.rmtree(folder, ignore_errors=True)
            raise PostgresFailed(doing="made", words=made.stderr.decode(errors="replace")[-2000:])

    def _write_configuration(self) -> None:
        allowed = sorted({self.user.name, pwd.getpwuid(os.geteuid()).pw_name})
        idents = [f'ours "{name}" {role}' for name in allowed for role in (ADMIN, OWNER, SERVER)]
        settings = {**_tuning(), **({} if self.durable else NOT_DURABLE)}
        settings |= {"unix_socket_directories": str(self.socket_folder), "port": str(PORT)}
        lines = [f"{key} = '{value.replace(chr(39), chr(39) * 2)}'" for key, value in settings.items()]
        hint = "# Written at each start. Your own settings: ALTER SYSTEM SET …, which goes before these."
        self._write("postgresql.conf", [hint, *lines])
        self._write("pg_hba.conf", ["local all all peer map=ours"])
        self._write("pg_ident.conf", idents)

    def _write(self, name: str, lines: list[str]) -> None:
        path = self.folder / name
        new = path.with_suffix(".new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as out:
            out.write("\n".join(lines) + "\n")
        if not self.user.myself:
            os.chown(new, self.user.uid, self.user.gid)
        new.rename(path)

    def _make_roles(self) -> None:
        """Make the roles and the database; what exists stays."""
        names = {"database": Identifier(DATABASE), "owner": Identifier(OWNER), "server": Identifier(SERVER)}
        with psycopg.connect(self.url(ADMIN, "postgres"), autocommit=True) as conn:
            for role in (OWNER, SERVER):
                if not conn.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,)).rowcount:
                    conn.execute(SQL("CREATE ROLE {} LOGIN").format(Identifier(role)))
            if not conn.execute("SELECT FROM pg_database WHERE datname = %s", (DATABASE,)).rowcount:
                conn.execute(SQL("CREATE DATABASE {database} OWNER {owner}").format(**names))
            conn.execute(SQL("REVOKE ALL ON DATABASE {database} FROM PUBLIC").format(**names))
            conn.execute(SQL("GRANT CONNECT ON DATABASE {database} TO {server}").format(**names))

    def _lock_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _is_ours(self, pid: int) -> bool:
        return f"-D {self.data} " in command_line(pid) + " "

    def _forget_foreign_locks(self) -> None:
        """Remove locks left by a crash whose process id another program has by now: PostgreSQL sees the number only."""
        for lock in (self.data / "postmaster.pid", self.socket_folder / f".s.PGSQL.{PORT}.lock"):
            words = lock.read_text().split(maxsplit=1) if lock.exists() else []
            if words and words[0].isdigit() and in_use(int(words[0])) and not self._is_ours(int(words[0])):
                lock.unlink(missing_ok=True)

    def _reap(self) -> None:
        if self._child is not None:
            self._child.wait()
            self._child = None

    def _wait_gone(self, running: Process, grace: float) -> bool:
        return wait_until(lambda: not running.alive, timeout=grace)

    def _last_words(self) -> str:
        return self.log.read_bytes()[-2000:].decode(errors="replace") if self.log.exists() else ""


def _tuning() -> dict[str, str]:
    """Settings for a laptop that also does other things: an eighth of its memory, hot tables cleaned soon."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return {
        "listen_addresses": "",
        "unix_socket_permissions": "0700",
        "max_connections": "100",
        "shared_buffers": f"{min(max(memory // 8, 64), 1024)}MB",
        "effective_cache_size": f"{max(memory // 2, 128)}MB",
        "maintenance_work_mem": "64MB",
        "random_page_cost": "1.1",
        "jit": "off",
        "max_wal_size": "2GB",
        "checkpoint_timeout": "15min",
        "autovacuum_naptime": "5s",
        "idle_in_transaction_session_timeout": "60s",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m [%p] %u@%d ",
        "log_lock_waits": "on",
        "log_min_duration_statement": "2s",
    }


def _scratch_folder() -> Path:
    """The folder for what lives as long as a test run."""
    memory = os.path.ismount(MEMORY_FOLDER) and os.access(MEMORY_FOLDER, os.W_OK)
    return MEMORY_FOLDER if memory and shutil.disk_usage(MEMORY_FOLDER).free >= ENOUGH_MEMORY else SHORT_FOLDER


@contextmanager
def temporary_cluster(*, bin_dir: Path | None = None) -> Generator[Cluster]:
    """Run a cluster of its own for tests: gone, with all its data, when the block or this process ends.

    It lies in memory where there is plenty: a thousand small files for each
    database are made and removed there ten times faster than on some disks.
    """
    with tempfile.TemporaryDirectory(prefix="sancho-pg-", dir=_scratch_folder()) as scratch:
        Path(scratch).chmod(0o711)
        cluster = Cluster(Path(scratch), bin_dir=bin_dir, durable=False)
        cluster.start(ends_with_us=True)
        try:
            yield cluster
        finally:
            cluster.stop(at_once=True)
