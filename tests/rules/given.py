"""What tests of rules begin with, and what must always hold."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sancho.dids import service as dids
from sancho.dids.model import NewFile
from sancho.kit.db import Connection
from sancho.replicas import service as replicas
from sancho.replicas.model import ReplicaKey, ReplicaState
from sancho.rules import service
from sancho.rules.model import Rule, RuleRequest
from sancho.vos.model import Named
from tests.dids.given import given_collection, person
from tests.world import World

SIZE = 100
"""Bytes of every file."""
BOTH = r"A-DISK|B-DISK"


class Later:
    """A clock that can be put forward."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


async def given_files(
    conn: Connection, world: World, names: Sequence[str], *, into: int | None = None, rse: str | None = "A-DISK"
) -> list[int]:
    """Files of alice in belle of 100 bytes, available on an RSE unless that is None, attached to a collection."""
    scope, alice = world.scope[world.belle, "mc"], world.account[world.belle, "alice"]
    ids = await dids.register_files(
        conn, world.belle, alice, [NewFile(None, scope, name, SIZE, "00000001") for name in names]
    )
    if rse is not None:
        keys = [ReplicaKey(did_id, world.resource[rse]) for did_id in ids]
        await replicas.add(conn, world.belle, keys, [SIZE] * len(ids), ReplicaState.AVAILABLE)
    if into is not None:
        await dids.attach(conn, world.belle, into, ids, announce=False)
    return ids


async def given_dataset(conn: Connection, world: World, name: str, files: int, *, rse: str = "A-DISK") -> list[int]:
    """A dataset `mc:NAME` with files on an RSE; returns the ids of the dataset and the files."""
    dataset = await given_collection(conn, world, name)
    return [dataset, *await given_files(conn, world, [f"{name}/{n}" for n in range(files)], into=dataset, rse=rse)]


async def given_rule(
    conn: Connection, world: World, did: str, *, copies: int = 1, to: str = BOTH, account: str = "alice", **more: Any
) -> Rule:
    """A rule of an account of belle."""
    request = RuleRequest(did=did, copies=copies, rse_expression=to, **more)
    return await service.create(conn, person(world, account), request)


async def given_quota(
    conn: Connection, world: World, name: str, size: int, *, account: str | None = None, to: str = BOTH
) -> None:
    """A quota of belle, as an apply would make or change it."""
    document = service.QUOTA.model.model_validate({"account": account, "rse_expression": to, "size": size})
    await apply_quotas(conn, world, {name: document})


async def apply_quotas(conn: Connection, world: World, documents: dict[str, Any]) -> None:
    """Quotas of belle as an apply makes them: by their kind, then refreshed."""
    named = [Named(name, spec) for name, spec in documents.items()]
    await service.QUOTA.apply(conn, person(world, "root", "*"), world.belle, named)
    await service.refresh_quotas(conn)


async def arrive(conn: Connection, world: World, keys: Sequence[ReplicaKey]) -> None:
    """Replicas arrive, and the task that this defers runs."""
    await replicas.arrive(conn, world.belle, keys)
    await service.settle(conn, world.belle, keys)


async def fail(conn: Connection, world: World, keys: Sequence[ReplicaKey]) -> None:
    """Transfers fail for good, and the task that this defers runs."""
    for key in keys:
        await conn.execute(
            """
            WITH failed AS (
                UPDATE transfer_request SET state = 'F' WHERE did_id = %s AND rse_id = %s AND state IN ('W', 'A')
                RETURNING request_id)
            DELETE FROM transfer_ready WHERE request_id IN (SELECT request_id FROM failed)
            """,
            key,
        )
    await service.stick(conn, world.belle, keys, "the storage is away")


async def recopy(conn: Connection, world: World) -> None:
    """The tasks run that have bad replicas brought anew."""
    take = "DELETE FROM procrastinate_jobs WHERE task_name = 'rules:recopy' RETURNING args"
    for (arguments,) in await (await conn.execute(take)).fetchall():
        await service.recopy(conn, world.belle, [ReplicaKey(*key) for key in arguments["keys"]])


async def room(conn: Connection, world: World, name: str) -> int:
    """What is left in a quota."""
    found = await service.list_quotas(conn, world.belle, page=("", 100))
    return next(quota.room for quota in found if quota.name == name)


async def value(conn: Connection, query: str, *params: object) -> Any:
    """One value of the database."""
    row = await (await conn.execute(query, params)).fetchone()  # pyright: ignore[reportArgumentType]
    return row[0] if row else None


