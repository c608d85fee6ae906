"""How a VO comes in, and the checklist of what it has."""

from typing import Any

from pydantic import Field

from sancho_client.models.base import Answer, Request
from sancho_client.models.configuration import DocumentChange


class Resource(Request):
    """Something that the installation lets a VO use: a Site, ComputeElement or RSE."""

    kind: str
    name: str


class NewVo(Request):
    """A VO with all that it shall have from the start; what is left out it does not have."""

    name: str
    alias: str | None = None
    share: float | None = None
    passwords: bool | None = None
    admin: str = "admin"
    email: str | None = None
    providers: dict[str, dict[str, Any]] = Field(default_factory=dict[str, dict[str, Any]])
    groups: dict[str, dict[str, Any]] = Field(default_factory=dict[str, dict[str, Any]])
    quotas: dict[str, dict[str, Any]] = Field(default_factory=dict[str, dict[str, Any]])
    scopes: list[str] = Field(default_factory=list[str])
    grants: list[Resource] = Field(default_factory=list[Resource])


class FirstLogin(Answer):
    """The first administrator's login, which is shown once."""

    account: str
    password: str | None = None
    """None in a VO without passwords."""


class NewVoMade(Answer):
    """What was made."""

    version: int | None = None
    changes: tuple[DocumentChange, ...] = ()
    administrator: FirstLogin


class Check(Answer):
    """One line of the checklist: `ok`, `missing`, or `advised` for what a VO can work without."""

    what: str
    outcome: str
    found: str
    next: str | None = None
