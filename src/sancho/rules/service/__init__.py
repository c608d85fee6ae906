"""The door of rules: what other features and the routes may ask of them.

The caller owns the transaction, but for `erase`, `expire`, `give_up`, `pin`, `place`, `record_usage`, `repair`,
`replace_moved` and `trim`, which are whole tasks and open their own.
Locks are taken in the one order of this system, DIDs first and quotas last: so ask for rules (`ensure`) before
attaching files, and for their locks (`extend`) in one call, after everything that is to be done with replicas. Give
quota that was held for the files back in that call, not before it.
"""

from sancho.rules.service.asking import check, create, create_all, ensure, get, list_locks, list_rules, owners, show
from sancho.rules.service.changing import approve, change, deny, retry
from sancho.rules.service.copies import copy_for_jobs, copying, keep_copies, room_for_copies
from sancho.rules.service.counting import recopy, settle, stick
from sancho.rules.service.demand import alone, pin, pin_some, recall, want, wanted
from sancho.rules.service.demanded import list_demand
from sancho.rules.service.erasing import erase
from sancho.rules.service.files import adopt
from sancho.rules.service.foreseeing import foresee, preview
from sancho.rules.service.leaving import delete, expire, give_up, retract, withdraw
from sancho.rules.service.moving import move, reduce, replace_moved, trim
from sancho.rules.service.placing import extend
from sancho.rules.service.quotas import (
    QUOTA,
    free_quota,
    hold_quota,
    list_quotas,
    refresh_quotas,
    usage,
)  # fmt: skip
from sancho.rules.service.reading import (
    dataset_locks,
    dataset_locks_on,
    history,
    over,
    stream,
    stream_history,
    stream_locks,
)
from sancho.rules.service.recording import record_usage, usage_history
from sancho.rules.service.repairing import place, repair

__all__ = [
    "QUOTA",
    "adopt",
    "alone",
    "approve",
    "change",
    "check",
    "copy_for_jobs",
    "copying",
    "create",
    "create_all",
    "dataset_locks",
    "dataset_locks_on",
    "delete",
    "deny",
    "ensure",
    "erase",
    "expire",
    "extend",
    "foresee",
    "free_quota",
    "get",
    "give_up",
    "history",
    "hold_quota",
    "keep_copies",
    "list_demand",
    "list_locks",
    "list_quotas",
    "list_rules",
    "move",
    "over",
    "owners",
    "pin",
    "pin_some",
    "place",
    "preview",
    "recall",
    "recopy",
    "record_usage",
    "reduce",
    "refresh_quotas",
    "repair",
    "replace_moved",
    "retract",
    "retry",
    "room_for_copies",
    "settle",
    "show",
    "stick",
    "stream",
    "stream_history",
    "stream_locks",
    "trim",
    "usage",
    "usage_history",
    "want",
    "wanted",
    "withdraw",
]  # fmt: skip
