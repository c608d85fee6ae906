"""Intents: open, verify, commit, give up, empty what was given up.

`verify` and `empty` talk to storages and need no transaction; everything else runs in the caller's.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from sancho.accounting import service as accounting
from sancho.accounting.model import Entry, EntryKind
from sancho.dids import service as dids
from sancho.dids.model import NewFile, pack_adler32, unpack_adler32
from sancho.kit import faults, telemetry
from sancho.kit.db import Connection, all_vos
from sancho.kit.deployment import Deployment
from sancho.replicas import service as replicas
from sancho.replicas.model import ReplicaKey, ReplicaState
from sancho.rses import service as rses
from sancho.rses.model import Operation, Rse
from sancho.rules import service as rules
from sancho.rules.model import Arrival, Hold, RuleTerms
from sancho.uploads import plan, store
from sancho.uploads.errors import IntentGivenUp, IntentNotFound, NoRseForUpload, UploadIncomplete
from sancho.uploads.model import (
    INTENT_LIFETIME,
    MAX_FILES,
    TOKEN_LIFETIME,
    Announced,
    Committed,
    Intent,
    IntentState,
    Upload,
    Wish,
)
from sancho.uploads.service.looking import LOOK_TIME, look
from sancho_contract.storage import ObjectMissing, StorageRefused, StorageUnavailable

AT_ONCE = 8
_log = telemetry.log(__name__)
_opened = faults.point("uploads.opened")
_verified = faults.point("uploads.verified")
_registered = faults.point("uploads.registered")
_emptied = faults.point("uploads.emptied")


def choose_rse(
    known: Sequence[Rse],
    did: str,
    *,
    wanted: Collection[int] = (),
    site_id: int | None = None,
    distances: Mapping[int, int] | None = None,
) -> Rse:
    """The writable RSE for a new file: in reach, at the site, wanted by its rule, near, and of those one by its DID.

    `distances` are those from the site to RSEs by id. Raises `NoRseForUpload`.
    """
    rse = plan.choose_rse(known, did, wanted=wanted, site_id=site_id, distances=distances)
    if rse is None:
        raise NoRseForUpload
    return rse


async def open_intents(
    conn: Connection, vo: int, account_id: int, wishes: Sequence[Wish], *, now: datetime, attempt_id: int | None = None
) -> list[Intent]:
    """Open intents, in the order of the wishes, and hold their bytes of the account's quota.

    For an attempt, asking again for the same file gives the same intent; a file that changed gives the old one up.
    Raises `QuotaExceeded`; then none was opened.
    """
    existing: list[Intent] = [] if attempt_id is None else await store.list_of_attempt(conn, vo, attempt_id)
    kept = {(i.scope_id, i.name): i for i in existing if any(_same(i, w) for w in wishes)}
    changed = [i for i in existing if i not in kept.values() and any(_names(i) == (w.scope_id, w.name) for w in wishes)]
    if changed:
        await give_up(conn, vo, changed)
    if kept:
        await store.prolong(conn, vo, [i.intent_id for i in kept.values()], now + INTENT_LIFETIME)
    missing = [w for w in wishes if (w.scope_id, w.name) not in kept]
    for rse_id, size in _bytes_by_rse((w.rse_id, w.size) for w in missing):
        await rules.hold_quota(conn, vo, account_id, rse_id, size)
    made = await store.insert_intents(
        conn, vo, account_id, [(w, pack_adler32(w.adler32) if w.adler32 else None) for w in missing],
        attempt_id=attempt_id, expires_at=now + INTENT_LIFETIME,
    )  # fmt: skip
    _opened()
    by_name = kept | {_names(i): i for i in made}
    return [by_name[w.scope_id, w.name] for w in wishes]


def grants(
    deployment: Deployment, vo_name: str, intents: Sequence[Intent], known: Mapping[int, Rse], *, subject: str
) -> list[Upload]:
    """Say where to put the files, each with a token for exactly its path."""
    uploads: list[Upload] = []
    for intent in intents:
        rse = _for_putting(known[intent.rse_id])
        place = rses.place(rse, vo_name, intent.scope, intent.did_id, intent.name)
        token = rses.token(deployment.signer, rse, subject=subject, lifetime=TOKEN_LIFETIME, create=[place.path])
        uploads.append(Upload(intent_id=intent.intent_id, did=intent.did, rse=rse.name, url=place.url, token=token))
    return uploads


def _for_putting(rse: Rse) -> Rse:
    """The RSE as clients reach it: by what they speak, if there is that."""
    spoken = rses.reached([rse], Operation.WRITE, schemes=plan.SPOKEN)
    return (spoken or rses.reached([rse], Operation.WRITE)).get(rse.rse_id, rse)


async def verify(
    deployment: Deployment, vo_name: str, intents: Sequence[Intent], known: Mapping[int, Rse]
) -> dict[int, str]:
    """Ask the storages whether open intents are there, whole; give each one's checksum by intent id.

    Raises `UploadIncomplete` for the first that is not, `StorageAway` when that cannot be told. No transaction
    may be open.
    """
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(intent: Intent) -> tuple[int, str]:
        async with limit:
            rse = known.get(intent.rse_id)
            if rse is None:
                raise UploadIncomplete(did=intent.did, rse="its RSE", why="the VO may not use it any more")
            return intent.intent_id, await _verify_one(deployment, vo_name, intent, rse)

    seen = await asyncio.gather(*(one(i) for i in intents if i.state is IntentState.OPEN))
    _verified()
    return dict(seen)


async def _verify_one(deployment: Deployment, vo_name: str, intent: Intent, rse: Rse) -> str:
    rse = rses.reached([rse], Operation.READ).get(rse.rse_id, rse)
    place = rses.place(rse, vo_name, intent.scope, intent.did_id, intent.name)
    announced = None if intent.adler32 is None else unpack_adler32(intent.adler32)
    return await look(deployment, rse, place, Announced(intent.did, intent.size, announced))


async def commit(conn: Connection, vo: int, intent_ids: Sequence[int], checksums: Mapping[int, str]) -> list[Committed]:
    """Register verified intents: file, replica, attachment, rules, usage; give their quota hold back.

    A file for which no rule was wished, and that no rule is above, gets one: a copy where it lies, for whoever adds it.

    Idempotent: what was committed before is returned again. Raises `IntentNotFound`, `IntentGivenUp`, `DidExists`,
    `CollectionClosed`; then nothing was registered.
    """
    locked = await store.lock_intents(conn, vo, intent_ids)
    if missing := set(intent_ids) - {i.intent_id for i in locked}:
        raise IntentNotFound(intent_id=min(missing))
    if given_up := next((i for i in locked if i.state is IntentState.GIVEN_UP), None):
        raise IntentGivenUp(did=given_up.did)
    fresh = [i for i in locked if i.state is IntentState.OPEN]
    if fresh:
        await _register(conn, vo, fresh, checksums)
        await store.mark_committed(conn, vo, [i.intent_id for i in fresh])
    _registered()
    by_id = {i.intent_id: i for i in locked}
    return [_committed(by_id[intent_id]) for intent_id in intent_ids]


async def _register(conn: Connection, vo: int, fresh: Sequence[Intent], checksums: Mapping[int, str]) -> None:
    for account_id, owned in groupby(sorted(fresh, key=lambda i: (i.account_id, i.intent_id)), lambda i: i.account_id):
        files = [NewFile(i.did_id, i.scope_id, i.name, i.size, checksums[i.intent_id]) for i in owned]
        await dids.register_files(conn, vo, account_id, files)
    keys = [ReplicaKey(i.did_id, i.rse_id) for i in fresh]
    await replicas.add(conn, vo, keys, [i.size for i in fresh], ReplicaState.AVAILABLE)
    in_datasets = sorted((i for i in fresh if i.dataset_id is not None), key=lambda i: (i.dataset_id or 0, i.did_id))
    for dataset_id, members in groupby(in_datasets, lambda i: i.dataset_id or 0):
        await dids.attach(conn, vo, dataset_id, [i.did_id for i in members], announce=False)
    await rules.adopt(
        conn, vo, [Arrival(i.did_id, i.rse_id, i.account_id, i.size, _terms(i.rule)) for i in fresh],
        parent_ids=sorted({i.dataset_id or 0 for i in in_datasets}),
        freed=[Hold(i.account_id, i.rse_id, i.size) for i in fresh if i.held],
    )  # fmt: skip
    await accounting.record(
        conn,
        [
            Entry(vo=vo, kind=EntryKind.UPLOAD, account_id=i.account_id, rse_id=i.rse_id, files=1, size=i.size)
            for i in fresh
        ],
    )


async def give_up(conn: Connection, vo: int, intents: Sequence[Intent]) -> None:
    """Make intents impossible to commit and give their quota back; their paths are emptied after they expire."""
    locked = await store.lock_intents(conn, vo, [i.intent_id for i in intents])
    open_ones = [i for i in locked if i.state is IntentState.OPEN]
    await store.mark_given_up(conn, vo, [i.intent_id for i in open_ones])
    await _free_quota(conn, vo, open_ones)


async def get_own(conn: Connection, vo: int, intent_ids: Sequence[int], *, account_id: int) -> list[Intent]:
    """These intents, which must be the account's own; raises `IntentNotFound`."""
    found = await store.list_intents(conn, vo, intent_ids)
    own = {i.intent_id for i in found if i.account_id == account_id}
    if missing := set(intent_ids) - own:
        raise IntentNotFound(intent_id=min(missing))
    return found


