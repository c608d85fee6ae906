"""The door to jobs.

`submitting` makes them, `alike` many at once that differ little, `ranges` writes the rows that they have late, `edges`
lets them wait for each other, `inputs` and `shared` ready what they read, `life` moves them, `retrying` does so when
they failed, `rescheduling` when somebody asks; `selecting` says which, `views` shows them, `searching` finds them,
`parameters` is what is said of them, `status` and `heartbeats` how it goes, `silent` what others run and say nothing
of, `news` what has just changed, `saved` the searches that accounts have named, `sandboxes` the small archives that
they come with and leave.
"""

from sancho.jobs.service.alike import submit_many
from sancho.jobs.service.demand import list_demand, want_inputs
from sancho.jobs.service.edges import awaited, follow, recall
from sancho.jobs.service.forgetting import drop_old_history, forget_old_jobs
from sancho.jobs.service.heartbeats import (
    acknowledge,
    beat,
    beat_once,
    beat_own,
    commands_for_pilot,
    forget_commands,
    own_tail,
)
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
    start_at_once,
    vo_of_attempt,
)
from sancho.jobs.service.news import News
from sancho.jobs.service.parameters import of_jobs as parameters_of
from sancho.jobs.service.parameters import say, set_parameters
from sancho.jobs.service.reporting import require_running
from sancho.jobs.service.rescheduling import hold, release, reschedule, reschedule_each
from sancho.jobs.service.retrying import forgive
from sancho.jobs.service.sandboxes import (
    SANDBOX_LIFETIME,
    announce_output_sandbox,
    announce_sandbox,
    check_owned,
    check_sandbox,
    clean_sandboxes,
    find_output_url,
    find_sandbox_url,
    give_output_sandbox,
    ready_sandbox,
    sandbox_size,
    sandbox_url,
    sandboxes_of,
    take_sandboxes,
)
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
from sancho.jobs.service.selecting import change_ranges, chosen
from sancho.jobs.service.shared import lent, look_again, shared_files, shared_inputs, take_back
from sancho.jobs.service.silent import lose_silent
from sancho.jobs.service.status import existing, report, report_own, statuses
from sancho.jobs.service.submitting import submit, submit_all, submit_part
from sancho.jobs.service.views import (
    get,
    get_spec,
    input_files,
    list_jobs,
    list_specs,
    log,
    owners,
    producers,
    promised,
    traceparent,
)
from sancho.jobs.store.provenance import SEARCH_FIELDS

__all__ = [
    "SANDBOX_LIFETIME", "SEARCH_FIELDS", "LookUps", "News", "acknowledge", "announce_output_sandbox",
    "announce_sandbox", "awaited", "beat", "beat_once", "beat_own", "begin", "change_ranges", "check_owned",
    "check_sandbox", "chosen",
    "clean_sandboxes", "close_datasets", "commands_for_pilot", "complete", "count", "delete_view",
    "drop_old_history", "existing", "find_attempt", "find_output_url", "find_sandbox_url", "find_started", "finish",
    "follow", "forget_commands", "forget_old_jobs", "forgive", "get", "get_spec", "give_output_sandbox",
    "histories", "hold", "input_files", "kill", "lent", "list_demand", "list_jobs", "list_specs", "list_views",
    "log", "look_again", "lose", "lose_silent", "matching", "open_attempts", "own_tail", "owners", "parameters_of",
    "producers", "progress", "promised", "ready_sandbox", "recall", "release", "report", "report_own",
    "require_running", "reschedule", "reschedule_each", "resolve_all", "rest", "sandbox_size", "sandbox_url",
    "sandboxes_of", "save_view", "say", "search_page", "search_part", "set_parameters", "shared_files",
    "shared_inputs", "start", "start_at_once", "statuses", "submit", "submit_all", "submit_many", "submit_part",
    "summarise", "take_back", "take_sandboxes", "traceparent", "values", "vo_of_attempt", "want_inputs",
]  # fmt: skip
