"""Lifetime exceptions: asked for, listed, decided."""

from collections.abc import Sequence
from datetime import datetime

from sancho_client.call import Call, Pages, body
from sancho_client.models.keeping import LifetimeException, LifetimeExceptionDetail

PAGE = 1000
PATH = "/v1/lifetime-exceptions"


def ask(dids: Sequence[str], until: datetime, reason: str) -> Call[LifetimeExceptionDetail]:
    """Ask that DIDs be kept until a time; who manages DIDs decides."""
    sent = body(dids=list(dids), until=until.isoformat(), reason=reason)
    return Call(method="POST", path=PATH, answer=LifetimeExceptionDetail, json=sent)


def list_exceptions(
    *, state: str | None = None, account: str | None = None, did: str | None = None, limit: int | None = None
) -> Pages[LifetimeException]:
    """Lifetime exceptions, newest first."""
    query = {"state": state, "account": account, "did": did}
    return Pages(path=PATH, item=LifetimeException, query=query, page_size=PAGE, limit=limit)


def show(exception_id: int) -> Call[LifetimeExceptionDetail]:
    """One lifetime exception with its DIDs."""
    return Call(method="GET", path=f"{PATH}/{exception_id}", answer=LifetimeExceptionDetail)


def approve(exception_id: int, answer: str | None = None) -> Call[LifetimeExceptionDetail]:
    """Let its DIDs that end earlier end when it says."""
    sent = body(answer=answer)
    return Call(method="POST", path=f"{PATH}/{exception_id}/approve", answer=LifetimeExceptionDetail, json=sent)


def reject(exception_id: int, answer: str | None = None) -> Call[LifetimeExceptionDetail]:
    """Let its DIDs end when they would."""
    sent = body(answer=answer)
    return Call(method="POST", path=f"{PATH}/{exception_id}/reject", answer=LifetimeExceptionDetail, json=sent)
