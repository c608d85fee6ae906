"""The door of replicas: what other features and the routes may ask of them.

The caller owns the transaction, but for `reap`, which talks to storages between its own. A function that raises may
have changed something before: roll back, as requests and tasks do.
"""

from sancho.replicas.service.catalogue import access, copies, dataset_copies, located, lying_on, register, stream, usage
from sancho.replicas.service.catalogue import list_replicas as list  # noqa: A004 - the verb of the house
from sancho.replicas.service.declaring import abandon, declare_bad, give_up, settle_put
from sancho.replicas.service.deletion import reap
from sancho.replicas.service.holds import add, arrive, hold, lose, mark_bad, place, recopy, release

__all__ = [
    "abandon", "access", "add", "arrive", "copies", "dataset_copies", "declare_bad", "give_up", "hold", "list",
    "located", "lose", "lying_on", "mark_bad", "place", "reap", "recopy", "register", "release", "settle_put",
    "stream", "usage",
]  # fmt: skip
