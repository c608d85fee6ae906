"""Use case of matching."""

from sancho.jobs import service as jobs
from sancho.jobs.model import Started
from sancho.kit import faults
from sancho.kit.db import Connection
from sancho.matching import plan, store
from sancho.matching.model import Offer

_chosen = faults.point("matching.chosen")


async def match(conn: Connection, offer: Offer) -> Started | None:
    """Give a pilot a job that fits its offer, or None; the transaction serves the offer's VOs."""
    ordered = plan.order(await store.candidates(conn, offer))
    _chosen()
    return await jobs.start(
        conn, [(c.vo, c.task_queue_id) for c in ordered], pilot_id=offer.pilot_id, site_id=offer.site_id
    )
