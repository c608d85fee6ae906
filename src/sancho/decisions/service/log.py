"""The audit log: written with what it is about, sealed in batches, searched, checked."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sancho.decisions import plan, store
from sancho.decisions.errors import HeadMalformed
from sancho.decisions.model import LONGEST, MOST_ROWS, AuditRow, Dropped, Head, Sealed, Verdict
from sancho.decisions.store import Filter
from sancho.kit import audit, telemetry
from sancho.kit.access import Principal, require
from sancho.kit.db import Collision, Connection, Database, all_vos
from sancho.kit.deployment import Deployment
from sancho.kit.policy import spell_in
from sancho.vos.model import VO

DROP, OWNER = "audit:drop", "-"
"""What stands in the log for a permission and an account where the owner of the database has dropped old rows."""
PAGE = 500
"""Batches that a check reads at once."""
_log = telemetry.log(__name__)


async def write_down(conn: Connection, vos: Sequence[int]) -> None:
    """Write what this request's trail has ready for a transaction that serves `vos`: the last thing before it commits.

    One statement, and none when there is nothing, as in the requests of pilots.
    """
    trail = audit.current()
    entries = trail.take(vos) if trail is not None else []
    if trail is None or not entries:
        return
    route = trail.route()
    origin = {
        "route": _clean(f"{trail.method} {route}") if route else trail.method,
        "trace_id": telemetry.trace_id(telemetry.traceparent()),
        "client": trail.client,
    }
    cleaned = [replace(e, thing=e.thing and _clean(e.thing), why=_clean(e.why)) for e in entries]
    await store.insert_rows(conn, cleaned, origin)


def _clean(text: str) -> str:
    """A text as the database takes it: Unicode, without NUL, not too long."""
    said = text[:LONGEST].replace("\x00", "\N{REPLACEMENT CHARACTER}")
    return said.encode(errors="replace").decode()


async def seal(deployment: Deployment) -> int:
    """Seal every row that has been committed into batches, one chain for each VO; return how many batches.

    Two at once do not disturb each other, and a sealer that dies has sealed nothing. When writers are too slow to
    let it in, it leaves the rows for the next time.
    """
    vos = await all_vos(deployment.database)
    try:
        async with deployment.database.transaction([0]) as conn:
            highest = await store.settled(conn)
    except Collision:
        return 0
    async with deployment.database.transaction(vos) as conn:
        if not await store.try_sealing(conn):
            return 0
        batches = await _batches(conn, highest)
        if batches:
            await store.insert_batches(conn, batches)
    for batch in batches:
        # Who changes the log afterwards does not reach this line, wherever logs are sent.
        _log.info("audit rows sealed", vo=batch.vo, head=f"{batch.number}:{batch.sha256.hex()}", rows=batch.rows)
    return len(batches)


async def _batches(conn: Connection, highest: int) -> list[Sealed]:
    newest = await store.last_batches(conn)
    made: list[Sealed] = []
    seal: plan.Seal | None = None
    async for row in store.stream_unsealed(conn, highest):
        if seal is None or seal.vo != row.vo or seal.rows == MOST_ROWS:
            if seal is not None:
                done = seal.sealed()
                made.append(done)
                newest[done.vo] = done.number, done.sha256
            number, previous = newest.get(row.vo, (0, plan.BEGINNING))
            seal = plan.Seal(row.vo, number + 1, previous)
        seal.add(row)
    return [*made, seal.sealed()] if seal is not None else made


async def drop(database: Database, vo: VO, before: datetime) -> Dropped | None:
    """Drop the batches of a VO that were sealed before a time, with their rows; None when there are none.

    `database` is the owner's, for nobody else may. The newest batch always stays. What was dropped is a decision
    itself, and is sealed like others; `check` begins behind it, with the hash of the last batch that is gone.
    """
    async with database.transaction([vo.vo]) as conn:
        last = await store.lock_last_before(conn, vo.vo, before)
        if last is None:
            return None
        batches, rows = await store.drop(conn, vo.vo, last)
        head = Head(number=last.number, sha256=last.sha256.hex())
        entry = audit.Entry(
            vo=vo.vo, account=OWNER, permission=DROP, allowed=True, items=rows, thing=f"audit:{last.number}",
            why=f"All that was sealed before {before:%Y-%m-%dT%H:%M:%SZ}, up to batch {head}, was dropped.",
        )  # fmt: skip
        await store.insert_rows(conn, [entry], {"route": None, "trace_id": None, "client": None})
    return Dropped(vo=vo.name, batches=batches, rows=rows, head=head)


async def search(conn: Connection, caller: Principal, wanted: Filter, limit: int) -> list[AuditRow]:
    """Rows of the caller's VO, newest first; for who may `audit:read`."""
    require(caller, "audit:read")
    return await store.search(conn, caller.vo, wanted, limit)


def prefix_of(caller: Principal, text: str | None) -> str | None:
    """How things begin that a search means: `mc:run` or `/belle/mc/run` of DIDs, `site:` of all sites."""
    return None if text is None else spell_in(caller.vo_name, text).removesuffix("*")


def head_of(text: str | None) -> Head | None:
    """A remembered batch, from `NUMBER:HASH`; raises `HeadMalformed`."""
    if text is None:
        return None
    found = re.fullmatch(r"([1-9][0-9]{0,8}):([0-9a-f]{64})", text, re.ASCII)
    if found is None:
        raise HeadMalformed
    return Head(number=int(found[1]), sha256=found[2])


async def check(conn: Connection, caller: Principal, head: Head | None = None) -> Verdict:
    """Compute the chain of the caller's VO anew, from where it begins, and say where it first breaks.

    With `head`, a batch that an earlier check or the server's log named, the end of the chain is checked too. The
    transaction sees one moment. Memory does not grow with the log.
    """
    require(caller, "audit:read")
    checking = plan.Check(caller.vo, head, await store.find_gap(conn, caller.vo))
    after = 0
    while checking.broken is None and (batches := await store.list_batches(conn, caller.vo, after=after, limit=PAGE)):
        after = batches[-1].number
        checking.expect(batches)
        async for row in store.stream_rows(conn, caller.vo, checking.last_id, batches[-1].last_id):
            checking.add(row)
        checking.end()
    return checking.verdict()
