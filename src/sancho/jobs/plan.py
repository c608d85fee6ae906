"""Pure decisions about jobs: what each one of a submission is, which sites could run it, what follows a failure."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sancho.jobs.errors import NoSiteCanRun, OutputOutside, ParameterMissing, TooManyOutputs
from sancho.jobs.model import (
    FAULTS,
    JOB_ID,
    MOST_OUTPUTS,
    Description,
    Failure,
    Fault,
    JobState,
    Reason,
    Requirement,
    Retry,
    Slot,
    fill,
    lacks,
    leads_outside,
    placeholders,
)
from sancho.kit import tags
from sancho.kit.documents import write
from sancho.kit.policy import did
from sancho.sharing.model import owner_of

MOST_NAMED = 5
"""CEs that a sentence names."""


def rows_with_numbers(parameters: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give each job of a submission its parameters and, unless it has one, its `number` from 1."""
    return [{"number": i, **row} for i, row in enumerate(parameters, start=1)]


def check_placeholders(description: Description, rows: Sequence[Mapping[str, Any]]) -> None:
    """Raise `ParameterMissing` when a text wants a parameter that some job lacks.

    Outputs have their names before their jobs have numbers, so `{job_id}` is no parameter of theirs.
    """
    texts = {
        "command": list(description.command),
        "environment": list(description.environment.values()),
        "outputs": [text for o in description.outputs for text in (o.path, o.did, o.dataset or "")],
    }
    for where, values in texts.items():
        late = {JOB_ID} if where != "outputs" else set[str]()
        for name in sorted(placeholders(values) - late):
            for number, row in enumerate(rows):
                if name not in row:
                    raise ParameterMissing(where=where, name=name, number=number)


def check_tags(ways: Sequence[Requirement]) -> None:
    """Raise `TagsMalformed` for the first wish for tags that cannot be read."""
    for n, way in enumerate(ways):
        for i, wish in enumerate(way.tags):
            try:
                tags.parse(wish)
            except tags.TagsMalformed as e:
                e.field = f"description.{way_field(n)}.tags.{i}"
                raise


def way_field(number: int) -> str:
    """Where in a description one of its ways stands."""
    return "requirements" if number == 0 else f"alternatives.{number - 1}"


def check_outputs(description: Description, rows: Sequence[Mapping[str, Any]]) -> None:
    """Raise `TooManyOutputs`, or `OutputOutside` for the first path that parameters lead out of a job's folder."""
    count = len(description.outputs) * len(rows)
    if count > MOST_OUTPUTS:
        raise TooManyOutputs(count=count, limit=MOST_OUTPUTS)
    for n, output in enumerate(description.outputs):
        for number, row in enumerate(rows) if placeholders([output.path]) else ():
            path = fill(output.path, row)
            if leads_outside(path):
                raise OutputOutside(number=number, path=path, field=f"description.outputs.{n}.path")


def output_names(description: Description, rows: Sequence[Mapping[str, Any]]) -> list[list[tuple[str, str | None]]]:
    """For each job its outputs as (DID, dataset), filled in."""
    return [
        [(fill(o.did, row), fill(o.dataset, row) if o.dataset else None) for o in description.outputs] for row in rows
    ]


def things(ways: Sequence[Requirement], named: Sequence[Sequence[tuple[str, str | None]]]) -> list[str]:
    """What a submission is about: the outputs of all jobs and their datasets, the tags and sites it asks for."""
    names = dict.fromkeys(name for job in named for output in job for name in output if name)
    wanted = [tag for way in ways for wish in way.tags for tag in tags.wanted(tags.parse(wish))]
    sites = [site for way in ways for site in way.sites]
    return [*map(did, names), *dict.fromkeys([*(f"tag:{tag}" for tag in wanted), *(f"site:{site}" for site in sites)])]


def check_feasible(ways: Sequence[Requirement], slots: Sequence[Slot]) -> None:
    """Raise `NoSiteCanRun`, with what the nearest slot lacks, unless some slot fits one of the ways of a job."""
    if (why := _obstacle(ways, slots)) is not None:
        raise NoSiteCanRun(why=why)


def why_waiting(ways: Sequence[Requirement], slots: Sequence[Slot]) -> str:
    """Say what a job waits for that is in its queue, its inputs complete."""
    if (why := _obstacle(ways, slots)) is not None:
        return f"no compute element can run it now: {why}"
    fitting = sorted(s.ce for s in slots if any(not lacks(way, s) for way in ways))
    named = [*fitting[:MOST_NAMED], *(["others"] if len(fitting) > MOST_NAMED else [])]
    return f"no pilot at {' or '.join(named)} has had a free slot for it yet"


