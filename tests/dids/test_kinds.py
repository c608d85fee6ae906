"""Scopes as documents."""

from typing import Any

import pytest
from pydantic import BaseModel

from sancho.dids import service
from sancho.dids.errors import ScopeOwnerMissing
from sancho.dids.kinds import KINDS
from sancho.kit.db import Connection
from sancho.vos import service as vos
from sancho.vos.errors import DocumentInUse
from sancho.vos.model import Document, Kind
from tests.dids.given import person
from tests.world import World


async def apply(conn: Connection, world: World, account: str | None) -> None:
    """Let scope `user.alice` belong to an account; None: let it go."""
    spec = {} if account is None else {"account": account}
    document = Document(kind="Scope", name="user.alice", vo="belle", spec=spec, remove=account is None)
    await vos.apply(conn, person(world, "root", "*"), [document], KINDS)


async def owners(conn: Connection, world: World) -> dict[str, str]:
    return {scope.name: scope.account for scope in await service.list_scopes(conn, world.belle)}


async def test_a_document_makes_a_scope_and_gives_it_to_another(conn: Connection, world: World) -> None:
    await apply(conn, world, "alice")
    assert await owners(conn, world) == {"mc": "root", "user.alice": "alice"}
    await apply(conn, world, "bob")
    assert await owners(conn, world) == {"mc": "root", "user.alice": "bob"}


async def test_a_scope_is_shared_by_its_document(conn: Connection, world: World) -> None:
    for shared in (True, False):
        spec = {"account": "alice", "shared": shared}
        document = Document(kind="Scope", name="user.alice", vo="belle", spec=spec)
        await vos.apply(conn, person(world, "root", "*"), [document], KINDS)
        assert {s.name: s.shared for s in await service.list_scopes(conn, world.belle)} == {
            "mc": True, "user.alice": shared
        }  # fmt: skip


async def test_a_scope_needs_an_account_that_exists(conn: Connection, world: World) -> None:
    with pytest.raises(ScopeOwnerMissing, match="Account nobody, to whom scope") as caught:
        await apply(conn, world, "nobody")
    assert caught.value.field == "documents.0.spec.account"


async def test_a_scope_is_removed_only_while_it_is_empty(conn: Connection, world: World) -> None:
    await apply(conn, world, "alice")
    await apply(conn, world, None)
    assert await owners(conn, world) == {"mc": "root"}

    await apply(conn, world, "alice")
    await service.ensure_dataset(conn, person(world, "alice"), "user.alice:run1")
    with pytest.raises(DocumentInUse):
        async with conn.transaction():
            await apply(conn, world, None)


class AccountSpec(BaseModel):
    """What the scopes of accounts need to know of accounts: nothing."""


async def test_a_new_account_gets_a_scope_of_its_own(conn: Connection, world: World) -> None:
    async def leave(*_: object) -> None:
        """The account is in the world already."""

    account = Kind[Any](name="Account", model=AccountSpec, order=20, apply=leave)
    document = Document(kind="Account", name="bob", vo="belle")

    await vos.apply(conn, person(world, "root", "*"), [document], (account, *KINDS))

    assert await owners(conn, world) == {"mc": "root", "user.bob": "bob"}
