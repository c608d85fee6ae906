"""URLs that need no token, for clients that know none: to read a file, or to put one where there is none."""

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import quote

from sancho.dids import service as dids
from sancho.kit.access import Principal, require
from sancho.kit.db import Connection
from sancho.kit.deployment import Deployment
from sancho.kit.policy import did as thing
from sancho.replicas.errors import PathNotInArea, ReplicaExists, UrlNotSigned
from sancho.replicas.model import Located, ReplicaState
from sancho.replicas.service.catalogue import known_at
from sancho.replicas.store import rows
from sancho.rses import service as rses
from sancho.rses.model import Operation, Rse


async def sign_reading(
    conn: Connection, caller: Principal, deployment: Deployment, rse_name: str, urls: Sequence[str], lifetime: timedelta
) -> list[str]:
    """Sign URLs of an RSE, in the area of the caller's VO, to be read for so long, whether a file is there or not.

    Whoever has an account may read what its VO has. Raises `RseNotFound`, or `UrlNotSigned` or `PathNotInArea` for the
    first that will not do.
    """
    rse = await rses.get(conn, rse_name)
    ways = [_way(caller, deployment, rse, url, Operation.READ) for url in urls]
    return [rses.signed_url(deployment, caller, way, path, lifetime) for way, path in ways]


async def sign_writing(
    conn: Connection, caller: Principal, deployment: Deployment, rse_name: str, urls: Sequence[str], lifetime: timedelta
) -> list[str]:
    """Sign URLs of an RSE, in the area of the caller's VO, each to put a file there, for so long.

    For one's own files that are being put there one needs `uploads:create`; for a place that the catalogue does not
    know, or the files of others, `replicas:create`. No file that is there is ever overwritten. Raises what
    `sign_reading` does, `PathUnfit` for a place at which no file can be said to lie, and `ReplicaExists`.
    """
    rse = await rses.get(conn, rse_name)
    ways = [_way(caller, deployment, rse, url, Operation.WRITE) for url in urls]
    found = await known_at(conn, caller.vo, caller.vo_name, [rse], urls)
    copying = await _copying(conn, caller.vo, found)
    owned = await dids.by_id(conn, caller.vo, sorted({at.key.did_id for at in copying.values()}))
    mine = [
        url for url, at in copying.items()
        if (did := owned.get(at.key.did_id)) is not None and did.account_id == caller.account_id
    ]  # fmt: skip
    if mine:
        require(caller, "uploads:create", on=[thing(copying[url].did) for url in mine])
    if others := sorted(set(urls).difference(mine)):
        require(caller, "replicas:create", on=f"site:{rse.site}")
        for url in others:
            rses.said_path(rse, caller.vo_name, url, field="urls")
    return [rses.signed_url(deployment, caller, way, path, lifetime, write=True) for way, path in ways]


def _way(caller: Principal, deployment: Deployment, rse: Rse, url: str, operation: Operation) -> tuple[Rse, str]:
    usable = rse.writable if operation is Operation.WRITE else rse.readable
    found = rses.signing_at(deployment.extensions, rse, url, operation) if usable else None
    if found is None:
        raise UrlNotSigned(rse=rse.name, operation=operation.value, url=url)
    if not found[1].startswith(f"/{quote(caller.vo_name, '')}/"):
        raise PathNotInArea(path=found[1][:500], vo=caller.vo_name, rse=rse.name)
    return found


async def _copying(conn: Connection, vo: int, found: dict[str, Located]) -> dict[str, Located]:
    """Those of these whose replicas are still to come; raises `ReplicaExists` for the first that is there."""
    there = await rows.list_replicas(conn, vo, sorted({at.key.did_id for at in found.values()}))
    states = {replica.key: replica.state for replica in there}
    for at in found.values():
        if states.get(at.key) not in (None, ReplicaState.COPYING):
            raise ReplicaExists(did=at.did, rse=at.rse)
    return {url: at for url, at in found.items() if at.key in states}
