"""Why a file cannot be read, what holds it, and what becomes of it: what is known of it is gathered here."""

from collections.abc import Sequence

from sancho.dids import service as dids
from sancho.dids.model import Did, DidKind
from sancho.explain.errors import NotAFile
from sancho.explain.model import MOST_TOLD, Explanation
from sancho.explain.plan import files as plan
from sancho.explain.plan.files import Copy, FileSeen
from sancho.explain.plan.transfers import Coming
from sancho.explain.store import data as store
from sancho.jobs import service as jobs
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.replicas import service as replicas
from sancho.replicas.model import DeclarationState, ReplicaKey, Troubles
from sancho.rses import service as rses
from sancho.rses.model import Operation, Rse
from sancho.rules import service as rules
from sancho.transfers import service as transfers
from sancho.transfers.model import Request, RequestsAsked


async def explain_file(conn: Connection, caller: Principal, did: str) -> Explanation:
    """Say where a file of the caller's VO can be read, or why it cannot, and what would let it.

    Raises `DidMalformed`, `DidNotFound`, or `NotAFile` for a dataset or container.
    """
    vo = caller.vo
    (file,) = await dids.resolve(conn, vo, [did], field="did")
    if file.kind is not DidKind.FILE:
        raise NotAFile(did=did, kind=file.kind.word)
    seen = {rse.rse_id: rse for rse in await rses.rses(conn)}
    over = await rules.over(conn, file)
    wanted, wanted_by = await store.jobs_wanting(conn, vo, file.did_id)
    made = await jobs.producers(conn, caller, [did])
    return plan.explain(
        FileSeen(
            file=file, copies=await _copies(conn, file, seen), coming=await _coming(conn, file, seen),
            rules=[f"rule {r.rule_id} of {r.account} on {r.did} ({r.state.word})" for r in over],
            archives=[
                f"{each.scope}:{each.name}"
                for each in (await dids.archives_of(conn, vo, [file.did_id])).get(file.did_id, [])
            ],
            made_by=next(iter(made.values()), None), wanted=wanted, wanted_by=wanted_by,
        )
    )  # fmt: skip


async def _copies(conn: Connection, file: Did, seen: dict[int, Rse]) -> list[Copy]:
    reached = rses.reached(seen.values(), Operation.READ)
    asked = Troubles(states=(DeclarationState.STANDING,), did_id=file.did_id)
    said = {each.rse_id: each.reason for each in await replicas.list_troubles(conn, file.vo, asked, page=(None, 100))}
    return [
        Copy(
            seen[each.rse_id].name, each.state, each.rse_id in reached and reached[each.rse_id].readable,
            each.lock_count, said.get(each.rse_id),
        )
        for each in await replicas.list(conn, file.vo, [file.did_id])
        if each.rse_id in seen
    ]  # fmt: skip


async def _coming(conn: Connection, file: Did, seen: dict[int, Rse]) -> list[Coming]:
    requests: list[Request] = []
    async for some in transfers.stream(conn, file.vo, RequestsAsked(did_id=file.did_id)):
        requests += some
    ids = {rse.name: rse.rse_id for rse in seen.values()}
    told: Sequence[Request] = [each for each in requests if each.rse in ids][: 2 * MOST_TOLD]
    keys = [ReplicaKey(file.did_id, ids[each.rse]) for each in told]
    foreseen = await transfers.foresee(conn, file.vo, keys) if keys else {}
    return [
        Coming(
            rse=each.rse, state=each.state, files=1, size=each.size, tries=each.tries, not_before=each.not_before,
            error=each.error, did=each.did, foreseen=foreseen[key],
        )
        for each, key in zip(told, keys, strict=True)
    ]  # fmt: skip
