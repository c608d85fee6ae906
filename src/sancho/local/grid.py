"""Bring one grid on one machine up, and down again.

    up: folders ▸ database ▸ migrations ▸ VOs and administrators ▸ supervisor (database, API, worker, storages)
        ▸ wait until all are ready ▸ sites, storages, CEs

Every step may be repeated, so an `up` that was cut short is done again by the next; on a grid that runs it only looks
whether it is ready.
"""

import json
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from sancho.kit.migrate import migrate
from sancho.local import access, control, topology
from sancho.local.database import (
    GridDatabase,
    OwnDatabase,
    choose_folder,
    ensure_server_role,
    open_database,
    role_of,
)
from sancho.local.errors import LocalError
from sancho.local.home import PRIVATE_FOLDERS, SITES, Config, Home, PortTaken, choose_port, port_free, storage_ports
from sancho.local.leftovers import end_programs
from sancho.local.moving import settle
from sancho.local.programs import Program, write_private
from sancho.local.steps import StepFailed, run, verb
from sancho.local.tls import ensure_certificates
from sancho_client.calls import configuration
from sancho_client.errors import ClientError
from sancho_client.models.configuration import Document

FIRST_VO = "demo"
NEW = "administrators.json"
MOVES = 3
"""So often a new grid takes other ports, when those that it chose are taken before it listens there."""
Say = Callable[[str], None]


class GridRuns(LocalError):
    """The grid in {home} runs, with other settings than these."""

    code = "grid_runs"

    def __init__(self, *, home: Path) -> None:
        super().__init__(home=home, hint="`sancho down` first; then `sancho up` with the new settings.")


class Wishes(BaseModel, frozen=True):
    """What an operator asked for; what is left out stays as it was, or is chosen."""

    port: int | None = None
    tls: bool | None = None
    vos: tuple[str, ...] = ()
    database_url: str | None = None
    server_database_url: str | None = None
    postgres_bin: Path | None = None


class Administrators(BaseModel, frozen=True):
    """Administrators that were made and not shown yet: of which VOs, and their password, which nobody else knows."""

    password: str
    vos: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Ready:
    """A grid that runs; None: no administrators are new."""

    home: Path
    url: str
    vos: tuple[str, ...]
    administrators: Administrators | None


def up(home: Home, wishes: Wishes, say: Say) -> Ready:
    """Bring a grid up and return when it is ready; `say` hears what is being done.

    When it does not get ready, the error says which program is to blame; what was started is stopped again. A grid that
    loses a port to somebody else before it listens there gets another one; but for the API only one that is new.
    """
    for _ in range(MOVES):
        try:
            return _up(home, wishes, say)
        except control.NotReady:
            if not _move(home, wishes, say):
                raise
    return _up(home, wishes, say)


def _up(home: Home, wishes: Wishes, say: Say) -> Ready:
    ours = control.find_supervisor(home.folder) is None
    prepare(home, wishes, say)
    try:
        control.start(home.folder)
    except BaseException:
        control.stop(home.folder)
        raise
    return finish(home, say, ours=ours)


def _move(home: Home, wishes: Wishes, say: Say) -> bool:
    """Say whether somebody took ports meanwhile that can be others; that of an API nobody knows yet is changed here."""
    config = home.config()
    if control.find_supervisor(home.folder) is not None:
        return False
    if wishes.port is None and not config.granted and not port_free(config.port):
        say(f"port {config.port} was taken meanwhile: the API gets another")
        home.save(config.model_copy(update={"port": choose_port(None, tls=config.tls)}))
        return True
    return not all(port_free(one.port) for one in config.storages.values())


def finish(home: Home, say: Say, *, ours: bool = True) -> Ready:
    """Do everything that comes after the supervisor's start, and wait until the grid is ready.

    When it does not get ready and `ours` says that we started it, everything is stopped again.
    """
    with home.locked():
        try:
            say("waiting for the programs to be ready")
            control.wait_ready(home.folder)
            config = _grant(home, home.config(), say)
        except BaseException:
            if ours:
                control.stop(home.folder)
            raise
        access.write_tokens(home, config, access.INSTANCE)
        return Ready(home=home.folder, url=config.url, vos=config.begun, administrators=_take_new(home))