def _obstacle(ways: Sequence[Requirement], slots: Sequence[Slot]) -> str | None:
    """Why none of these slots fits; None when one does."""
    if not slots:
        return "your VO has no compute element"
    tried = [(lacks(way, slot), slot) for way in ways for slot in slots]
    missing, best = min(tried, key=lambda one: (len(one[0]), one[1].ce))
    return f"the nearest is {best.ce} at {best.site}, but {'; '.join(missing)}" if missing else None


def after_failure(past: Sequence[Failure], retry: Retry, *, attempts: int, max_attempts: int) -> JobState:
    """The job's state after a failed attempt, the last of its `past` ones: back to its queue while it may be retried.

    It may be as often as its description says of that fault, and `max_attempts` bounds all `attempts` together.
    """
    fault = _fault(past[-1])
    before = sum(1 for one in past[:-1] if _fault(one) is fault)
    most = retry.most(fault)
    again = attempts < max_attempts and (most is None or before < most)
    return JobState.WAITING if again else JobState.FAILED


def _fault(failure: Failure) -> Fault:
    return Fault.SITE if failure.reason is None else FAULTS[failure.reason]


def to_avoid(past: Sequence[Failure], ways: Sequence[Requirement], slots: Sequence[Slot]) -> tuple[int, ...]:
    """The sites where a job is not to be tried again for a while: those that failed it of late, by their own fault.

    That a pilot stopped or fell silent says little of its site, so it must happen twice. Only the last of the sites
    is avoided if no other slot would fit; none if that one alone has such slots.
    """
    weights: Counter[tuple[str, int]] = Counter()
    for one in past:
        if one.recent and _fault(one) is Fault.SITE:
            weights[one.site, one.site_id] += 1 if one.reason in (Reason.PILOT_LOST, Reason.PILOT_STOPPED) else 2
    failed = {site: site_id for (site, site_id), weight in weights.items() if weight > 1}
    if _fault(past[-1]) is not Fault.SITE or past[-1].site not in failed:
        return ()
    for sites in (tuple(failed), (past[-1].site,)):
        rest = [slot for slot in slots if slot.site not in sites]
        if any(not lacks(way, slot) for way in ways for slot in rest):
            return tuple(sorted(failed[site] for site in sites))
    return ()


def elsewhere(ways: Sequence[Requirement], site_ids: Sequence[int]) -> list[Requirement]:
    """The ways of a queue, whose sites are named by ids, without some sites."""
    banned = tuple(map(str, site_ids))
    return [in_order(replace(way, banned_sites=(*way.banned_sites, *banned))) for way in ways]


def in_order(way: Requirement) -> Requirement:
    """The same requirement, written the same way however its lists were ordered."""
    return replace(
        way, tags=tuple(sorted(set(way.tags))), sites=tuple(sorted(set(way.sites))),
        banned_sites=tuple(sorted(set(way.banned_sites))),
    )  # fmt: skip


def queue_digest(who: Mapping[str, Any], ways: Sequence[Requirement], input_set_id: int | None) -> bytes:
    """What makes two jobs wait in the same task queue; `who` is whose they are, of what type and priority.

    Of a queue for jobs that avoid sites, `who` is the queue that they come from.
    """
    said = [dict(who), [write(in_order(way)) for way in ways], input_set_id]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).digest()


def submission_digest(description: Mapping[str, Any], rows: Sequence[str]) -> bytes:
    """What makes two submissions the same; rows as JSON texts."""
    digest = hashlib.sha256(json.dumps(description, sort_keys=True).encode())
    for row in rows:
        digest.update(b"\n" + row.encode())
    return digest.digest()


def by_owner(names: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Inputs of one's own VO, and those of others by their owner."""
    own: list[str] = []
    shared: dict[str, list[str]] = {}
    for name in names:
        owner, did = owner_of(name)
        (own if owner is None else shared.setdefault(owner, [])).append(did)
    return own, {owner: sorted(set(shared[owner])) for owner in sorted(shared)}


def input_digest(did_ids: Sequence[int], shared: Mapping[str, Sequence[str]]) -> bytes:
    """What makes two jobs share an input set: the DIDs of their VO, and what others share with it."""
    said = ",".join(map(str, sorted(set(did_ids))))
    return hashlib.sha256((said + (json.dumps(shared, sort_keys=True) if shared else "")).encode()).digest()
