"""The versioned configuration."""

from collections.abc import Sequence

from sancho_client.call import Call, Pages, body
from sancho_client.models.configuration import (
    Applied,
    ClientSettings,
    Document,
    DocumentChange,
    StoredDocument,
    Version,
)


def apply(documents: Sequence[Document], *, dry_run: bool = False, comment: str | None = None) -> Call[Applied]:
    """Make things as the documents say, all or none; documents that are not named stay as they are."""
    sent = body(documents=list(documents), dry_run=dry_run, comment=comment)
    return Call(method="POST", path="/v1/configuration/apply", answer=Applied, json=sent, repeatable=True)


def documents(kind: str | None = None) -> Pages[StoredDocument]:
    """The documents in force that the caller's VOs own."""
    return Pages(path="/v1/configuration", item=StoredDocument, query={"kind": kind})


def client_settings() -> Pages[ClientSettings]:
    """What the VO tells its clients and scripts, by section."""
    return Pages(path="/v1/client-settings", item=ClientSettings)


def versions(*, limit: int | None = None) -> Pages[Version]:
    """The versions, newest first."""
    path = "/v1/configuration/versions"
    return Pages(path=path, item=Version, cursor="before", key="version", page_size=100, limit=limit)


def changes(version: int) -> Call[list[DocumentChange]]:
    """What a version changed."""
    return Call(method="GET", path=f"/v1/configuration/versions/{version}", answer=list[DocumentChange])


def rollback(version: int, *, dry_run: bool = False) -> Call[Applied]:
    """Make things as they were at a version; this makes a new version."""
    sent = body(version=version, dry_run=dry_run)
    return Call(method="POST", path="/v1/configuration/rollback", answer=Applied, json=sent)