def prepare(home: Home, wishes: Wishes, say: Say) -> Config:
    """Do everything that comes before the programs start, and write down which they are; on a running grid, add VOs."""
    home.make()
    with home.locked():
        config = _choose(home, wishes)
        if control.find_supervisor(home.folder) is not None:
            if config.model_copy(update={"vos": home.config().vos}) != home.config():
                raise GridRuns(home=home.folder)
            return _begin(home, config, open_database(config, home), say)
        end_programs(home.folder)
        if config.tls:
            ensure_certificates(home.tls)
        config = _free_ports(home, _choose_database(home, config), say)
        home.save(config)
        database = open_database(config, home)
        say("starting the database" if config.database_url is None else "asking the database")
        with database.running():
            for name in migrate(database.owner_url, server_role=role_of(database.server_url)):
                say(f"applied {name}")
            moved = settle(home, config, database)
            if moved:
                say(f"applied anew where they are: {', '.join(moved)}")
            config = _begin(home, config, database, say)
        control.write_plan(home.folder, programs(home, config, database))
        return config


def down(home: Home) -> bool:
    """Stop a grid, its pilots included; return whether it ran."""
    home.config()
    with home.locked():
        return control.stop(home.folder)


def purge(home: Home) -> bool:
    """Stop a grid and remove it with all its data; return whether it ran. Somebody else's database is left to them."""
    config = home.config()
    with home.locked():
        ran = control.stop(home.folder)
        erase(home, config)
    return ran


def erase(home: Home, config: Config) -> None:
    """Remove what belongs to a grid that is down; what else lies in its folder stays, and then so does the folder."""
    if config.database_url is None:
        database = open_database(config, home)
        assert isinstance(database, OwnDatabase)
        shutil.rmtree(database.cluster.socket_folder, ignore_errors=True)
        shutil.rmtree(database.cluster.folder, ignore_errors=True)
    for name in PRIVATE_FOLDERS:
        shutil.rmtree(home.folder / name, ignore_errors=True)
    for path in (home.topology_file, home.folder / "objects.key", home.config_file):
        path.unlink(missing_ok=True)
    if not any(home.folder.iterdir()):
        home.folder.rmdir()


def programs(home: Home, config: Config, database: GridDatabase) -> list[Program]:
    """Return what a grid consists of."""
    first = database.programs()
    after = tuple(one.name for one in first)
    ca_file = home.ca_file if config.tls else None
    settings = deployment(home, config, database)
    api = Program(
        name="api",
        command=verb("serve"),
        environment=settings,
        after=after,
        ready_url=f"{config.url}/v1/health/ready",
        ca_file=ca_file,
        grace=20.0,
    )
    metrics = {} if config.metrics_port is None else {"SANCHO_WORKER__METRICS_PORT": str(config.metrics_port)}
    worker = Program(
        name="worker",
        command=verb("worker"),
        environment=settings | metrics,
        after=after,
        grace=45.0,
        has_guests=True,
    )
    storages = [
        Program(
            name=f"storage-{name}",
            command=_storage(home, config, name),
            ready_url=f"{config.storage_url(name)}/healthz",
            ca_file=ca_file,
            grace=20.0,
        )
        for name in config.storages
    ]
    return [*first, api, worker, *storages]


def deployment(home: Home, config: Config, database: GridDatabase) -> dict[str, str]:
    """Return the settings of the server's programs, as their environment says them."""
    settings = {
        "SANCHO_STATE_DIR": str(home.folder),
        "SANCHO_DATABASE_URL": database.server_url,
        "SANCHO_PUBLIC_URL": config.url,
        "SANCHO_HOST": "127.0.0.1",
        "SANCHO_PORT": str(config.port),
        "SANCHO_PAGE__STORAGES": json.dumps([config.storage_url(name) for name in config.storages]),
        "SANCHO_PAGE__EXTENSIONS": str(home.folder / "extensions"),
    }
    if config.tls:
        settings |= {
            "SANCHO_CA_FILE": str(home.ca_file),
            "SANCHO_TLS_CERT": str(home.tls / "server.pem"),
            "SANCHO_TLS_KEY": str(home.tls / "server.key"),
        }
    return settings


def _choose(home: Home, wishes: Wishes) -> Config:
    if not home.exists:
        tls = bool(wishes.tls)
        port = choose_port(wishes.port, tls=tls)
        ports = storage_ports(seed=str(home.folder), spare=[port])
        storages = topology.storages([next(ports) for _ in SITES])
        vos = wishes.vos or (FIRST_VO,)
        config = Config(port=port, tls=tls, vos=vos, storages=storages, metrics_port=next(ports))
    else:
        config = home.config()
    changes: dict[str, Any] = wishes.model_dump(exclude_none=True, exclude={"vos"})
    changes["vos"] = tuple(dict.fromkeys((*config.vos, *wishes.vos)))
    return config.model_copy(update=changes)


