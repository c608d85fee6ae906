"""Publications: DIDs of which everybody may read what they say, once somebody who may publishes them.

What is public is what the DID says of itself and which files are below it, not the files themselves nor where they
are. It must be closed, and stays so; of what is below a container, datasets that are open are left out.
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sancho.dids.errors import (
    AboutUnfit,
    DoiMalformed,
    DoiTaken,
    IsPublic,
    PublicationExists,
    PublicationNotFound,
    PublicationOpen,
    PublicationStateUnfit,
    RecordTaken,
)
from sancho.dids.model import (
    DOI,
    MOST_ABOUT,
    PUBLICATION_TRANSITIONS,
    NamedFile,
    Publication,
    PublicationState,
    Tally,
    parse_did,
)
from sancho.dids.service.catalogue import get
from sancho.dids.store import contents, publishing
from sancho.kit.access import Principal, require
from sancho.kit.db import Connection
from sancho.kit.policy import did as thing


async def draft(conn: Connection, caller: Principal, did: str) -> Publication:
    """Begin to publish a DID; for who has `dids:publish`. Nobody outside of the VO sees it yet.

    Raises `DidMalformed`, `DidNotFound` or `PublicationExists`.
    """
    require(caller, "dids:publish", on=thing(did))
    found = await get(conn, caller.vo, did)
    if not await publishing.insert(conn, caller.vo, found.did_id):
        raise PublicationExists(did=did)
    return await get_publication(conn, caller.vo, did)


async def change_publication(conn: Connection, caller: Principal, did: str, changes: Mapping[str, Any]) -> Publication:
    """Change a publication: make it public, suspend it, say more about it; for who has `dids:publish`.

    `changes` are new values of `state`, `doi`, `record_id` and `about`; what is not among them stays.

    Raises `PublicationNotFound`, `PublicationStateUnfit`, `PublicationOpen`, `DoiMalformed`, `DoiTaken`, `RecordTaken`
    or `AboutUnfit`.
    """
    one = await _locked(conn, caller, did)
    changed = replace(one, **changes)
    if changed.state is not one.state and changed.state not in PUBLICATION_TRANSITIONS[one.state]:
        raise PublicationStateUnfit(did=did, state=one.state.word, wanted=changed.state.word)
    if changed.state is PublicationState.PUBLIC and one.state is not changed.state:
        await contents.lock_to_attach(conn, caller.vo, one.did_id)  # whoever opens it waits
        if (await get(conn, caller.vo, did)).open:
            raise PublicationOpen(did=did)
    _check(changed)
    doi, record = await publishing.taken(conn, caller.vo, one.did_id, changed.doi, changed.record_id)
    if doi:
        raise DoiTaken(doi=changed.doi or "")
    if record:
        raise RecordTaken(record_id=changed.record_id or 0)
    await publishing.update(conn, changed)
    return await get_publication(conn, caller.vo, did)


def _check(wanted: Publication) -> None:
    if wanted.doi is not None and DOI.fullmatch(wanted.doi) is None:
        raise DoiMalformed(doi=wanted.doi)
    try:
        text = json.dumps(wanted.about, ensure_ascii=False, allow_nan=False)
        size = len(text.encode())
    except (ValueError, RecursionError) as e:  # numbers that are none, half characters
        raise AboutUnfit(did=wanted.did, reason="it holds what JSON has no word for") from e
    if "\\u0000" in text:
        raise AboutUnfit(did=wanted.did, reason="it holds a character zero")
    if size > MOST_ABOUT:
        raise AboutUnfit(did=wanted.did, reason=f"it is longer than {MOST_ABOUT} bytes")


async def withdraw_publication(conn: Connection, caller: Principal, did: str) -> None:
    """Let a DID be published no more, and its DOI and number be free; for who has `dids:publish`.

    Raises `PublicationNotFound`, or `IsPublic` for what is not suspended first.
    """
    one = await _locked(conn, caller, did)
    if one.state is PublicationState.PUBLIC:
        raise IsPublic(did=did, what="withdrawn")
    await publishing.delete(conn, caller.vo, one.did_id)


async def _locked(conn: Connection, caller: Principal, did: str) -> Publication:
    require(caller, "dids:publish", on=thing(did))
    one = await get_publication(conn, caller.vo, did)
    await publishing.lock(conn, caller.vo, one.did_id)
    return await get_publication(conn, caller.vo, did)


async def get_publication(conn: Connection, vo: int, did: str, *, readable: bool = False) -> Publication:
    """The publication of a DID, whatever its state; if `readable`, only what everybody may read.

    Raises `DidMalformed` or `PublicationNotFound`, as well when there is no such DID.
    """
    found = await publishing.find_publication(conn, vo, *parse_did(did))
    if found is None or (readable and not found.is_readable):
        raise PublicationNotFound(did=did)
    return found


async def list_publications(
    conn: Connection, vo: int, state: PublicationState | None = None, *, readable: bool = False, page: tuple[int, int]
) -> list[Publication]:
    """Publications, or those in a state, by id: as many as `page` says, after the id it says.

    If `readable`, those alone that everybody may read.
    """
    states = [PublicationState.PUBLIC] if readable else list(PublicationState) if state is None else [state]
    return await publishing.list_publications(conn, vo, states, readable=readable, page=page)


async def stream_publications(
    conn: Connection, vo: int, states: Sequence[PublicationState] = ()
) -> AsyncIterator[list[Publication]]:
    """All publications, or those in these states."""
    async for some in publishing.stream_publications(conn, vo, states or list(PublicationState)):
        yield some


async def published_tally(conn: Connection, one: Publication) -> Tally:
    """Files and bytes of a publication; a file that lies in two datasets of a container counts twice."""
    datasets, files = await _below(conn, one)
    return Tally(1, one.size or 0) if files else await contents.tally(conn, one.vo, datasets)


async def published_files(conn: Connection, one: Publication, *, after: int, limit: int) -> list[NamedFile]:
    """The first `limit` files of a publication whose ids are above `after`: once each, by id."""
    return await contents.file_page(conn, one.vo, await _below(conn, one), after=after, limit=limit)


async def _below(conn: Connection, one: Publication) -> tuple[list[int], list[int]]:
    datasets, files = await contents.leaves(conn, one.vo, [one.did_id])
    return await publishing.closed(conn, one.vo, datasets), files
