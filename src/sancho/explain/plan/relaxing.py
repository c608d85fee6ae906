"""What would have to be otherwise for a job to fit a slot: the fewest parts that are relaxed together. Pure.

Whether it fits is for `lacks` to say, as it is for the matcher. Here a part is only made such as the slot is, and then
`lacks` is asked again.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from sancho.explain.model import MOST_TOLD, Change, Would, in_bytes, would
from sancho.jobs.model import GpuNeed, Machine, Requirement, Slot, every_tag, lacks, memory_for, tags_lack
from sancho.kit.units import in_words

LOOKED_AT = 200
"""Pairs of a way and a slot, those that lack least, for which it is found out what would help."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """A way of a job and a slot, and whether the job may run at its site as far as its inputs go."""

    need: Requirement
    slot: Slot
    near: bool = True
    queue: int = 0
    """The task queue that it is a way of, where there are several."""

    @property
    def fits(self) -> bool:
        """Say whether a pilot with this slot may have the job."""
        return self.near and not lacks(self.need, self.slot)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a case: how it is relaxed, and what is said of that; sites are named by their ids until then."""

    name: str
    relax: Callable[[Case], Case]
    tell: Callable[[Case, Case, Mapping[str, str]], str]
    """Of the case before, the one after, and names of sites."""
    cost: Callable[[Case, Case], float] = lambda _before, _after: 1.0
    """How much is given up, up to 1."""


def _need(case: Case, **changes: object) -> Case:
    return replace(case, need=replace(case.need, **changes))


def _cores(case: Case) -> Case:
    most = case.need.max_cores
    return _need(case, cores=case.slot.cores, max_cores=None if most is None else max(most, case.slot.cores))


def _memory(case: Case) -> Case:
    left = case.slot.memory - case.need.memory_per_core * case.need.cores
    return _need(case, memory=left) if left > 0 else _need(case, memory=case.slot.memory, memory_per_core=0)


def _asked(case: Case) -> int:
    return memory_for(case.need, case.need.cores)


def _tags(case: Case) -> Case:
    known = every_tag(case.slot)
    return _need(case, tags=tuple(wish for wish in case.need.tags if not tags_lack([wish], known)))


def _cores_of(case: Case) -> str:
    return "1 core" if case.need.cores == 1 else f"{case.need.cores} cores"


def _unmet(before: Case, after: Case) -> str:
    return ", ".join(sorted(set(before.need.tags) - set(after.need.tags)))


def _switched_on(before: Case, sites: Mapping[str, str]) -> str:
    why = before.slot.off or ""
    if "disabled" not in why:
        return f"{before.slot.ce} might have pilots"
    return f"site {sites[before.slot.site]} were enabled" if "site " in why else f"{before.slot.ce} were enabled"


def _gpus(need: GpuNeed | None) -> str:
    return f"{need.count if need else 0} GPUs"


def _part(name: str, says: Callable[[Case], str], relaxed: Callable[[Machine], object] | None = None) -> Part:
    """A part of the requirement that is about the machine: it is not asked for, or less of it is."""
    return Part(
        name,
        lambda case: _need(case, **{name: None if relaxed is None else relaxed(case.slot.machine)}),
        lambda before, _after, _sites: says(before),
    )


