"""The kind of documents that makes scopes."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field

from sancho.dids import service
from sancho.dids.errors import ScopeOwnerMissing
from sancho.dids.model import SCOPE, is_scope, scope_of
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.kit.policy import did as thing
from sancho.vos import service as vos
from sancho.vos.model import Action, Change, Kind, Named


class ScopeSpec(BaseModel, extra="forbid"):
    """Whose a scope is, and whether others may make DIDs in it."""

    account: Annotated[str, Field(max_length=63, examples=["production"])]
    """The account that may make DIDs in it, and change everything in it."""
    shared: bool = False
    """Let every account of the VO make DIDs in it, which are its own."""


async def _apply(conn: Connection, _caller: Principal, vo: int, documents: Sequence[Named[ScopeSpec]]) -> None:
    ownerless = await service.put_scopes(conn, vo, [(d.name, d.spec.account, d.spec.shared) for d in documents])
    for document in documents:
        if document.name in ownerless:
            raise ScopeOwnerMissing(scope=document.name, account=document.spec.account, field=document.field("account"))


async def _retire(conn: Connection, _caller: Principal, vo: int, names: Sequence[str]) -> None:
    await service.remove_scopes(conn, vo, names)


async def _follow(conn: Connection, _caller: Principal, changes: Sequence[Change]) -> None:
    """Give every new account a scope of its own, so that it can begin at once."""
    new = [c for c in changes if c.kind == "Account" and c.action is Action.CREATED]
    numbers = {vo.name: vo.vo for vo in await vos.list_vos(conn)} if new else {}
    for vo in sorted({c.vo for c in new}):
        scopes = [(scope_of(c.name), c.name, False) for c in new if c.vo == vo and is_scope(scope_of(c.name))]
        await service.put_scopes(conn, numbers[vo], scopes)


KINDS: tuple[Kind[Any], ...] = (
    Kind(
        name="Scope",
        model=ScopeSpec,
        order=30,
        apply=_apply,
        retire=_retire,
        follow=_follow,
        names=SCOPE.pattern,
        permission="dids:manage",
        things=lambda name, _: [thing(f"{name}:")],
    ),
)
