"""What DIDs say of themselves, by the keys that their VO has."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from sancho.dids.errors import DidNotFound, MetadataKeyInUse, MetadataMissing, MetadataUnfit
from sancho.dids.model import Described, Did, MetadataKey, MetadataKind, Value, item_of
from sancho.dids.service.catalogue import by_id, find_all, info, require_changes, resolve
from sancho.dids.service.reading import stream_below
from sancho.dids.service.values import read
from sancho.dids.service.walking import Walk, below
from sancho.dids.store import attaching, metadata
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.kit.tasks import defer

AT_ONCE = 10_000
"""Files below a collection that are described in the request, and DIDs in one transaction of the background."""


async def list_keys(conn: Connection, vo: int) -> list[MetadataKey]:
    """The keys of a VO, by name."""
    return await metadata.list_keys(conn, vo)


async def describe(
    conn: Connection, caller: Principal, said: Sequence[tuple[str, Mapping[str, Any]]],
    *, field: Callable[[int], str] = "dids.{}.metadata".format,
) -> None:  # fmt: skip
    """Let DIDs say something, given with what they say: all, or none. What they say of other keys stays; null removes.

    For their owners, as `set_open`. A DID that is named twice says the later. Raises `DidNotFound`, `NotYours`,
    `MetadataKeyUnknown` or `MetadataUnfit`; `field` names what is said of the DID at a place.
    """
    found = await resolve(conn, caller.vo, [did for did, _ in said])
    require_changes(caller, found)
    await metadata.hold_keys(conn, caller.vo)
    there = await attaching.lock_children(conn, caller.vo, [did.did_id for did in found])
    gone = next((did for did in found if did.did_id not in there), None)
    if gone is not None:  # erased just now
        raise DidNotFound(did=gone.did, field="dids")
    keys = {key.name: key for key in await metadata.list_keys(conn, caller.vo)}
    changes: dict[int, dict[str, Value | None]] = {}
    for n, (did, (_, document)) in enumerate(zip(found, said, strict=True)):
        changes.setdefault(did.did_id, {}).update(read(keys, did, document, field=field(n)))
    await _write(conn, caller.vo, keys, {did_id: changes[did_id] for did_id in sorted(changes)})


async def describe_below(conn: Connection, caller: Principal, said: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Let what is below these DIDs, at any depth, say the same as `describe` lets them: all, or none.

    For clients that know no inheritance, and for what must go on saying so when it is taken out of its collection.
    Whether it may be said is known at once; of a DID with more than `AT_ONCE` files below it is said in the
    background, of two such in the order in which they were asked for.
    """
    for did, document in said:
        (found,) = await resolve(conn, caller.vo, [did])
        many = (await info(conn, found)).files > AT_ONCE
        walk = await below(conn, caller.vo, found.did_id) if many else None
        if walk is not None:
            owners = await _check_below(conn, caller, walk, document)
            await _defer_below(conn, caller.vo, found.did_id, document, owners, after=0)
            continue
        async for branches in stream_below(conn, found, deep=True):
            await describe(conn, caller, [(f"{one.child.scope}:{one.child.name}", document) for one in branches])


async def _check_below(
    conn: Connection, caller: Principal, walk: Walk, document: Mapping[str, Any]
) -> set[tuple[int, int]]:
    """Raise what `describe` does; return the accounts, of a DID and of its scope, to whom what is below belongs.

    Where no policy tells one DID from another, one file of each account and scope is as good as all.
    """
    keys = {key.name: key for key in await metadata.list_keys(conn, caller.vo)}
    every = any(caller.is_concerned(policy, "dids:manage") for policy in caller.rights.policies)
    files = () if every else await metadata.owners_inside(conn, caller.vo, walk.datasets)
    there = walk if every else Walk(walk.collections, (), own=sorted(files))
    owners: set[tuple[int, int]] = set()
    after: int | None = 0
    while after is not None:
        ids, after = await there.following(conn, caller.vo, after, AT_ONCE)
        dids = list((await by_id(conn, caller.vo, ids)).values())
        require_changes(caller, dids)
        for did in {did.kind: did for did in dids}.values():
            read(keys, did, document, field="dids.0.metadata")
        owners.update((did.account_id, did.scope_account_id) for did in dids)
    return owners


async def _defer_below(
    conn: Connection, vo: int, did_id: int, document: Mapping[str, Any], owners: Iterable[tuple[int, int]],
    *, after: int,
) -> None:  # fmt: skip
    await defer(
        conn, "dids:describe_below", in_turn=f"dids:describe:{vo}:{did_id}", vo=vo, did_id=did_id,
        document=dict(document), owners=sorted(owners), behind=after,
    )  # fmt: skip


async def describe_part(
    conn: Connection, vo: int, did_id: int, document: Mapping[str, Any], *, owners: Iterable[tuple[int, int]],
    after: int,
) -> None:  # fmt: skip
    """Let the next `AT_ONCE` DIDs below a collection, above an id, say something, and queue the rest.

    That it may be said was found out when it was asked for: of DIDs of these owners, as `_check_below` gives them.
    What is no longer fit to be said by then, for a key has changed, is not said.
    """
    walk = await below(conn, vo, did_id)
    if walk is None:
        return
    ids, following = await walk.following(conn, vo, after, AT_ONCE)
    await metadata.hold_keys(conn, vo)
    there = await attaching.lock_children(conn, vo, ids)
    keys = {key.name: key for key in await metadata.list_keys(conn, vo)}
    known, allowed = {name: value for name, value in document.items() if name in keys}, set(owners)
    changes: dict[int, Mapping[str, Value | None]] = {}
    for did in (await by_id(conn, vo, ids)).values():
        if did.did_id in there and (did.account_id, did.scope_account_id) in allowed:
            with suppress(MetadataUnfit):
                changes[did.did_id] = read(keys, did, known, field="document")
    if known and changes:
        await _write(conn, vo, keys, {one: changes[one] for one in sorted(changes)})
    if following is not None:
        await _defer_below(conn, vo, did_id, document, allowed, after=following)