PARTS: Sequence[Part] = (
    Part(
        "enabled", lambda case: replace(case, slot=replace(case.slot, off=None)),
        lambda before, _after, sites: _switched_on(before, sites),
    ),
    Part(
        "inputs_there", lambda case: replace(case, near=True),
        lambda before, _after, sites: f"most of its input were at {sites[before.slot.site]}",
    ),
    Part(
        "sites", lambda case: _need(case, sites=()),
        lambda before, _after, sites: f"its `sites` had {sites[before.slot.site]} among them",
    ),
    Part(
        "banned_sites",
        lambda case: _need(case, banned_sites=tuple(s for s in case.need.banned_sites if s != case.slot.site)),
        lambda before, _after, sites: f"it did not ban {sites[before.slot.site]}",
    ),
    Part("tags", _tags, lambda before, after, _sites: f"it did not ask for the tag {_unmet(before, after)}"),
    _part("system", lambda case: f"it did not ask for the system {case.need.system}"),
    _part("architecture", lambda case: f"it did not ask for the architecture {case.need.architecture}"),
    _part(
        "min_microarchitecture",
        lambda case: f"it did not ask for micro-architecture level {case.need.min_microarchitecture}",
    ),
    _part(
        "max_microarchitecture",
        lambda case: f"it did not ask for micro-architecture level {case.need.max_microarchitecture} at most",
    ),
    _part("gpus", lambda case: f"it did not ask for {_gpus(case.need.gpus)}"),
    _part(
        "scratch", lambda case: f"it asked for at most {in_bytes(case.slot.machine.scratch or 0)} of scratch space",
        lambda machine: machine.scratch or 0,
    ),
    _part(
        "io", lambda case: f"it asked for at most {in_bytes(case.slot.machine.io or 0)} of I/O a second",
        lambda machine: machine.io or 0,
    ),
    Part(
        "cores", _cores,
        lambda _before, after, _sites: f"it asked for at most {_cores_of(after)}",
        lambda before, after: 1 - after.need.cores / before.need.cores,
    ),
    Part(
        "memory", _memory,
        lambda _before, after, _sites: f"it asked for at most {in_bytes(_asked(after))} of memory",
        lambda before, after: 1 - _asked(after) / max(_asked(before), 1),
    ),
    Part(
        "walltime", lambda case: _need(case, walltime=case.slot.walltime),
        lambda _before, after, _sites: f"it asked for at most {in_words(after.need.walltime)} of wall time",
        lambda before, after: 1 - after.need.walltime / before.need.walltime,
    ),
)  # fmt: skip
"""In the order in which they are relaxed; what comes first is the first that is tried to do without."""


def relaxed(case: Case, parts: Iterable[Part]) -> Case:
    """The same with these parts as the slot has them."""
    for part in parts:
        case = part.relax(case)
    return case


def fewest(case: Case) -> tuple[Part, ...]:
    """Parts that are to be relaxed for a case to fit, none of which can be done without; none when it fits."""
    kept = list(PARTS)
    for part in PARTS:
        others = [each for each in kept if each is not part]
        if relaxed(case, others).fits:
            kept = others
    return tuple(kept)


class Help(NamedTuple):
    """A case, and the parts of it that would have to be otherwise."""

    case: Case
    parts: tuple[Part, ...]

    @property
    def after(self) -> Case:
        """The case as it would be then."""
        return relaxed(self.case, self.parts)

    @property
    def cost(self) -> tuple[float, ...]:
        """Few changes before many, small ones before large ones."""
        before, total = self.case, 0.0
        for part in self.parts:
            after = part.relax(before)
            total, before = total + part.cost(before, after), after
        return len(self.parts), total

    def changes(self, sites: Mapping[str, str]) -> tuple[Change, ...]:
        """What would have to be otherwise, in words."""
        said: list[Change] = []
        before = self.case
        for part in self.parts:
            after = part.relax(before)
            said.append(Change(part=part.name, says=part.tell(before, after, sites)))
            before = after
        return tuple(said)


def helps(cases: Sequence[Case]) -> list[Help]:
    """What would help, of the cases that lack least: the smallest changes first, each set of parts once."""
    nearest = sorted(cases, key=lambda case: (len(lacks(case.need, case.slot)) + (not case.near), case.slot.ce))
    found = sorted((Help(case, fewest(case)) for case in nearest[:LOOKED_AT]), key=lambda each: each.cost)
    best: dict[tuple[str, ...], Help] = {}
    for each in found:
        best.setdefault(tuple(part.name for part in each.parts), each)
    return list(best.values())[:MOST_TOLD]


def told(help_: Help, sites: Mapping[str, str], first: tuple[Change, ...] = ()) -> Would:
    """What would happen, in words; `first` is what would have to be otherwise besides."""
    slot = help_.case.slot
    site = sites[slot.site]
    return would(
        f"It would start at {site} ({slot.ce})", (*first, *help_.changes(sites)), ce=slot.ce, site=site
    )  # fmt: skip
