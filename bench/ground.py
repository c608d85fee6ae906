"""Where it is measured: a durable PostgreSQL, one API process, and a world of one site for each of the snapshot's.

The world is written with plain SQL: VO `lhcb` with the account `prod` and one group for each owner group of the
snapshot, VO `other` whose rows are in the way, and 60 sites with a CE and an RSE each, granted to both.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, LiteralString
from urllib.error import URLError

import psycopg
from psycopg.rows import TupleRow

from bench import lhcb
from bench.driver import Driver
from sancho.kit.issuer import Issuer
from sancho.kit.migrate import migrate
from sancho.local.postgres import ADMIN, OWNER, SERVER, Cluster

LHCB, OTHER = 1, 2
CONNECTIONS = 8
"""Kept connections of the driver: with 4, the API process idled for a quarter of the time that matches took."""
GROUPS = ("data", "mc", "mcproc", "user")
TOKEN_LIFETIME = timedelta(days=1)

Row = psycopg.Connection[TupleRow]

WORLD = """
INSERT INTO vo (vo, name) VALUES (1, 'lhcb'), (2, 'other');
SELECT setval('vo_number', 2);
INSERT INTO account (vo, kind, name) SELECT v, 'U', 'prod' FROM unnest(ARRAY[1, 2]) v;
INSERT INTO account_group (vo, name, permissions) SELECT v, g, ARRAY['*'] FROM unnest(ARRAY[1, 2]) v, unnest(%(groups)s::text[]) g;
INSERT INTO membership (vo, group_id, account_id)
    SELECT a.vo, g.group_id, a.account_id FROM account a JOIN account_group g ON g.vo = a.vo;
INSERT INTO scope (vo, account_id, name) SELECT vo, account_id, s FROM account, unnest(ARRAY['bench', 'unrelated']) s;
INSERT INTO resource (vo, kind, name) SELECT 0, 'S', s FROM unnest(%(sites)s::text[]) s;
INSERT INTO resource (vo, kind, site_id, name)
    SELECT 0, k, resource_id, name || CASE k WHEN 'C' THEN '-CE' ELSE '-DISK' END
      FROM resource, unnest(ARRAY['C', 'R']::"char"[]) k WHERE kind = 'S';
INSERT INTO resource_grant (vo, to_vo, resource_id) SELECT 0, v, resource_id FROM resource, unnest(ARRAY[1, 2]) v;
INSERT INTO compute_element (vo, ce_id, site_id, cores, max_pilots, memory, walltime, plugin, tags)
    SELECT 0, resource_id, site_id, 8, 10000, 32000000000, '48 h', 'local', ARRAY['x86-64-v2', 'x86-64-v3', 'gpu', 'bench']
      FROM resource WHERE kind = 'C';
INSERT INTO rse (vo, rse_id, site_id, name, audience, attributes)
    SELECT 0, resource_id, site_id, name, 'https://' || lower(name), jsonb_build_object('tier', resource_id %% 2)
      FROM resource WHERE kind = 'R';
INSERT INTO rse_protocol (vo, priority, rse_id, plugin, prefix)
    SELECT 0, 1, rse_id, 'webdav', 'https://' || lower(name) || '/data' FROM rse;
INSERT INTO distance (vo, distance, source_rse_id, destination_rse_id)
    SELECT 0, 1, a.rse_id, b.rse_id FROM rse a, rse b WHERE a.rse_id <> b.rse_id
"""


@dataclass(frozen=True)
class Ground:
    """What a workload works on."""

    cluster: Cluster
    state: Path
    """The folder of the API."""
    port: int
    server: int
    """Process id of the API."""
    signer: Issuer
    raw: Row
    """One connection as the owner of the tables, whom row-level security does not bind; it commits each statement
    unless a transaction is opened."""
    admin: Row
    """For loading and tidying; foreign keys are not checked there."""

    def token(self) -> str:
        """A new token of the account `prod` of VO `lhcb`."""
        return self.signer.sign({"sub": "lhcb:prod", "aud": self.signer.issuer, "scope": "sancho"}, TOKEN_LIFETIME)

    def ids(self, query: LiteralString, *parameters: Any) -> dict[str, int]:
        """Rows of (name, id)."""
        return dict(self.admin.execute(query, parameters).fetchall())

    def settle(self) -> None:
        """Statistics as autovacuum would have them, and nothing left to be written to disk."""
        self.admin.execute("VACUUM ANALYZE")
        self.admin.execute("CHECKPOINT")

    @contextmanager
    def unlimited(self) -> Iterator["Ground"]:
        """The same, served by another process that lets everybody ask as often as they like."""
        limits = {f"SANCHO_FAIR__{kind}": "1000000" for kind in ("ACCOUNT", "VO", "LOGINS")}
        with _served(self.cluster, self.state, limits | {"SANCHO_PUBLIC_URL": self.signer.issuer}) as (port, server, _):
            yield replace(self, port=port, server=server)

    def driver(self, connections: int = CONNECTIONS) -> Driver:
        """A client of the API."""
        return Driver(self.port, connections)


@contextmanager
def open_ground(folder: Path | None = None) -> Iterator[Ground]:
    """Start it all in a folder of its own, gone afterwards."""
    scratch = Path(tempfile.mkdtemp(prefix="sancho-bench-", dir=folder or "/var/tmp"))
    scratch.chmod(0o711)
    cluster = Cluster(scratch / "postgres", durable=True)
    try:
        cluster.start(ends_with_us=True)
        migrate(cluster.url(OWNER), server_role=SERVER)
        with _connect(cluster, OWNER) as raw, _connect(cluster, ADMIN) as admin:
            admin.execute("SET session_replication_role = replica")
            _build_world(admin)
            with _served(cluster, scratch / "state") as (port, server, signer):
                yield Ground(cluster, scratch / "state", port, server, signer, raw, admin)
    finally:
        cluster.stop(at_once=True)
        shutil.rmtree(scratch, ignore_errors=True)


def _connect(cluster: Cluster, role: str) -> Row:
    conn = psycopg.connect(cluster.url(role), autocommit=True, options="-c search_path=sancho,procrastinate")
    conn.prepare_threshold = 0
    return conn


def _build_world(admin: Row) -> None:
    for statement in WORLD.split(";\n"):
        known = {"groups": list(GROUPS), "sites": list(lhcb.sites())}
        admin.execute(statement, known if "%(" in statement or "%%" in statement else None)


@contextmanager
def _served(cluster: Cluster, state: Path, more: Mapping[str, str] | None = None) -> Iterator[tuple[int, int, Issuer]]:
    state.mkdir(mode=0o700, exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    settings = {
        "SANCHO_DATABASE_URL": cluster.url(SERVER), "SANCHO_STATE_DIR": str(state), "SANCHO_PORT": str(port),
        "SANCHO_PUBLIC_URL": url,
    }  # fmt: skip
    clean = {k: v for k, v in os.environ.items() if not k.startswith("SANCHO_")}
    with (state / "api.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "sancho", "serve"], env={**clean, **settings, **(more or {})}, stderr=log
        )
        try:
            _wait_ready(url, server, state / "api.log")
            yield port, server.pid, Issuer(state / "keys", url)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()


def _wait_ready(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"{url}/v1/health/ready", timeout=5):
                return
        except (URLError, OSError) as e:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the API did not start: {log.read_text()[-2000:]}") from e
            time.sleep(0.05)
