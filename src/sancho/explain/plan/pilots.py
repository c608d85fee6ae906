"""Why a pilot gets no job: what it offers, what waits, and what nearly fits. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sancho.explain.model import MOST_TOLD, Blocker, Cause, Explanation, Fact, Would, few, in_bytes, would
from sancho.explain.plan.relaxing import Help
from sancho.jobs.model import Slot, every_tag
from sancho.kit.units import in_words
from sancho.pilots.model import LEASE, PilotState


@dataclass(frozen=True, kw_only=True, slots=True)
class PilotSeen:
    """What is known of a pilot, at a moment. `slot` is its CE's, and names its site by its id; None: the CE is gone."""

    pilot_id: int
    stamp: str
    state: PilotState
    ce: str
    site: str
    created_at: datetime
    last_beat: datetime | None
    detail: str | None
    slot: Slot | None
    sites: Mapping[str, str]
    runs: Sequence[tuple[int, int]]
    """Jobs of the VO that run in it, with their cores."""
    waiting: int
    """Queues of the VO in which jobs wait."""
    fitting: int
    """Jobs of the VO that wait and that it could run now."""
    nearest: Sequence[Help] = ()
    heads: Mapping[int, tuple[str, int | None]] | None = None
    """Whose jobs wait in a queue, and the first of them."""
    now: datetime


def explain(seen: PilotSeen) -> Explanation:
    """Say what a pilot offers, and why it gets no job."""
    blockers = tuple(_blockers(seen))
    return Explanation(
        kind="pilot", name=str(seen.pilot_id), state=seen.state.word, says=_says(seen, blockers), blockers=blockers,
        would=tuple(_would(seen)) if any(b.cause is Cause.REQUIREMENT for b in blockers) else (), facts=_facts(seen),
    )  # fmt: skip


def _says(seen: PilotSeen, blockers: Sequence[Blocker]) -> str:
    if blockers:
        return blockers[0].says
    if seen.runs:
        return f"It runs {', '.join(f'job {job_id}' for job_id, _ in seen.runs[:MOST_TOLD])}."
    return f"{seen.fitting} waiting jobs of your VO fit: it gets one when it asks and it is their turn."


def _blockers(seen: PilotSeen) -> list[Blocker]:
    if seen.state in (PilotState.NEW, PilotState.SUBMITTED):
        hint = "It is given up when it has not spoken for long; the batch system of the site says more."
        return [Blocker(cause=Cause.STATE, says=f"The batch system behind {seen.ce} has not started it.", hint=hint)]
    if seen.state is not PilotState.RUNNING:
        said = f": {seen.detail}" if seen.detail else ""
        return [Blocker(cause=Cause.STATE, says=f"It has ended, and is {seen.state.word}{said}.")]
    found: list[Blocker] = []
    if seen.detail is not None:
        hint = "Something is wrong where it runs. It ends by itself; the operators of the site may look at the node."
        found.append(Blocker(cause=Cause.HEALTH, says=f"It gets no more jobs: {seen.detail}.", hint=hint))
    if seen.last_beat is None or seen.now - seen.last_beat > LEASE:
        ago = "yet" if seen.last_beat is None else f"for {in_words(timedelta(seconds=_age(seen)))}"
        hint = "It is given up after a minute of silence, and its jobs go to others."
        found.append(Blocker(cause=Cause.SIGN_OF_LIFE, says=f"It has given no sign of life {ago}.", hint=hint))
    if seen.runs or seen.fitting:
        return found
    if seen.slot is None:
        return [*found, Blocker(cause=Cause.OFF, says=f"Its compute element {seen.ce} is not there any more.")]
    if not seen.waiting:
        return [*found, Blocker(cause=Cause.STATE, says="No job of your VO waits.")]
    things = [
        f"{_whose(seen, each)}: {'; '.join(change.says for change in each.changes(seen.sites))}"
        for each in seen.nearest[:MOST_TOLD]
    ]
    says = "None of the waiting jobs of your VO fits it."
    return [*found, Blocker(cause=Cause.REQUIREMENT, says=says, things=tuple(things))]


def _age(seen: PilotSeen) -> int:
    return 0 if seen.last_beat is None else int((seen.now - seen.last_beat).total_seconds())


def _whose(seen: PilotSeen, help_: Help) -> str:
    account, job_id = (seen.heads or {}).get(help_.case.queue, ("somebody", None))
    return f"jobs of {account}" if job_id is None else f"job {job_id} of {account}"


def _would(seen: PilotSeen) -> list[Would]:
    return [
        would(f"It would get {_whose(seen, each)}", each.changes(seen.sites), ce=seen.ce, site=seen.site)
        for each in seen.nearest[:MOST_TOLD]
    ]


def _facts(seen: PilotSeen) -> dict[str, Fact]:
    facts: dict[str, Fact] = {
        "stamp": seen.stamp, "compute element": seen.ce, "site": seen.site,
        "submitted": f"{seen.created_at:%Y-%m-%d %H:%M:%S} UTC",
        "last contact": None if seen.last_beat is None else f"{seen.last_beat:%Y-%m-%d %H:%M:%S} UTC",
    }  # fmt: skip
    if seen.slot is not None:
        slot, machine = seen.slot, seen.slot.machine
        facts |= {
            "cores": slot.cores, "memory": in_bytes(slot.memory), "wall time": in_words(slot.walltime),
            "tags": few(sorted(tag for tag in every_tag(slot) if tag != f"site:{slot.site}")),
            "system": machine.system, "architecture": machine.architecture,
            "GPUs": sum(gpus.count for gpus in machine.gpus) or None,
        }  # fmt: skip
    facts["waiting jobs that fit"] = seen.fitting
    return {title: value for title, value in facts.items() if value not in (None, ())}
