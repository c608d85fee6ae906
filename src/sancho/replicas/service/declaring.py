"""What people say of replicas: that they are bad, suspicious, unavailable for a time, or not needed any more."""

from collections.abc import AsyncIterator, Mapping, Sequence

from sancho.dids import service as dids
from sancho.kit.access import Principal, require
from sancho.kit.db import Connection, all_vos
from sancho.kit.deployment import Deployment
from sancho.kit.policy import did as thing
from sancho.kit.tasks import defer
from sancho.replicas.errors import ReplicaHeld, ReplicaNotCopying, ReplicaNotFound, TimeNotForThis
from sancho.replicas.model import (
    Declaration,
    DeclarationKind,
    DeclarationState,
    Located,
    ReplicaKey,
    ReplicaState,
    Saying,
    Suspicion,
    Troubles,
    TroubleSum,
)
from sancho.replicas.service.catalogue import located
from sancho.replicas.service.holds import arrive, mark_bad, named
from sancho.replicas.store import declarations, rows
from sancho.rses import service as rses
from sancho.rses.errors import RseNotFound

RETURNED_AT_ONCE = 1000
"""Replicas of each VO that one run lets be available again."""


async def declare(
    conn: Connection, caller: Principal, said: Mapping[ReplicaKey, str], saying: Saying
) -> dict[ReplicaKey, ReplicaState | None]:
    """Note what is said of replicas, given with the DIDs of their files, for who has `replicas:manage`.

    Bad ones are dealt with as `mark_bad` says; of unavailable ones nobody reads until their time, or until they are
    said to be available. Returns those of which nothing was noted, because their state, which is returned, is not one
    to say this of; None: there is no such replica. Raises `TimeNotForThis`.
    """
    require(caller, "replicas:manage", on=[thing(did) for did in said.values()])
    if saying.until is not None and saying.kind is not DeclarationKind.UNAVAILABLE:
        raise TimeNotForThis
    vo, keys = caller.vo, sorted(said)
    states = await rows.lock(conn, vo, keys)
    if saying.kind is DeclarationKind.BAD:
        noted = await mark_bad(conn, vo, keys, reason=saying.reason, account_id=caller.account_id)
    elif saying.kind is DeclarationKind.SUSPICIOUS:
        noted = [key for key in keys if states.get(key) in (ReplicaState.AVAILABLE, ReplicaState.UNAVAILABLE)]
        await declarations.insert(conn, vo, noted, saying, caller.account_id)
    elif saying.kind is DeclarationKind.UNAVAILABLE:
        noted = await _set_aside(conn, caller, states, saying)
    else:
        noted = await _give_back(conn, vo, keys)
    return {key: states.get(key) for key in keys if key not in set(noted)}


async def _set_aside(
    conn: Connection, caller: Principal, states: Mapping[ReplicaKey, ReplicaState], saying: Saying
) -> list[ReplicaKey]:
    keys = [key for key in sorted(states) if states[key] in (ReplicaState.AVAILABLE, ReplicaState.UNAVAILABLE)]
    await declarations.end(conn, caller.vo, keys, [DeclarationKind.UNAVAILABLE], DeclarationState.REPLACED)
    await rows.swap(conn, caller.vo, keys, ReplicaState.AVAILABLE, ReplicaState.UNAVAILABLE)
    await declarations.insert(conn, caller.vo, keys, saying, caller.account_id)
    return keys


async def _give_back(conn: Connection, vo: int, keys: Sequence[ReplicaKey]) -> list[ReplicaKey]:
    """Let locked replicas that are unavailable be available again; return them."""
    back = await rows.swap(conn, vo, keys, ReplicaState.UNAVAILABLE, ReplicaState.AVAILABLE)
    await declarations.end(conn, vo, back, [DeclarationKind.UNAVAILABLE], DeclarationState.AVAILABLE)
    return back


async def return_due(deployment: Deployment) -> int:
    """Let replicas be available again whose time of being unavailable has passed; return how many.

    Opens its own transactions, one for each VO. Safe to run twice, and at once.
    """
    vos, now = await all_vos(deployment.database), deployment.clock.now()
    async with deployment.database.transaction(vos) as conn:
        due = await declarations.due(conn, vos, now, RETURNED_AT_ONCE)
    returned = 0
    for vo in sorted({vo for vo, _ in due}):
        async with deployment.database.transaction([vo]) as conn:
            keys = [key for of, key in due if of == vo]
            await rows.lock(conn, vo, keys)
            returned += len(await _give_back(conn, vo, await declarations.still_due(conn, vo, keys, now)))
    return returned


