"""The door to jobs.

`submitting` makes them, `inputs` and `shared` ready what they read, `life` moves them, `retrying` does so when they
failed, `rescheduling` when somebody asks; `selecting` says which, `views` shows them, `searching` finds them,
`parameters` is what is said of them, `saved` the searches that accounts have named.
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
    rest,
    start,
    vo_of_attempt,
)
from sancho.jobs.service.parameters import of_jobs as parameters_of
from sancho.jobs.service.parameters import say, set_parameters
from sancho.jobs.service.rescheduling import hold, release, reschedule, reschedule_each
from sancho.jobs.service.retrying import forgive
from sancho.jobs.service.saved import delete_view, list_views, save_view
from sancho.jobs.service.searching import (
    LookUps,
    count,
    histories,
    matching,
    search_page,
    search_part,
    summarise,
    values,
)
from sancho.jobs.service.selecting import chosen
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
    list_specs,
    log,
    owners,
    producers,
    promised,
    sandbox_size,
    sandbox_url,
    traceparent,
)
from sancho.jobs.store.provenance import SEARCH_FIELDS

__all__ = [
    "SEARCH_FIELDS",
    "LookUps", "announce_output_sandbox", "announce_sandbox", "begin", "check_sandbox", "chosen", "close_datasets",
    "complete", "count", "delete_view", "find_attempt", "find_started", "finish", "forgive", "get", "get_spec",
    "histories", "hold", "input_files", "kill", "lent", "list_jobs", "list_specs", "list_views", "log", "look_again",
    "lose", "matching", "open_attempts", "owners", "parameters_of", "producers", "progress", "promised", "release",
    "reschedule", "reschedule_each", "resolve_all", "rest", "sandbox_size", "sandbox_url", "save_view", "say",
    "search_page", "search_part", "set_parameters", "shared_files", "shared_inputs", "start", "submit", "summarise",
    "take_back", "traceparent", "values", "vo_of_attempt",
]  # fmt: skip
