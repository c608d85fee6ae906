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
from sancho.dids.service.metadata import (
    describe,
    descriptions,
    forget,
    known_descriptions,
    list_keys,
    put_keys,
    remove_keys,
)
from sancho.dids.service.reading import (
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
    put_scopes,
    remove_scopes,
    scope_ids,
    scopes_for,
)
from sancho.dids.service.searching import search, search_page
from sancho.dids.service.smart import follow, followed, freeze, refresh, refresh_due, refresh_now
from sancho.dids.store.searching import FIELDS

__all__ = [
    "FIELDS",
    "attach", "attach_all", "by_id", "change_contents", "change_scope", "check_free", "close", "create", "create_all",
    "create_scope", "datasets", "describe", "descriptions", "detach", "detach_all", "ensure_dataset", "file_page",
    "files", "find_all", "follow", "followed", "forget", "freeze", "get", "get_collection", "info",
    "known_descriptions", "list_dids", "list_keys", "list_scopes", "new_files", "owners", "put_keys", "put_scopes",
    "refresh", "refresh_due", "refresh_now", "register_files", "remove_keys", "remove_scopes", "require_change",
    "resolve", "scope_ids", "scopes_for", "search", "search_page", "set_open", "stream_below", "stream_children",
    "stream_contents", "stream_files", "stream_parents", "stream_scope", "tallies",
]  # fmt: skip
