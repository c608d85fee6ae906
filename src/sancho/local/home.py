"""The folder that holds one grid, and what was chosen for it.

    config.toml   what was chosen: ports, VOs, database (0600)
    topology.yaml the sites, storages and CEs it began with
    keys/         keys that sign tokens                 objects/   sandboxes     objects.key
    pg/           the database                          storage/   files of each storage
    ce/           folders of the local CEs              logs/      one rotating log for each program
    run/          locks, plan and state                 tls/       certificates of ours
    tokens/       administrators' tokens

A home of root's can be passed through, not looked into, by the user that runs
the database; everybody else's is private. What holds secrets is private always.
"""

import fcntl
import json
import os
import socket
import tomllib
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, ValidationError

from sancho.local.errors import LocalError
from sancho.local.osuser import SYSTEM_HOME, make_missing
from sancho.local.programs import write_private

ADDRESS = "127.0.0.1"
PORTS = range(8080, 8180)
TLS_PORTS = range(8443, 8543)
STORAGE_PORTS = range(8600, 8700)
SITES = ("site-a", "site-b")
PRIVATE_FOLDERS = ("keys", "objects", "storage", "ce", "logs", "run", "tls", "tokens")


class NoGrid(LocalError):
    """There is no grid in {home}."""

    code = "no_grid"

    def __init__(self, *, home: Path) -> None:
        super().__init__(home=home, hint="`sancho up` makes one; `--home` names another folder.")


class ConfigUnreadable(LocalError):
    """{file} cannot be read: {problem}"""

    code = "config_unreadable"

    def __init__(self, *, file: Path, problem: str) -> None:
        super().__init__(file=file, problem=problem, hint="Correct it, or restore it from a backup.")


class PortTaken(LocalError):
    """Port {port}, which the API would listen on, is in use by another program."""

    code = "port_taken"

    def __init__(self, *, port: int) -> None:
        super().__init__(port=port, hint="End that program, or choose another port for the API with `--port`.")


class HomeBusy(LocalError):
    """Another command is just starting or stopping the grid in {home}."""

    code = "home_busy"

    def __init__(self, *, home: Path) -> None:
        super().__init__(home=home, hint="Try again when it is done.")


class StorageConfig(BaseModel, frozen=True, extra="forbid"):
    """One storage of a grid."""

    site: str
    port: Annotated[int, Field(ge=1, le=65535)]


class Config(BaseModel, frozen=True, extra="forbid"):
    """What was chosen for a grid; it is remembered, so that a later `sancho up` needs no options."""

    port: Annotated[int, Field(ge=1, le=65535)]
    tls: bool = False
    vos: tuple[str, ...] = ("demo",)
    storages: dict[str, StorageConfig] = {}
    """By the name of their RSE."""
    metrics_port: Annotated[int | None, Field(ge=1, le=65535)] = None
    """Where the worker serves its /metrics."""
    postgres_bin: Path | None = None
    """Folder of PostgreSQL's programs, when not those that come with us."""
    postgres_folder: Path | None = None
    """Where the database is, when not in the home."""
    database_url: str | None = None
    """A database of somebody else's, as its owner, instead of one of our own."""
    server_database_url: str | None = None
    """The same database as the role of the server."""
    begun: tuple[str, ...] = ()
    """The VOs that have been made, with their administrators."""
    granted: tuple[str, ...] = ()
    """The VOs that may use our sites."""

    @property
    def scheme(self) -> Literal["http", "https"]:
        """How the API is reached."""
        return "https" if self.tls else "http"

    @property
    def url(self) -> str:
        """Where the API is reached."""
        return f"{self.scheme}://{ADDRESS}:{self.port}"

    def storage_url(self, name: str) -> str:
        """Where a storage is reached."""
        return f"{self.scheme}://{ADDRESS}:{self.storages[name].port}"


class Home:
    """The folder of one grid."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.expanduser().resolve()
        self.config_file = self.folder / "config.toml"
        self.topology_file = self.folder / "topology.yaml"
        self.keys = self.folder / "keys"
        self.logs = self.folder / "logs"
        self.run = self.folder / "run"
        self.tls = self.folder / "tls"
        self.tokens = self.folder / "tokens"

    @property
    def exists(self) -> bool:
        """Whether a grid has been made here."""
        return self.config_file.exists()

    def make(self) -> None:
        """Create the folders that are missing; those that exist stay as they are."""
        make_missing(self.folder, 0o711 if os.geteuid() == 0 else 0o700)
        for name in PRIVATE_FOLDERS:
            (self.folder / name).mkdir(mode=0o700, exist_ok=True)

    @property
    def ca_file(self) -> Path:
        """The certificate of our authority, if there is one."""
        return self.tls / "ca.pem"

    def storage(self, name: str) -> Path:
        """The folder with the files of a storage."""
        return self.folder / "storage" / name

    def ce(self, name: str) -> Path:
        """The folder in which a local CE keeps its pilots."""
        return self.folder / "ce" / name

    def config(self) -> Config:
        """Return what was chosen; raises `NoGrid`, or `ConfigUnreadable`."""
        try:
            return Config.model_validate(tomllib.loads(self.config_file.read_text()))
        except FileNotFoundError:
            raise NoGrid(home=self.folder) from None
        except (tomllib.TOMLDecodeError, ValidationError) as e:
            raise ConfigUnreadable(file=self.config_file, problem=str(e)) from e

    def save(self, config: Config) -> None:
        """Remember what was chosen."""
        values = config.model_dump(mode="json", exclude_none=True, exclude={"storages"})
        lines = ["# Written by `sancho up`; change it while the grid is down."]
        lines += [f"{key} = {_toml(value)}" for key, value in values.items()]
        for name, storage in config.storages.items():
            lines += ["", f"[storages.{_toml(name)}]", f"site = {_toml(storage.site)}", f"port = {storage.port}"]
        write_private(self.config_file, "\n".join(lines) + "\n")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only command that starts or stops this grid; raises `HomeBusy`."""
        handle = os.open(self.run / "up.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise HomeBusy(home=self.folder) from None
            yield
        finally:
            os.close(handle)


def default_home() -> Path:
    """Return the home that is meant when none is named."""
    return SYSTEM_HOME / "default" if os.geteuid() == 0 else Path("~/.local/state/sancho").expanduser()


def port_free(port: int) -> bool:
    """Say whether we could listen on a port of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError:
            return False
        return True


def choose_port(wanted: int | None, *, tls: bool) -> int:
    """Return a port for the API: the one that is wanted, or the first that is free; raises `PortTaken`."""
    ports = TLS_PORTS if tls else PORTS
    found = next(filter(port_free, ports if wanted is None else [wanted]), None)
    if found is None:
        raise PortTaken(port=ports.start if wanted is None else wanted)
    return found


def storage_ports(*, seed: str, spare: Collection[int] = ()) -> Iterator[int]:
    """Yield free ports for storages, none of those in `spare`.

    Which ones are looked at first depends on `seed`, so that two grids that start at once rarely want the same.
    """
    start = zlib.crc32(seed.encode()) % len(STORAGE_PORTS)
    order = (*STORAGE_PORTS[start:], *STORAGE_PORTS[:start])
    yield from (port for port in order if port not in spare and port_free(port))


def _toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)  # strings, numbers, booleans and lists of them are written alike
