"""The door of uploads: what other features and the routes may ask of them.

`verify`, `empty` and `settle` talk to storages, `settle` and `expire` open transactions of their own; everything else
runs in the caller's.
"""

from sancho.uploads.service.intents import (
    choose_rse,
    commit,
    expire,
    get_own,
    give_up,
    give_up_attempts,
    give_up_elsewhere,
    grants,
    list_open,
    of_attempt,
    open_intents,
    verify,
)
from sancho.uploads.service.putting import announce, settle

__all__ = [
    "announce", "choose_rse", "commit", "expire", "get_own", "give_up", "give_up_attempts", "give_up_elsewhere",
    "grants", "list_open", "of_attempt", "open_intents", "settle", "verify",
]  # fmt: skip
