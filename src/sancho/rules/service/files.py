"""Rules on files that have just arrived: what was wished for each, and for those that no rule is over, one copy."""

from collections.abc import Sequence
from itertools import groupby

from sancho.kit import telemetry
from sancho.kit.db import Connection
from sancho.rses import service as rses
from sancho.rses.errors import RseExpressionEmpty
from sancho.rules.errors import QuotaExceeded, TooFewRses
from sancho.rules.model import Arrival, EventKind, Hold, RuleTerms, Target
from sancho.rules.service.placing import choose, extend
from sancho.rules.store import events, files
from sancho.rules.store.rows import NewRule
from sancho.vos import service as vos


async def adopt(
    conn: Connection, vo: int, arrivals: Sequence[Arrival], *, parent_ids: Sequence[int], freed: Sequence[Hold] = ()
) -> None:
    """Let rules hold new files, whose replicas are there and which are in the collections `parent_ids` already.

    A file with terms gets a rule of its own; so does, with one copy where it lies, each that no rule is on or above:
    no file stays that nobody pays for. Then all get their locks as with `extend`, and quota `freed` in the same go:
    a fixed number of statements, but for each different wish.
    """
    bare = [a for a in arrivals if a.terms is None]
    held = await files.files_under_rules(conn, vo, [a.did_id for a in bare]) if bare else set[int]()
    version, traceparent = await vos.current_version(conn), telemetry.traceparent()

    def rule(arrival: Arrival, terms: RuleTerms, rse_ids: Sequence[int]) -> NewRule:
        return NewRule(
            account_id=arrival.account_id, did_id=arrival.did_id, copies=terms["copies"],
            rse_expression=terms["rse_expression"], rse_ids=rse_ids, lifetime=terms.get("lifetime"),
            activity=terms.get("activity", "default"), comment=None, injecting=False, version=version,
            traceparent=traceparent,
        )  # fmt: skip

    alone = [a for a in bare if a.did_id not in held]
    known = await rses.by_id(conn, sorted({a.rse_id for a in alone})) if alone else {}
    implicit = [rule(a, {"copies": 1, "rse_expression": known[a.rse_id].name}, [a.rse_id]) for a in alone]
    wished: list[NewRule] = []
    asked = [(a, a.terms) for a in arrivals if a.terms is not None]
    for _, group in groupby(sorted(asked, key=lambda one: _kind(*one)), lambda one: _kind(*one)):
        alike = list(group)
        rse_ids = await _choose_for(conn, vo, [a for a, _ in alike], alike[0][1], freed)
        wished += [rule(a, terms, rse_ids) for a, terms in alike]
    if implicit or wished:
        made = await files.insert_rules(
            conn, vo, [*implicit, *wished], implicit=[True] * len(implicit) + [False] * len(wished)
        )  # fmt: skip
        if wished:
            await events.record(conn, vo, made, EventKind.MADE, by_id=wished[0].account_id)
    file_ids = [a.did_id for a in arrivals]
    await extend(conn, vo, parent_ids=parent_ids, file_ids=file_ids, new=True, freed=freed)


async def _choose_for(
    conn: Connection, vo: int, alike: Sequence[Arrival], terms: RuleTerms, freed: Sequence[Hold]
) -> tuple[int, ...]:
    """RSEs for files with equal wishes; none when there are too few, or no room: then each is looked at by itself."""
    target = Target(0, alike[0].account_id, 0, terms["copies"], terms["rse_expression"], (), "default")
    total = (len(alike), sum(a.size for a in alike))
    try:
        return await choose(conn, vo, target, total, [a.did_id for a in alike], freed)
    except (TooFewRses, QuotaExceeded, RseExpressionEmpty):
        return ()


def _kind(arrival: Arrival, terms: RuleTerms) -> tuple[int, int, int, str, str]:
    """What decides about the RSEs of a file's copies, and the rest of the wish."""
    return (
        arrival.account_id, arrival.rse_id, terms["copies"], terms["rse_expression"], str(terms.get("lifetime"))
    )  # fmt: skip