async def mean(conn: Connection, caller: Principal, texts: Sequence[str]) -> dict[str, Located]:
    """The replicas that texts mean, each a URL or `SCOPE:NAME@RSE`, by text; whether they are there is not asked.

    Raises `DidMalformed`, `DidNotFound`, `RseNotFound`, or `ReplicaNotFound` for a URL where nothing can lie: each
    names the first.
    """
    urls = [text for text in texts if "://" in text]
    found = await located(conn, caller, urls) if urls else {}
    for url in urls:
        if url not in found:
            raise ReplicaNotFound(did=url[:500], rse="any RSE")
    known = {rse.name: rse.rse_id for rse in await rses.rses(conn)}
    pairs = [(text, text.rpartition("@")) for text in texts if "://" not in text]
    for _, (_, _, rse) in pairs:
        if rse not in known:
            raise RseNotFound(rse=rse[:200], field="replicas")
    resolved = await dids.resolve(conn, caller.vo, [did for _, (did, _, _) in pairs], field="replicas")
    for (text, (_, _, rse)), did in zip(pairs, resolved, strict=True):
        scope, _, name = did.did.partition(":")
        found[text] = Located(text, ReplicaKey(did.did_id, known[rse]), rse, scope, name)
    return found


async def list_troubles(
    conn: Connection, vo: int, asked: Troubles, *, page: tuple[int | None, int]
) -> list[Declaration]:
    """What was said of replicas, newest first: as many as `page` says, before the id it says."""
    return await declarations.list_declarations(conn, vo, asked, page)


async def stream_troubles(conn: Connection, vo: int, asked: Troubles) -> AsyncIterator[list[Declaration]]:
    """All that was said of replicas, newest first, many at a time: read from a server-side cursor."""
    async for some in declarations.stream_declarations(conn, vo, asked):
        yield some


async def suspicions(
    conn: Connection, vo: int, asked: Troubles, *, at_least: int = 1
) -> AsyncIterator[list[Suspicion]]:
    """Replicas that were called something often enough, as `stream_troubles`."""
    async for some in declarations.stream_suspicions(conn, vo, asked, at_least):
        yield some


async def trouble_sums(conn: Connection, vo: int, asked: Troubles) -> AsyncIterator[list[TroubleSum]]:
    """How many replicas were called something together, and what came of it, as `stream_troubles`."""
    async for some in declarations.stream_sums(conn, vo, asked):
        yield some


async def note_lost(conn: Connection, vo: int, keys: Sequence[ReplicaKey]) -> None:
    """Note of bad replicas that could not be brought anew, whose rows the caller has locked, which of them are lost.

    Those are whose file has no other copy. One may come back all the same, when somebody finds it.
    """
    await declarations.end_lost(conn, vo, keys)


async def settle_put(conn: Connection, vo: int, said: Mapping[ReplicaKey, str], *, arrived: bool) -> list[ReplicaKey]:
    """Note that files, given with their DIDs, which a client has put on a storage, are there, or will not come.

    All or none; the caller has seen to it that who says so may. Those that are there already stay as they are; returns
    the others that are now. Raises `ReplicaNotFound` or `ReplicaNotCopying`, naming the first.
    """
    wanted = sorted(said)
    states = await rows.lock(conn, vo, wanted)
    fit = {ReplicaState.COPYING, ReplicaState.AVAILABLE} if arrived else {ReplicaState.COPYING}
    for key in wanted:
        if key not in states:
            raise ReplicaNotFound(**await named(conn, vo, key))
        if states[key] not in fit:
            raise ReplicaNotCopying(**await named(conn, vo, key), state=states[key].word)
    if not arrived:
        await rows.expire(conn, vo, wanted)
        return []
    came = await arrive(conn, vo, wanted)
    await rows.keep(conn, vo, came)
    if came:
        await defer(conn, "rules:settle", vo=vo, keys=[list(key) for key in came])
    return came


async def give_up(conn: Connection, caller: Principal, said: Mapping[ReplicaKey, str]) -> None:
    """Let replicas, given with the DIDs of their files, be deleted soon, for who has `replicas:manage`: all or none.

    Raises `ReplicaNotFound` or `ReplicaHeld`, naming the first.
    """
    require(caller, "replicas:manage", on=[thing(did) for did in said.values()])
    wanted = sorted(said)
    states = await rows.lock(conn, caller.vo, wanted)
    for key in wanted:
        if key not in states:
            raise ReplicaNotFound(**await named(conn, caller.vo, key))
    ended = set(await rows.expire(conn, caller.vo, wanted))
    for key in wanted:
        if key not in ended:
            raise ReplicaHeld(**await named(conn, caller.vo, key))


async def abandon(conn: Connection, vo: int, file_ids: Sequence[int]) -> None:
    """Let every replica of these files be deleted soon that nothing holds; the others as soon as nothing does."""
    if file_ids:
        there = await rows.lock_all(conn, vo, file_ids)
        await rows.expire(conn, vo, sorted(key for key, state in there.items() if state is not ReplicaState.COPYING))
