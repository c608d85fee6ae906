"""The door of replicas: what other features and the routes may ask of them.

The caller owns the transaction, but for `reap` and `sweep`, which talk to storages between theirs, and `return_due`.
A function that raises may have changed something before: roll back, as requests and tasks do.
"""

from sancho.replicas.service.catalogue import (
    access,
    archives,
    copies,
    dataset_copies,
    expect,
    located,
    lying_on,
    register,
    stream,
    usage,
)
from sancho.replicas.service.catalogue import list_replicas as list  # noqa: A004 - the verb of the house
from sancho.replicas.service.dark import quarantine, sweep
from sancho.replicas.service.declaring import (
    abandon,
    declare,
    give_up,
    list_troubles,
    mean,
    note_lost,
    return_due,
    settle_put,
    stream_troubles,
    suspicions,
    trouble_sums,
)
from sancho.replicas.service.deletion import reap
from sancho.replicas.service.holds import add, arrive, hold, lose, mark_bad, place, recopy, release
from sancho.replicas.service.signing import sign_reading, sign_writing

__all__ = [
    "abandon", "access", "add", "archives", "arrive", "copies", "dataset_copies", "declare", "expect",
    "give_up", "hold", "list", "list_troubles", "located", "lose", "lying_on", "mark_bad", "mean", "note_lost",
    "place", "quarantine", "reap", "recopy", "register", "release", "return_due", "settle_put", "sign_reading",
    "sign_writing", "stream", "stream_troubles", "suspicions", "sweep", "trouble_sums", "usage",
]  # fmt: skip
