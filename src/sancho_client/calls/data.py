"""DIDs, replicas and uploads."""

from collections.abc import Sequence
from datetime import datetime
from types import NoneType

from sancho_client.call import Call, Lines, Pages, body, did_path, segment
from sancho_client.models.data import (
    Access,
    AtPath,
    Commit,
    Content,
    Declaration,
    Did,
    DidInfo,
    Entry,
    FileReplicas,
    NewFile,
    PlacedFile,
    Quarantined,
    Registered,
    Said,
    Scope,
    Shared,
    SharedAccess,
    Signed,
    UploadRule,
    Uploads,
)
from sancho_client.names import Path, quoted


def scopes() -> Pages[Scope]:
    """The scopes of the VO."""
    return Pages(path="/v1/scopes", item=Scope)


def create_scope(name: str) -> Call[Scope]:
    """Make a scope that belongs to the caller."""
    return Call(method="POST", path="/v1/scopes", answer=Scope, json=body(name=name))


def list_dids(
    scope: str, *, prefix: str | None = None, kind: str | None = None, limit: int | None = None
) -> Pages[Did]:
    """The DIDs of a scope, by name."""
    query = {"scope": scope, "prefix": prefix, "kind": kind}
    return Pages(path="/v1/dids", item=Did, query=query, page_size=1000, limit=limit)


def did(name: str) -> Call[DidInfo]:
    """One DID, and what is below it."""
    return Call(method="GET", path=f"/v1/dids/{did_path(name)}", answer=DidInfo)


def at_path(path: Path) -> Call[AtPath]:
    """What is at a path of the VO."""
    return Call(method="GET", path=f"/v1/paths{quoted(path)}", answer=AtPath, query={"limit": 0})


def entries(path: Path, *, sizes: bool = False, limit: int | None = None) -> Pages[Entry]:
    """What is directly in the directory at a path, by name; with `sizes`, with what is below collections too."""
    query = {"sizes": sizes}
    return Pages(path=f"/v1/paths{quoted(path)}", item=Entry, query=query, page_size=1000, limit=limit)


def create(name: str, kind: str) -> Call[Did]:
    """Make an empty, open dataset or container."""
    return Call(method="POST", path="/v1/dids", answer=Did, json=body(did=name, kind=kind))


def close(name: str) -> Call[Did]:
    """Close a dataset or container: nothing can be added any more."""
    return Call(method="PATCH", path=f"/v1/dids/{did_path(name)}", answer=Did, json={"open": False}, repeatable=True)


def contents(name: str, *, limit: int | None = None) -> Pages[Content]:
    """What is directly in a dataset or container."""
    return Pages(path=f"/v1/contents/{did_path(name)}", item=Content, page_size=5000, limit=limit)


def attach(parent: str, children: Sequence[str]) -> Call[None]:
    """Put DIDs into a dataset or container; those that are in it already stay."""
    sent = body(parent=parent, children=list(children))
    return Call(method="POST", path="/v1/attachments", answer=NoneType, json=sent, repeatable=True)


def detach(parent: str, children: Sequence[str]) -> Call[None]:
    """Take DIDs out of a dataset or container."""
    sent = body(parent=parent, children=list(children))
    return Call(method="POST", path="/v1/attachments/remove", answer=NoneType, json=sent, repeatable=True)


def replicas(name: str) -> Lines[FileReplicas]:
    """The files below a DID, and where they are."""
    return Lines(path=f"/v1/replicas/{did_path(name)}", item=FileReplicas)


def replicas_of(names: Sequence[str]) -> Lines[FileReplicas]:
    """The files that are or lie below some DIDs, at most 10 000, each once, and where they are."""
    return Lines(path="/v1/replicas/list", item=FileReplicas, method="POST", json=body(dids=list(names)))


def register(rse: str, files: Sequence[PlacedFile], *, dataset: str | None = None) -> Call[Registered]:
    """Enter files that are on an RSE already, all or none, and put them into a dataset."""
    sent = body(rse=rse, files=[file.model_dump(exclude_none=True) for file in files], dataset=dataset)
    return Call(method="POST", path="/v1/replicas", answer=Registered, json=sent)


def access(dids: Sequence[str], *, near: str | None = None) -> Pages[Access]:
    """The files below some DIDs, and where to read them, the nearest to a site first, with a token for each place."""
    sent = body(dids=list(dids), near=near)
    return Pages(path="/v1/replicas/access", item=Access, method="POST", json=sent, items="files")


def sign(rse: str, urls: Sequence[str], *, write: bool = False, lifetime: float | None = None) -> Call[Signed]:
    """URLs of files on an RSE that need no token: to be read, or to put a file there, for so many seconds."""
    sent = body(rse=rse, urls=list(urls), write=write, lifetime=lifetime)
    return Call(method="POST", path="/v1/replicas/signed-urls", answer=Signed, json=sent, repeatable=True)


def shared() -> Call[list[Shared]]:
    """The datasets that other VOs let one's own read."""
    return Call(method="GET", path="/v1/shared", answer=list[Shared])


def shared_contents(vo: str, name: str, *, limit: int | None = None) -> Pages[Content]:
    """What is directly in a dataset or container that another VO shares."""
    path = f"/v1/shared/contents/{segment(vo)}/{did_path(name)}"
    return Pages(path=path, item=Content, page_size=5000, limit=limit)


def shared_access(vo: str, name: str) -> Pages[SharedAccess]:
    """The files below a dataset or container that another VO shares, and where to read them."""
    return Pages(path=f"/v1/shared/access/{segment(vo)}/{did_path(name)}", item=SharedAccess, items="files")


def new_uploads(files: Sequence[NewFile], rule: UploadRule | None = None) -> Call[Uploads]:
    """Announce files; the answer says where to PUT each of them."""
    return Call(method="POST", path="/v1/uploads", answer=Uploads, json=body(files=list(files), rule=rule))


def commit(intents: Sequence[int]) -> Call[Commit]:
    """Have uploaded files checked and put into the catalogue, all or none; asking twice does no harm."""
    sent = body(intents=list(intents))
    return Call(method="POST", path="/v1/uploads/commit", answer=Commit, json=sent, repeatable=True)


def cancel(intents: Sequence[int]) -> Call[None]:
    """Give up uploads that are not committed."""
    sent = body(intents=list(intents))
    return Call(method="POST", path="/v1/uploads/cancel", answer=NoneType, json=sent, repeatable=True)


def declare(
    kind: str, replicas: Sequence[str], *, reason: str | None = None, until: datetime | None = None
) -> Call[Said]:
    """Say of replicas, each a URL or DID@RSE, that they are bad, suspicious, unavailable or available again."""
    sent = body(kind=kind, replicas=list(replicas), reason=reason, until=until.isoformat() if until else None)
    return Call(method="POST", path="/v1/replicas/declarations", answer=Said, json=sent)


def quarantine(rse: str, files: Sequence[str], *, reason: str | None = None) -> Call[Quarantined]:
    """Have files on an RSE that the catalogue does not know, by URL or path, deleted after a day."""
    sent = body(rse=rse, files=list(files), reason=reason)
    return Call(method="POST", path="/v1/replicas/dark", answer=Quarantined, json=sent, repeatable=True)


def troubles(
    *, kind: str | None = None, state: str | None = None, did: str | None = None, rse: str | None = None,
    limit: int | None = None,
) -> Pages[Declaration]:  # fmt: skip
    """What was said of replicas, newest first, and what came of it."""
    query = {"kind": kind, "state": state, "did": did, "rse": rse}
    return Pages(path="/v1/replicas/declarations", item=Declaration, query=query, page_size=1000, limit=limit)
