"""A grid in one file, and back: all but the files of its storages.

That is its database, keys, settings, certificates, sandboxes and what VOs add to the page.

The database is dumped as of one moment, while the grid runs or not. What else is saved is read after it, so that
whatever the database speaks of is there. The file holds every secret of the grid: it is its owner's alone.
"""

import io
import json
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any

from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import BaseModel, ValidationError

from sancho.kit.migrate import migrate
from sancho.local.database import choose_folder, ensure_server_role, open_database, role_of
from sancho.local.errors import LocalError
from sancho.local.grid import erase
from sancho.local.home import Config, Home
from sancho.local.moving import settle
from sancho.local.programs import child_environment

FORMAT = 1
DUMP = "database.dump"
MANIFEST = "manifest.json"
FILES = ("config.toml", "topology.yaml", "objects.key")
FOLDERS = ("keys", "tls", "objects", "extensions")


class NotABackup(LocalError):
    """{file} is not a backup that this version can read: {problem}"""

    code = "not_a_backup"

    def __init__(self, *, file: Path, problem: str) -> None:
        super().__init__(file=file, problem=problem)


class FileExists(LocalError):
    """{file} exists already."""

    code = "file_exists"

    def __init__(self, *, file: Path) -> None:
        super().__init__(file=file, hint="Name another file, or replace it with `--force`; nothing was changed.")


class FolderUnusable(LocalError):
    """No backup can be written into {folder}: {problem}."""

    code = "folder_unusable"

    def __init__(self, *, folder: Path, problem: str) -> None:
        super().__init__(folder=folder, problem=problem, hint="Name a file in a folder that you may write to.")


class HomeNotEmpty(LocalError):
    """{home} holds something already."""

    code = "home_not_empty"

    def __init__(self, *, home: Path) -> None:
        super().__init__(home=home, hint="Name another folder with `--home`; nothing was changed.")


class DatabaseNotEmpty(LocalError):
    """The database already holds a grid."""

    code = "database_not_empty"

    def __init__(self) -> None:
        super().__init__(hint="Name an empty one with `--database-url`; nothing was changed.")


class DumpFailed(LocalError):
    """{program} failed: {words}"""

    code = "dump_failed"

    def __init__(self, *, program: str, words: str) -> None:
        super().__init__(program=program, words=words.strip())


class Manifest(BaseModel):
    """What a backup says of itself."""

    format: int
    version: str
    postgres: str
    made_at: datetime
    home: Path


def backup(home: Home, file: Path, *, force: bool = False) -> Manifest:
    """Write a backup of a grid into a file that only we may read.

    With `force`, a file of that name is replaced, at the very end; else raises `FileExists`.
    """
    config = home.config()
    folder = file.absolute().parent
    if file.is_dir() or (file.exists() and not force):
        raise FileExists(file=file)
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise FolderUnusable(
            folder=folder, problem="it may not be written to" if folder.is_dir() else "it is no folder"
        )
    database = open_database(config, home)
    manifest = Manifest(
        format=FORMAT,
        version=version("sancho-grid"),
        postgres=database.binaries.version,
        made_at=datetime.now(UTC),
        home=home.folder,
    )
    with home.locked(), tempfile.TemporaryDirectory(prefix=".backup-", dir=folder) as scratch:
        dump, new = Path(scratch) / DUMP, Path(scratch) / "new"
        with database.running():
            _run(database.binaries.program("pg_dump"), database.admin_url, "--format=custom", f"--file={dump}")
        with os.fdopen(os.open(new, os.O_CREAT | os.O_WRONLY, 0o600), "wb") as out:
            with tarfile.open(fileobj=out, mode="w") as archive:
                _add_text(archive, MANIFEST, manifest.model_dump_json(indent=1))
                archive.add(dump, DUMP)
                for path in _saved(home):
                    archive.add(path, str(path.relative_to(home.folder)), recursive=False)
            out.flush()
            os.fsync(out.fileno())
        new.replace(file)
    return manifest


