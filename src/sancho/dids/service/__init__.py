"""The door of the namespace: what other features and the routes may ask of it.

The caller owns the transaction. A function that raises may have changed something before: roll back, as requests
and tasks do. Functions with a `caller` ask what that account may do; those with an `account_id` act for features
that have asked already.
"""

from sancho.dids.service.archives import archives_of, count_inside, inside, pack, stream_members, unpack
from sancho.dids.service.attaching import attach_all, detach_all
from sancho.dids.service.catalogue import (
    by_id,
    check_free,
    datasets,
    file_page,
    files,
    find_all,
    get,
    get_collection,
    identify,
    info,
    list_dids,
    new_files,
    of_guid,
    owners,
    register_files,
    require_change,
    resolve,
    show,
    stream_contents,
)
from sancho.dids.service.changing import announce_rest, attach, change_contents, close, detach, set_monotonic, set_open
from sancho.dids.service.creating import create, create_all, ensure_dataset, sample
from sancho.dids.service.ending import (
    claim_ended,
    empty,
    end,
    erase,
    held_firmly,
    lock_ended,
    put_off,
    restore,
    set_lifetime,
    unpack_ended,
)
from sancho.dids.service.following import followers, list_followed, start_following, stop_following
from sancho.dids.service.history import stream_detached, stream_file_lines
from sancho.dids.service.keeping import (
    approve_exception,
    ask_exception,
    get_exception,
    kept,
    list_exceptions,
    reject_exception,
    stream_exceptions,
)
from sancho.dids.service.metadata import (
    describe,
    describe_below,
    describe_part,
    descriptions,
    forget,
    known_descriptions,
    list_keys,
    put_keys,
    remove_keys,
)
from sancho.dids.service.naming import check_scopes, put_schemas, remove_schemas
from sancho.dids.service.paths import Found, look
from sancho.dids.service.publishing import (
    change_publication,
    draft,
    get_publication,
    list_publications,
    published_files,
    published_tally,
    stream_publications,
    withdraw_publication,
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
    obstacle,
    put_scopes,
    remove_scopes,
    scope_ids,
    scopes_for,
)
from sancho.dids.service.searching import newest, search, search_page
from sancho.dids.service.smart import follow, followed, freeze, refresh, refresh_due, refresh_now
from sancho.dids.store.fields import FIELDS

__all__ = [
    "FIELDS", "Found", "announce_rest", "approve_exception", "archives_of", "ask_exception", "attach", "attach_all",
    "by_id", "change_contents", "change_publication", "change_scope", "check_free", "check_scopes", "claim_ended",
    "close", "count_inside", "create", "create_all", "create_scope", "datasets", "describe", "describe_below",
    "describe_part", "descriptions", "detach", "detach_all", "draft", "empty", "end", "ensure_dataset", "erase",
    "file_page", "files", "find_all", "follow", "followed", "followers", "forget", "freeze", "get", "get_collection",
    "get_exception", "get_publication", "held_firmly", "identify", "info", "inside", "kept", "known_descriptions",
    "list_dids", "list_exceptions", "list_followed", "list_keys", "list_publications", "list_scopes", "lock_ended",
    "look", "new_files", "newest", "obstacle", "of_guid", "owners", "pack", "published_files", "published_tally",
    "put_keys", "put_off", "put_schemas", "put_scopes", "refresh", "refresh_due", "refresh_now", "register_files",
    "reject_exception", "remove_keys", "remove_schemas", "remove_scopes", "require_change", "resolve", "restore",
    "sample", "scope_ids", "scopes_for", "search", "search_page", "set_lifetime", "set_monotonic", "set_open", "show",
    "start_following", "stop_following", "stream_below", "stream_children", "stream_contents", "stream_detached",
    "stream_exceptions", "stream_file_lines", "stream_files", "stream_members", "stream_parents", "stream_publications",
    "stream_scope", "tallies", "unpack", "unpack_ended", "withdraw_publication",
]  # fmt: skip
