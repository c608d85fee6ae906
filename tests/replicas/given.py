"""What tests of replicas begin with."""

from sancho.kit.db import Connection
from sancho.replicas import service
from sancho.replicas.model import Replica, ReplicaKey, ReplicaState, Usage
from tests.dids.given import given_files
from tests.world import World


async def given_replicas(
    conn: Connection, world: World, *names: str, rse: str = "A-DISK", state: ReplicaState = ReplicaState.AVAILABLE
) -> list[ReplicaKey]:
    """New files of belle of 10, 20, 30 … bytes, each with one replica that nothing holds."""
    ids = await given_files(conn, world, *names)
    keys = [ReplicaKey(did_id, world.resource[rse]) for did_id in ids]
    await service.add(conn, world.belle, keys, [10 * n for n in range(1, len(keys) + 1)], state)
    return keys


async def replica(conn: Connection, world: World, key: ReplicaKey) -> Replica | None:
    """One replica as it is now."""
    return next((r for r in await service.list(conn, world.belle, [key.did_id]) if r.key == key), None)


async def recounted(conn: Connection, vo: int) -> list[Usage]:
    """Usage as the rows themselves say."""
    rows = await conn.execute(
        "SELECT rse_id, count(*), sum(size)::bigint FROM replica WHERE vo = %s GROUP BY rse_id ORDER BY rse_id", [vo]
    )
    return [Usage(*row) for row in await rows.fetchall()]


SECOND_DOOR = """
    INSERT INTO rse_protocol (vo, priority, rse_id, plugin, prefix, settings, domains)
    SELECT p.vo, 2, p.rse_id, p.plugin, 'file:///door', p.settings, %(second)s::jsonb
      FROM rse_protocol p WHERE p.rse_id = %(rse_id)s
    """
FIRST_DOOR = "UPDATE rse_protocol SET domains = %(first)s::jsonb WHERE rse_id = %(rse_id)s AND priority = 1"


async def give_doors(conn: Connection, rse_id: int, *, first: str, second: str) -> None:
    """Let an RSE have another protocol, at `file:///door`: as JSON, what its first one and this one are for."""
    await conn.execute(SECOND_DOOR, {"rse_id": rse_id, "second": second})
    await conn.execute(FIRST_DOOR, {"rse_id": rse_id, "first": first})
