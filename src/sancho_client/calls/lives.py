"""Collections and the lives of DIDs: made and filled many at once, erased and restored, what holds and held what."""

from collections.abc import Sequence
from datetime import datetime
from types import NoneType

from sancho_client.call import Call, Lines, Pages, body, did_path, segment
from sancho_client.models.data import Content, Did, Scope
from sancho_client.models.lives import Attached, Below, Detached, File, Followed, NewAttachment, NewCollection, Tally


def create_many(collections: Sequence[NewCollection]) -> Call[list[Did]]:
    """Make datasets and containers with what is to be in them: all of it or nothing."""
    sent = body(collections=list(collections))
    return Call(method="POST", path="/v1/collections", answer=list[Did], json=sent)


def attach_many(attachments: Sequence[NewAttachment], *, again: bool = True) -> Call[Attached]:
    """Put DIDs into collections, all or none; unless `again`, one that is there already is refused."""
    sent = body(attachments=list(attachments), again=again)
    return Call(method="POST", path="/v1/attachments/many", answer=Attached, json=sent, repeatable=again)


def erase(dids: Sequence[str], *, after: float | None = None) -> Call[list[Did]]:
    """Have DIDs erased after so many seconds, or after what the server thinks right; `restore` undoes it."""
    sent = body(dids=list(dids), after=after)
    return Call(method="POST", path="/v1/dids/erase", answer=list[Did], json=sent, repeatable=True)


def restore(dids: Sequence[str]) -> Call[list[Did]]:
    """Let DIDs live on that were to be erased."""
    return Call(
        method="POST", path="/v1/dids/restore", answer=list[Did], json=body(dids=list(dids)), repeatable=True
    )  # fmt: skip


def set_lifetime(did: str, lifetime: float | None) -> Call[Did]:
    """Have a DID erased after so many seconds; None: never."""
    return _change(did, {"lifetime": lifetime})


def set_monotonic(did: str) -> Call[Did]:
    """Let a dataset or container only grow, for good."""
    return _change(did, {"monotonic": True})


def reopen(did: str) -> Call[Did]:
    """Open a dataset or container again."""
    return _change(did, {"open": True})


def _change(did: str, sent: dict[str, object]) -> Call[Did]:
    return Call(method="PATCH", path=f"/v1/dids/{did_path(did)}", answer=Did, json=sent, repeatable=True)


def tallies(dids: Sequence[str]) -> Call[list[Tally]]:
    """Files and bytes below DIDs, at no cost of their files."""
    return Call(method="POST", path="/v1/tallies", answer=list[Tally], json=body(dids=list(dids)), repeatable=True)


def contents_at(name: str, at: datetime, *, limit: int | None = None) -> Pages[Content]:
    """What was directly in a dataset or container at a time."""
    query = {"as_of": at.isoformat()}
    return Pages(path=f"/v1/contents/{did_path(name)}", item=Content, query=query, page_size=5000, limit=limit)


def files(did: str, *, at: datetime | None = None) -> Lines[File]:
    """Each file that is a DID or below it, at any depth; with `at`, those of that time."""
    query = {"as_of": None if at is None else at.isoformat()}
    return Lines(path=f"/v1/files/{did_path(did)}", item=File, query=query if at else None)


def below(did: str) -> Lines[Below]:
    """Everything below a collection, level by level."""
    return Lines(path=f"/v1/below/{did_path(did)}", item=Below)


def parents(did: str) -> Lines[Content]:
    """The datasets or containers that a DID is directly in."""
    return Lines(path=f"/v1/parents/{did_path(did)}", item=Content)


def history(did: str) -> Lines[Detached]:
    """What has been taken out of a dataset or container, and when."""
    return Lines(path=f"/v1/history/{did_path(did)}", item=Detached)


def change_scope(name: str, *, account: str | None = None, shared: bool | None = None) -> Call[Scope]:
    """Give a scope to another account, or share it or no more; what is None stays."""
    sent = body(account=account, shared=shared)
    return Call(method="PATCH", path=f"/v1/scopes/{segment(name)}", answer=Scope, json=sent, repeatable=True)


def follow(dids: Sequence[str]) -> Call[None]:
    """Follow DIDs: all or none."""
    return Call(method="POST", path="/v1/dids/follow", answer=NoneType, json=body(dids=list(dids)), repeatable=True)


def unfollow(dids: Sequence[str]) -> Call[None]:
    """Follow DIDs no more."""
    return Call(method="POST", path="/v1/dids/unfollow", answer=NoneType, json=body(dids=list(dids)), repeatable=True)


def followed(*, since: datetime | None = None, limit: int | None = None) -> Pages[Followed]:
    """The DIDs that one follows, or those that have changed since a time."""
    query = {"since": since and since.isoformat()}
    return Pages(path="/v1/dids/followed", item=Followed, query=query, page_size=1000, limit=limit)


def followers(did: str) -> Call[list[str]]:
    """The accounts that follow a DID."""
    return Call(method="GET", path=f"/v1/followers/{did_path(did)}", answer=list[str])
