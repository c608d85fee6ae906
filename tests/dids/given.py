"""What tests of the namespace, and of what stands on it, begin with."""

from sancho.dids import service
from sancho.dids.model import DidKind, NewFile
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from tests.world import USERS, World


def person(world: World, account: str, *permissions: str, vo: int | None = None) -> Principal:
    """An account of the world as a caller; with the permissions of users unless others are given."""
    vo = world.belle if vo is None else vo
    return Principal(
        vo=vo,
        vo_name={world.belle: "belle", world.gridpp: "gridpp"}[vo],
        account_id=world.account[vo, account],
        account=account,
        permissions=frozenset(permissions or USERS),
        vos=(vo,),
    )


async def given_files(conn: Connection, world: World, *names: str, vo: int | None = None) -> list[int]:
    """Files of alice in scope `mc` of 10, 20, 30 … bytes; returns their ids."""
    vo = world.belle if vo is None else vo
    scope = world.scope[vo, "mc"]
    files = [NewFile(None, scope, name, 10 * n, "89abcdef") for n, name in enumerate(names, 1)]
    return await service.register_files(conn, vo, world.account[vo, "alice"], files)


async def given_collection(conn: Connection, world: World, name: str, kind: DidKind = DidKind.DATASET) -> int:
    """An open collection of alice in scope `mc` of belle; returns its id."""
    return (await service.create(conn, person(world, "alice"), f"mc:{name}", kind)).did_id


async def deferred(conn: Connection, task: str = "rules:extend") -> list[dict[str, object]]:
    rows = await conn.execute(
        "SELECT args - 'traceparent' FROM procrastinate_jobs WHERE task_name = %s ORDER BY id", [task]
    )
    return [row[0] for row in await rows.fetchall()]
