"""What collections held: ask in a snapshot, and read each list to its end, as with `reading`."""

from collections.abc import AsyncIterator
from datetime import datetime

from sancho.dids.model import Detached, Did
from sancho.dids.store import history
from sancho.kit.db import Connection


def stream_file_lines(conn: Connection, did: Did, *, at: datetime | None = None) -> AsyncIterator[list[str]]:
    """Each file that is a DID or below it, at any depth, once: lines of JSON, many at a time.

    With `at`, those of that time, whatever has been detached or erased since.
    """
    return history.files(conn, did.vo, did.did_id, at=at)


def stream_detached(conn: Connection, did: Did) -> AsyncIterator[list[Detached]]:
    """What has been taken out of a collection, and when."""
    return history.detached(conn, did.vo, did.did_id)
