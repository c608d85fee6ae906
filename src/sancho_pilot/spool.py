"""What survives the pilot: the newest secret, when the slot began, and a record of every attempt it holds.

    WORKDIR/credential.json          the newest one-time secret
    WORKDIR/slot.json                when the slot began
    WORKDIR/spool/ATTEMPT.json       a record: from the match until the server has accepted the report
    WORKDIR/attempts/ATTEMPT/        the attempt's files

All of it is ours alone (0700, 0600). One pilot at a time owns a work folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from typing import Any, Dict, List, Tuple, cast

from sancho_pilot.codec import NotOurs, decode, encode
from sancho_pilot.files import make_private_folder, remove_file, remove_folder, sync_folder, write_whole
from sancho_pilot.model import Attempt


class WorkFolderBusy(Exception):
    """Another pilot runs in this work folder."""


class Spool:
    """A pilot's work folder."""

    def __init__(self, folder: str, stamp: str) -> None:
        """Take the folder, making it if need be; raises `WorkFolderBusy`. What another stamp left is removed."""
        self._folder = folder
        self._records = os.path.join(folder, "spool")
        self._attempts = os.path.join(folder, "attempts")
        self._credential = os.path.join(folder, "credential.json")
        self._slot = os.path.join(folder, "slot.json")
        self._stamp = stamp
        make_private_folder(folder)
        self._lock = os.open(os.path.join(folder, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            os.close(self._lock)
            raise WorkFolderBusy(folder) from problem
        if _read(self._slot).get("stamp") != stamp:
            self._clear()
            write_whole(self._slot, _json({"stamp": stamp, "began": time.time()}))
        make_private_folder(self._records)
        make_private_folder(self._attempts)

    def age(self) -> float:
        """Seconds since a pilot with this stamp first took the folder."""
        return max(0.0, time.time() - float(_read(self._slot).get("began", time.time())))

    # --------------------------------------------------------------------------------------- secret

    def secret(self, first: str) -> str:
        """Return the newest secret: `first` if there is no newer one."""
        return str(_read(self._credential).get("secret") or first)

    def keep_secret(self, secret: str) -> None:
        """Keep the newest secret; it is on disk when this returns."""
        write_whole(self._credential, _json({"secret": secret}))

    # -------------------------------------------------------------------------------------- records

    def record(self, attempt: Attempt) -> None:
        """Keep an attempt as it is now; it is on disk when this returns."""
        write_whole(self._record(attempt.work.attempt_id), _json(encode(attempt)))

    def attempts(self) -> "Tuple[List[Attempt], List[str]]":
        """Return what a former pilot held, in the order of its ids, and the names of records that cannot be read."""
        found: List[Attempt] = []
        unreadable: List[str] = []
        for name in os.listdir(self._records):
            if not name.endswith(".json"):
                continue
            try:
                attempt = decode(_read(os.path.join(self._records, name)))
            except NotOurs:
                unreadable.append(name)
                continue
            if isinstance(attempt, Attempt):
                found.append(attempt)
            else:
                unreadable.append(name)
        return sorted(found, key=lambda attempt: attempt.work.attempt_id), unreadable

    def folder(self, attempt_id: int) -> str:
        """Return where the files of an attempt are."""
        return os.path.join(self._attempts, str(attempt_id))

    def forget(self, attempt_id: int) -> None:
        """Remove an attempt: its files first, its record last."""
        remove_folder(self.folder(attempt_id))
        remove_file(self._record(attempt_id))
        sync_folder(self._records)

    def close(self) -> None:
        """Leave the folder; if no attempt is left in it, nothing else is either."""
        if not any(name.endswith(".json") for name in os.listdir(self._records)):
            self._clear()
            remove_file(os.path.join(self._folder, "lock"))
            with contextlib.suppress(OSError):  # somebody else keeps files here
                os.rmdir(self._folder)
        os.close(self._lock)

    # ------------------------------------------------------------------------------------ mechanics

    def _record(self, attempt_id: int) -> str:
        return os.path.join(self._records, f"{attempt_id}.json")

    def _clear(self) -> None:
        remove_folder(self._records)
        remove_folder(self._attempts)
        for path in (self._credential, f"{self._credential}.new", self._slot, f"{self._slot}.new"):
            remove_file(path)


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _read(path: str) -> Dict[str, Any]:
    try:
        with open(path, "rb") as file:
            read = json.loads(file.read())
    except (FileNotFoundError, ValueError):
        return {}
    return cast("Dict[str, Any]", read) if isinstance(read, dict) else {}
