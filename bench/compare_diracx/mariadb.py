"""A private MariaDB: in a folder, on a socket, durable as it is by default, with as much memory as our PostgreSQL."""

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sancho.local.processes import end_with_parent, wait_until

PACKAGES = "apt-get install --no-install-recommends mariadb-server-core mariadb-client-core"
MEMORY = "1G"
"""Of its buffer pool; `shared_buffers` of our own cluster are that large on a machine with 8 GB or more."""
SECONDS = 60.0


class MariadbMissing(Exception):
    """There is no MariaDB on this machine."""


class MariaDB:
    """A server that runs, and its databases; whoever reaches the private folder is its `root`, without a password."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "socket"

    def url(self, database: str) -> str:
        """A database's address, as SQLAlchemy spells it."""
        return f"mysql+aiomysql://root@localhost/{database}?unix_socket={self.socket}"

    def ask(self, query: str) -> str:
        """What the server answers, a row a line."""
        words = [_program("mariadb"), "--no-defaults", "--user=root", f"--socket={self.socket}", "--batch", "-N"]
        return subprocess.run([*words, "-e", query], check=True, capture_output=True, text=True).stdout

    def settle(self) -> None:
        """Bring the statistics of all tables up to date."""
        tables = self.ask(
            "SELECT concat('`', table_schema, '`.`', table_name, '`') FROM information_schema.tables"
            " WHERE engine = 'InnoDB' AND table_schema NOT IN ('mysql', 'sys')"
        ).split()
        self.ask(f"ANALYZE TABLE {', '.join(tables)}; FLUSH TABLES")


@contextmanager
def open_mariadb(folder: Path, databases: Sequence[str]) -> Iterator[MariaDB]:
    """Make a server with these databases in an empty folder, and stop it in the end."""
    folder.mkdir(mode=0o700)
    user = pwd.getpwuid(os.geteuid()).pw_name
    made = [_program("mariadb-install-db"), "--no-defaults", f"--user={user}", f"--datadir={folder / 'data'}"]
    made += ["--auth-root-authentication-method=normal", "--skip-test-db"]
    subprocess.run(made, check=True, capture_output=True)
    (folder / "made.sql").write_text("".join(f"CREATE DATABASE IF NOT EXISTS {name};\n" for name in databases))
    found = MariaDB(folder)
    server = subprocess.Popen(
        [
            _program("mariadbd"), "--no-defaults", f"--user={user}", f"--datadir={folder / 'data'}",
            f"--socket={found.socket}", "--skip-networking", f"--pid-file={folder / 'pid'}",
            f"--log-error={folder / 'log'}", f"--init-file={folder / 'made.sql'}", "--character-set-server=utf8mb4",
            f"--innodb-buffer-pool-size={MEMORY}", f"--innodb-log-file-size={MEMORY}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=end_with_parent(signal.SIGTERM),  # noqa: PLW1509 (one system call)
    )  # fmt: skip
    try:
        if not wait_until(lambda: found.socket.exists() or server.poll() is not None, timeout=SECONDS):
            raise TimeoutError("MariaDB did not start")
        found.ask("SELECT 1")
        yield found
    finally:
        server.terminate()
        server.wait()


def _program(name: str) -> str:
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin"
    if found := shutil.which(name, path=path):
        return found
    raise MariadbMissing(f"there is no {name} here; on Debian: {PACKAGES}")