def _choose_database(home: Home, config: Config) -> Config:
    if config.database_url is None:
        folder = config.postgres_folder or choose_folder(home)
        return config.model_copy(update={"postgres_folder": folder})
    server_url = ensure_server_role(config.database_url, config.server_database_url)
    return config.model_copy(update={"server_database_url": server_url})


def _free_ports(home: Home, config: Config, say: Say) -> Config:
    """Return the grid with other ports for storages whose ports somebody else has; raises `PortTaken` for the API's."""
    if not port_free(config.port):
        raise PortTaken(port=config.port)
    storages = dict(config.storages)
    spare = [
        config.port,
        *(one.port for one in storages.values()),
        *([config.metrics_port] if config.metrics_port else []),
    ]
    ports = storage_ports(seed=str(home.folder), spare=spare)
    for name, one in config.storages.items():
        if not port_free(one.port) or one.port == config.port:
            storages[name] = one.model_copy(update={"port": next(ports)})
            say(f"port {one.port} is in use: {name} gets port {storages[name].port}")
    metrics = config.metrics_port
    if metrics is not None and (not port_free(metrics) or metrics == config.port):
        metrics = next(ports)
    return config.model_copy(update={"storages": storages, "metrics_port": metrics})


def _begin(home: Home, config: Config, database: GridDatabase, say: Say) -> Config:
    missing = [vo for vo in config.vos if vo not in config.begun]
    if not missing:
        return config
    say(f"making {', '.join(missing)}")
    new = _new(home)
    hoped = dict.fromkeys((*new.vos, *missing, *(() if config.begun else (access.INSTANCE,))))
    _keep_new(home, new.model_copy(update={"vos": tuple(hoped)}))
    names = [word for vo in config.vos for word in ("--vo", vo)]
    command = verb("init", *names, "--admin-password-file", "-", "--json")
    said = json.loads(run("Making the VOs", command, new.password, settings=deployment(home, config, database)))
    # Accounts that were there before keep their passwords.
    made = [vo for vo in hoped if vo in {*new.vos, *said["administrators"]}]
    _keep_new(home, new.model_copy(update={"vos": tuple(made)}))
    config = config.model_copy(update={"begun": config.vos})
    home.save(config)
    return config


def _grant(home: Home, config: Config, say: Say) -> Config:
    missing = [vo for vo in config.begun if vo not in config.granted]
    if not missing:
        return config
    say("applying sites, storages and CEs")
    wanted = topology.grants(config, missing)
    if not config.granted:
        wanted = topology.documents(home, config) + wanted
        write_private(home.topology_file, topology.as_yaml(wanted))
    try:
        with access.client(home, config) as client:
            client.send(configuration.apply([Document.model_validate(one) for one in wanted], comment="sancho up"))
    except ClientError as e:
        raise StepFailed(step="Applying the sites", words=e.message) from e
    config = config.model_copy(update={"granted": config.begun})
    home.save(config)
    return config


def _storage(home: Home, config: Config, name: str) -> tuple[str, ...]:
    facts = {
        "--name": name,
        "--root": str(home.storage(name)),
        "--port": str(config.storages[name].port),
        "--issuer": config.url,
        "--jwks-url": f"{config.url}/.well-known/jwks.json",
        "--audience": config.storage_url(name),
        "--browser": config.url,
    }
    if config.tls:
        facts |= {
            "--issuer-ca": str(home.ca_file),
            "--tls-certificate": str(home.tls / "server.pem"),
            "--tls-key": str(home.tls / "server.key"),
        }
    return verb("storage", *(word for pair in facts.items() for word in pair))


def _new(home: Home) -> Administrators:
    """Make a password, or return the one that was made and not shown, because an `up` was cut short."""
    path = home.run / NEW
    if path.exists():
        return Administrators.model_validate_json(path.read_bytes())
    return Administrators(password=secrets.token_urlsafe(12), vos=())


def _keep_new(home: Home, new: Administrators) -> None:
    write_private(home.run / NEW, new.model_dump_json())


def _take_new(home: Home) -> Administrators | None:
    path = home.run / NEW
    if not path.exists():
        return None
    new = _new(home)
    path.unlink()
    return new if new.vos else None
