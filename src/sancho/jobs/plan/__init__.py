"""Pure decisions about jobs: what each one of a submission is, which sites could run it, what follows a failure."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sancho.jobs.errors import NoSiteCanRun, OutputOutside, ParameterMissing, TooManyOutputs
from sancho.jobs.model import (
    FAULTS,
    JOB_ID,
    MOST_AHEAD,
    MOST_OUTPUTS,
    RUNNERS,
    TRANSITIONS,
    UNTAKEN,
    Description,
    Failure,
    Fault,
    JobState,
    Reason,
    Report,
    Requirement,
    Retry,
    Slot,
    Standing,
    Status,
    StatusKind,
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
SAID_BY_RUNNERS = frozenset({JobState.RUNNING, JobState.COMPLETING, JobState.DONE, JobState.FAILED})
"""What only those report, of a job that waits or that others run, who do not know that."""


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


def check_feasible(ways: Sequence[Requirement], slots: Sequence[Slot], *, anyway: bool = False) -> int:
    """How many sites have a slot that fits one of the ways of a job.

    Raises `NoSiteCanRun`, with what the nearest slots lack, when there are slots and none fits, unless it is to wait
    `anyway`. Where there is no slot at all nothing is known yet of what there will be, so the job waits.
    """
    able = {slot.site for slot in slots if any(not lacks(way, slot) for way in ways)}
    if slots and not able and not anyway:
        raise NoSiteCanRun(why=_obstacle(ways, slots) or "", ces=_each(ways, slots))
    return len(able)


def _each(ways: Sequence[Requirement], slots: Sequence[Slot]) -> str:
    """The first thing that each CE lacks, of the nearest few."""
    least = sorted((min((lacks(way, slot) for way in ways), key=len), slot.ce) for slot in slots)
    least.sort(key=lambda one: (len(one[0]), one[1]))
    said = [f"{ce}: {missing[0]}" for missing, ce in least[:MOST_NAMED]]
    return "; ".join([*said, *([f"and {len(least) - MOST_NAMED} more"] if len(least) > MOST_NAMED else [])])


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

    It may be as often as its description says of that fault, and `max_attempts` bounds all `attempts` together. What
    it says of the payload's exit code comes first; failures of which it says something count for no fault.
    """
    fault, said = _fault(past[-1]), retry.said_by(past[-1])
    before = sum(1 for one in past[:-1] if _fault(one) is fault and retry.said_by(one) is None)
    most = retry.most(fault) if said is None else None if said else 0
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
        if one.recent and one.site is not None and one.site_id is not None and _fault(one) is Fault.SITE:
            weights[one.site, one.site_id] += 1 if one.reason in (Reason.PILOT_LOST, Reason.PILOT_STOPPED) else 2
    failed = {site: site_id for (site, site_id), weight in weights.items() if weight > 1}
    last = past[-1].site
    if _fault(past[-1]) is not Fault.SITE or last is None or last not in failed:
        return ()
    for sites in (tuple(failed), (last,)):
        rest = [slot for slot in slots if slot.site not in sites]
        if any(not lacks(way, slot) for way in ways for slot in rest):
            return tuple(sorted(failed[site] for site in sites))
    return ()


def elsewhere(ways: Sequence[Requirement], site_ids: Sequence[int]) -> list[Requirement]:
    """The ways of a queue, whose sites are named by ids, without some sites."""
    banned = tuple(map(str, site_ids))
    return [in_order(replace(way, banned_sites=(*way.banned_sites, *banned))) for way in ways]


# ---- what is reported


def bounded(reports: Sequence[Report], now: datetime) -> list[Report]:
    """Reports in the order of their times; what a clock puts too far into the future is taken to be of the limit.

    So such a clock loses nothing that is said, keeps the order of one call, and outruns others by `MOST_AHEAD` at most.
    """
    limit, late = now + MOST_AHEAD, 0
    found: list[Report] = []
    for report in sorted(reports, key=lambda one: (one.job_id, one.at)):
        if report.at > limit:
            found.append(replace(report, at=limit + timedelta(microseconds=late)))
            late += 1
        else:
            found.append(report)
    return found


