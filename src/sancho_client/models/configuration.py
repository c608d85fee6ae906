"""The versioned configuration: documents, what an apply changed, versions."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import Field

from sancho_client.models.base import Answer, Request


class Document(Request):
    """One thing as its administrator wants it to be, or with `remove` wants it gone."""

    kind: str
    name: str
    vo: str | None = None
    spec: dict[str, Any] = Field(default_factory=dict[str, Any])
    remove: bool = False


class DocumentChange(Answer):
    """What happened, or would happen, to one document."""

    kind: str
    name: str
    vo: str | None = None
    action: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


class Applied(Answer):
    """The changes of one apply; `version` is None when there was nothing to change, or nothing was done."""

    version: int | None = None
    changes: tuple[DocumentChange, ...] = ()


class Version(Answer):
    """One version of the configuration."""

    version: int
    applied_at: datetime
    applied_by: str
    comment: str | None = None


class ClientSettings(Answer):
    """A section of what the VO tells its clients and scripts; the server reads none of it."""

    name: str
    options: Mapping[str, Any] = {}


class StoredDocument(Answer):
    """A document as it stands."""

    kind: str
    name: str
    vo: str | None = None
    spec: Mapping[str, Any] = {}