async def _write(
    conn: Connection, vo: int, keys: Mapping[str, MetadataKey], changes: Mapping[int, Mapping[str, Value | None]]
) -> None:
    ids = list(changes)
    await metadata.make_documents(conn, vo, ids)
    await metadata.lock_documents(conn, vo, ids)
    await metadata.merge(conn, vo, changes)
    if any(keys[name].slot is not None for said in changes.values() for name in said):
        await metadata.index(conn, vo, list(keys.values()), ids)
    arrays = [
        (did_id, keys[name].key_id, value)
        for did_id, said in changes.items() for name, value in said.items() if keys[name].kind.is_array
    ]  # fmt: skip
    if arrays:
        await metadata.drop_items(conn, vo, [(did_id, key_id) for did_id, key_id, _ in arrays])
        items = [(did_id, key_id, item_of(one)) for did_id, key_id, many in arrays for one in _many(many)]
        await metadata.insert_items(conn, vo, items)


def _many(value: Value | None) -> Sequence[str | float]:
    return value if isinstance(value, list) else []


async def forget(conn: Connection, caller: Principal, did: str, key: str) -> None:
    """Let a DID say nothing of a key any more; for its owner. Raises `MetadataMissing` when it does not anyhow."""
    (found,) = await resolve(conn, caller.vo, [did], field="did")
    require_changes(caller, [found])
    if key not in (await metadata.documents(conn, caller.vo, [found.did_id])).get(found.did_id, {}):
        raise MetadataMissing(did=found.did, key=key)
    await describe(conn, caller, [(did, {key: None})])


async def descriptions(
    conn: Connection, vo: int, dids: Sequence[str], *, inherit: bool = False, field: str = "dids"
) -> list[Described]:
    """What DIDs say, in the order given; raises what `resolve` does.

    With `inherit` also what the collections above them say: of each key the DID's own, else that of the nearest
    collection. Of several that are equally near, the one that was made first counts.
    """
    return await _described(conn, vo, await resolve(conn, vo, dids, field=field), inherit=inherit)


async def known_descriptions(
    conn: Connection, vo: int, dids: Sequence[str], *, inherit: bool = False
) -> list[Described]:
    """The same of those of these DIDs that exist, in any order; raises `DidMalformed`."""
    return await _described(conn, vo, await find_all(conn, vo, dids), inherit=inherit)


async def _described(conn: Connection, vo: int, found: Sequence[Did], *, inherit: bool) -> list[Described]:
    documents_of = metadata.inherited if inherit else metadata.documents
    documents = await documents_of(conn, vo, sorted({did.did_id for did in found}))
    return [Described(did, documents.get(did.did_id, {})) for did in found]


# ---- keys


async def put_keys(conn: Connection, vo: int, keys: Sequence[tuple[str, MetadataKind, Mapping[str, Any]]]) -> None:
    """Make or change keys, given as (name, kind, terms), and give slots to those that want one, as far as there are.

    Terms count for what is written from now on. Raises `MetadataKeyInUse` for a change of kind while a DID has a value.
    """
    await metadata.lock_keys(conn, vo)
    known = {key.name: key for key in await metadata.list_keys(conn, vo)}
    changed = [known[name] for name, kind, _ in keys if name in known and known[name].kind is not kind]
    await _refuse_used(conn, vo, changed, what="of another kind")
    await metadata.put_keys(conn, vo, [(name, kind.value, terms) for name, kind, terms in keys])
    await _give_slots(conn, vo, known)


async def remove_keys(conn: Connection, vo: int, names: Sequence[str]) -> None:
    """Remove keys; raises `MetadataKeyInUse` while a DID has a value."""
    await metadata.lock_keys(conn, vo)
    going = [key for key in await metadata.list_keys(conn, vo) if key.name in names]
    await _refuse_used(conn, vo, going, what="removed")
    await metadata.delete_keys(conn, vo, names)
    await _give_slots(conn, vo, {key.name: key for key in await metadata.list_keys(conn, vo)})


async def _refuse_used(conn: Connection, vo: int, keys: Sequence[MetadataKey], *, what: str) -> None:
    used = await metadata.find_used(conn, vo, keys) if keys else None
    if used is not None:
        raise MetadataKeyInUse(key=used, what=what)


async def _give_slots(conn: Connection, vo: int, before: Mapping[str, MetadataKey]) -> None:
    """Take slots from keys that want none, give free ones to those that do, oldest first; index what is there."""
    keys = await metadata.list_keys(conn, vo)
    slots: dict[int, int | None] = {}
    for is_text in (True, False):
        mine = [k for k in keys if not k.kind.is_array and (k.kind is MetadataKind.TEXT) is is_text]
        kept = {k.slot for k in mine if k.terms.indexed and k.slot is not None}
        free = [slot for slot in metadata.SLOTS if slot not in kept]
        slots |= {k.key_id: None for k in mine if not k.terms.indexed and k.slot is not None}
        waiting = sorted((k for k in mine if k.terms.indexed and k.slot is None), key=lambda k: k.key_id)
        slots |= {k.key_id: slot for k, slot in zip(waiting, free, strict=False)}
    if slots:
        await metadata.put_slots(conn, vo, slots)
    moved = [k for k in keys if k.name in before and k.key_id in slots]
    if moved:  # what is new says nothing yet, so there is nothing to be found by it
        await metadata.index_all(conn, vo, await metadata.list_keys(conn, vo))
