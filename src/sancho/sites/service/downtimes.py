"""Downtimes: announced, begun and ended. While one is in force, its resource is switched off for everybody.

Everything that uses resources looks at one switch, `enabled`; a downtime turns it, and gives it back at its end as
documents want it by then.
"""

from datetime import datetime

from sancho.kit.access import Principal, require
from sancho.kit.db import Connection
from sancho.sites import store
from sancho.sites.errors import DowntimeNotFound, DowntimeOver, ResourceNotFound, ResourceOfOthers
from sancho.sites.model import Downtime, Placed, ResourceKind


async def downtimes(
    conn: Connection, *, since: datetime, before: int | None = None, limit: int = 100
) -> list[Downtime]:
    """Downtimes of what this transaction sees that are not over at a time, those announced last first.

    `before` the id of the last one seen gives those that follow.
    """
    return await store.downtimes(conn, since, before=before, limit=limit)


async def announce(
    conn: Connection, caller: Principal, resource: tuple[ResourceKind, str], said: Downtime, now: datetime
) -> Downtime:
    """Say that a resource is not to be used for a while; one that has begun is in force at once.

    Needs `topology:manage` on its site, in the VO that owns it. Raises `ResourceNotFound`, `ResourceOfOthers` or
    `DowntimeOver`.
    """
    kind, name = resource
    placed = await store.place(conn, caller.vo, kind, name)
    if placed is None:
        raise ResourceNotFound(kind=kind.value, name=name, field="name")
    _require(caller, placed)
    if said.ends_at is not None and said.ends_at <= max(said.begins_at, now):
        raise DowntimeOver(field="ends_at")
    await store.lock_resource(conn, placed.vo, placed.resource_id)
    made = await store.insert_downtime(conn, placed, said)
    await _turn(conn, [placed.vo], [placed.resource_id], now)
    return made


async def end(conn: Connection, caller: Principal, downtime_id: int, now: datetime) -> None:
    """End a downtime now; one that has not begun is taken back. Ending it again changes nothing.

    Needs what `announce` needs. Raises `DowntimeNotFound` or `ResourceOfOthers`.
    """
    placed = await store.place_of(conn, downtime_id)
    if placed is None:
        raise DowntimeNotFound(downtime_id=downtime_id)
    _require(caller, placed)
    await store.lock_resource(conn, placed.vo, placed.resource_id)
    await store.end_downtime(conn, placed.vo, downtime_id, now)
    await _turn(conn, [placed.vo], [placed.resource_id], now)


async def follow(conn: Connection, vos: list[int], now: datetime) -> None:
    """Turn the switches of these VOs' resources: off where a downtime is in force, back where none is any more.

    What others are changing is left for the next time: whoever applies documents locks in an order of their own.
    """
    await _turn(conn, vos, await store.claim_resources(conn, vos, now), now)


async def _turn(conn: Connection, vos: list[int], resource_ids: list[int], now: datetime) -> None:
    if resource_ids:
        await store.switch_off(conn, vos, resource_ids, now)
        await store.switch_back(conn, vos, resource_ids, now)


def _require(caller: Principal, placed: Placed) -> None:
    require(caller, "topology:manage", on=f"site:{placed.site}")
    if placed.vo != caller.vo:
        raise ResourceOfOthers(kind=placed.kind.value, name=placed.name)
