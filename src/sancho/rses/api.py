"""Native routes of RSEs. They are changed by documents alone: `POST /v1/configuration/apply`."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from sancho.kit.problem import problems
from sancho.kit.web import Caller, Transaction
from sancho.rses import service
from sancho.rses.errors import RseExpressionEmpty, RseExpressionInvalid, RseNotFound
from sancho.rses.expression import LONGEST
from sancho.rses.model import Rse
from sancho.sites.model import Value

router = APIRouter(tags=["rses"])


class RseOut(BaseModel):
    """An RSE, without the settings of its plugin."""

    name: str
    site: str
    plugin: str
    prefix: str
    audience: str
    attributes: dict[str, Value]
    readable: bool
    writable: bool
    deletable: bool

    @classmethod
    def of(cls, rse: Rse) -> "RseOut":
        """Render an RSE."""
        return cls(**{name: getattr(rse, name) for name in cls.model_fields})


class RseWithDistances(RseOut):
    """An RSE, and what transfers from it to others cost."""

    distances: dict[str, int]


@router.get("/rses")
async def rses(_caller: Caller, conn: Transaction) -> list[RseOut]:
    """List the RSEs that the VO may use."""
    return [RseOut.of(rse) for rse in await service.rses(conn)]


@router.get("/rses:resolve", responses=problems(RseExpressionInvalid, RseExpressionEmpty))
async def resolve(
    _caller: Caller,
    conn: Transaction,
    expression: Annotated[str, Query(max_length=LONGEST, examples=["tier=1&country=UK"])],
) -> list[RseOut]:
    """List the RSEs that an expression means."""
    return [RseOut.of(rse) for rse in await service.resolve(conn, expression, field="expression")]


@router.get("/rses/{name}", responses=problems(RseNotFound))
async def rse(name: str, _caller: Caller, conn: Transaction) -> RseWithDistances:
    """Show an RSE and its distances to others."""
    found = await service.get(conn, name, field="name")
    names = {each.rse_id: each.name for each in await service.rses(conn)}
    away = {
        names[to]: n for (source, to), n in (await service.distances(conn)).items()
        if source == found.rse_id and to in names
    }  # fmt: skip
    return RseWithDistances(**RseOut.of(found).model_dump(), distances=away)
