"""Who follows DIDs, and what has become of those that one follows."""

from collections.abc import Sequence
from datetime import datetime

from sancho.dids.model import FollowedDid, parse_did
from sancho.dids.service.catalogue import get, resolve
from sancho.dids.store import following
from sancho.kit.access import Principal, require_owner
from sancho.kit.db import Connection


async def start_following(conn: Connection, caller: Principal, dids: Sequence[str]) -> None:
    """Let the caller follow DIDs, all or none; raises `DidMalformed` or `DidNotFound`."""
    _require(caller)
    found = await resolve(conn, caller.vo, dids)
    await following.insert(conn, caller.vo, caller.account_id, [did.did_id for did in found])


async def stop_following(conn: Connection, caller: Principal, dids: Sequence[str]) -> None:
    """Let the caller follow DIDs no more; those that it does not follow do not matter. Raises `DidMalformed`."""
    _require(caller)
    for did in dids:
        parse_did(did, field="dids")
    await following.delete(conn, caller.vo, caller.account_id, dids)


def _require(caller: Principal) -> None:
    """Let everybody pass, for it is their own list, unless that is denied or their token is for something else."""
    require_owner(caller, caller.account_id, "dids:create", what="What you follow", owner=caller.account)


async def list_followed(
    conn: Connection, caller: Principal, *, since: datetime | None = None, page: tuple[int, int]
) -> list[FollowedDid]:
    """What the caller follows, by id: as many as `page` says, after the id it says.

    With `since`, what has changed since then; what has been erased is among it until one follows it no more.
    """
    return await following.followed(conn, caller.vo, caller.account_id, since=since, page=page)


async def followers(conn: Connection, vo: int, did: str) -> list[str]:
    """The accounts that follow a DID, by name; raises `DidMalformed` or `DidNotFound`."""
    return await following.followers(conn, vo, (await get(conn, vo, did)).did_id)
