"""Views: searches for jobs that an account has named, for itself alone."""

from sancho.jobs.errors import TooManyViews, ViewNotFound
from sancho.jobs.model import JobView
from sancho.jobs.service.searching import LookUps, prepare, shown_field
from sancho.jobs.store import saved
from sancho.kit.access import Principal, require_owner
from sancho.kit.db import Connection
from sancho.kit.query import parse

MOST_VIEWS = 100
"""Views of one account."""


async def list_views(conn: Connection, caller: Principal) -> list[JobView]:
    """The caller's views, by name."""
    return await saved.list_views(conn, caller.vo, caller.account_id)


async def save_view(conn: Connection, caller: Principal, view: JobView, more: LookUps) -> JobView:
    """Keep a view of the caller's, in place of one of that name; it must be a search that can be made.

    Raises `QueryMalformed`, what `kit.search.plan` does, `NotToBeShown`, or `TooManyViews`.
    """
    if view.query:
        await prepare(conn, caller.vo, parse(view.query), more)
    for name in view.columns:
        shown_field(name)
    _own(caller)
    await saved.put(conn, caller.vo, caller.account_id, view)
    if await saved.count(conn, caller.vo, caller.account_id) > MOST_VIEWS:
        raise TooManyViews(limit=MOST_VIEWS)
    return view


def _own(caller: Principal) -> None:
    """Note it for the audit log; a token may be too narrow for it."""
    require_owner(caller, caller.account_id, "jobs:create", what="A view", owner=caller.account)


async def delete_view(conn: Connection, caller: Principal, name: str) -> None:
    """Forget a view of the caller's; raises `ViewNotFound`."""
    _own(caller)
    if not await saved.delete(conn, caller.vo, caller.account_id, name):
        raise ViewNotFound(name=name)