async def list_open(conn: Connection, vo: int, account_id: int) -> list[Intent]:
    """An account's open intents, oldest first."""
    return await store.list_open(conn, vo, account_id, MAX_FILES)


async def of_attempt(conn: Connection, vo: int, attempt_id: int, intent_ids: Sequence[int]) -> list[Intent]:
    """These intents, which must be the attempt's; raises `IntentNotFound`."""
    found = await store.list_intents(conn, vo, intent_ids)
    own = {i.intent_id for i in found if i.attempt_id == attempt_id}
    if missing := set(intent_ids) - own:
        raise IntentNotFound(intent_id=min(missing))
    return found


async def give_up_elsewhere(conn: Connection, vo: int, attempt_id: int, rse_ids: Collection[int]) -> None:
    """Give up what an attempt had begun to upload to other RSEs than these, which it may use."""
    elsewhere = [i for i in await store.list_of_attempt(conn, vo, attempt_id) if i.rse_id not in rse_ids]
    if elsewhere:
        await give_up(conn, vo, elsewhere)


async def give_up_attempts(conn: Connection, vo: int, attempt_ids: Sequence[int]) -> None:
    """Give up what ended attempts had begun to upload."""
    for attempt_id in attempt_ids:
        if left := await store.list_of_attempt(conn, vo, attempt_id):
            await give_up(conn, vo, left)


