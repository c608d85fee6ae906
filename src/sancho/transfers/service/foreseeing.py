"""What would come of transfers if they were tried now, for whoever asks why they do not come."""

from collections.abc import Sequence

from sancho.kit.db import Connection
from sancho.replicas import service as replicas
from sancho.replicas.model import ReplicaKey, ReplicaState
from sancho.rses import service as rses
from sancho.rses.model import Operation
from sancho.transfers import plan
from sancho.transfers.model import Foreseen
from sancho.transfers.store import claims

HAVE_IT = (ReplicaState.AVAILABLE, ReplicaState.UNAVAILABLE)


async def foresee(conn: Connection, vo: int, keys: Sequence[ReplicaKey]) -> dict[ReplicaKey, Foreseen]:
    """For each of these replicas that are to be made: whether it could be brought now, from where, and who lacks what.

    It is found as a worker finds it that claims a request; nothing is changed.
    """
    files = sorted({key.did_id for key in keys})
    seen = {rse.rse_id: rse for rse in await rses.rses(conn)}
    sources, targets = rses.reached(seen.values(), Operation.COPY_FROM), rses.reached(seen.values(), Operation.COPY_TO)
    distances = await rses.distances(conn)
    holders: dict[int, list[int]] = {}
    for _, did_id, rse_id, _ in await claims.sources(conn, [(vo, did_id) for did_id in files]):
        if plan.gives(sources, rse_id):
            holders.setdefault(did_id, []).append(rse_id)
    have: dict[int, list[int]] = {}
    for replica in await replicas.list(conn, vo, files):
        if replica.state in HAVE_IT and replica.rse_id in seen:
            have.setdefault(replica.did_id, []).append(replica.rse_id)
    found: dict[ReplicaKey, Foreseen] = {}
    for key in keys:
        giving = holders.get(key.did_id, [])
        source = plan.choose_source(plan.routes(giving, key.rse_id, distances))
        others = [rse_id for rse_id in have.get(key.did_id, ()) if rse_id != key.rse_id]
        away = [i for i in others if i not in giving and plan.routes([i], key.rse_id, distances)]
        unlinked = [i for i in others if not plan.routes([i], key.rse_id, distances)]
        found[key] = Foreseen(
            plan.takes(targets, key.rse_id), None if source is None else seen[source].name,
            tuple(sorted(seen[i].name for i in away)), tuple(sorted(seen[i].name for i in unlinked)),
        )  # fmt: skip
    return found
