"""Pure decisions about replicas: shares of a claim, back-off, which paths share a token."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import groupby
from typing import TypeVar

from sancho.replicas.model import ReplicaKey, Usage

T = TypeVar("T")

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)


def share(limit: int, places: int) -> int:
    """How many deletions each of some (RSE, VO) may have of a claim of `limit`: equally many, and at least one."""
    return max(1, limit // max(1, places))


def wait_after(tries: int) -> timedelta:
    """How long to leave a storage alone that has refused a deletion so many times."""
    return min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(max(tries - 1, 0), 10))


def sums(changes: Iterable[tuple[int, int, int]]) -> list[Usage]:
    """Sum (RSE, files, bytes) by RSE, in order of RSE, which is the order in which slots are locked."""
    ordered = sorted(changes)
    return [
        Usage(rse_id, sum(files for _, files, _ in group), sum(size for _, _, size in group))
        for rse_id, found in groupby(ordered, key=lambda change: change[0])
        for group in [list(found)]
    ]


def counted(keys: Sequence[ReplicaKey]) -> tuple[list[ReplicaKey], list[int]]:
    """Distinct keys in order, and how often each was given."""
    times: dict[ReplicaKey, int] = {}
    for key in sorted(keys):
        times[key] = times.get(key, 0) + 1
    return list(times), list(times.values())


def parts(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """Cut a sequence into parts of at most `size`."""
    return [items[at : at + size] for at in range(0, len(items), size)]
