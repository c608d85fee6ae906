"""Pilots that somebody else's factory manages, and searches over them and our own.

A registered pilot is an entry and no more: what it says of itself is kept and found. It has no CE of ours, no secret
and no lease, so that nothing that makes, watches or counts our pilots ever meets it, and no job is given for it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sancho.kit.access import INSTANCE, Principal, require
from sancho.kit.db import Connection, in_time, serving
from sancho.kit.query import Query
from sancho.kit.search import Condition, plan
from sancho.pilots import store
from sancho.pilots.errors import PilotNotRegistered, PilotOfOurs, StampTaken, TooManyPilotGroups
from sancho.pilots.model import Registered, Registration
from sancho.pilots.store import registered

LONGEST_SEARCH = 10
FASTER = "Ask for fewer pilots: by status, stamp or time."
MOST_GROUPS = 10_000
FIELDS = {name: field for name, field in registered.FIELDS.items() if ":" not in name}
"""What people search registered pilots by."""


async def register(conn: Connection, caller: Principal, pilot: Registration) -> None:
    """Note a pilot of somebody's; raises `StampTaken` when there is one of that stamp, be it one of ours."""
    _require_report(caller)
    async with serving(conn, [caller.vo, INSTANCE]):
        if not await registered.insert(conn, caller.vo, pilot):
            raise StampTaken(stamp=pilot.stamp)


async def update(conn: Connection, caller: Principal, said: Mapping[str, Mapping[str, Any]]) -> None:
    """Change registered pilots by their stamps: all of them or none.

    Raises `PilotOfOurs` for one that reports by itself, `PilotNotRegistered` for one that there is not.
    """
    _require_report(caller)
    found = await registered.lock(conn, caller.vo, list(said))
    if missing := sorted(set(said) - found):
        async with serving(conn, [caller.vo, INSTANCE]):
            ours = await store.ids_by_stamp(conn, [caller.vo, INSTANCE], missing)
        raise PilotOfOurs(stamp=min(ours)) if ours else PilotNotRegistered(stamp=missing[0])
    await registered.change(conn, caller.vo, said)


async def list_registered(
    conn: Connection, caller: Principal, query: Query | None, *, before: int | None, limit: int
) -> list[Registered]:  # fmt: skip
    """A page of the pilots that the caller's VO has registered and that a query finds, newest first.

    Raises what `kit.search.plan` does, or `TooSlow` after `LONGEST_SEARCH` seconds.
    """
    _require_read(caller)
    wanted = registered.ALL if query is None else plan(query, FIELDS, registered.THING)
    async with in_time(conn, LONGEST_SEARCH, hint=FASTER):
        return await registered.list_registered(conn, caller.vo, wanted, before=before, limit=limit)


async def search_part(
    conn: Connection, caller: Principal, query: Query | None, *, shown: Sequence[str],
    order: Sequence[tuple[str, bool]], part: tuple[int, int],
) -> list[tuple[Any, ...]]:  # fmt: skip
    """Values of pilots that a query finds, in order of fields (and whether from the highest): so many, after so many.

    Raises what `kit.search.plan` does, `PatternUnfit`, or `TooSlow` after `LONGEST_SEARCH` seconds.
    """
    wanted = _wanted(caller, query)
    async with serving(conn, [caller.vo, INSTANCE]), in_time(conn, LONGEST_SEARCH, hint=FASTER):
        return await registered.page(conn, caller.vo, wanted, shown=shown, order=order, part=part)


async def count(conn: Connection, caller: Principal, query: Query | None) -> int:
    """How many pilots a query finds; raises what `search_part` does."""
    wanted = _wanted(caller, query)
    async with serving(conn, [caller.vo, INSTANCE]), in_time(conn, LONGEST_SEARCH, hint=FASTER):
        return await registered.count(conn, caller.vo, wanted)


async def summarise(
    conn: Connection, caller: Principal, query: Query | None, *, by: Sequence[str]
) -> list[tuple[tuple[Any, ...], int]]:
    """How many pilots that a query finds have each combination of values; raises what `search_part` does.

    And `TooManyPilotGroups`.
    """
    wanted = _wanted(caller, query)
    async with serving(conn, [caller.vo, INSTANCE]), in_time(conn, LONGEST_SEARCH, hint=FASTER):
        rows = await registered.groups(conn, caller.vo, wanted, by, limit=MOST_GROUPS + 1)
    if len(rows) > MOST_GROUPS:
        raise TooManyPilotGroups(limit=MOST_GROUPS)
    return [(row[:-1], row[-1]) for row in rows]


def _require_read(caller: Principal) -> None:
    if not caller.may("pilots:report"):
        require(caller, "pilots:read")


def _wanted(caller: Principal, query: Query | None) -> Condition:
    _require_read(caller)
    return registered.ALL if query is None else plan(query, registered.FIELDS, registered.THING)


def _require_report(caller: Principal) -> None:
    """Pilots themselves and their factories report, and so may who looks after the sites."""
    if not caller.may("topology:manage"):
        require(caller, "pilots:report")
