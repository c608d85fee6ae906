"""What people say of replicas: that they are bad, or not needed any more."""

from collections.abc import Mapping, Sequence

from sancho.kit.access import Principal, require
from sancho.kit.db import Connection
from sancho.kit.policy import did as thing
from sancho.kit.tasks import defer
from sancho.replicas.errors import ReplicaHeld, ReplicaNotCopying, ReplicaNotFound
from sancho.replicas.model import ReplicaKey, ReplicaState
from sancho.replicas.service.holds import arrive, mark_bad, named
from sancho.replicas.store import rows


async def declare_bad(conn: Connection, caller: Principal, said: Mapping[ReplicaKey, str]) -> list[ReplicaKey]:
    """Note that replicas, given with the DIDs of their files, are lost or wrong, for who has `replicas:manage`.

    As `mark_bad`. Return those that were not available, or are not there at all: of these nothing is noted.
    """
    require(caller, "replicas:manage", on=[thing(did) for did in said.values()])
    bad = set(await mark_bad(conn, caller.vo, sorted(said)))
    return sorted(said.keys() - bad)


async def settle_put(conn: Connection, caller: Principal, said: Mapping[ReplicaKey, str], *, arrived: bool) -> None:
    """Note that files, given with their DIDs, which a client has put on a storage, are there, or will not come.

    For who has `replicas:create`; all or none. Those that are there already stay as they are. Raises
    `ReplicaNotFound` or `ReplicaNotCopying`, naming the first.
    """
    require(caller, "replicas:create", on=[thing(did) for did in said.values()])
    wanted = sorted(said)
    states = await rows.lock(conn, caller.vo, wanted)
    fit = {ReplicaState.COPYING, ReplicaState.AVAILABLE} if arrived else {ReplicaState.COPYING}
    for key in wanted:
        if key not in states:
            raise ReplicaNotFound(**await named(conn, caller.vo, key))
        if states[key] not in fit:
            raise ReplicaNotCopying(**await named(conn, caller.vo, key), state=states[key].word)
    if not arrived:
        await rows.expire(conn, caller.vo, wanted)
        return
    came = await arrive(conn, caller.vo, wanted)
    await rows.keep(conn, caller.vo, came)
    if came:
        await defer(conn, "rules:settle", vo=caller.vo, keys=[list(key) for key in came])


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
