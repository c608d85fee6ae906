"""Jobs that wait for other jobs: which for which, and what follows when one has ended. Pure."""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from graphlib import CycleError, TopologicalSorter

from sancho.jobs.errors import AfterUnfit, Circular, TooManyEdges
from sancho.jobs.model import MOST_EDGES, After, Edge, Ending, JobState, Part, When, Which

Place = tuple[int, int]
"""A job of a call: the place of its part, and its own in that, both from 0."""
Wait = tuple[Place, Place | int, When]
"""A job of a call, and what it waits for: another one of it, or a job that there is, by its id."""


def field(part: int, rest: str) -> str:
    """Where in a request of several submissions something of one stands."""
    return f"submissions.{part}.{rest}"


def said(after: Sequence[After]) -> list[str]:
    """What jobs wait for as texts, the same for the same: they make a submission another one."""
    return [f"after {json.dumps({**asdict(one), 'which': one.which.value, 'when': one.when.value})}" for one in after]


def awaited_ids(parts: Sequence[Part], fresh: Collection[int]) -> dict[int, str]:
    """The jobs that those parts name by id that are `fresh`, with the field that names each first."""
    found: dict[int, str] = {}
    for p in sorted(fresh):
        for n, one in enumerate(parts[p].after):
            if one.job_id is not None:
                found.setdefault(one.job_id, field(p, f"after.{n}"))
    return found


def waits(parts: Sequence[Part]) -> list[Wait]:
    """Who waits for whom, each pair once; of two conditions of a pair the stricter holds.

    Raises `AfterUnfit` for what names nothing, `TooManyEdges`, and `Circular` when jobs would wait for themselves.
    """
    names = _places_of_names(parts)
    found: dict[tuple[Place, Place | int], When] = {}
    left = MOST_EDGES
    for p, part in enumerate(parts):
        for n, one in enumerate(part.after):
            where = field(p, f"after.{n}")
            own = _own(part, one, where)
            left -= _count(parts, one, names, own)
            if left < 0:
                raise TooManyEdges(limit=MOST_EDGES, field=where)
            for pair in _pairs(parts, (p, own), one, names, where):
                strict = found.get(pair) is When.DONE or one.when is When.DONE
                found[pair] = When.DONE if strict else When.ENDED
    _check_circles(parts, found)
    return [(own, before, when) for (own, before), when in found.items()]


def _places_of_names(parts: Sequence[Part]) -> dict[str, list[int]]:
    names: dict[str, list[int]] = {}
    for p, part in enumerate(parts):
        names.setdefault(part.description.name, []).append(p)
    return names


def _own(part: Part, one: After, where: str) -> Sequence[int]:
    """The jobs of a part that wait."""
    count = part.count
    if one.job is None:
        return range(count)
    if one.job > count:
        raise AfterUnfit(reason=f"There is no job {one.job} among these {count}.", field=f"{where}.job")
    return [one.job - 1]


def _count(parts: Sequence[Part], one: After, names: Mapping[str, Sequence[int]], own: Sequence[int]) -> int:
    """How many pairs it makes at most."""
    every = one.name is not None and one.number is None and one.which is Which.ALL
    return len(own) * (sum(parts[p].count for p in names.get(one.name or "", ())) if every else 1)


def _pairs(
    parts: Sequence[Part], own: tuple[int, Sequence[int]], one: After, names: Mapping[str, Sequence[int]], where: str
) -> Iterable[tuple[Place, Place | int]]:
    part, rows = own
    if one.job_id is not None:
        yield from (((part, row), one.job_id) for row in rows)
        return
    there = names.get(one.name or "", ())
    if len(there) != 1:
        reason = "Several submissions of this call have" if there else "No submission of this call has"
        raise AfterUnfit(reason=f"{reason} the name {one.name!r}.", field=f"{where}.name")
    other, count = there[0], parts[there[0]].count
    if one.number is not None:
        if one.number > count:
            raise AfterUnfit(reason=f"{one.name} has no job {one.number}, only {count}.", field=f"{where}.number")
        yield from (((part, row), (other, one.number - 1)) for row in rows)
    elif one.which is Which.ALL:
        yield from (((part, row), (other, before)) for row in rows for before in range(count))
    else:
        back = 1 if one.which is Which.PREVIOUS else 0
        if max(rows, default=0) - back >= count:
            reason = f"{one.name} has {count} jobs, too few for each of these to wait for its own."
            raise AfterUnfit(reason=reason, field=f"{where}.which")
        yield from (((part, row), (other, row - back)) for row in rows if row >= back)


def _check_circles(parts: Sequence[Part], found: Iterable[tuple[Place, Place | int]]) -> None:
    """Raise `Circular` when jobs of a call wait for themselves: those that there are already wait for none of it."""
    sorter: TopologicalSorter[Place] = TopologicalSorter()
    for own, before in found:
        if not isinstance(before, int):
            sorter.add(own, before)
    try:
        sorter.prepare()
    except CycleError as e:
        circle: list[Place] = e.args[1]
        names = [f"{parts[p].description.name}[{row + 1}]" for p, row in circle]
        shown = [*names[:5], "…", names[-1]] if len(names) > 7 else names
        raise Circular(circle=" before ".join(shown), field=field(circle[0][0], "after")) from None


def edges(found: Sequence[Wait], job_ids: Sequence[Sequence[int]], fresh: Collection[int]) -> list[Edge]:
    """The same with ids of jobs, of those parts alone that are `fresh`."""
    return [
        Edge(
            before_id=before if isinstance(before, int) else job_ids[before[0]][before[1]],
            job_id=job_ids[part][row],
            when=when,
        )
        for (part, row), before, when in found
        if part in fresh
    ]


# ---- what follows when a job has ended


def met(when: When, state: JobState) -> bool | None:
    """Whether what is wanted of a job has come true; None while it still can, False when it never will by itself."""
    if not state.final:
        return None
    return when is When.ENDED or state is JobState.DONE


def doomed(below: Sequence[tuple[int, int]], roots: Mapping[int, int], pending: Collection[int]) -> dict[int, int]:
    """The jobs that can never start, each with the one that it waited for in vain.

    `roots` are those that are found out already; `below` are pairs of jobs of which the second wants the first to be
    done. Only those that are `pending` go this way, so that nothing below a job that does not is touched.
    """
    after: dict[int, list[int]] = defaultdict(list)
    for before_id, job_id in below:
        after[before_id].append(job_id)
    found = {job_id: before_id for job_id, before_id in roots.items() if job_id in pending}
    todo = list(found)
    while todo:
        before_id = todo.pop()
        for job_id in after[before_id]:
            if job_id in pending and job_id not in found:
                found[job_id] = before_id
                todo.append(job_id)
    return found


def sorted_out(endings: Sequence[Ending]) -> tuple[list[Ending], dict[int, int]]:
    """Those that came true, and the jobs that wait in vain, each with the one for which it does."""
    true = [one for one in endings if met(one.when, one.state)]
    vain = {one.job_id: one.before_id for one in endings if met(one.when, one.state) is False}
    return true, vain


def further(endings: Sequence[Ending], most: int) -> dict[int, int]:
    """Of the jobs with as many pairs as were read at `most`, the highest id that was: there may be more behind it."""
    counts = Counter(one.before_id for one in endings)
    highest: dict[int, int] = {}
    for one in endings:
        if counts[one.before_id] >= most:
            highest[one.before_id] = max(one.job_id, highest.get(one.before_id, 0))
    return highest
