"""Requests are made, cancelled, forgotten and shown; each in a fixed number of statements."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from sancho.kit import telemetry
from sancho.kit.db import Connection
from sancho.kit.tasks import defer
from sancho.replicas.model import ReplicaKey
from sancho.transfers.model import Forgotten, LinkNow, Request, RequestsAsked, RequestState, Tried
from sancho.transfers.store import requests


async def request(
    conn: Connection, vo: int, keys: Sequence[ReplicaKey], *, activity: str = "default", priority: int = 3
) -> None:
    """Ask for copying replicas to be brought, in this order; a second wish for the same one adds nothing.

    The lowest `priority` goes first. The current trace goes along.
    """
    if keys and await requests.insert_requests(conn, vo, keys, activity, priority, telemetry.traceparent()):
        await defer(conn, "transfers:carry")


async def cancel(conn: Connection, vo: int, keys: Sequence[ReplicaKey]) -> list[ReplicaKey]:
    """Give up requests that nobody wants any more; return replicas of which nothing can be on their storage.

    What a worker is carrying goes on: it ends within a minute or arrives, and what is then there the reaper deletes.
    """
    if not keys:
        return []
    await requests.delete_ready(conn, vo, keys)
    return sorted(key for key, untried in await requests.delete_requests(conn, vo, keys) if untried)


async def forget(conn: Connection, vo: int, keys: Sequence[ReplicaKey]) -> list[Forgotten]:
    """Remove the requests for replicas that are available; return them, so that a second call says nothing."""
    if not keys:
        return []
    await requests.delete_ready(conn, vo, keys)
    return await requests.forget_requests(conn, vo, keys)


async def stick(conn: Connection, vo: int, keys: Sequence[ReplicaKey]) -> list[ReplicaKey]:
    """Let requests that have failed be stuck; return those that were not yet, so that a second call says nothing."""
    return await requests.mark_stuck(conn, vo, keys) if keys else []


async def revive(conn: Connection, vo: int, keys: Sequence[ReplicaKey]) -> list[ReplicaKey]:
    """Try stuck requests again, as if they were new; return those that were stuck."""
    revived = await requests.revive(conn, vo, keys) if keys else []
    if revived:
        await defer(conn, "transfers:carry")
    return revived


async def list_requests(
    conn: Connection, vo: int, *, state: RequestState | None = None, rse: str | None = None, page: tuple[int, int]
) -> list[Request]:
    """A VO's requests by id, in a state and to an RSE if given: as many as `page` says, after the id it says."""
    asked = RequestsAsked(states=[state] if state else None, rse=rse)
    return await requests.list_requests(conn, vo, asked, page)


async def links(conn: Connection, vo: int, since: datetime) -> list[LinkNow]:
    """What is under way between RSEs, and what failed since a time of that which is still wanted."""
    return await requests.links(conn, vo, since)


async def stream(conn: Connection, vo: int, asked: RequestsAsked) -> AsyncIterator[list[Request]]:
    """A VO's requests that are asked for, by id, many at a time: read from a server-side cursor."""
    async for some in requests.stream_requests(conn, vo, asked):
        yield some


async def tried(conn: Connection, vo: int, keys: Sequence[ReplicaKey]) -> dict[ReplicaKey, Tried]:
    """How the requests for these replicas have fared, of those that have one."""
    return await requests.tried(conn, vo, keys) if keys else {}