def restore(file: Path, home: Home, *, database_url: str | None = None) -> Manifest:
    """Make a grid from a backup, in a home that has none, and leave it down.

    Its database is one of its own, or the empty one at `database_url`. When it cannot be restored nothing stays.
    """
    if home.folder.exists() and any(home.folder.iterdir()):
        raise HomeNotEmpty(home=home.folder)
    with _opened(file) as archive:
        manifest = _manifest(archive, file)
        home.make()
        with home.locked():
            config = None
            try:
                _extract(archive, file, home)
                config = _choose(home, database_url)
                _restore_database(home, config, manifest.home)
            except BaseException:
                (home.folder / DUMP).unlink(missing_ok=True)
                erase(home, config or Config(port=1, database_url=""))
                raise
            (home.folder / DUMP).unlink()
    return manifest


def _choose(home: Home, database_url: str | None) -> Config:
    changes: dict[str, Any] = {
        "database_url": database_url,
        "server_database_url": None if database_url is None else ensure_server_role(database_url, None),
        "postgres_folder": choose_folder(home) if database_url is None else None,
    }
    config = home.config().model_copy(update=changes)
    home.save(config)
    return config


def _restore_database(home: Home, config: Config, was: Path) -> None:
    database = open_database(config, home)
    with database.running():
        program = database.binaries.program("pg_restore")
        options = ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"]
        try:
            _run(program, database.owner_url, *options, str(home.folder / DUMP))
        except DumpFailed as e:
            if "already exists" in str(e):
                raise DatabaseNotEmpty from e
            raise
        migrate(database.owner_url, server_role=role_of(database.server_url))
        settle(home, config, database, was=was)


def _saved(home: Home) -> Iterator[Path]:
    for name in FILES:
        if (home.folder / name).exists():
            yield home.folder / name
    for folder in (home.folder / name for name in FOLDERS):
        found = [folder, *sorted(folder.rglob("*"))]
        yield from (path for path in found if (path.is_dir() or path.is_file()) and not path.is_symlink())


@contextmanager
def _opened(file: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(file) as archive:
            yield archive
    except tarfile.TarError as e:
        raise NotABackup(file=file, problem=str(e)) from e


def _manifest(archive: tarfile.TarFile, file: Path) -> Manifest:
    try:
        member = archive.extractfile(MANIFEST)
        manifest = Manifest.model_validate(json.load(member or io.BytesIO()))
    except (KeyError, ValueError, ValidationError) as e:
        raise NotABackup(file=file, problem="it does not say what it is") from e
    if manifest.format != FORMAT:
        raise NotABackup(file=file, problem=f"it was made by version {manifest.version}, in format {manifest.format}")
    return manifest


def _extract(archive: tarfile.TarFile, file: Path, home: Home) -> None:
    for member in archive:
        name = PurePosixPath(member.name)
        known = member.name in {DUMP, *FILES} or name.parts[0] in FOLDERS
        if member.name == MANIFEST:
            continue
        if not known or name.is_absolute() or ".." in name.parts or not (member.isfile() or member.isdir()):
            raise NotABackup(file=file, problem=f"it holds {member.name}")
        target = home.folder / name
        if member.isdir():
            target.mkdir(mode=0o700, exist_ok=True)
            continue
        content = archive.extractfile(member)
        assert content is not None
        mode = 0o644 if target.suffix == ".pem" else 0o600
        with os.fdopen(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "wb") as out:
            while piece := content.read(2**20):
                out.write(piece)


def _add_text(archive: tarfile.TarFile, name: str, text: str) -> None:
    said = text.encode()
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(said), 0o600
    archive.addfile(member, io.BytesIO(said))


def _run(program: str, url: str, *arguments: str) -> None:
    facts = conninfo_to_dict(url)
    # A command line is for everybody to see, an environment is not.
    password = {"PGPASSWORD": str(facts.pop("password"))} if "password" in facts else {}
    command = [program, "--no-password", f"--dbname={make_conninfo('', **facts)}", *arguments]
    environment = child_environment(password)
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", env=environment)
    if done.returncode != 0:
        raise DumpFailed(program=Path(program).name, words=done.stderr[-2000:])
