"""Steps that tests of jobs begin with."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sancho.dids import service as dids
from sancho.dids.model import NewFile
from sancho.jobs import service
from sancho.jobs.model import Description, Output, Requirement, RuleWish, Started, Submission
from sancho.kit.access import Principal
from sancho.kit.db import Connection, fetch_values
from sancho.replicas import service as replicas
from sancho.replicas.model import ReplicaKey, ReplicaState
from sancho.uploads import service as uploads
from sancho.uploads.model import Wish
from tests.world import USERS, World

NOW = datetime.now(UTC)
PLAIN = Description(name="plain", command=("true",), requirements=Requirement(memory=1_000_000))
SIMULATION = replace(
    PLAIN,
    name="simulation",
    command=("simulate", "{number}"),
    outputs=(
        Output(path="out.root", did="mc:sim_{number}", dataset="mc:sim", rule=RuleWish(copies=2, rse_expression="*")),
    ),
    close_datasets=True,
)


def user(world: World, name: str = "alice", vo: int = 1) -> Principal:
    """A user as the API would see them."""
    return Principal(
        vo=vo, vo_name={1: "belle", 2: "gridpp"}[vo], account_id=world.account[vo, name], account=name,
        groups=("admins",) if name == "root" else ("users",), vos=(vo,),
        permissions=frozenset({"*"} if name == "root" else USERS),
    )  # fmt: skip


async def submitted(
    conn: Connection, world: World, description: Description = PLAIN, count: int = 1, **more: Any
) -> Submission:
    """Jobs of alice's in belle."""
    rows: Sequence[Mapping[str, Any]] = [{}] * count
    return await service.submit(conn, user(world), description, rows, **more)


async def queues(conn: Connection, vo: int = 1) -> list[tuple[int, int]]:
    """Every task queue of a VO that is awake."""
    return [(vo, q) for q in await fetch_values(
        conn, "SELECT task_queue_id FROM task_queue WHERE vo = %(vo)s AND active ORDER BY 1", {"vo": vo})]  # fmt: skip


async def taken(
    conn: Connection, world: World, *, pilot_id: int = 1, vo: int = 1, site: str = "SITE-A"
) -> Started | None:
    """The next waiting job of any queue that is awake, given to a pilot at a site."""
    return await service.start(
        conn,
        """
        SELECT vo, task_queue_id, input_set_id IS NOT NULL AS has_inputs, 0::smallint AS way, 1 AS cores
          FROM task_queue WHERE vo = %(vo)s AND active ORDER BY 2
        """,
        {"vo": vo},
        pilot_id=pilot_id,
        site_id=world.resource[site],
    )


async def started(conn: Connection, world: World, *, pilot_id: int = 1, vo: int = 1) -> Started:
    """The next waiting job, given to a pilot at SITE-A."""
    found = await taken(conn, world, pilot_id=pilot_id, vo=vo)
    assert found is not None
    return found


async def uploaded(
    conn: Connection, world: World, attempt: Started, *, rse: str = "A-DISK", size: int = 10
) -> list[int]:
    """Intents for every promised output of an attempt, as if their bytes were on the storage."""
    open_attempt = await service.find_attempt(conn, attempt.vo, attempt.attempt_id)
    assert open_attempt is not None
    wishes = [
        Wish(scope_id=scope_id, scope=did.partition(":")[0], name=name, size=size, adler32="00000001",
             rse_id=world.resource[rse], dataset_id=dataset_id)
        for _, did, _, _, scope_id, name, dataset_id in await service.promised(conn, open_attempt)
    ]  # fmt: skip
    intents = await uploads.open_intents(
        conn, attempt.vo, open_attempt.account_id, wishes, now=NOW, attempt_id=attempt.attempt_id
    )
    return [i.intent_id for i in intents]


async def dataset(conn: Connection, world: World, name: str, sizes: Mapping[str, Sequence[int]], vo: int = 1) -> int:
    """An open dataset of files, `sizes` by the RSE that has them."""
    owner = world.account[vo, "alice"]
    made = await dids.ensure_dataset(conn, user(world, vo=vo), name)
    for rse, files in sizes.items():
        new = [NewFile(None, world.scope[vo, "mc"], f"{name[3:]}_{rse}_{n}", s, None) for n, s in enumerate(files)]
        ids = await dids.register_files(conn, vo, owner, new)
        keys = [ReplicaKey(i, world.resource[rse]) for i in ids]
        await replicas.add(conn, vo, keys, list(files), ReplicaState.AVAILABLE)
        await dids.attach(conn, vo, made.did_id, ids)
    return made.did_id
