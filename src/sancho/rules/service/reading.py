"""Many rules and locks are read, in constant memory: from server-side cursors, many at a time."""

from collections.abc import AsyncIterator, Sequence

from sancho.dids import service as dids
from sancho.dids.model import Did
from sancho.kit.db import Connection
from sancho.rules.model import Asked, DatasetLock, Lock, Rule
from sancho.rules.service.asking import get
from sancho.rules.store import reading


async def stream(conn: Connection, vo: int, asked: Asked) -> AsyncIterator[list[Rule]]:
    """The rules of a VO that are asked for, newest first."""
    async for some in reading.stream_rules(conn, vo, asked):
        yield some


async def over(conn: Connection, did: Did) -> list[Rule]:
    """Rules that hold a DID: those on it, and on anything that it is in."""
    return await reading.rules_over(conn, did.vo, did.did_id)


async def stream_locks(conn: Connection, vo: int, rule_id: int) -> AsyncIterator[list[Lock]]:
    """The locks of a rule by RSE and file; raises `RuleNotFound` before the first."""
    await get(conn, vo, rule_id)
    async for some in reading.stream_locks(conn, vo, rule_id):
        yield some


async def dataset_locks(conn: Connection, vo: int, found: Sequence[Did]) -> AsyncIterator[list[DatasetLock]]:
    """What rules on or above the datasets among and below these DIDs hold of them, by dataset, rule and RSE."""
    below = await dids.datasets(conn, vo, [did.did_id for did in found])
    async for some in reading.stream_dataset_locks(conn, vo, below):
        yield some
