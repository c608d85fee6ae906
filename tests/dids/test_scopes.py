"""Scopes: who makes them, and who may make DIDs in them."""

import pytest

from sancho.dids import service
from sancho.dids.errors import DidMalformed, ScopeExists, ScopeMalformed, ScopeNotFound, ScopeNotYours
from sancho.dids.model import DidKind
from sancho.kit.db import Connection
from sancho.kit.errors import PermissionMissing
from tests.dids.given import person
from tests.world import World


async def test_scopes_are_made_by_managers_once(conn: Connection, world: World) -> None:
    root = person(world, "root", "dids:manage")

    made = await service.create_scope(conn, root, "user.alice")

    assert (made.name, made.account) == ("user.alice", "root")
    assert [scope.name for scope in await service.list_scopes(conn, world.belle)] == ["mc", "user.alice"]
    assert await service.scope_ids(conn, world.belle, ["user.alice"]) == {"user.alice": made.scope_id}
    with pytest.raises(ScopeExists):
        await service.create_scope(conn, root, "mc")
    with pytest.raises(ScopeMalformed):
        await service.create_scope(conn, root, "No Good")
    with pytest.raises(PermissionMissing):
        await service.create_scope(conn, person(world, "alice"), "mine")


async def test_dids_are_made_in_scopes_of_ones_own_and_in_shared_ones(conn: Connection, world: World) -> None:
    alice, bob, manager = (
        person(world, "alice"),
        person(world, "bob"),
        person(world, "root", "dids:manage", "dids:create"),
    )
    await service.put_scopes(conn, world.belle, [("user.bob", "bob", False)])

    await service.create(conn, bob, "user.bob:a", DidKind.DATASET)
    await service.create(conn, manager, "user.bob:b", DidKind.CONTAINER)
    with pytest.raises(ScopeNotYours, match=r"Scope user\.bob belongs to account bob") as caught:
        await service.create(conn, alice, "user.bob:c", DidKind.DATASET)
    assert (caught.value.status, caught.value.field) == (403, "did")
    with pytest.raises(ScopeNotYours) as caught:
        await service.ensure_dataset(conn, alice, "user.bob:d", field="files.0.dataset")
    assert caught.value.field == "files.0.dataset"
    with pytest.raises(ScopeNotYours) as caught:
        await service.scopes_for(conn, alice, ["mc:a", "user.bob:x", "user.bob:y", "no:z"])
    assert caught.value.field == "files.1.did"
    with pytest.raises(ScopeNotFound):
        await service.scopes_for(conn, alice, ["no:z", "user.bob:y"])
    with pytest.raises(DidMalformed, match="there is no"):
        await service.scopes_for(conn, alice, ["mc:a", "nothing"])


async def test_the_owner_of_a_dataset_in_anothers_scope_may_go_on_filling_it(conn: Connection, world: World) -> None:
    alice = person(world, "alice")
    made = await service.create(conn, alice, "mc:mine", DidKind.DATASET)
    await service.put_scopes(conn, world.belle, [("mc", "root", False)])

    assert (await service.ensure_dataset(conn, alice, "mc:mine")).did_id == made.did_id
