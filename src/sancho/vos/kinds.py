"""The kinds of documents that VOs themselves are made of, and of what they tell their clients."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field

from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.vos import service
from sancho.vos.errors import DocumentInvalid
from sancho.vos.model import CLIENT_SETTINGS, Kind, Named

MOST_SECTIONS = 200
OptionName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9 ._:-]{0,99}$")]


def _exact(said: object) -> object:
    if isinstance(said, int) and abs(said) >= 2**63:
        raise ValueError("should be less than 2^63, so that every program can read it")
    return said


Option = Annotated[bool | int | float | Annotated[str, Field(max_length=2000)], BeforeValidator(_exact)]


class ClientSettingsSpec(BaseModel, extra="forbid"):
    """One section of what a VO tells its clients and scripts. The server itself reads none of it."""

    options: Annotated[dict[OptionName, Option], Field(min_length=1, max_length=200, examples=[{"threads": 4}])]
    """What each option is: a text, a number or a boolean. Every account of the VO reads it, so no secrets."""


async def _apply(conn: Connection, _caller: Principal, vo: int, documents: Sequence[Named[ClientSettingsSpec]]) -> None:
    """The record of the documents is all that there is to them; there may only be so many."""
    known = await service.documents(conn, [vo], kind=CLIENT_SETTINGS)
    names = {section.name for section in known} | {d.name for d in documents}
    if len(names) > MOST_SECTIONS:
        problems = f"name: a VO has {MOST_SECTIONS} sections at most"
        raise DocumentInvalid(kind=CLIENT_SETTINGS, name=documents[0].name, problems=problems, field="documents")


async def _retire(_conn: Connection, _caller: Principal, _vo: int, _names: Sequence[str]) -> None:
    """With its record a section is gone."""


KINDS: tuple[Kind[Any], ...] = (
    service.KIND,
    Kind(
        name=CLIENT_SETTINGS, model=ClientSettingsSpec, order=5, apply=_apply, retire=_retire,
        names=r"[A-Za-z0-9_][A-Za-z0-9._-]{0,62}",
    ),
)  # fmt: skip
