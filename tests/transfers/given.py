"""What tests of transfers begin with: two storages with files in them, rules, and a worker with its own clock."""

import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from sancho.dids import service as dids
from sancho.dids.model import NewFile
from sancho.kit.deployment import Deployment
from sancho.replicas import service as replicas
from sancho.replicas.model import ReplicaKey, ReplicaState
from sancho.rses import service as rses
from sancho.rules import service as rules
from sancho.rules import tasks as rules_tasks
from sancho.rules.model import RuleState
from sancho.transfers import service
from sancho.transfers.model import Request
from tests.dids.given import person
from tests.rules.given import Later, check_exact, given_collection, given_rule, value
from tests.served import Served


class Killed(Exception):
    """The worker dies here."""


TASKS: dict[str, Callable[..., Awaitable[None]]] = {
    "rules:settle": rules_tasks.settle, "rules:stick": rules_tasks.stick, "rules:recopy": rules_tasks.recopy,
}  # fmt: skip
"""What transfers and replicas ask of rules."""


@dataclass
class Grid:
    """Two storages with files on A-DISK, rules, and a worker with a clock of its own."""

    served: Served
    deployment: Deployment
    clock: Later

    @property
    def belle(self) -> int:
        return self.served.world.belle

    def key(self, file: int, rse: str = "B-DISK") -> ReplicaKey:
        return ReplicaKey(file, self.served.world.resource[rse])

    async def path(self, file: int, rse: str = "B-DISK") -> Path:
        """Where a file lies, or would lie."""
        async with self.deployment.database.transaction([self.belle]) as conn:
            [found] = (await dids.by_id(conn, self.belle, [file])).values()
            disk = await rses.get(conn, rse)
        place = rses.place(disk, "belle", found.scope, found.did_id, found.name)
        return Path(place.url.removeprefix("file://"))

    async def give(self, contents: dict[str, bytes], dataset: str = "run1") -> list[int]:
        """A dataset of files on A-DISK, in the catalogue and on the storage."""
        world, alice = self.served.world, self.served.world.account[self.belle, "alice"]
        async with self.deployment.database.transaction([self.belle]) as conn:
            parent = await given_collection(conn, world, dataset)
            new = [
                NewFile(None, world.scope[self.belle, "mc"], name, len(data), f"{zlib.adler32(data):08x}")
                for name, data in contents.items()
            ]
            ids = await dids.register_files(conn, self.belle, alice, new)
            keys, sizes = [self.key(i, "A-DISK") for i in ids], [file.size for file in new]
            await replicas.add(conn, self.belle, keys, sizes, ReplicaState.AVAILABLE)
            await dids.attach(conn, self.belle, parent, ids, announce=False)
        for i, data in zip(ids, contents.values(), strict=True):
            path = await self.path(i, "A-DISK")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return ids

    async def want(self, dataset: str = "run1", *, to: str = "B-DISK", account: str = "alice") -> int:
        """A rule over the dataset; returns its id."""
        async with self.deployment.database.transaction([self.belle]) as conn:
            return (await given_rule(conn, self.served.world, f"mc:{dataset}", to=to, account=account)).rule_id

    async def drop(self, rule_id: int, account: str = "alice") -> None:
        async with self.deployment.database.transaction([self.belle]) as conn:
            await rules.delete(conn, person(self.served.world, account), rule_id)

    async def state(self, rule_id: int) -> RuleState:
        async with self.deployment.database.transaction([self.belle]) as conn:
            return (await rules.get(conn, self.belle, rule_id)).state

    async def requests(self) -> list[Request]:
        async with self.deployment.database.transaction([self.belle]) as conn:
            return await service.list_requests(conn, self.belle, page=(0, 100))

    async def replica(self, key: ReplicaKey) -> ReplicaState | None:
        async with self.deployment.database.transaction([self.belle]) as conn:
            found = await replicas.list(conn, self.belle, [key.did_id])
        return next((r.state for r in found if r.key == key), None)

    async def value(self, query: str) -> object:
        async with self.deployment.database.transaction([0, 1, 2]) as conn:
            return await value(conn, query)

    async def settle(self) -> None:
        """Run what was deferred to rules, and only that, until nothing is left."""
        take = "DELETE FROM procrastinate_jobs WHERE task_name LIKE 'rules:%' RETURNING task_name, args"
        while True:
            async with self.deployment.database.transaction([0]) as conn:
                waiting = await (await conn.execute(take)).fetchall()
            if not waiting:
                return
            for name, arguments in waiting:
                run = TASKS[name]
                await run(self.deployment, **{k: v for k, v in arguments.items() if k != "traceparent"})

    async def exact(self) -> None:
        await self.settle()
        async with self.deployment.database.transaction([0, 1, 2]) as conn:
            await check_exact(conn)


async def another_rse(grid: Grid, name: str, *, distance: int) -> None:
    """One more RSE at SITE-A, in a folder of its own, with links to and from all others."""
    folder = grid.served.storages["A-DISK"].with_name(name)
    folder.mkdir()
    async with grid.deployment.database.transaction([0, 1, 2]) as conn:
        new = await value(
            conn,
            """
            INSERT INTO resource (vo, kind, site_id, name)
            SELECT 0, 'R', resource_id, %s FROM resource WHERE name = 'SITE-A' RETURNING resource_id
            """,
            name,
        )
        for query in (
            "INSERT INTO resource_grant (vo, to_vo, resource_id) SELECT 0, v, %(new)s FROM unnest(ARRAY[1, 2]) v",
            """INSERT INTO rse (vo, rse_id, site_id, name, audience)
               SELECT 0, resource_id, site_id, name, 'https://c.test' FROM resource WHERE resource_id = %(new)s""",
            """INSERT INTO rse_protocol (vo, priority, rse_id, plugin, prefix, settings)
               VALUES (0, 1, %(new)s, 'posix', %(prefix)s, jsonb_build_object('roots', ARRAY[%(folder)s]))""",
            """INSERT INTO distance (vo, distance, source_rse_id, destination_rse_id)
               SELECT 0, %(distance)s, rse_id, %(new)s FROM rse WHERE rse_id <> %(new)s
                UNION ALL
               SELECT 0, %(distance)s, %(new)s, rse_id FROM rse WHERE rse_id <> %(new)s""",
        ):
            await conn.execute(
                query, {"new": new, "prefix": f"file://{folder}", "folder": str(folder), "distance": distance}
            )
    grid.served.world.resource[name] = new
