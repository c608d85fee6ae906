"""Why files do not come to where they are wanted. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sancho.explain.model import Blocker, Cause, Change, Would, few, in_bytes, would
from sancho.transfers.model import Foreseen, RequestState


@dataclass(frozen=True, kw_only=True, slots=True)
class Coming:
    """Files that are to come to an RSE and whose transfers are in one state, and what would come of them now."""

    rse: str
    state: RequestState
    files: int
    size: int
    tries: int
    not_before: datetime | None
    error: str | None
    did: str
    """One of them."""
    foreseen: Foreseen | None


def blockers(coming: Sequence[Coming]) -> list[Blocker]:
    """What keeps files from coming: first what would keep them from it now, then what their transfers ran into."""
    found: list[Blocker] = []
    closed = sorted({each.rse for each in coming if each.foreseen is not None and not each.foreseen.takes})
    for rse in closed:
        says = f"{rse} cannot be written now, and {_files(coming, rse)} are to come there."
        found.append(Blocker(cause=Cause.DESTINATION, says=says, hint=f"`sancho rse show {rse}`, or move the rule."))
    found += [
        _sourceless(each, each.foreseen)
        for each in coming
        if each.foreseen is not None and each.foreseen.takes and each.foreseen.source is None
    ]
    return found + [_transfers(each) for each in coming if each.state is not RequestState.DONE]


def _files(coming: Sequence[Coming], rse: str) -> str:
    here = [each for each in coming if each.rse == rse]
    return f"{sum(each.files for each in here)} files of {in_bytes(sum(each.size for each in here))}"


def _sourceless(each: Coming, foreseen: Foreseen) -> Blocker:
    things = [f"{rse} has it and cannot be read now" for rse in foreseen.away]
    things += [f"{rse} has it, but no link to {each.rse}" for rse in foreseen.unlinked]
    says = f"No RSE from which {each.did} could be copied to {each.rse} has it now."
    hint = f"`sancho explain file {each.did}`" if things else "It has to be made, or uploaded, again."
    return Blocker(cause=Cause.SOURCE, says=says, things=few(things), hint=hint)


def _transfers(each: Coming) -> Blocker:
    word = {RequestState.WAITING: "wait for a transfer", RequestState.ACTIVE: "are being copied"}.get(
        each.state, "are stuck"
    )
    tried = f" after {each.tries} tries" if each.tries else ""
    says = f"{each.files} files of {in_bytes(each.size)} to {each.rse} {word}{tried}"
    if each.files == 1:
        says = f"{each.did} to {each.rse} {word.replace('wait ', 'waits ').replace('are ', 'is ')}{tried}"
    hint = f"They are tried next at {each.not_before:%H:%M:%S} UTC." if each.not_before is not None else None
    error = (each.error,) if each.error else ()
    return Blocker(cause=Cause.TRANSFER, says=f"{says}.", things=error, hint=hint)


def would_come(coming: Sequence[Coming], what: str) -> list[Would]:
    """What would let files come."""
    found: dict[str, Would] = {}
    for each in coming:
        if each.foreseen is None:
            continue
        written = () if each.foreseen.takes else (Change(part="destination", says=f"{each.rse} could be written"),)
        if each.foreseen.source is not None:
            choices = [written] if written else []
        else:
            choices = [
                (*written, Change(part="source", says=f"what {rse} has of them could be read"))
                for rse in each.foreseen.away
            ]
        for changes in choices:
            made = would(f"{what} at {each.rse}", changes)
            found.setdefault(made.says, made)
    return list(found.values())
