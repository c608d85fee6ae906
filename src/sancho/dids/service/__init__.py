"""The door of the namespace: what other features and the routes may ask of it.

The caller owns the transaction. A function that raises may have changed something before: roll back, as requests
and tasks do. Functions with a `caller` ask what that account may do; those with an `account_id` act for features
that have asked already.
"""

from sancho.dids.service.attaching import attach_all, detach_all
from sancho.dids.service.catalogue import (
    by_id,
    check_free,
    create,
    create_all,
    datasets,
    ensure_dataset,
    file_page,
    files,
    find_all,
    get,
    get_collection,
    info,
    list_dids,
    new_files,
    owners,
    register_files,
    require_change,
    resolve,
    stream_contents,
)
from sancho.dids.service.changing import attach, change_contents, close, detach, set_open
from sancho.dids.service.paths import Found, look
from sancho.dids.service.reading import (
    search,
    stream_below,
    stream_children,
    stream_files,
    stream_parents,
    stream_scope,
    tallies,
)
from sancho.dids.service.scopes import (
    change_scope,
    create_scope,
    list_scopes,
    obstacle,
    put_scopes,
    remove_scopes,
    scope_ids,
    scopes_for,
)

__all__ = [
    "Found", "attach", "attach_all", "by_id", "change_contents", "change_scope", "check_free", "close", "create",
    "create_all", "create_scope", "datasets", "detach", "detach_all", "ensure_dataset", "file_page", "files",
    "find_all", "get", "get_collection", "info", "list_dids", "list_scopes", "look", "new_files", "obstacle", "owners",
    "put_scopes", "register_files", "remove_scopes", "require_change", "resolve", "scope_ids", "scopes_for",
    "search", "set_open", "stream_below", "stream_children", "stream_contents", "stream_files", "stream_parents",
    "stream_scope", "tallies",
]  # fmt: skip
