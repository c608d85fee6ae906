"""Who wants to know how a transfer of bytes gets on, and how it is stopped."""

import threading
from typing import Protocol

from sancho_client.errors import ClientError


class Watch(Protocol):
    """Is told how bytes move; its methods are called from several threads."""

    def expect(self, files: int, size: int) -> None:
        """So many more files and bytes are to be moved."""
        ...

    def moved(self, size: int) -> None:
        """So many more bytes are done; negative when they have to be moved again."""
        ...

    def finished(self, name: str) -> None:
        """One file is done."""
        ...


class Silent:
    """Wants to know nothing."""

    def expect(self, files: int, size: int) -> None:
        """Do nothing."""

    def moved(self, size: int) -> None:
        """Do nothing."""

    def finished(self, name: str) -> None:
        """Do nothing."""


SILENT = Silent()


class Stopped(ClientError):
    """The transfer was given up."""


class Stoppable:
    """Passes everything on, until it is stopped: then the next piece of each transfer ends in `Stopped`."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Give up all transfers that are told to this watch."""
        self._stopped.set()

    def expect(self, files: int, size: int) -> None:
        """Pass it on."""
        self._watch.expect(files, size)

    def moved(self, size: int) -> None:
        """Pass it on, or raise `Stopped`."""
        if size > 0 and self._stopped.is_set():
            raise Stopped("The transfer was given up.")
        self._watch.moved(size)

    def finished(self, name: str) -> None:
        """Pass it on."""
        self._watch.finished(name)
