"""The outputs that jobs promise: no two jobs promise one file; a killed job's promises are free for others."""

from collections.abc import Sequence

from sancho.dids import service as dids
from sancho.dids.model import parse_did
from sancho.jobs.errors import OutputPromisedTwice
from sancho.jobs.model import fill
from sancho.jobs.store import rescheduling, submitting
from sancho.jobs.store.views import SpecRow
from sancho.kit.db import Connection

Promise = tuple[int, str, int | None]
"""A file's scope id and name, and the id of the dataset it joins."""


async def promise(conn: Connection, vo: int, job_ids: Sequence[int], promises: Sequence[Sequence[Promise]]) -> None:
    """Let jobs promise outputs, one list for each; raises `OutputPromisedTwice` for the first name that is taken."""
    rows = [
        (job_id, n, scope_id, dataset_id, name)
        for job_id, outputs in zip(job_ids, promises, strict=False)
        for n, (scope_id, name, dataset_id) in enumerate(outputs)
    ]
    if rows and await submitting.insert_outputs(conn, vo, rows) < len(rows):
        names = [(scope_id, name) for _, _, scope_id, _, name in rows]
        raise OutputPromisedTwice(did=await submitting.first_taken(conn, vo, names, job_ids) or "of another job")


async def promise_again(conn: Connection, vo: int, specs: Sequence[SpecRow]) -> None:
    """Let killed jobs promise again what their descriptions say."""
    wanted = [_said(spec) for spec in specs]
    scopes = await dids.scope_ids(conn, vo, sorted({scope for job in wanted for (scope, _), _ in job}))
    names = sorted({dataset for job in wanted for _, dataset in job if dataset})
    datasets = {d.did: d.did_id for d in await dids.resolve(conn, vo, names)} if names else {}
    await promise(
        conn, vo, [s.job_id for s in specs],
        [[(scopes[scope], name, datasets.get(dataset or "")) for (scope, name), dataset in job] for job in wanted],
    )  # fmt: skip


async def taken(conn: Connection, vo: int, specs: Sequence[SpecRow]) -> dict[int, str]:
    """Of killed jobs, those that cannot promise again what their descriptions say, each with a name that is taken."""
    wanted = [(spec.job_id, *did) for spec in specs for did, _ in _said(spec)]
    if not wanted:
        return {}
    scopes = await dids.scope_ids(conn, vo, sorted({scope for _, scope, _ in wanted}))
    return await rescheduling.list_taken(conn, vo, [(job_id, scopes[scope], name) for job_id, scope, name in wanted])


def _said(spec: SpecRow) -> list[tuple[tuple[str, str], str | None]]:
    return [
        (parse_did(fill(o["did"], spec.parameters)), fill(o["dataset"], spec.parameters) if o["dataset"] else None)
        for o in spec.description["outputs"]
    ]
