"""What is said of replicas, in Rucio's words: pure."""

from collections.abc import Mapping
from typing import Any

from sancho.compat.rucio.translate import date_of, id_of
from sancho.replicas.model import Declaration, DeclarationKind, DeclarationState, Suspicion, TroubleSum
from sancho.rses import service as rses
from sancho.rses.model import Rse

KINDS: Mapping[str, DeclarationKind | None] = {
    "BAD": DeclarationKind.BAD, "SUSPICIOUS": DeclarationKind.SUSPICIOUS,
    "TEMPORARY_UNAVAILABLE": DeclarationKind.UNAVAILABLE, "AVAILABLE": None,
}  # fmt: skip
"""What may be said of replicas."""
ENDS: Mapping[DeclarationState, str] = {
    DeclarationState.RECOVERED: "RECOVERED", DeclarationState.AVAILABLE: "RECOVERED", DeclarationState.LOST: "LOST",
    DeclarationState.DELETED: "DELETED",
}  # fmt: skip
"""What came of it; Rucio has no word for what was replaced."""
TOLD = (DeclarationState.STANDING, *ENDS)


def state_of(kind: DeclarationKind, state: DeclarationState) -> str:
    """What Rucio calls a declaration: what it says while it stands, then what came of it."""
    return ENDS.get(state) or next(word for word, said in KINDS.items() if said is kind)


def meant(word: str | None) -> tuple[list[DeclarationKind], list[DeclarationState]]:
    """The declarations that Rucio calls so: kinds and states."""
    kind = KINDS.get(word or "")
    if kind is not None:
        return [kind], [DeclarationState.STANDING]
    states = [state for state, said in ENDS.items() if said == word]
    return list(DeclarationKind), states or list(TOLD)


def declaration_of(one: Declaration) -> dict[str, Any]:
    """What was said of a replica."""
    return {
        "scope": one.scope, "name": one.name, "rse": one.rse, "rse_id": id_of(one.rse_id),
        "state": state_of(one.kind, one.state), "reason": one.reason, "account": one.account,
        "created_at": date_of(one.declared_at), "updated_at": date_of(one.ended_at or one.declared_at),
        "expires_at": date_of(one.until) if one.until else None,
    }  # fmt: skip


def url_of(one: Declaration, rse: Rse, vo_name: str) -> str:
    """The URL of a replica of which something was said, by the first protocol of its RSE."""
    return rses.pfn(rse, rses.place(rse, vo_name, one.scope, one.did_id, one.name, one.path).path)


def suspicion_of(one: Suspicion) -> dict[str, Any]:
    """A replica that was called suspicious so many times."""
    return {
        "scope": one.scope, "name": one.name, "rse": one.rse, "rse_id": id_of(one.rse_id), "cnt": one.times,
        "created_at": date_of(one.first_at),
    }  # fmt: skip


def summary_of(one: TroubleSum) -> dict[str, Any]:
    """What was said at once, for one reason, on one RSE: how many replicas are in which state now."""
    counts: dict[str, int] = {}
    for kind, state, n in one.counts:
        word = state_of(kind, state)
        counts[word] = counts.get(word, 0) + n
    made = date_of(one.declared_at)
    return {"rse": one.rse, "rse_id": id_of(one.rse_id), "created_at": made, "reason": one.reason, **counts}
