"""Documents applied by whoever owns a grid, while its API does not run: `python -m sancho.local.applying`.

It is told on its standard input what to do, as a `Task` in JSON: a database's URL may hold a password.
"""

import asyncio
import sys

from pydantic import BaseModel

from sancho.kit.access import INSTANCE, Principal
from sancho.kit.db import Database, all_vos
from sancho.parts import KINDS
from sancho.vos import service as vos
from sancho.vos.model import INSTANCE_NAME, Document


class Task(BaseModel, frozen=True):
    """Documents, the database that they are for, and why."""

    database_url: str
    documents: tuple[Document, ...]
    comment: str


async def apply(task: Task) -> None:
    """Make a new version of the configuration; raises what `vos.service.apply` does."""
    database = Database(task.database_url, size=2)
    await database.open()
    try:
        served = await all_vos(database)
        caller = Principal(
            vo=INSTANCE, vo_name=INSTANCE_NAME, account_id=0, account="up", permissions=frozenset("*"),
            vos=tuple(served),
        )  # fmt: skip
        async with database.transaction(served) as conn:
            await vos.apply(conn, caller, task.documents, KINDS, comment=task.comment)
    finally:
        await database.close()


if __name__ == "__main__":
    asyncio.run(apply(Task.model_validate_json(sys.stdin.read())))
