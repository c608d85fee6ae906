"""Publications: drafted, made public, suspended, withdrawn; and, without a token, what everybody may read."""

from types import NoneType
from typing import Any

from sancho_client.call import Call, Pages, did_path, segment
from sancho_client.models.publishing import Publication, Published, PublishedFile

PAGE = 1000
PATH = "/v1/publications"


def draft(did: str) -> Call[Publication]:
    """Begin to publish a DID; only the VO sees it yet."""
    return Call(method="POST", path=PATH, answer=Publication, json={"did": did})


def list_publications(*, state: str | None = None, limit: int | None = None) -> Pages[Publication]:
    """The VO's publications, or those in a state."""
    return Pages(path=PATH, item=Publication, query={"state": state}, page_size=PAGE, limit=limit)


def show(did: str) -> Call[Publication]:
    """The publication of a DID."""
    return Call(method="GET", path=f"{PATH}/{did_path(did)}", answer=Publication)


def change(did: str, **changes: Any) -> Call[Publication]:
    """Change some of `state`, `doi`, `record_id` and `about`; what is not said stays, and None is taken away."""
    return Call(method="PATCH", path=f"{PATH}/{did_path(did)}", answer=Publication, json=changes)


def withdraw(did: str) -> Call[None]:
    """Publish a DID no more; what is public is suspended first."""
    return Call(method="DELETE", path=f"{PATH}/{did_path(did)}", answer=NoneType)


def list_public(vo: str, *, limit: int | None = None) -> Pages[Publication]:
    """The DIDs of a VO that everybody may read."""
    path = f"/v1/public/{segment(vo)}/dids"
    return Pages(path=path, item=Publication, page_size=PAGE, limit=limit, public=True)


def show_public(vo: str, did: str) -> Call[Published]:
    """What everybody may read of a DID."""
    path = f"/v1/public/{segment(vo)}/dids/{did_path(did)}"
    return Call(method="GET", path=path, answer=Published, public=True)


def public_files(vo: str, did: str, *, limit: int | None = None) -> Pages[PublishedFile]:
    """The files below a DID that everybody may read."""
    path = f"/v1/public/{segment(vo)}/files/{did_path(did)}"
    return Pages(path=path, item=PublishedFile, page_size=PAGE, limit=limit, public=True)
