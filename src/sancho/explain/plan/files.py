"""Why a file cannot be read, what holds it, and what becomes of it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sancho.dids.model import Did
from sancho.explain.model import Blocker, Cause, Change, Explanation, Fact, Would, few, in_bytes, would
from sancho.explain.plan.transfers import Coming, blockers, would_come
from sancho.replicas.model import ReplicaState


class Copy(NamedTuple):
    """A replica, whether its RSE can be read now, and what was said of it last."""

    rse: str
    state: ReplicaState
    readable: bool
    locks: int
    said: str | None

    @property
    def there(self) -> bool:
        """It can be read now."""
        return self.state is ReplicaState.AVAILABLE and self.readable

    @property
    def words(self) -> str:
        """How it is."""
        state = f"{self.state.word}, but the RSE cannot be read now" if self._only_away else self.state.word
        return f"{self.rse}: {state}{f' ({self.said})' if self.said else ''}"

    @property
    def _only_away(self) -> bool:
        return self.state is ReplicaState.AVAILABLE and not self.readable


@dataclass(frozen=True, kw_only=True, slots=True)
class FileSeen:
    """What is known of a file, at a moment."""

    file: Did
    copies: Sequence[Copy]
    coming: Sequence[Coming]
    rules: Sequence[str]
    """Those that hold it, in words."""
    archives: Sequence[str]
    made_by: int | None
    """The job that made it."""
    wanted: int
    """Jobs that wait and read it."""
    wanted_by: Sequence[int]


def explain(seen: FileSeen) -> Explanation:
    """Say where a file can be read, or why it cannot."""
    there = [copy.rse for copy in seen.copies if copy.there]
    found = tuple(_blockers(seen))
    says = f"It can be read at {', '.join(few(there))}." if there else found[0].says
    state = "available" if there else "unavailable" if seen.copies else "nowhere"
    return Explanation(
        kind="file", name=f"{seen.file.scope}:{seen.file.name}", state=state, says=says, blockers=found,
        would=tuple(_would(seen)), facts=_facts(seen),
    )  # fmt: skip


def _blockers(seen: FileSeen) -> list[Blocker]:
    found: list[Blocker] = []
    if not any(copy.there for copy in seen.copies):
        things = few([copy.words for copy in seen.copies])
        says = "It can be read nowhere now." if seen.copies else "No RSE has it."
        hint = None
        if seen.archives:
            hint = f"It lies in {seen.archives[0]}: `sancho data get` takes it out of that."
        elif not seen.coming and seen.made_by is not None:
            hint = f"Job {seen.made_by} made it, and can make it again: `sancho job reschedule` or submit it anew."
        elif not seen.coming:
            hint = "Nothing brings it: upload it again, or ask for a copy with `sancho rule add`."
        found.append(Blocker(cause=Cause.REPLICA, says=says, things=things, hint=hint))
    return found + blockers(seen.coming)


def _would(seen: FileSeen) -> list[Would]:
    found: list[Would] = []
    if not any(copy.there for copy in seen.copies):
        for copy in seen.copies:
            changes: list[Change] = []
            if copy.state is ReplicaState.UNAVAILABLE:
                changes.append(Change(part="replica", says=f"its replica at {copy.rse} were available again"))
            if not copy.readable:
                changes.append(Change(part="rse", says=f"{copy.rse} could be read"))
            if changes and copy.state in (ReplicaState.AVAILABLE, ReplicaState.UNAVAILABLE):
                found.append(would("It could be read", tuple(changes)))
    return found + would_come(seen.coming, "It would come and be")


def _facts(seen: FileSeen) -> dict[str, Fact]:
    file = seen.file
    facts: dict[str, Fact] = {
        "size": in_bytes(file.size or 0), "account": file.account,
        "replicas": few([copy.words for copy in seen.copies]),
        "held by": few(list(seen.rules)) or "no rule: what nothing holds is deleted when its room is wanted",
        "in archives": few(list(seen.archives)),
        "made by job": seen.made_by,
        "waiting jobs that read it": seen.wanted or None,
        "such as jobs": tuple(str(job_id) for job_id in seen.wanted_by),
        "to be erased": None if file.ends_at is None else f"{file.ends_at:%Y-%m-%d %H:%M:%S} UTC",
    }  # fmt: skip
    return {title: value for title, value in facts.items() if value not in (None, ())}
