"""Decisions of transfers: where to fetch a file from, when to try again, what a tool needs to know. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, cast

from sancho.rses.model import Rse
from sancho.transfers.model import RequestState, Route

TRIES = 8
"""Attempts after which a request gets stuck."""
SOURCELESS_TRIES = 4
"""The same, when there is no source: after a good minute somebody should know; the rule has it tried again later."""
FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(minutes=30)


def takes(targets: Mapping[int, Rse], rse_id: int) -> bool:
    """Say whether something can be copied to an RSE now, of those that are reached for it."""
    return rse_id in targets and targets[rse_id].writable


def gives(sources: Mapping[int, Rse], rse_id: int) -> bool:
    """Say whether something can be copied from an RSE now, of those that are reached for it."""
    return rse_id in sources and sources[rse_id].readable


def routes(holders: Iterable[int], rse_id: int, distances: Mapping[tuple[int, int], int]) -> list[Route]:
    """The ways to an RSE from others that give a file: those with a link."""
    return [Route(source, distances[source, rse_id]) for source in holders if (source, rse_id) in distances]


def choose_source(routes: Iterable[Route], failed_rse_ids: Sequence[int] = ()) -> int | None:
    """The nearest RSE that has not failed yet; if all have, the one whose failure is longest ago. None without any.

    `failed_rse_ids` are sources of earlier attempts, the newest first.
    """

    def rank(route: Route) -> tuple[int, int, int]:
        failed = route.rse_id in failed_rse_ids
        age = failed_rse_ids.index(route.rse_id) if failed else len(failed_rse_ids)
        return -age, route.distance, route.rse_id

    best = min(routes, key=rank, default=None)
    return None if best is None else best.rse_id


def wait_after(tries: int) -> timedelta:
    """How long to leave a request alone after so many failed tries."""
    return min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(max(tries - 1, 0), 10))


def state_after(tries: int, limit: int = TRIES) -> RequestState:
    """What a request is after so many failed tries, of which it has `limit`."""
    return RequestState.FAILED if tries >= limit else RequestState.WAITING


def tool_settings(*storages: tuple[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """What a transfer tool needs to know of the storages it copies between, given as (plugin, settings): by plugin.

    Where both ends have the same plugin, lists are put together, and the later end's values go before.
    """
    merged: dict[str, dict[str, Any]] = {}
    for plugin, settings in storages:
        known = merged.setdefault(plugin, {})
        for key, value in settings.items():
            before = known.get(key)
            if isinstance(before, list) and isinstance(value, list):
                known[key] = [*cast(list[Any], before), *(v for v in cast(list[Any], value) if v not in before)]
            else:
                known[key] = value
    return merged
