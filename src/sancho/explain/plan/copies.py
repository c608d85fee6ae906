"""Data that is copied to where a job can run, told. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from sancho.explain.model import Blocker, Cause, few, in_bytes


class Copied(NamedTuple):
    """Inputs that are copied for a job to where it can run: by what name, to which RSE, how much of it is there."""

    did: str
    rse: str
    there: int
    size: int
    rule_id: int


def progress(one: Copied) -> str:
    """How far a copy is."""
    return f"{in_bytes(one.there)} of {in_bytes(one.size)} are at {one.rse} (rule {one.rule_id})"


def blockers(copied: Sequence[Copied]) -> list[Blocker]:
    """Data that is on its way to where the job can run: that is what it waits for, until a place takes it sooner."""
    under_way = [one for one in copied if one.there < one.size]
    if not under_way:
        return []
    to = " and ".join(dict.fromkeys(one.rse for one in under_way))
    there, size = sum(one.there for one in under_way), sum(one.size for one in under_way)
    says = f"Its data is being copied to {to}: {in_bytes(there)} of {in_bytes(size)} are there."
    hint = f"`sancho explain rule {under_way[0].rule_id}` says how the copy fares."
    things = tuple(f"{one.did}: {progress(one)}" for one in under_way) if len(under_way) > 1 else ()
    return [Blocker(cause=Cause.TRANSFER, says=says, things=few(things), hint=hint)]
