"""What collections held: ask in a snapshot, and read each list to its end, as with `reading`."""

from collections.abc import AsyncIterator
from datetime import datetime

from sancho.dids.model import Detached, Did, DidKind
from sancho.dids.store import history, walking
from sancho.kit.db import Connection

PART = 2_000
"""Files of a dataset of a time that are read at once."""


async def stream_file_lines(conn: Connection, did: Did, *, at: datetime | None = None) -> AsyncIterator[list[str]]:
    """Each file that is a DID or below it, at any depth, once: lines of JSON, many at a time, the first at once.

    With `at`, those of that time, whatever has been detached or erased since; of several datasets all are then looked
    up before the first is told.
    """
    if did.kind is DidKind.FILE:
        yield await history.lines(conn, did.vo, [did.did_id])
        return
    if did.kind is DidKind.DATASET:
        datasets = [did.did_id]
    else:
        datasets = await history.datasets(conn, did.vo, did.did_id, at=at)
    if at is None or len(datasets) > 1:
        async for part in history.files(conn, did.vo, datasets, at=at):
            yield part
        return
    after, is_last = 0, not datasets
    while not is_last:
        ids, is_last = await walking.files(conn, did.vo, datasets, after=after, limit=PART, at=at)
        after = ids[-1] if ids else after
        yield await history.lines(conn, did.vo, ids)


def stream_detached(conn: Connection, did: Did) -> AsyncIterator[list[Detached]]:
    """What has been taken out of a collection, and when."""
    return history.detached(conn, did.vo, did.did_id)
