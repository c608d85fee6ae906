"""Rules are asked for and shown."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Unpack

from sancho.dids import service as dids
from sancho.dids.errors import DidNotFound
from sancho.dids.model import Did, File
from sancho.kit import telemetry
from sancho.kit.access import Principal, require
from sancho.kit.db import Connection
from sancho.kit.policy import did as thing
from sancho.kit.tasks import defer
from sancho.rses import service as rses
from sancho.rses.errors import RseExpressionEmpty
from sancho.rules.errors import QuotaExceeded, RuleNotFound, TooFewRses
from sancho.rules.model import (
    BATCH,
    LARGE,
    SHORT_OF_ROOM,
    EventKind,
    Lock,
    Rule,
    RuleRequest,
    RuleState,
    RuleTerms,
    Target,
    Want,
)
from sancho.rules.service.placing import choose, place_affordable, place_wants
from sancho.rules.store import events, facts, locks, reading, rows
from sancho.vos import service as vos


async def create(conn: Connection, caller: Principal, request: RuleRequest) -> Rule:
    """Ask for copies of a DID, for an account that may `rules:create`; place the locks for what it holds now.

    A rule over more than `LARGE` files is placed in the background. Raises `DidNotFound`, what is wrong with the
    expression, `TooFewRses`, `QuotaExceeded`, `ReplicaBeingDeleted`; then nothing stays.
    """
    return (await create_all(conn, caller, [request]))[0]


async def create_all(conn: Connection, caller: Principal, requests: Sequence[RuleRequest]) -> list[Rule]:
    """Make several rules, all of them or none, each as `create` does; the statements grow with rules, not with files.

    All locks are placed in one go, because there is one order in which they are taken.
    """
    require(caller, "rules:create", on=[thing(request.did) for request in requests])
    found = await dids.resolve(conn, caller.vo, [request.did for request in requests], field="did")
    await lock(conn, found)
    pairs: list[tuple[Did, rows.NewRule]] = []
    for did, request in zip(found, requests, strict=True):
        terms: RuleTerms = {
            "copies": request.copies, "rse_expression": request.rse_expression, "lifetime": request.lifetime,
            "activity": request.activity,
        }  # fmt: skip
        new = await _new(conn, caller.account_id, did, terms, request.comment)
        pairs.append((did, new._replace(waiting=request.ask_approval)))
    return await make(conn, caller, pairs)


async def make(conn: Connection, caller: Principal, pairs: Sequence[tuple[Did, rows.NewRule]]) -> list[Rule]:
    """Make rules over DIDs whose collections are locked, and place all their locks in one go; return them in order.

    One that waits for approval gets no locks. Raises as `create` does.
    """
    targets: dict[int, Target] = {}
    wants: list[Want] = []
    for did, new in pairs:
        if new.waiting:
            await rses.resolve(conn, new.rse_expression, vo=did.vo)
            target = Target(await rows.insert_rule(conn, did.vo, new), new.account_id, did.did_id, 0, "", (), "")
        else:
            target, wanted = await _insert(conn, did, new, room=LARGE - len(wants))
            wants += wanted
        targets[target.rule_id] = target
    if wants:
        await place_wants(conn, caller.vo, targets, sorted(wants))
    await events.record(conn, caller.vo, sorted(targets), EventKind.MADE, by_id=caller.account_id)
    made = {rule.rule_id: rule for rule in await reading.rules_by_id(conn, caller.vo, sorted(targets))}
    return [made[rule_id] for rule_id in targets]


async def ensure(conn: Connection, vo: int, account_id: int, did_id: int, **terms: Unpack[RuleTerms]) -> Rule:
    """The account's rule with these terms over a DID; made when there is none. Safe to run twice, and at once.

    With a lifetime, the rule lives at least so long from now on. A rule over a DID without files that cannot be
    carried out raises, as `create` does; over files that are there it is made and gets stuck with the reason, because
    they need it.
    """
    did = (await dids.by_id(conn, vo, [did_id]))[did_id]
    new = await _new(conn, account_id, did, terms, None)
    found = await rows.find_same(conn, vo, new)
    if found is None:
        await lock(conn, [did])  # of two who make the same rule at once, one waits and finds it
        found = await rows.find_same(conn, vo, new)
    if found is None:
        target, wants = await _insert_somehow(conn, did, new)
        if wants:
            await place_affordable(conn, vo, [target], wants, lacking={})
        await events.record(conn, vo, [target.rule_id], EventKind.MADE, by_id=account_id)
        return await get(conn, vo, target.rule_id)
    if new.lifetime is not None:
        await rows.prolong(conn, vo, found, new.lifetime)
    return await get(conn, vo, found)


async def ensure_all(
    conn: Connection, vo: int, account_id: int, did_ids: Sequence[int], **terms: Unpack[RuleTerms]
) -> list[int]:
    """Rules as `ensure` makes them, over several DIDs at once; return their ids in the order of those of the DIDs.

    One after the other, `ensure` would lock a collection while it has replicas of the last: here all collections are
    locked first, all locks placed in one go, and rules that are there already changed last.
    """
    known = await dids.by_id(conn, vo, did_ids)
    await lock(conn, list(known.values()))
    targets: dict[int, Target] = {}
    wants: list[Want] = []
    there: dict[int, int] = {}
    for did_id in sorted(known):
        new = await _new(conn, account_id, known[did_id], terms, None)
        found = await rows.find_same(conn, vo, new)
        if found is not None:
            there[did_id] = found
            continue
        target, wanted = await _insert_somehow(conn, known[did_id], new, room=LARGE - len(wants))
        targets[did_id] = target
        wants += wanted
    if wants:
        await place_affordable(conn, vo, list(targets.values()), sorted(wants), lacking={})
    made = {did_id: target.rule_id for did_id, target in targets.items()}
    await events.record(conn, vo, sorted(made.values()), EventKind.MADE, by_id=account_id)
    lifetime = terms.get("lifetime")
    if lifetime is not None:
        for rule_id in sorted(there.values()):
            await rows.prolong(conn, vo, rule_id, lifetime)
    return [({**there, **made})[did_id] for did_id in sorted(known)]


async def lock(conn: Connection, found: Sequence[Did]) -> None:
    """Lock DIDs and all collections below them; raises `DidNotFound` for one that was erased meanwhile."""
    ids = sorted({did.did_id for did in found})
    locked = set(await locks.lock_collections(conn, found[0].vo, ids)) if found else set[int]()
    for did in found:
        if did.did_id not in locked:
            raise DidNotFound(did=did.did)


async def check(conn: Connection, vo: int, account_id: int, **terms: Unpack[RuleTerms]) -> None:
    """Raise what is wrong with a rule, over files that are still to come, as `ensure` does over a DID without files."""
    activity = terms.get("activity", "default")
    target = Target(0, account_id, 0, terms["copies"], terms["rse_expression"], (), activity)
    await choose(conn, vo, target, (0, 0), [])


async def _new(conn: Connection, account_id: int, did: Did, terms: RuleTerms, comment: str | None) -> rows.NewRule:
    return rows.NewRule(
        account_id=account_id, did_id=did.did_id, copies=terms["copies"], rse_expression=terms["rse_expression"],
        rse_ids=(), lifetime=terms.get("lifetime"), activity=terms.get("activity", "default"), comment=comment,
        injecting=False, version=await vos.current_version(conn), traceparent=telemetry.traceparent(),
    )  # fmt: skip


async def _insert_somehow(
    conn: Connection, did: Did, new: rows.NewRule, *, room: int = LARGE
) -> tuple[Target, list[Want]]:
    """As `_insert`, but a rule over files that cannot be carried out is made and stuck with the reason."""
    try:
        return await _insert(conn, did, new, room=room)
    except (TooFewRses, QuotaExceeded, RseExpressionEmpty) as e:
        if not 0 < (await dids.info(conn, did)).files <= LARGE:
            raise
        rule_id = await _make_stuck(conn, did, new, str(e))
    return Target(rule_id, new.account_id, did.did_id, new.copies, new.rse_expression, (), new.activity), []


async def _insert(conn: Connection, did: Did, new: rows.NewRule, *, room: int = LARGE) -> tuple[Target, list[Want]]:
    """Insert a rule over a DID whose collections are locked; say which locks it is to get.

    With more than `room` files they are placed in the background instead.
    """
    target = Target(0, new.account_id, did.did_id, new.copies, new.rse_expression, (), new.activity)
    tally = await dids.info(conn, did)
    if tally.files > room:
        return target._replace(rule_id=await _place_later(conn, did, new, target, (tally.files, tally.size))), []
    files = await dids.files(conn, did.vo, [did.did_id])
    total = (len(files), sum(file.size for file in files))
    rse_ids = await choose(conn, did.vo, target, total, [file.did_id for file in files])
    rule_id = await rows.insert_rule(conn, did.vo, new._replace(rse_ids=rse_ids if files else ()))
    target = target._replace(rule_id=rule_id, rse_ids=rse_ids)
    return target, _wants(target, files)


async def _place_later(conn: Connection, did: Did, new: rows.NewRule, target: Target, total: tuple[int, int]) -> int:
    """Insert a large rule whose locks are placed in the background; of its files the first say where most bytes are."""
    sample = await facts.files_lacking(conn, did.vo, target, 0, BATCH)
    rse_ids = await choose(conn, did.vo, target, total, [file.did_id for file in sample])
    rule_id = await rows.insert_rule(conn, did.vo, new._replace(rse_ids=rse_ids, injecting=True))
    await defer(conn, "rules:place", vo=did.vo, rule_id=rule_id)
    return rule_id


async def _make_stuck(conn: Connection, did: Did, new: rows.NewRule, reason: str) -> int:
    rule_id = await rows.insert_rule(conn, did.vo, new)
    await rows.mark_incomplete(conn, did.vo, [(rule_id, reason, SHORT_OF_ROOM)])
    return rule_id


def _wants(target: Target, files: Sequence[File]) -> list[Want]:
    """Every lock of a new rule, in the order of placing; files come by id."""
    rse_ids = sorted(target.rse_ids)
    return [Want(file.did_id, rse_id, target.rule_id, file.size) for file in files for rse_id in rse_ids]


async def get(conn: Connection, vo: int, rule_id: int) -> Rule:
    """One rule; raises `RuleNotFound`."""
    found = await rows.find_rule(conn, vo, rule_id)
    if found is None:
        raise RuleNotFound(rule_id=rule_id)
    return found


async def owners(conn: Connection, vo: int, name: str) -> set[int]:
    """The account of a rule, by its number as text; none when there is no such rule."""
    found = await rows.find_rule(conn, vo, int(name)) if re.fullmatch("[0-9]{1,18}", name, re.ASCII) else None
    return set() if found is None else {found.account_id}


async def show(conn: Connection, vo: int, rule_id: int) -> Rule:
    """One rule, with what it waits for: while nothing is stuck, the trouble that a transfer of its is in. As `get`."""
    rule = await get(conn, vo, rule_id)
    if rule.error is None and rule.replicating:
        return replace(rule, error=await locks.first_error(conn, vo, rule_id))
    return rule


async def list_rules(
    conn: Connection, vo: int, *, account_id: int | None = None, did_id: int | None = None,
    state: RuleState | None = None, page: tuple[int | None, int],
) -> list[Rule]:  # fmt: skip
    """Rules of an account, over a DID, in a state, newest first: as many as `page` says, before the id it says."""
    return await rows.list_rules(conn, vo, (account_id, did_id, state), page)


async def list_locks(
    conn: Connection, vo: int, rule_id: int, *, after: tuple[int, int] = (0, 0), limit: int = 1000
) -> list[Lock]:
    """Locks of a rule by RSE and file, after a pair of their ids; raises `RuleNotFound`."""
    await get(conn, vo, rule_id)
    return await locks.list_locks(conn, vo, rule_id, after, limit)
