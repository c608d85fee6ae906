"""What a job needs of a slot, and what a slot lacks for it. Pure.

`lacks` is the one place that says whether a slot will do: submission refuses with it what no site ever can, the
matcher is tested against it, and whoever asks why a job waits is answered by it. Its parts look at one side of a slot
each, so that the matcher can remember their answers: `place_lacks` at the site, `kind_lacks` at the machine,
`tags_lack` at the tags.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sancho.kit import tags
from sancho.kit.documents import STRICT, read
from sancho.kit.units import in_words

CAPABILITY = r"^[0-9]{1,3}(\.[0-9]{1,3})?$"
"""How the capability of a GPU is written."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Gpus:
    """Alike GPUs of a machine; `memory` in bytes of each, `capability` such as 8.6."""

    count: int = 1
    vendor: str | None = None
    memory: int = 0
    capability: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """What a slot is made of, as far as somebody said: bytes of `scratch`, bytes a second of `io`.

    `microarchitecture` is a level, such as 3 of x86-64-v3; `power` of one core in HEPscore23.
    """

    __pydantic_config__ = STRICT
    system: str | None = None
    architecture: str | None = None
    microarchitecture: int | None = None
    power: float | None = None
    scratch: int | None = None
    io: int | None = None
    gpus: tuple[Gpus, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class GpuNeed:
    """The GPUs that a job needs; `memory` in bytes of each."""

    count: int = 1
    vendor: str | None = None
    memory: int = 0
    min_capability: str | None = None
    max_capability: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Requirement:
    """What a job needs of a slot: one way in which it can run. Bytes; `sites` empty means any.

    It gets up to `max_cores`, and for each core `memory_per_core` besides `memory`. `cpu_work`, in HEPscore23 seconds
    of all cores, says how much of the wall time it needs on a slot whose power is known. Each of the `tags` is a wish
    in the language of `jobs.tags`; all of them are to be met.
    """

    __pydantic_config__ = STRICT
    cores: int = 1
    max_cores: int | None = None
    memory: int = 2_000_000_000
    memory_per_core: int = 0
    memory_limit: int | None = None
    """Where it is stopped, with all cores; None: at what it needs."""
    walltime: timedelta = timedelta(hours=1)
    cpu_work: float | None = None
    scratch: int = 0
    io: int = 0
    system: str | None = None
    architecture: str | None = None
    min_microarchitecture: int | None = None
    max_microarchitecture: int | None = None
    gpus: GpuNeed | None = None
    tags: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    banned_sites: tuple[str, ...] = ()
    far: bool | None = None
    """Whether it reads its inputs from other sites rather than wait for a slot at one that has most of them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Slot:
    """What one CE offers per pilot, or what a pilot has left. Bytes; `scratch` and `io` None: nobody said."""

    ce: str
    site: str
    cores: int
    memory: int
    walltime: timedelta
    tags: frozenset[str]
    machine: Machine = field(default_factory=Machine)
    off: str | None = None
    """Why no pilot of it takes jobs now."""


def every_tag(slot: Slot) -> frozenset[str]:
    """The tags of a slot with those that follow from what it is."""
    machine = slot.machine
    known = {"site": slot.site, "arch": machine.architecture, "system": machine.system}
    return slot.tags | {f"{name}:{value}" for name, value in known.items() if value}


def cores_for(need: Requirement, slot: Slot) -> int:
    """How many cores of a slot a job gets: as many as it can use and has memory for, at least what it needs."""
    most = min(need.max_cores or need.cores, slot.cores)
    if need.memory_per_core > 0:
        most = min(most, (slot.memory - need.memory) // need.memory_per_core)
    return max(need.cores, most)


def memory_for(need: Requirement, cores: int) -> int:
    """How many bytes of memory a job needs with so many cores."""
    return need.memory + need.memory_per_core * cores


def time_for(need: Requirement, slot: Slot) -> timedelta:
    """How long a job takes on a slot at most: its wall time, or less when its work and the slot's power are known."""
    power = slot.machine.power
    if need.cpu_work is None or power is None:
        return need.walltime
    return min(need.walltime, timedelta(seconds=need.cpu_work / (power * cores_for(need, slot))))


def lacks(need: Requirement, slot: Slot) -> list[str]:
    """What a slot lacks for a job; empty when it fits."""
    missing = place_lacks(need, slot.site)
    memory, time = memory_for(need, need.cores), time_for(need, slot)
    if slot.cores < need.cores:
        missing.append(f"{slot.cores} of {need.cores} cores")
    if slot.memory < memory:
        missing.append(f"{slot.memory} of {memory} bytes of memory")
    if slot.walltime < time:
        missing.append(f"{in_words(slot.walltime)} of {in_words(time)} wall time")
    missing += kind_lacks(need, slot.machine)
    missing += tags_lack(need.tags, every_tag(slot))
    if slot.off is not None:
        missing.append(slot.off)
    return missing


def place_lacks(need: Requirement, site: str) -> list[str]:
    """What a site is not that a job wants."""
    missing: list[str] = []
    if need.sites and site not in need.sites:
        missing.append(f"it is not at {' or '.join(need.sites)}")
    if site in need.banned_sites:
        missing.append(f"site {site} is banned by the job")
    return missing


def _met(wish: str, known: Collection[str]) -> bool:
    try:
        return tags.holds(tags.parse(wish), known)
    except tags.TagsMalformed:  # a tag of before there were wishes: no slot could have it then, and none has it now
        return False


def tags_lack(wishes: Sequence[str], known: Collection[str]) -> list[str]:
    """Which wishes for tags are not met."""
    unmet = [wish for wish in wishes if not _met(wish, known)]
    return [f"tag {', '.join(sorted(unmet))}"] if unmet else []


def kind_lacks(need: Requirement, machine: Machine) -> list[str]:
    """What a machine is or has not that a job wants. What nobody said of it, it has not."""
    missing: list[str] = []
    for what, wanted, found in (
        ("system", need.system, machine.system), ("architecture", need.architecture, machine.architecture)
    ):  # fmt: skip
        if wanted is not None and wanted != found:
            missing.append(f"{what} {wanted}, it is {found or 'not known'}")
    level = machine.microarchitecture
    if need.min_microarchitecture is not None and (level is None or level < need.min_microarchitecture):
        missing.append(f"micro-architecture level {need.min_microarchitecture}, it is {level or 'not known'}")
    if need.max_microarchitecture is not None and (level is None or level > need.max_microarchitecture):
        missing.append(f"micro-architecture level {need.max_microarchitecture} at most, it is {level or 'not known'}")
    for what, wanted_size, found_size in (
        ("scratch space", need.scratch, machine.scratch),
        ("I/O", need.io, machine.io),
    ):
        if wanted_size and (found_size or 0) < wanted_size:
            missing.append(f"{found_size or 0} of {wanted_size} bytes of {what}")
    if need.gpus is not None and sum(g.count for g in machine.gpus if _suits(need.gpus, g)) < need.gpus.count:
        missing.append(f"{need.gpus.count} GPUs such as the job wants")
    return missing


def _suits(need: GpuNeed, gpus: Gpus) -> bool:
    """Say whether the GPUs of a machine are such as a job wants."""
    found = None if gpus.capability is None else _version(gpus.capability)
    return (
        (need.vendor is None or need.vendor == gpus.vendor)
        and need.memory <= gpus.memory
        and (need.min_capability is None or (found is not None and found >= _version(need.min_capability)))
        and (need.max_capability is None or (found is not None and found <= _version(need.max_capability)))
    )


def _version(text: str) -> tuple[int, ...]:
    """So that 8.10 comes after 8.9."""
    return tuple(int(part) for part in text.split("."))


# ---- as documents


def slot_of(row: tuple[Any, ...], *, patient: bool = False) -> Slot:
    """A slot as the store tells it; for the `patient`, a site that is disabled will be enabled again."""
    ce, site, cores, memory, walltime, known, machine, ce_enabled, site_enabled, max_pilots = row
    off = why_off(site, (ce_enabled, site_enabled or patient), 1 if patient else max_pilots)
    return Slot(
        ce=ce, site=site, cores=cores, memory=memory, walltime=walltime, tags=frozenset(known),
        machine=read(Machine, machine), off=off,
    )  # fmt: skip


def why_off(site: str, enabled: tuple[bool, bool], max_pilots: int) -> str | None:
    """Why no pilot of a CE takes jobs, given whether the CE and its site are enabled; None when they do."""
    ce_enabled, site_enabled = enabled
    if not ce_enabled:
        return "it is disabled"
    if not site_enabled:
        return f"site {site} is disabled"
    return "it may have no pilots (max_pilots is 0)" if max_pilots == 0 else None


def ways_of(description: Mapping[str, Any]) -> tuple[Requirement, ...]:
    """Every way in which a job can run, by its description as it is stored."""
    return tuple(read(Requirement, way) for way in (description["requirements"], *description.get("alternatives", ())))
