"""Lifetime exceptions in Rucio's words: pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sancho.compat.rucio.translate import date_of, id_of
from sancho.compat.rucio.wire import DidIn
from sancho.dids.model import Did, KeptEntry, LifetimeExceptionState


class SortedOut(NamedTuple):
    """DIDs that somebody asks to keep: those that would end earlier, others that there are, and the rest."""

    affected: list[Did]
    others: list[Did]
    unknown: list[dict[str, Any]]


def sorted_out(asked: Sequence[DidIn], found: Mapping[str, Did], until: datetime) -> SortedOut:
    """Sort out what is asked for, each DID once."""
    named = {one.did: one for one in asked}
    known = [found[did] for did in named if did in found]
    affected = [did for did in known if did.ends_at is not None and did.ends_at < until]
    others = [did for did in known if did not in affected]
    unknown = [{"scope": one.scope, "name": one.name} for did, one in named.items() if did not in found]
    return SortedOut(affected, others, unknown)


def states_of(text: str | None) -> tuple[LifetimeExceptionState, ...]:
    """The states that a text names, by names or letters with commas; none when one of its words is no state."""
    words = (text or "").split(",")
    read = [next((s for s in LifetimeExceptionState if word in (s.name, s.value)), None) for word in words]
    return () if None in read else tuple(state for state in read if state is not None)


def did_of(did: Did) -> dict[str, Any]:
    """A DID in an answer."""
    return {"scope": did.scope, "name": did.name, "did_type": did.kind.name}


def entry_of(one: KeptEntry) -> dict[str, Any]:
    """A DID of an exception."""
    return {
        "id": id_of(one.exception_id), "scope": one.scope, "name": one.name, "did_type": one.kind.name,
        "account": one.account, "pattern": None, "comments": one.reason, "state": one.state.name,
        "created_at": date_of(one.created_at), "expires_at": date_of(one.until),
    }  # fmt: skip