LOCKS = """
    SELECT l.rule_id, count(*) FILTER (WHERE r.state IN ('A', 'T') AND q.state IS NULL) AS ok,
           count(*) FILTER (WHERE r.state = 'C' AND q.state IN ('W', 'A', 'F')) AS replicating,
           count(*) FILTER (WHERE r.state = 'C' AND q.state = 'S') AS stuck, count(*) AS n
      FROM lock l
      JOIN replica r ON r.did_id = l.did_id AND r.vo = l.vo AND r.rse_id = l.rse_id
      LEFT JOIN transfer_request q ON q.did_id = l.did_id AND q.vo = l.vo AND q.rse_id = l.rse_id
     GROUP BY l.rule_id
"""
WRONG = {
    "rules miscount their locks": f"""
        SELECT rule.rule_id, rule.ok, rule.replicating, rule.stuck, c.ok, c.replicating, c.stuck, c.n
          FROM rule LEFT JOIN ({LOCKS}) AS c ON c.rule_id = rule.rule_id
         WHERE (rule.ok, rule.replicating, rule.stuck, rule.ok + rule.replicating + rule.stuck)
               <> (coalesce(c.ok, 0), coalesce(c.replicating, 0), coalesce(c.stuck, 0), coalesce(c.n, 0))""",
    "rules hold files that are not below their DIDs": """
        WITH RECURSIVE below (root, did_id) AS (
            SELECT DISTINCT did_id, did_id FROM rule UNION
            SELECT below.root, a.child_id FROM below JOIN attachment a ON a.parent_id = below.did_id)
        SELECT lock.rule_id, lock.did_id FROM lock JOIN rule USING (rule_id)
         WHERE (rule.did_id, lock.did_id) NOT IN (SELECT root, did_id FROM below)""",
    "rules say they are complete and are not": """
        WITH RECURSIVE below (root, did_id) AS (
            SELECT DISTINCT did_id, did_id FROM rule UNION
            SELECT below.root, a.child_id FROM below JOIN attachment a ON a.parent_id = below.did_id)
        SELECT rule.rule_id, f.did_id
          FROM rule JOIN rule_detail x USING (rule_id) JOIN below ON below.root = rule.did_id
          JOIN did f ON f.did_id = below.did_id AND f.kind = 'F'
         WHERE rule.complete AND NOT rule.pin
           AND rule.copies <> (SELECT count(*) FROM lock l WHERE l.rule_id = rule.rule_id AND l.did_id = f.did_id
                                  AND l.rse_id = ANY(x.rse_ids))""",
    "replicas miscount their locks": """
        SELECT r.did_id, r.rse_id, r.lock_count, count(l.rule_id)
          FROM replica r LEFT JOIN lock l ON l.did_id = r.did_id AND l.vo = r.vo AND l.rse_id = r.rse_id
         GROUP BY r.did_id, r.rse_id, r.lock_count HAVING r.lock_count <> count(l.rule_id)""",
    "held copying replicas are not asked for": """
        SELECT r.did_id, r.rse_id FROM replica r
         WHERE r.state = 'C' AND r.lock_count > 0
           AND NOT EXISTS (SELECT FROM transfer_request q WHERE q.did_id = r.did_id AND q.rse_id = r.rse_id)""",
    "waiting requests are not in the queue": """
        SELECT q.request_id FROM transfer_request q
         WHERE (q.state = 'W') <> EXISTS (SELECT FROM transfer_ready r WHERE r.vo = q.vo AND r.priority = q.priority
                                             AND r.request_id = q.request_id)""",
    "usage is not the sum of the locks": """
        SELECT coalesce(u.account_id, l.account_id), coalesce(u.rse_id, l.rse_id), u.files, u.size, l.files, l.size
          FROM (SELECT account_id, rse_id, sum(files) AS files, sum(size) AS size FROM usage_slot GROUP BY 1, 2) AS u
          FULL JOIN (SELECT rule.account_id, lock.rse_id, count(*) AS files, sum(lock.size) AS size
                       FROM lock JOIN rule USING (rule_id) GROUP BY 1, 2) AS l USING (account_id, rse_id)
         WHERE (coalesce(u.files, 0), coalesce(u.size, 0)) <> (coalesce(l.files, 0), coalesce(l.size, 0))""",
    "quotas have other room than limit minus usage": """
        SELECT q.name, q.size, q.over, t.room, c.charged
          FROM quota q
          JOIN LATERAL (SELECT sum(room) AS room FROM quota_slot s WHERE s.quota_id = q.quota_id) AS t ON true
          JOIN LATERAL (SELECT coalesce(sum(u.size + u.held), 0) AS charged
                          FROM usage_slot u JOIN quota_rse e ON e.rse_id = u.rse_id AND e.quota_id = q.quota_id
                         WHERE q.account_id IS NULL OR q.account_id = u.account_id) AS c ON true
         WHERE t.room - q.over + c.charged <> q.size OR (q.over > 0 AND t.room > 0)""",
    "RSEs miscount their replicas": """
        SELECT coalesce(u.rse_id, r.rse_id), u.files, u.size, r.files, r.size
          FROM (SELECT rse_id, sum(files) AS files, sum(size) AS size FROM rse_usage_slot GROUP BY 1) AS u
          FULL JOIN (SELECT rse_id, count(*) AS files, sum(size) AS size FROM replica GROUP BY 1) AS r USING (rse_id)
         WHERE (coalesce(u.files, 0), coalesce(u.size, 0)) <> (coalesce(r.files, 0), coalesce(r.size, 0))""",
}
"""What must never be found in the database once the deferred tasks have run, each with the query that finds it."""


async def check_exact(conn: Connection) -> None:
    """Count everything anew and compare it with what is written down."""
    for what, query in WRONG.items():
        rows = await (await conn.execute(query)).fetchall()  # pyright: ignore[reportArgumentType, reportCallIssue]
        assert not rows, f"{what}: {rows[:5]}"
