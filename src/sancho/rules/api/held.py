"""The native route of what rules hold on an RSE."""

from collections.abc import AsyncIterator
from typing import Literal

from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from sancho.kit.db import Connection
from sancho.kit.problem import problems
from sancho.kit.web import Caller, Snapshot, native
from sancho.rses import service as rses
from sancho.rses.errors import RseNotFound
from sancho.rules import service

router = native(tags=["rules"])


class Held(BaseModel):
    """What a rule holds of a dataset on an RSE: how many files, their bytes, and how they are."""

    dataset: str
    rule_id: int
    account: str
    files: int
    size: int
    state: Literal["ok", "replicating", "stuck"]


@router.get("/rses/{name}/locks", response_class=StreamingResponse, responses=problems(RseNotFound))
async def locks_on(name: str, caller: Caller, conn: Snapshot) -> StreamingResponse:
    """Stream what rules hold of datasets on an RSE, rule by rule: one JSON document a line."""
    rse = await rses.get(conn, name, field="name")
    return StreamingResponse(_lines(conn, caller.vo, rse.rse_id), media_type="application/x-ndjson")


async def _lines(conn: Connection, vo: int, rse_id: int) -> AsyncIterator[str]:
    async for some in service.dataset_locks_on(conn, vo, rse_id):
        yield "".join(
            Held(
                dataset=f"{lock.scope}:{lock.name}", rule_id=lock.rule_id, account=lock.account, files=lock.files,
                size=lock.size, state=lock.state.value,
            ).model_dump_json() + "\n"
            for lock in some
        )  # fmt: skip
