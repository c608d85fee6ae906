"""Native routes of who follows DIDs."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import Query
from pydantic import BaseModel, Field

from sancho.dids import service
from sancho.dids.api.catalogue import LISTED_AT_ONCE, KindWord
from sancho.dids.api.lives import DidsIn
from sancho.dids.errors import DidMalformed, DidNotFound
from sancho.dids.model import FollowedDid
from sancho.kit.problem import problems
from sancho.kit.units import Amount, Time
from sancho.kit.web import Caller, Transaction, native

router = native(tags=["dids"])


class FollowedQuery(BaseModel, extra="forbid"):
    """Which of the DIDs that one follows to list: with `since`, those that have changed since then."""

    since: Time | None = None
    cursor: Amount = 0
    limit: Annotated[int, Field(ge=1, le=LISTED_AT_ONCE)] = 100


class FollowedOut(BaseModel):
    """A DID that one follows; `changed_at` is when it was made, filled, emptied or closed, whichever was last."""

    did: str
    kind: KindWord
    open: bool
    followed_at: datetime
    changed_at: datetime
    ends_at: datetime | None
    """When it is to be erased."""
    erased: bool

    @classmethod
    def of(cls, one: FollowedDid) -> Self:
        """The same as the API says it."""
        return cls.model_validate(
            {
                "did": one.did, "kind": one.kind.word, "open": one.open, "followed_at": one.followed_at,
                "changed_at": one.changed_at, "ends_at": one.ends_at, "erased": one.erased,
            }
        )  # fmt: skip


class FollowedPage(BaseModel):
    """A page of DIDs that one follows; `next` is the cursor of the following page."""

    items: list[FollowedOut]
    next: int | None


@router.post("/dids/follow", status_code=204, responses=problems(DidMalformed, DidNotFound))
async def follow(body: DidsIn, caller: Caller, conn: Transaction) -> None:
    """Follow DIDs: all of them or none. `GET /dids/followed` says what has become of them."""
    await service.start_following(conn, caller, body.dids)


@router.post("/dids/unfollow", status_code=204, responses=problems(DidMalformed))
async def unfollow(body: DidsIn, caller: Caller, conn: Transaction) -> None:
    """Follow DIDs no more; those that one does not follow do not matter."""
    await service.stop_following(conn, caller, body.dids)


@router.get("/dids/followed")
async def followed(query: Annotated[FollowedQuery, Query()], caller: Caller, conn: Transaction) -> FollowedPage:
    """List the DIDs that one follows, or those that have changed since a time.

    What has been erased is among them until one follows it no more.
    """
    page = (query.cursor, query.limit)
    found = await service.list_followed(conn, caller, since=query.since, page=page)
    full = len(found) == query.limit
    return FollowedPage(items=[FollowedOut.of(one) for one in found], next=found[-1].did_id if full else None)


@router.get("/followers/{did:path}", responses=problems(DidMalformed, DidNotFound))
async def followers(did: str, caller: Caller, conn: Transaction) -> list[str]:
    """Name the accounts that follow a DID."""
    return await service.followers(conn, caller.vo, did)