async def expire(deployment: Deployment, *, limit: int = 200) -> int:
    """Empty the paths of expired intents, then forget them; say how many. Safe to run twice and to be killed."""
    everyone = await all_vos(deployment.database)
    async with deployment.database.transaction(everyone) as conn:
        expired = await store.lock_expired(conn, limit)
        for vo, group in groupby(sorted(expired, key=lambda i: (i.vo, i.intent_id)), lambda i: i.vo):
            intents = list(group)
            await give_up(conn, vo, intents)
            await store.postpone(conn, vo, [i.intent_id for i in intents], timedelta(minutes=5))
        known = rses.reached(await rses.rses(conn), Operation.DELETE)
        names = await store.vo_names(conn)
    gone = await asyncio.gather(*(_empty(deployment, names[i.vo], i, known.get(i.rse_id)) for i in expired))
    _emptied()
    done = [i for i, empty in zip(expired, gone, strict=True) if empty]
    for vo, group in groupby(sorted(done, key=lambda i: (i.vo, i.intent_id)), lambda i: i.vo):
        async with deployment.database.transaction([vo]) as conn:
            await store.delete_intents(conn, vo, [i.intent_id for i in group])
    return len(done)


async def _empty(deployment: Deployment, vo_name: str, intent: Intent, rse: Rse | None) -> bool:
    if rse is None:
        return True
    place = rses.place(rse, vo_name, intent.scope, intent.did_id, intent.name)
    token = rses.token(  # to read as well: XRootD looks at a file before it deletes it
        deployment.signer, rse, subject="uploads", lifetime=LOOK_TIME, read=[place.path], modify=[place.path]
    )
    try:
        await rses.storage(deployment.extensions, rse).delete(place.url, token)
    except ObjectMissing:
        return True
    except (StorageUnavailable, StorageRefused) as e:
        _log.warning("an abandoned upload could not be deleted", rse=rse.name, did=intent.did, why=str(e))
        return False
    return True


async def _free_quota(conn: Connection, vo: int, intents: Iterable[Intent]) -> None:
    held = sorted((i for i in intents if i.held), key=lambda i: (i.account_id, i.rse_id))
    for (account_id, rse_id), group in groupby(held, lambda i: (i.account_id, i.rse_id)):
        await rules.free_quota(conn, vo, account_id, rse_id, sum(i.size for i in group))


def _bytes_by_rse(sizes: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    ordered = sorted(sizes)
    return [(rse_id, sum(size for _, size in group)) for rse_id, group in groupby(ordered, lambda s: s[0])]


def _names(intent: Intent) -> tuple[int, str]:
    return intent.scope_id, intent.name


def _same(intent: Intent, wish: Wish) -> bool:
    adler32 = None if intent.adler32 is None else unpack_adler32(intent.adler32)
    return _names(intent) == (wish.scope_id, wish.name) and (intent.size, adler32) == (wish.size, wish.adler32)


def _committed(intent: Intent) -> Committed:
    return Committed(
        intent_id=intent.intent_id, did_id=intent.did_id, did=intent.did, scope_id=intent.scope_id, name=intent.name,
        rse_id=intent.rse_id, size=intent.size,
    )  # fmt: skip


def _terms(rule: Mapping[str, object] | None) -> RuleTerms | None:
    """The wish that an intent keeps for a file without a dataset."""
    if rule is None:
        return None
    seconds = rule.get("lifetime")
    lifetime = timedelta(seconds=float(seconds)) if isinstance(seconds, int | float) else None
    return {"copies": int(str(rule["copies"])), "rse_expression": str(rule["rse_expression"]), "lifetime": lifetime}
