"""Leave no job behind: for instances that are made for development and tests."""

from collections.abc import Sequence

from sancho.jobs.store import emptying
from sancho.kit.db import Connection


async def empty(conn: Connection, vos: Sequence[int]) -> dict[str, int]:
    """Forget all jobs of these VOs, which the transaction serves; return how many rows were in each table.

    What jobs have made elsewhere stays: files, rules, sandboxes in the object store, the audit log. A pilot that still
    works on one is told that there is no such job.
    """
    return await emptying.empty(conn, vos)
