"""Pure decisions about jobs: what each one of a submission is, which sites could run it, what follows a failure."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sancho.jobs.errors import NoSiteCanRun, OutputOutside, ParameterMissing, TooManyOutputs
from sancho.jobs.model import (
    JOB_ID,
    MOST_OUTPUTS,
    Description,
    JobState,
    Reason,
    Requirement,
    fill,
    leads_outside,
    placeholders,
)
from sancho.kit.policy import did
from sancho.kit.units import in_words
from sancho.sharing.model import owner_of

MOST_NAMED = 5
"""CEs that a sentence names."""


@dataclass(frozen=True, kw_only=True)
class Slot:
    """What one CE offers per pilot."""

    ce: str
    site: str
    cores: int
    memory: int
    walltime: timedelta
    tags: frozenset[str]
    off: str | None = None
    """Why no pilot of it takes jobs now."""


def slot_of(row: tuple[Any, ...], *, patient: bool = False) -> Slot:
    """A slot as the store tells it; for the `patient`, a site that is disabled will be enabled again."""
    ce, site, cores, memory, walltime, tags, ce_enabled, site_enabled, max_pilots = row
    off = None
    if not ce_enabled:
        off = "it is disabled"
    elif not site_enabled and not patient:
        off = f"site {site} is disabled"
    elif max_pilots == 0 and not patient:
        off = "it may have no pilots (max_pilots is 0)"
    return Slot(ce=ce, site=site, cores=cores, memory=memory, walltime=walltime, tags=frozenset(tags), off=off)


def requirement_of(said: Mapping[str, Any]) -> Requirement:
    """A requirement as a description is stored with it."""
    return Requirement(
        cores=said["cores"], memory=said["memory"], walltime=timedelta(seconds=said["walltime"]),
        tags=tuple(said["tags"]), sites=tuple(said["sites"]), banned_sites=tuple(said["banned_sites"]),
    )  # fmt: skip


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


def things(requirement: Requirement, named: Sequence[Sequence[tuple[str, str | None]]]) -> list[str]:
    """What a submission is about: the outputs of all jobs and their datasets, the tags and sites it asks for."""
    names = dict.fromkeys(name for job in named for output in job for name in output if name)
    asked = [*(f"tag:{tag}" for tag in requirement.tags), *(f"site:{site}" for site in requirement.sites)]
    return [*map(did, names), *asked]


def lacks(requirement: Requirement, slot: Slot) -> list[str]:
    """What a slot lacks for a job; empty when it fits."""
    missing: list[str] = []
    if requirement.sites and slot.site not in requirement.sites:
        missing.append(f"it is not at {' or '.join(requirement.sites)}")
    if slot.site in requirement.banned_sites:
        missing.append(f"site {slot.site} is banned by the job")
    if slot.cores < requirement.cores:
        missing.append(f"{slot.cores} of {requirement.cores} cores")
    if slot.memory < requirement.memory:
        missing.append(f"{slot.memory} of {requirement.memory} bytes of memory")
    if slot.walltime < requirement.walltime:
        missing.append(f"{in_words(slot.walltime)} of {in_words(requirement.walltime)} wall time")
    if absent := sorted(set(requirement.tags) - slot.tags):
        missing.append(f"tag {', '.join(absent)}")
    if slot.off is not None:
        missing.append(slot.off)
    return missing


def check_feasible(requirement: Requirement, slots: Sequence[Slot]) -> None:
    """Raise `NoSiteCanRun`, with what the nearest slot lacks, unless some slot fits."""
    if (why := _obstacle(requirement, slots)) is not None:
        raise NoSiteCanRun(why=why)


def why_waiting(requirement: Requirement, slots: Sequence[Slot]) -> str:
    """Say what a job waits for that is in its queue, its inputs complete."""
    if (why := _obstacle(requirement, slots)) is not None:
        return f"no compute element can run it now: {why}"
    fitting = sorted(s.ce for s in slots if not lacks(requirement, s))
    named = [*fitting[:MOST_NAMED], *(["others"] if len(fitting) > MOST_NAMED else [])]
    return f"no pilot at {' or '.join(named)} has had a free slot for it yet"


def _obstacle(requirement: Requirement, slots: Sequence[Slot]) -> str | None:
    """Why none of these slots fits; None when one does."""
    if not slots:
        return "your VO has no compute element"
    best = min(slots, key=lambda s: (len(lacks(requirement, s)), s.ce))
    missing = lacks(requirement, best)
    return f"the nearest is {best.ce} at {best.site}, but {'; '.join(missing)}" if missing else None


def after_failure(reason: Reason, *, attempts: int, max_attempts: int) -> JobState:
    """The job's state after a failed attempt: back to the queue for faults of the grid, while tries are left."""
    return JobState.WAITING if reason.worth_retrying and attempts < max_attempts else JobState.FAILED


def queue_digest(group_id: int, requirement: Requirement, input_set_id: int | None, priority: int) -> bytes:
    """What makes two jobs wait in the same task queue."""
    need = requirement
    said = [group_id, need.cores, need.memory, need.walltime.total_seconds(), sorted(need.tags), sorted(need.sites),
            sorted(need.banned_sites), input_set_id, priority]  # fmt: skip
    return hashlib.sha256(json.dumps(said).encode()).digest()


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
