"""Transfer requests in Rucio's words: pure."""

from collections.abc import Mapping
from typing import Any

from sancho.compat.rucio.translate import date_of, id_of
from sancho.transfers.model import Request, RequestState

STATES: Mapping[RequestState, str] = {
    RequestState.WAITING: "QUEUED", RequestState.ACTIVE: "SUBMITTED", RequestState.DONE: "DONE",
    RequestState.FAILED: "FAILED", RequestState.STUCK: "FAILED",
}  # fmt: skip
LETTERS: Mapping[str, str] = {"Q": "QUEUED", "S": "SUBMITTED", "D": "DONE", "F": "FAILED"}
"""What clients ask for; letters and names that stand for nothing here find nothing."""


def states_of(text: str) -> list[RequestState]:
    """The states that clients ask for, as letters or names with commas between them."""
    asked = {LETTERS.get(word, word) for word in text.strip("[]()").replace("'", "").replace(" ", "").split(",")}
    return [state for state, said in STATES.items() if said in asked]


def request_of(request: Request, rse_ids: Mapping[str, int]) -> dict[str, Any]:
    """A request. What is not known of it is null."""
    scope, _, name = request.did.partition(":")
    source = rse_ids.get(request.source or "")
    return {
        "id": id_of(request.request_id), "request_type": "TRANSFER", "scope": scope, "name": name, "did_type": "FILE",
        "dest_rse": request.rse, "dest_rse_id": id_of(rse_ids[request.rse]), "source_rse": request.source,
        "source_rse_id": id_of(source) if source else None, "state": STATES[request.state],
        "activity": request.activity, "bytes": request.size, "retry_count": request.tries, "err_msg": request.error,
        "created_at": date_of(request.created_at), "requested_at": date_of(request.created_at),
        "external_id": None, "submitted_at": None, "transferred_at": None,
    }  # fmt: skip
