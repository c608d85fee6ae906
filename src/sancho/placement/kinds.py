"""The kind of document in which a VO allows that inputs of its jobs are copied to where they can run."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel, Field

from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.kit.units import Duration, Size
from sancho.placement import store
from sancho.placement.model import FULL_AFTER, LIFETIME, Terms
from sancho.rses import service as rses
from sancho.vos.model import Kind, Named


class DataPlacementSpec(BaseModel, extra="forbid"):
    """Inputs of waiting jobs are copied to a site that can run them, when none that has them can, or those are full.

    Without this document nothing is copied. Each copy is a rule of the account `sancho.placement`; it goes an hour
    after the last job that wants it.
    """

    most: Annotated[Size, Field(ge=1, examples=["50 TB"])]
    """Bytes that copies may hold together; quotas of the VO bound them as well."""
    full_after: Annotated[Duration, Field(ge=timedelta(minutes=1))] = FULL_AFTER
    """Sites with the data are full when jobs wait, or as things go would wait, longer than that."""
    lifetime: Annotated[Duration, Field(ge=timedelta(hours=1))] = LIFETIME
    """How long a copy stays at most."""
    rse_expression: Annotated[str, Field(max_length=1000)] = "*"
    """Where copies may be."""


async def _apply(conn: Connection, _caller: Principal, vo: int, documents: Sequence[Named[DataPlacementSpec]]) -> None:
    document = documents[-1]  # there is one name, so one document
    said = document.spec
    rses.parse(said.rse_expression, field=document.field("rse_expression"))
    terms = Terms(
        most=said.most, full_after=said.full_after, lifetime=said.lifetime, rse_expression=said.rse_expression
    )  # fmt: skip
    await store.put_terms(conn, vo, terms)


async def _retire(conn: Connection, _caller: Principal, vo: int, _names: Sequence[str]) -> None:
    await store.delete_terms(conn, vo)


KINDS: tuple[Kind[Any], ...] = (
    Kind(
        name="DataPlacement", model=DataPlacementSpec, order=75, apply=_apply, retire=_retire, names="default",
        permission="rules:manage",
    ),
)  # fmt: skip
