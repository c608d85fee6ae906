"""New collections."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from sancho.dids.errors import CollectionClosed, DidExists, NotACollection, NotADataset
from sancho.dids.model import Did, DidKind, NewCollection, parse_did
from sancho.dids.service.catalogue import find_all, get, require_change
from sancho.dids.service.changing import attach
from sancho.dids.service.scopes import scopes_for
from sancho.dids.store import contents, ending, rows
from sancho.kit.access import Principal, require
from sancho.kit.db import Connection
from sancho.kit.policy import did as thing


async def create(conn: Connection, caller: Principal, did: str, kind: DidKind) -> Did:
    """Make an empty, open dataset or container that belongs to the caller, who needs `dids:create`.

    Raises what `scopes_for` does, `DidExists`, and `NotACollection` for a file: files are registered with their
    replicas, or uploaded.
    """
    await create_all(conn, caller, [NewCollection(did, kind)], field=lambda _: "did")
    return await get(conn, caller.vo, did)


async def create_all(
    conn: Connection, caller: Principal, wanted: Sequence[NewCollection],
    *, field: Callable[[int], str] = "dids.{}".format,
) -> None:  # fmt: skip
    """Make empty, open datasets and containers that belong to the caller, who needs `dids:create`: all or none.

    Raises what `create` does, naming the first that will not do; one that is named twice exists.
    """
    require(caller, "dids:create", on=[thing(one.did) for one in wanted] or None)
    scopes = await scopes_for(
        conn, caller, [one.did for one in wanted], kinds=[one.kind for one in wanted], field=field
    )
    new: list[tuple[int, str, DidKind, bool]] = []
    for n, one in enumerate(wanted):
        if one.kind is DidKind.FILE:
            raise NotACollection(did=one.did, field=field(n))
        scope, name = parse_did(one.did, field=field(n))
        new.append((scopes[scope], name, one.kind, one.monotonic))
    free = await rows.insert_collections(conn, caller.vo, caller.account_id, new)
    lifetimes: dict[int, timedelta] = {}
    for n, (one, (scope_id, name, _, _)) in enumerate(zip(wanted, new, strict=True)):
        if (scope_id, name) not in free:
            raise DidExists(did=one.did, field=field(n))
        did_id = free.pop((scope_id, name))
        if one.lifetime is not None:
            lifetimes[did_id] = one.lifetime
    if lifetimes:
        await ending.put(conn, caller.vo, lifetimes)


async def sample(conn: Connection, caller: Principal, source: str, into: str, *, number: int) -> Did:
    """Make a dataset of as many of the files below a DID, chosen at random: of all when they are fewer.

    It belongs to the caller, who needs `dids:create`. Raises what `create` does.
    """
    root = await get(conn, caller.vo, source, field="source")
    await create_all(conn, caller, [NewCollection(into, DidKind.DATASET)], field=lambda _: "dataset")
    made = await get(conn, caller.vo, into)
    leaves = await contents.leaves(conn, caller.vo, [root.did_id])
    await attach(conn, caller.vo, made.did_id, await contents.sample(conn, caller.vo, leaves, number))
    return made


async def ensure_dataset(conn: Connection, caller: Principal, did: str, *, field: str = "dataset") -> Did:
    """The open dataset of this name, that the caller may attach to; made, and owned by it, when there is none.

    Safe to run twice. Raises what `scopes_for` does when there is none, `NotADataset`, `CollectionClosed` when it has
    been closed, `DidExists` when it was erased, and, unless the caller has `dids:manage`, `NotYours` when it is
    somebody else's.
    """
    if not await find_all(conn, caller.vo, [did], field=field):
        scope, name = parse_did(did, field=field)
        scopes = await scopes_for(conn, caller, [did], kinds=[DidKind.DATASET], field=lambda _: field)
        new = (scopes[scope], name, DidKind.DATASET, False)
        made = await rows.insert_collections(conn, caller.vo, caller.account_id, [new])
        if not made and not await find_all(conn, caller.vo, [did], field=field):
            raise DidExists(did=did, field=field)
    dataset = await get(conn, caller.vo, did, field=field)
    if dataset.kind is not DidKind.DATASET:
        raise NotADataset(did=did, kind=dataset.kind.word, field=field)
    require_change(caller, dataset)
    if not dataset.open:
        raise CollectionClosed(did=did, field=field)
    return dataset
