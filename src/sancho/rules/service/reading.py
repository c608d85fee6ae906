"""Many rules and locks are read, in constant memory: from server-side cursors, many at a time."""

from collections.abc import AsyncIterator, Sequence

from sancho.dids import service as dids
from sancho.dids.model import Did
from sancho.kit.db import Connection
from sancho.rules.errors import RuleNotFound
from sancho.rules.model import Asked, DatasetLock, Lock, Rule, RuleEvent
from sancho.rules.service.asking import get
from sancho.rules.store import events, reading, rows


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


async def dataset_locks_on(conn: Connection, vo: int, rse_id: int) -> AsyncIterator[list[DatasetLock]]:
    """What rules hold of datasets on an RSE, by rule and dataset."""
    async for some in reading.stream_dataset_locks_on(conn, vo, rse_id):
        yield some


async def history(
    conn: Connection, vo: int, *, rule_id: int | None = None, did_id: int | None = None, page: tuple[int, int]
) -> list[RuleEvent]:
    """What was done to a rule, or to the rules on a DID, gone ones too, oldest first: so many after an id, by `page`.

    Raises `RuleNotFound` for a rule that never was.
    """
    found = await events.list_events(conn, vo, rule_id=rule_id, did_id=did_id, page=page)
    if not found and rule_id is not None and page[0] == 0 and await rows.find_rule(conn, vo, rule_id) is None:
        raise RuleNotFound(rule_id=rule_id)
    return found


async def stream_history(
    conn: Connection, vo: int, *, rule_id: int | None = None, did_id: int | None = None
) -> AsyncIterator[list[RuleEvent]]:
    """The same, all of it, newest first; raises nothing."""
    async for some in events.stream_events(conn, vo, rule_id=rule_id, did_id=did_id):
        yield some