def latest(reports: Sequence[Report]) -> list[Status]:
    """Of each text of each job the one that was said last; of those said at one time, the one that sorts last."""
    found: dict[tuple[int, StatusKind], Status] = {}
    for report in reports:
        for kind, said in ((StatusKind.MINOR, report.minor), (StatusKind.APPLICATION, report.application)):
            if said is None:
                continue
            one = Status(job_id=report.job_id, kind=kind, at=report.at, said=said, source=report.source)
            known = found.get((report.job_id, kind))
            if known is None or (one.at, one.said, one.source) > (known.at, known.said, known.source):
                found[report.job_id, kind] = one
    return list(found.values())


def walk(standing: Standing, reports: Sequence[Report], *, force: bool = False) -> tuple[JobState, datetime] | None:
    """Where reports, in the order of their times, move a job, and of when the last that did is; None when nowhere.

    What is older than the job's last change of state moves nothing, nor does what `may_report` does not allow.
    """
    state, moved = standing.state, None
    for report in reports:
        if report.state is None or report.at < standing.changed_at:
            continue
        if may_report(replace(standing, state=state), report.state, force=force):
            state, moved = report.state, report.at
    return None if moved is None else (state, moved)


def from_strays(standing: Standing | None, reports: Sequence[Report], *, force: bool = False) -> list[Report]:
    """Of reports, in the order of their times, about a job whose runner was given up, those that are that runner's.

    Who runs a job says that it runs or how it ended, or has such a name. Whoever takes it anew says first that it is
    matched, which a runner that has it no longer does; what follows is theirs. `standing` may be None when no report
    has a state.
    """
    found: list[Report] = []
    for report in reports:
        if (
            standing is not None
            and standing.state in UNTAKEN
            and report.state is JobState.MATCHED
            and report.at >= standing.changed_at
        ):
            break
        if report.source.startswith(RUNNERS) or (report.state in SAID_BY_RUNNERS and not force):
            found.append(report)
    return found


def may_report(standing: Standing, wanted: JobState, *, force: bool = False) -> bool:
    """Say whether a report may move a job.

    It may kill every job that has not ended. Else it moves none that a pilot of ours runs: its pilot says how it goes.
    Others go as the states allow, or with `force` as is wanted, to where only who runs them can know; but none is done
    that promises outputs that are not there, and none goes back into a queue.
    """
    if standing.state.final:
        return False
    if wanted is JobState.KILLED:
        return True
    if standing.open or (wanted not in TRANSITIONS[standing.state] and not force):
        return False
    if wanted is JobState.DONE:
        return not standing.promises
    return wanted in (JobState.MATCHED, JobState.RUNNING, JobState.COMPLETING, JobState.FAILED)


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


def likeness(description: Description) -> str:
    """What descriptions have in common whose jobs wait in one queue for the same; those with outputs stand alone."""
    same = replace(description, name="", command=(), job_group=None, environment={}, output_sandbox=())
    return repr(description if description.outputs else same)


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


def input_digest(did_ids: Sequence[int], shared: Mapping[str, Sequence[str]], start_with: str | None = None) -> bytes:
    """What makes two jobs share an input set: the DIDs of their VO, what others share with it, how much is enough."""
    said = ",".join(map(str, sorted(set(did_ids)))) + (json.dumps(shared, sort_keys=True) if shared else "")
    return hashlib.sha256((said + (f" from {start_with}" if start_with else "")).encode()).digest()


def enough(start_with: str | None, files: int) -> int:
    """How many of so many files have to be there for a job to start: `40` of them, `80%` rounded up, or all."""
    if start_with is None:
        return files
    if start_with.endswith("%"):
        return min(files, max(1, -(-files * int(start_with[:-1]) // 100)))
    return min(files, int(start_with))
