"""The door of transfers: what other features and the routes may ask of them.

The caller owns the transaction, but for `carry` and `recover`, which are whole tasks: they open their own, and none
is open while bytes move. Whoever asks for, cancels or settles transfers of a replica holds that replica's row.
"""

from sancho.transfers.service.asking import cancel, forget, links, list_requests, request, revive, stick, stream, tried
from sancho.transfers.service.carrying import carry
from sancho.transfers.service.claiming import claim, recover
from sancho.transfers.service.foreseeing import foresee
from sancho.transfers.service.recording import record

__all__ = [
    "cancel", "carry", "claim", "foresee", "forget", "links", "list_requests", "record", "recover", "request", "revive",
    "stick", "stream", "tried",
]  # fmt: skip
