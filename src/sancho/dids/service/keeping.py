"""Lifetime exceptions: somebody asks that DIDs be kept longer than they would be, and who manages DIDs decides."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from sancho.dids.errors import DidNotFound, ErasureBegun, LifetimeExceptionDecided, LifetimeExceptionNotFound, UntilPast
from sancho.dids.model import Kept, KeptEntry, LifetimeException, LifetimeExceptionState
from sancho.dids.service.catalogue import get, resolve
from sancho.dids.store import keeping
from sancho.identity import service as identity
from sancho.kit.access import Principal, require
from sancho.kit.db import Connection
from sancho.kit.policy import did as thing


async def ask_exception(
    conn: Connection, caller: Principal, dids: Sequence[str], *, until: datetime, reason: str, now: datetime
) -> LifetimeException:
    """Ask that DIDs be kept until a time, whosever they are; for an account that may `dids:create`.

    All or none. Nothing changes before somebody approves. Raises `UntilPast`, `DidMalformed`, `DidNotFound` or
    `ErasureBegun`.
    """
    require(caller, "dids:create", on=[thing(did) for did in dids])
    if until <= now:
        raise UntilPast(until=until)
    found = {did.did_id: did for did in await resolve(conn, caller.vo, dids)}
    begun = set(await keeping.begun(conn, caller.vo, list(found)))
    for did_id, did in found.items():
        if did_id in begun:
            raise ErasureBegun(did=did.did, field="dids")
    made = await keeping.insert(conn, caller.vo, caller.account_id, list(found), until=until, reason=reason)
    return await get_exception(conn, caller.vo, made)


async def approve_exception(
    conn: Connection, caller: Principal, exception_id: int, *, answer: str | None, now: datetime
) -> LifetimeException:
    """Let the DIDs of an exception that end earlier end when it says; for who has `dids:manage`. All or none.

    What has no end goes on having none, and what ends later still does. Raises `LifetimeExceptionNotFound`,
    `LifetimeExceptionDecided`, `UntilPast` when its time is over, `ErasureBegun`, or `DidNotFound` for what has been
    erased since it was asked.
    """
    one = await _undecided(conn, caller, exception_id)
    if one.until <= now:
        raise UntilPast(until=one.until)
    await keeping.lock_endings(conn, caller.vo, exception_id)
    for did in await keeping.kept(conn, caller.vo, exception_id):
        if did.erased:
            raise DidNotFound(did=did.did, field="dids")
        if did.begun:
            raise ErasureBegun(did=did.did, field="dids")
    await keeping.keep(conn, caller.vo, exception_id)
    return await _decide(conn, caller, exception_id, LifetimeExceptionState.APPROVED, answer)


async def reject_exception(
    conn: Connection, caller: Principal, exception_id: int, *, answer: str | None
) -> LifetimeException:
    """Let DIDs end when they would; for who has `dids:manage`.

    Raises `LifetimeExceptionNotFound` or `LifetimeExceptionDecided`.
    """
    await _undecided(conn, caller, exception_id)
    return await _decide(conn, caller, exception_id, LifetimeExceptionState.REJECTED, answer)


async def _undecided(conn: Connection, caller: Principal, exception_id: int) -> LifetimeException:
    """Be the only one who decides about an exception, and see that it waits."""
    await get_exception(conn, caller.vo, exception_id)
    about = await keeping.kept(conn, caller.vo, exception_id)
    require(caller, "dids:manage", on=[thing(did.did) for did in about])
    await keeping.lock(conn, caller.vo, exception_id)
    one = await get_exception(conn, caller.vo, exception_id)
    if one.state is not LifetimeExceptionState.WAITING:
        raise LifetimeExceptionDecided(exception_id=exception_id, state=one.state.word)
    return one


async def _decide(
    conn: Connection, caller: Principal, exception_id: int, state: LifetimeExceptionState, answer: str | None
) -> LifetimeException:
    await keeping.decide(conn, caller.vo, exception_id, state, by_id=caller.account_id, answer=answer)
    return await get_exception(conn, caller.vo, exception_id)


async def get_exception(conn: Connection, vo: int, exception_id: int) -> LifetimeException:
    """One lifetime exception; raises `LifetimeExceptionNotFound`."""
    found = await keeping.find_exception(conn, vo, exception_id)
    if found is None:
        raise LifetimeExceptionNotFound(exception_id=exception_id)
    return found


async def list_exceptions(
    conn: Connection, vo: int, *, account: str | None = None, did: str | None = None,
    state: LifetimeExceptionState | None = None, page: tuple[int | None, int],
) -> list[LifetimeException]:  # fmt: skip
    """Exceptions of an account, about a DID, in a state, newest first: as many as `page` says, before the id it says.

    Raises `AccountNotFound`, `DidMalformed` or `DidNotFound`.
    """
    account_id = None if account is None else (await identity.get_account(conn, vo, account)).account_id
    did_id = None if did is None else (await get(conn, vo, did)).did_id
    return await keeping.list_exceptions(conn, vo, account_id=account_id, did_id=did_id, state=state, page=page)


async def kept(conn: Connection, vo: int, exception_id: int) -> list[Kept]:
    """The DIDs that an exception is about, as they are now."""
    return await keeping.kept(conn, vo, exception_id)


async def stream_exceptions(
    conn: Connection, vo: int, *, exception_id: int | None = None, states: Sequence[LifetimeExceptionState] = ()
) -> AsyncIterator[list[KeptEntry]]:
    """The DIDs of one exception, or of all in these states (any, when none is named), newest first."""
    wanted = states or list(LifetimeExceptionState)
    async for some in keeping.stream_entries(conn, vo, exception_id=exception_id, states=wanted):
        yield some
