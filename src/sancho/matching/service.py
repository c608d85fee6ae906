"""Use case of matching."""

from sancho.jobs import service as jobs
from sancho.jobs.model import Started
from sancho.kit.db import Connection
from sancho.matching import store
from sancho.matching.model import Offer


async def match(conn: Connection, offer: Offer) -> Started | None:
    """Give a pilot a job that fits its offer, or None; the transaction serves the offer's VOs."""
    return await jobs.start(conn, store.CHOICE, store.parameters(offer), pilot_id=offer.pilot_id, site_id=offer.site_id)
