"""The kind of documents that makes scopes."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field

from sancho.dids import service
from sancho.dids.errors import ScopeOwnerMissing
from sancho.dids.model import SCOPE
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.vos.model import Kind, Named


class ScopeSpec(BaseModel, extra="forbid"):
    """Whose a scope is."""

    account: Annotated[str, Field(max_length=63, examples=["production"])]
    """The account that may change everything in it."""


async def _apply(conn: Connection, _caller: Principal, vo: int, documents: Sequence[Named[ScopeSpec]]) -> None:
    ownerless = await service.put_scopes(conn, vo, {d.name: d.spec.account for d in documents})
    for document in documents:
        if document.name in ownerless:
            raise ScopeOwnerMissing(scope=document.name, account=document.spec.account, field=document.field("account"))


async def _retire(conn: Connection, _caller: Principal, vo: int, names: Sequence[str]) -> None:
    await service.remove_scopes(conn, vo, names)


KINDS: tuple[Kind[Any], ...] = (
    Kind(name="Scope", model=ScopeSpec, order=30, apply=_apply, retire=_retire, names=SCOPE.pattern),
)
