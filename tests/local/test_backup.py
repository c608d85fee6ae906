"""A grid in one file, and back."""

import io
import shutil
import stat
import tarfile
from pathlib import Path

import psycopg
import pytest

from sancho.local.backup import (
    DatabaseNotEmpty,
    FileExists,
    FolderUnusable,
    HomeNotEmpty,
    NotABackup,
    backup,
    restore,
)
from sancho.local.database import open_database
from sancho.local.home import Home
from sancho.local.postgres import OWNER, Cluster, temporary_cluster

PATH = "-c search_path=sancho"


@pytest.fixture(scope="module")
def saved(rested: Home) -> Path:
    """A backup that nobody changes."""
    file = rested.folder.parent / "saved.tar"
    backup(rested, file)
    return file


def write(home: Home) -> None:
    database = open_database(home.config(), home)
    with database.running(), psycopg.connect(database.owner_url, options=PATH) as conn:
        conn.execute("INSERT INTO vo (vo, name) VALUES (1, 'belle')")


def vos(url: str) -> list[str]:
    with psycopg.connect(url, options=PATH) as conn:
        return [str(name) for (name,) in conn.execute("SELECT name FROM vo ORDER BY vo")]


def test_a_restored_grid_has_the_database_keys_settings_and_sandboxes(complete: Home, folder: Path) -> None:
    write(complete)
    added = complete.folder / "extensions" / "belle" / "plots" / "extension.json"
    added.parent.mkdir(parents=True)
    added.write_text("{}")
    (added.parent / "link.js").symlink_to("/etc/passwd")  # no extension has links, and a backup holds none
    file = folder / "grid.tar"
    made = backup(complete, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(path.name for path in folder.iterdir()) == ["grid", "grid.tar"]

    other = Home(folder / "other")
    assert restore(file, other) == made
    assert other.config() == complete.config()
    database = open_database(other.config(), other)
    with database.running():
        assert vos(database.server_url) == ["instance", "belle"]
    for name in ("keys/one.jwk", "objects.key", "objects/ab/sandbox", "extensions/belle/plots/extension.json"):
        assert (other.folder / name).read_bytes() == (complete.folder / name).read_bytes()
        assert stat.S_IMODE((other.folder / name).stat().st_mode) == 0o600
    assert not (other.folder / "database.dump").exists()


def test_a_grid_that_runs_is_saved_as_of_one_moment_and_goes_on(complete: Home, folder: Path) -> None:
    database = open_database(complete.config(), complete)
    with database.running():
        with psycopg.connect(database.owner_url, options=PATH) as conn:
            conn.execute("INSERT INTO vo (vo, name) VALUES (1, 'late')")
            backup(complete, folder / "grid.tar")
        assert vos(database.server_url) == ["instance", "late"]
    restore(folder / "grid.tar", Home(folder / "other"))
    restored = open_database(Home(folder / "other").config(), Home(folder / "other"))
    with restored.running():
        assert vos(restored.server_url) == ["instance"]


def test_a_backup_replaces_a_file_only_when_told_to_and_needs_a_folder(
    complete: Home, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = folder / "grid.tar"
    file.write_text("precious")
    with pytest.raises(FileExists, match=r"grid\.tar exists") as caught:
        backup(complete, file)
    assert "--force" in str(caught.value.hint)
    assert file.read_text() == "precious"
    with pytest.raises(FileExists):
        backup(complete, complete.folder, force=True)
    with pytest.raises(FolderUnusable, match="it is no folder"):
        backup(complete, folder / "nowhere" / "grid.tar")
    with pytest.raises(FolderUnusable):
        backup(complete, file / "grid.tar")
    assert sorted(path.name for path in folder.iterdir()) == ["grid", "grid.tar"]

    monkeypatch.chdir(folder)
    backup(complete, Path("grid.tar"), force=True)
    assert tarfile.is_tarfile(file)


def test_nothing_is_restored_over_something(resting: Home, saved: Path) -> None:
    with pytest.raises(HomeNotEmpty):
        restore(saved, resting)
    assert resting.exists


def test_a_grid_moves_to_a_database_of_somebody_elses_that_is_empty(complete: Home, folder: Path) -> None:
    write(complete)
    backup(complete, folder / "grid.tar")
    with temporary_cluster() as foreign:
        _let_owner_make_roles(foreign)
        other = Home(folder / "other")
        restore(folder / "grid.tar", other, database_url=foreign.url(OWNER))
        assert other.config().database_url == foreign.url(OWNER)
        assert vos(str(other.config().server_database_url)) == ["instance", "belle"]
        backup(other, folder / "again.tar")

        third = Home(folder / "third")
        with pytest.raises(DatabaseNotEmpty):
            restore(folder / "grid.tar", third, database_url=foreign.url(OWNER))
        assert not third.folder.exists()
        assert vos(str(other.config().server_database_url)) == ["instance", "belle"]


def _let_owner_make_roles(cluster: Cluster) -> None:
    with psycopg.connect(cluster.url("postgres", "postgres"), autocommit=True) as conn:
        conn.execute("ALTER ROLE sancho_owner CREATEROLE")
    idents = cluster.folder / "pg_ident.conf"
    users = {line.split()[1] for line in idents.read_text().splitlines()}
    idents.write_text(idents.read_text() + "".join(f"ours {user} sancho_server\n" for user in users))
    with psycopg.connect(cluster.url("postgres", "postgres"), autocommit=True) as conn:
        conn.execute("SELECT pg_reload_conf()")


@pytest.mark.parametrize("name", ["/etc/evil", "../evil", "keys/../../evil", "evil", "run/lock"])
def test_a_backup_with_anything_foreign_in_it_is_refused_and_leaves_nothing(
    saved: Path, folder: Path, name: str
) -> None:
    file = folder / "grid.tar"
    shutil.copy(saved, file)
    with tarfile.open(file, "a") as archive:
        member = tarfile.TarInfo(name)
        member.size = 4
        archive.addfile(member, io.BytesIO(b"evil"))
    with pytest.raises(NotABackup, match=r"evil|lock"):
        restore(file, Home(folder / "other"))
    assert not (folder / "other").exists()


def test_what_is_no_backup_is_refused(folder: Path) -> None:
    (folder / "no.tar").write_text("nothing of the kind")
    with pytest.raises(NotABackup):
        restore(folder / "no.tar", Home(folder / "other"))
    with tarfile.open(folder / "empty.tar", "w"):
        pass
    with pytest.raises(NotABackup, match="does not say"):
        restore(folder / "empty.tar", Home(folder / "other"))
    assert not (folder / "other").exists()
