"""The two ways in which Rucio's clients make paths of names by themselves."""

import hashlib

from pydantic import BaseModel


class NamingSettings(BaseModel, extra="forbid", frozen=True):
    """There is nothing to choose."""


class Hash:
    """`scope/xx/yy/name`: folders by a hash of the name, so that none has too many files."""

    Settings: type[BaseModel] = NamingSettings

    def __init__(self, settings: NamingSettings) -> None:
        """Nothing is kept."""

    def path(self, scope: str, name: str) -> str:
        """See `Naming.path`."""
        digest = hashlib.md5(f"{scope}:{name}".encode(), usedforsecurity=False).hexdigest()
        return f"{_folders(scope)}/{digest[:2]}/{digest[2:4]}/{name}"


class Identity:
    """`scope/name`."""

    Settings: type[BaseModel] = NamingSettings

    def __init__(self, settings: NamingSettings) -> None:
        """Nothing is kept."""

    def path(self, scope: str, name: str) -> str:
        """See `Naming.path`."""
        return f"{_folders(scope)}/{name}"


def _folders(scope: str) -> str:
    """A scope of a user or a group is a folder in another."""
    return scope.replace(".", "/") if scope.startswith(("user", "group")) else scope
