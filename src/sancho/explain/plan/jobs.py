"""Why a job does not run, in the order in which things have to be out of its way, and what would start it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from sancho.explain.model import MOST_TOLD, Blocker, Cause, Change, Explanation, Fact, Would, few, in_bytes, would
from sancho.explain.plan import copies
from sancho.explain.plan.copies import Copied
from sancho.explain.plan.relaxing import PARTS, Case, helps, relaxed, told
from sancho.jobs.model import Awaited, JobState, Requirement, Slot, When
from sancho.matching.model import Rank

BY_PLACE = tuple(part for part in PARTS if part.name in {"enabled", "inputs_there"})
"""Parts that lie with a place and pass by themselves; all others are what the job asks for."""


class MissingFile(NamedTuple):
    """An input that is nowhere available: its replicas that are not, and what its transfers last ran into."""

    did: str
    replicas: tuple[str, ...]
    transfers: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class InputsSeen:
    """How the inputs of a job are: what was last found to be in the way, and which files are nowhere available."""

    obstacle: str | None
    files: int
    size: int
    missing: int = 0
    some_missing: tuple[MissingFile, ...] = ()
    would_do: tuple[str, ...] = ()
    """RSEs that have all that is missing, in replicas that are not available now."""
    kept: tuple[str, ...] = ()
    """By what they are kept for the jobs that want them, where that is needed."""
    there: int = 0
    least: int | None = None
    """So many files are available, and so many are enough; None: all."""
    on_tape: int = 0
    """Of the missing files those that a tape has."""
    copied: tuple[Copied, ...] = ()


class Pilots(NamedTuple):
    """Pilots of a CE: how many there are, those with jobs of the VO among them, how many may be, those to come."""

    alive: int
    own: int
    most: int
    coming: int = 0


class FullLimit(NamedTuple):
    """A limit under which as many jobs run as may: at a site, by its id, or at all together."""

    name: str
    most: int
    site: str | None


class Turn(NamedTuple):
    """Who goes before a job: other owners of the VO, own queues of higher priority, jobs of its own queue.

    `own_jobs` are the jobs in those own queues.
    """

    owners: int
    own_first: bool
    jobs: int
    more: bool = False
    """There are more jobs than were counted."""
    own_jobs: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class JobSeen:
    """What is known of a job, at a moment. Slots name sites by their ids, and `sites` says how those are called."""

    job_id: int
    state: JobState
    account: str
    suspended: bool
    attempts: int
    max_attempts: int
    detail: str | None
    site: str | None
    ways: tuple[Requirement, ...]
    places: tuple[tuple[Slot, bool], ...]
    """Slots of CEs, each with whether the job may run there as far as its inputs go."""
    sites: Mapping[str, str]
    complete: bool
    inputs: InputsSeen | None
    after: Awaited = field(default_factory=lambda: Awaited(all=0, open=0))
    sizes: Mapping[str, int] = field(default_factory=dict[str, int])
    """Bytes of its inputs by the names of sites."""
    anywhere_from: datetime | None = None
    """From when on sites without most of its inputs take it too."""
    pilots: Mapping[str, Pilots] = field(default_factory=dict[str, Pilots])
    """By CE."""
    turn: Turn | None = None
    limits: tuple[FullLimit, ...] = ()
    ranks: Mapping[str, Rank] = field(default_factory=dict[str, Rank])
    """What it costs at the CEs that fit it, as its VO weighs that."""
    full_quotas: tuple[str, ...] = ()
    """Quotas that its outputs count against and that have no room left."""

    @property
    def cases(self) -> list[Case]:
        """Each way of the job with each slot."""
        return [
            Case(need=way, slot=slot, near=near or way.far is True) for slot, near in self.places for way in self.ways
        ]


def explain(seen: JobSeen) -> Explanation:
    """Say why a job does not run, and what would start it."""
    waits = seen.state in (JobState.PENDING, JobState.WAITING)
    blockers = tuple(_waiting(seen)) if waits else tuple(_ended(seen))
    first = blockers[0].says if waits and blockers else None
    says = _state(seen) if first is None else f"It waits: {first[0].lower()}{first[1:]}"
    return Explanation(
        kind="job", name=str(seen.job_id), state=seen.state.word, says=says, blockers=blockers,
        would=tuple(_would(seen)) if waits else (), facts=_facts(seen),
    )  # fmt: skip


def _state(seen: JobSeen) -> str:
    where = f" at {seen.site}" if seen.site else ""
    return {
        JobState.MATCHED: f"A pilot{where} has it and readies its inputs.",
        JobState.RUNNING: f"It runs{where}.",
        JobState.COMPLETING: f"It has run{where}, and its outputs are being brought.",
        JobState.DONE: "It is done.",
    }.get(seen.state, f"It is {seen.state.word}{f': {seen.detail}' if seen.detail else ''}.")


def _ended(seen: JobSeen) -> list[Blocker]:
    if seen.state is JobState.HELD:
        hint = f"`sancho job release {seen.job_id}` puts it back into its queue."
        return [Blocker(cause=Cause.STATE, says=f"It is {seen.detail or 'held'}.", hint=hint)]
    if seen.state not in (JobState.FAILED, JobState.KILLED):
        return []
    job, cause = seen.job_id, Cause.ATTEMPTS if seen.state is JobState.FAILED else Cause.STATE
    hint = f"`sancho job logs {job}` shows what it printed; `sancho job reschedule {job}` tries it again."
    says = f"It was {seen.state.word} after {seen.attempts} of at most {seen.max_attempts} attempts"
    if seen.state is JobState.FAILED:
        says = f"It failed in attempt {seen.attempts} of at most {seen.max_attempts}"
    return [Blocker(cause=cause, says=f"{says}{f': {seen.detail}' if seen.detail else ''}.", hint=hint)]


def _facts(seen: JobSeen) -> dict[str, Fact]:
    facts: dict[str, Fact] = {
        "account": seen.account,
        "site": seen.site,
        "attempts": f"{seen.attempts} of at most {seen.max_attempts}" if seen.attempts else None,
        "last heard": seen.detail,
    }
    if seen.inputs is not None:
        facts["input files"] = seen.inputs.files or None
        facts["input bytes"] = in_bytes(seen.inputs.size) if seen.inputs.size else None
        facts["inputs kept"] = seen.inputs.kept
        if seen.inputs.least is not None:
            there = f"{seen.inputs.there} {'is' if seen.inputs.there == 1 else 'are'} there"
            facts["starts with"] = f"{seen.inputs.least} of {seen.inputs.files} files, of which {there}"
        facts["inputs copied"] = few([f"{one.did}: {copies.progress(one)}" for one in seen.inputs.copied])
        facts["inputs at"] = few([f"{site}: {in_bytes(size)}" for site, size in _most(seen.sizes)])
    if seen.state in (JobState.PENDING, JobState.WAITING):
        able = sorted({seen.sites[case.slot.site] for case in seen.cases if relaxed(case, BY_PLACE).fits})
        facts["sites that could run it"] = few(able)
        best = sorted(seen.ranks.items(), key=lambda each: (each[1].points, each[0]))
        facts["rank"] = few([f"{ce}: {_in_parts(found)}" for ce, found in best])
    return {title: value for title, value in facts.items() if value not in (None, ())}


def _in_parts(found: Rank) -> str:
    parts = [f"{found.data:.3g} h for its data", f"{found.run:.3g} h to run", f"{found.money:.3g} of money"]
    return f"{found.points:.3g} points: {', '.join(parts)}, {found.carbon:.3g} kg of CO2"


def _most(sizes: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(sizes.items(), key=lambda each: (-each[1], each[0]))


# ---- what is in the way


def _waiting(seen: JobSeen) -> list[Blocker]:
    found: list[Blocker] = []
    if seen.suspended:
        says = f"Account {seen.account} is suspended, so its jobs may not touch data."
        hint = "An administrator of your VO can activate it."
        found.append(Blocker(cause=Cause.ACCOUNT, says=says, hint=hint))
    if seen.after.open:
        found.append(_before(seen.after))
    if not seen.complete:
        found.append(_inputs(seen.inputs))
    found += copies.blockers(seen.inputs.copied if seen.inputs is not None else ())
    found += _places(seen)
    if seen.full_quotas:
        says = "There is no room left for its outputs, which will be refused when it has run."
        hint = "Withdraw rules that are not needed any more, or ask an administrator of your VO."
        found.append(Blocker(cause=Cause.QUOTA, says=says, things=few(list(seen.full_quotas)), hint=hint))
    return found


def _before(after: Awaited) -> Blocker:
    who = "One other job has" if after.open == 1 else f"{after.open} other jobs have"
    things = [f"job {job_id} is {state.word}, and has to {_end(when)}" for job_id, state, when in after.first]
    rest = after.open - len(things)
    return Blocker(
        cause=Cause.JOBS, says=f"{who} to come before it.",
        things=(*things, f"and {rest} more") if rest > 0 else tuple(things),
        hint=f"`sancho explain job {after.first[0][0]}` says what becomes of the first." if after.first else None,
    )  # fmt: skip


def _end(when: When) -> str:
    return "be done" if when is When.DONE else "end"


def _inputs(inputs: InputsSeen | None) -> Blocker:
    if inputs is None:
        return Blocker(cause=Cause.INPUTS, says="It is being put into its queue.")
    if not inputs.missing:
        says = f"Its inputs are not complete: {inputs.obstacle or 'they are being looked up'}."
        hint = "Close the dataset once all its files are in it: `sancho data close DID`."
        return Blocker(cause=Cause.INPUTS, says=says, hint=hint if "open" in says else None)
    be, which = ("is", "a file") if inputs.missing == 1 else ("are", "files")
    things = [
        f"{file.did}: {', '.join([*file.replicas, *file.transfers]) or 'no replica, and none is on its way'}"
        for file in inputs.some_missing
    ]
    rest = inputs.missing - len(things)
    says = f"{inputs.missing} of its {max(inputs.files, inputs.missing)} input files {be} nowhere available."
    if inputs.on_tape == inputs.missing:
        says = f"{says.removesuffix('nowhere available.')}on tape only, from which they are recalled in turn."
    if inputs.least is not None:
        says = f"{inputs.there} of its {inputs.files} input files are available, and it starts with {inputs.least}."
    return Blocker(
        cause=Cause.INPUTS, says=says, things=(*things, f"and {rest} more") if rest > 0 else tuple(things),
        hint=f"`sancho explain file DID` says what becomes of {which}.",
    )  # fmt: skip


def _places(seen: JobSeen) -> list[Blocker]:
    """What is in the way at the places where it could run: all they lack, or else what passes by itself."""
    cases = seen.cases
    if not cases:
        hint = "Ask an operator for the grant of a compute element."
        return [Blocker(cause=Cause.REQUIREMENT, says="Your VO has no compute element.", hint=hint)]
    able = [case for case in cases if relaxed(case, BY_PLACE).fits]
    if not able:
        return [_requirement(seen)]
    on = [case for case in able if case.slot.off is None]
    if not on:
        things = list(dict.fromkeys(f"{case.slot.ce}: {_why_off(case, seen.sites)}" for case in able))
        says = "Compute elements that could run it are switched off."
        hint = "Wait, or ask the operators of the site."
        return [Blocker(cause=Cause.OFF, says=says, things=few(things), hint=hint)]
    fitting = [case for case in on if case.fits]
    free = [case for case in fitting if not _full_at(seen, case)]
    return _turn(seen, free) if free else [_limit(seen, fitting)] if fitting else [_distance(seen)]


def _full_at(seen: JobSeen, case: Case) -> list[FullLimit]:
    return [limit for limit in seen.limits if limit.site in (None, case.slot.site)]


def _limit(seen: JobSeen, fitting: Sequence[Case]) -> Blocker:
    limits = dict.fromkeys(limit for case in fitting for limit in _full_at(seen, case))
    things = [f"{limit.name}: at most {limit.most}{_at(seen, limit)}" for limit in limits]
    hint = "It begins when one of those that run has ended; an administrator of your VO may raise the limit."
    return Blocker(cause=Cause.LIMIT, says="As many such jobs run as may at once.", things=few(things), hint=hint)


def _at(seen: JobSeen, limit: FullLimit) -> str:
    return "" if limit.site is None else f" at {seen.sites[limit.site]}"


def _why_off(case: Case, sites: Mapping[str, str]) -> str:
    return (case.slot.off or "").replace(f"site {case.slot.site} ", f"site {sites[case.slot.site]} ")


def _requirement(seen: JobSeen) -> Blocker:
    found: dict[str, str] = {}
    for each in helps([case for case in map(_placed, seen.cases) if not case.fits]):
        first = each.changes(seen.sites)[0]
        slot = each.case.slot
        found.setdefault(slot.ce, f"{slot.ce} at {seen.sites[slot.site]}: {first.part}; it would do if {first.says}")
    count = len({slot.ce for slot, _ in seen.places})
    things = list(found.values())
    return Blocker(
        cause=Cause.REQUIREMENT, things=few(things),
        says=f"None of the {count} compute elements of your VO can run what it asks for.",
        hint="Ask for less, as below, or ask for a compute element that has it.",
    )  # fmt: skip


def _placed(case: Case) -> Case:
    return relaxed(case, BY_PLACE)


def _distance(seen: JobSeen) -> Blocker:
    where = [site for site, size in _most(seen.sizes) if size == max(seen.sizes.values())]
    says = f"Most of its input is at {' and '.join(where) or 'other sites'}, where no slot fits it."
    hint = None
    if seen.anywhere_from is not None:
        hint = f"From {_minute(seen.anywhere_from)} on it may run at any site."
    return Blocker(cause=Cause.DISTANCE, says=says, hint=hint)


def _minute(at: datetime) -> str:
    return f"{at + timedelta(seconds=59):%Y-%m-%d %H:%M} UTC"


def _turn(seen: JobSeen, fitting: Sequence[Case]) -> list[Blocker]:
    found: list[Blocker] = []
    names = list(dict.fromkeys(case.slot.ce for case in fitting))
    things = [_pilots(name, seen.pilots.get(name)) for name in names]
    found.append(Blocker(cause=Cause.SLOTS, says="No pilot has had a free slot for it yet.", things=few(things)))
    turn = seen.turn
    if turn is None:
        return found
    if turn.owners:
        who = "One other of your VO goes" if turn.owners == 1 else f"{turn.owners} others of your VO go"
        found.append(Blocker(cause=Cause.SHARE, says=f"{who} first, having had less of the share of their groups."))
    if turn.own_first:
        found.append(Blocker(cause=Cause.ORDER, says=f"Other jobs of {seen.account} have a higher priority."))
    if turn.jobs:
        number = f"{'More than ' if turn.more else ''}{turn.jobs}"
        found.append(Blocker(cause=Cause.ORDER, says=f"{number} of the same kind came before it."))
    return found


def _pilots(ce: str, pilots: Pilots | None) -> str:
    if pilots is None or not pilots.alive:
        return f"{ce}: no pilot yet; those that waiting jobs call for are started every few seconds"
    own = f", {pilots.own} of them with jobs of your VO" if pilots.own else ""
    return f"{ce}: {pilots.alive} of at most {pilots.most} pilots{own}"


# ---- what would help


def _would(seen: JobSeen) -> list[Would]:
    there: tuple[Change, ...] = ()
    if seen.after.open:
        there = (
            Change(part="jobs", says=f"{'the job' if seen.after.open == 1 else 'the jobs'} before it had ended well"),
        )
    if not seen.complete:
        rses = seen.inputs.would_do if seen.inputs is not None else ()
        missing = f"what {rses[0]} has of its inputs" if rses else "all its inputs"
        there = (*there, Change(part="inputs", says=f"{missing} were available"))
    fitting = {case.slot.ce: case for case in seen.cases if case.fits}
    found = [_starts(case, seen.sites, (*there, *_ended_first(seen, case))) for case in fitting.values()]
    rest = [case for case in seen.cases if case.slot.ce not in fitting]
    return (found + [told(each, seen.sites, there) for each in helps(rest)])[:MOST_TOLD]


def _ended_first(seen: JobSeen, case: Case) -> list[Change]:
    return [
        Change(part="limit", says=f"fewer than {limit.most} jobs of limit {limit.name} ran{_at(seen, limit)}")
        for limit in _full_at(seen, case)
    ]


def _starts(case: Case, sites: Mapping[str, str], there: tuple[Change, ...]) -> Would:
    slot, site = case.slot, sites[case.slot.site]
    at = f"at {site} ({slot.ce})"
    says = f"It would start {at}" if there else f"It starts {at} when a pilot there has a free slot and it is its turn"
    return would(says, there, ce=slot.ce, site=site)
