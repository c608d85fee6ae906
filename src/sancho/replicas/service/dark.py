"""Files on a storage that the catalogue does not know: noted by who has found them, deleted after a grace.

A path that the catalogue knows is never one of them: that is asked when it is noted, and again before it is deleted.
A worker may be killed anywhere; what it has claimed is tried again later.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from urllib.parse import quote

from sancho.kit import telemetry
from sancho.kit.access import Principal, require
from sancho.kit.db import Connection, all_vos
from sancho.kit.deployment import Deployment
from sancho.replicas import plan
from sancho.replicas.errors import FileKnown, PathNotInArea
from sancho.replicas.model import DELETION_TIME, LEASE, DarkFile, DarkFinding
from sancho.replicas.service.catalogue import known_at
from sancho.replicas.store import dark
from sancho.rses import service as rses
from sancho.rses.model import Operation, Rse
from sancho.vos import service as vos
from sancho_contract.storage import ObjectMissing, StorageRefused, StorageUnavailable

DARK_GRACE = timedelta(days=1)
"""How long after it was noted a file is left alone: longer than an upload may take."""
SWEPT_AT_ONCE = 100
"""Files of each VO that one run deletes."""
ONE_DELETION = 60.0
_log = telemetry.log(__name__)


async def quarantine(
    conn: Connection, caller: Principal, rse_name: str, texts: Sequence[str], *, reason: str | None = None
) -> int:
    """Note files on an RSE that nobody knows, as URLs or paths below its prefix, for who has `replicas:manage`.

    They are deleted from the storage after a day. All or none: raises `RseNotFound`, `PathNotInArea` for what is not
    in the VO's area there, or `FileKnown` for the place of a file of the catalogue. Returns how many are new.
    """
    rse = await rses.get(conn, rse_name, field="rse")
    require(caller, "replicas:manage", on=f"site:{rse.site}")
    paths: dict[str, str] = {}
    for text in texts:
        path = rses.path_below(rse, text)
        if path is None or not path.startswith(f"/{quote(caller.vo_name, '')}/"):
            raise PathNotInArea(path=text[:500], vo=caller.vo_name, rse=rse.name)
        paths[rse.prefix + path] = path
    known = await known_at(conn, caller.vo, caller.vo_name, [rse], list(paths))
    for url in paths:
        if url in known:
            raise FileKnown(url=url[:500], did=known[url].did)
    found = DarkFinding(caller.account_id, reason, DARK_GRACE)
    return await dark.insert(conn, caller.vo, rse.rse_id, list(paths.values()), found)


async def sweep(deployment: Deployment) -> int:
    """Delete files that nobody knows and whose grace has passed; return how many are gone.

    Opens its own transactions and none while it talks to storages. Safe to run twice, at once, and to be killed.
    """
    gone = 0
    async with deployment.database.transaction([0]) as conn:
        names = {vo.vo: vo.name for vo in await vos.list_vos(conn)}
    for vo in await all_vos(deployment.database):
        async with deployment.database.transaction([0, vo]) as conn:
            now = deployment.clock.now()
            found = await dark.claim(conn, vo, now, now + LEASE, SWEPT_AT_ONCE)
            at = await rses.by_id(conn, {one.rse_id for one in found}) if found else {}
            urls = {at[one.rse_id].prefix + one.path: one for one in found if one.rse_id in at}
            known = await known_at(conn, vo, names.get(vo, ""), list(at.values()), list(urls)) if urls else {}
            await dark.forget(conn, vo, [one.dark_file_id for url, one in urls.items() if url in known])
        doomed = [one for url, one in urls.items() if url not in known and at[one.rse_id].deletable]
        if doomed:
            gone += await _delete(deployment, vo, doomed, at)
    return gone


async def _delete(deployment: Deployment, vo: int, doomed: Sequence[DarkFile], at: Mapping[int, Rse]) -> int:
    until = deployment.clock.now() + DELETION_TIME
    done = [
        one for one in doomed if deployment.clock.now() < until and await _delete_one(deployment, one, at[one.rse_id])
    ]
    left = [one for one in doomed if one not in done]
    now = deployment.clock.now()
    async with deployment.database.transaction([vo]) as conn:
        await dark.forget(conn, vo, [one.dark_file_id for one in done])
        await dark.postpone(
            conn, vo, [one.dark_file_id for one in left], [now + plan.wait_after(one.tries) for one in left]
        )
    return len(done)


async def _delete_one(deployment: Deployment, one: DarkFile, rse: Rse) -> bool:
    rse = rses.reached([rse], Operation.DELETE).get(rse.rse_id, rse)
    token = rses.token(
        deployment.signer, rse, subject="reaper", lifetime=DELETION_TIME, read=[one.path], modify=[one.path]
    )
    try:
        async with asyncio.timeout(ONE_DELETION):
            await rses.storage(deployment.extensions, rse).delete(rse.prefix + one.path, token)
    except ObjectMissing:
        return True
    except (StorageUnavailable, StorageRefused, TimeoutError) as e:
        _log.warning("deletion of a file that nobody knows failed", rse=rse.name, reason=str(e))
        return False
    return True
