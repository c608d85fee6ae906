"""The door to jobs.

`submitting` makes them, `inputs` and `shared` ready what they read, `life` moves them, `views` shows them.
"""

from sancho.jobs.service.inputs import close_datasets, resolve_all
from sancho.jobs.service.life import (
    begin,
    complete,
    find_attempt,
    find_started,
    finish,
    kill,
    lose,
    open_attempts,
    progress,
    reschedule,
    rest,
    start,
    vo_of_attempt,
)
from sancho.jobs.service.shared import lent, look_again, shared_files, shared_inputs, take_back
from sancho.jobs.service.submitting import submit
from sancho.jobs.service.views import (
    announce_output_sandbox,
    announce_sandbox,
    check_sandbox,
    get,
    get_spec,
    input_files,
    list_jobs,
    log,
    owners,
    producers,
    promised,
    sandbox_size,
    sandbox_url,
    summarise,
    traceparent,
)
from sancho.jobs.store.provenance import SEARCH_FIELDS

__all__ = [
    "SEARCH_FIELDS",
    "announce_output_sandbox", "announce_sandbox", "begin", "check_sandbox", "close_datasets", "complete",
    "find_attempt", "find_started", "finish", "get", "get_spec", "input_files", "kill", "lent", "list_jobs", "log",
    "look_again", "lose", "open_attempts", "owners", "producers", "progress", "promised", "reschedule", "resolve_all",
    "rest", "sandbox_size", "sandbox_url", "shared_files", "shared_inputs", "start", "submit", "summarise", "take_back",
    "traceparent", "vo_of_attempt",
]  # fmt: skip
