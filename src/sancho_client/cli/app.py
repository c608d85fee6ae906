"""All user verbs, put together."""

from sancho_client.cli import (
    archives,
    configuration,
    data,
    decisions,
    downtime,
    explain,
    identity,
    job,
    job_change,
    job_demand,
    job_search,
    keeping,
    lives,
    publishing,
    rule,
    things,
    user,
)
from sancho_client.cli.verbs import Verbs

WORK = "Jobs and data"
CONFIGURATION = "Configuration"
LOGIN = "You"


def add_to(root: Verbs) -> None:
    """Add the user verbs to a group."""
    user.add_to(root, panel=LOGIN)
    job_search.add_to(job.verbs)
    job_change.add_to(job.verbs)
    job_demand.add_to(job.verbs)
    root.add(job.verbs, "job", panel=WORK)
    lives.add_to(data.verbs)
    keeping.add_to(data.verbs)
    publishing.add_to(data.verbs)
    archives.add_to(data.verbs)
    root.add(data.verbs, "data", panel=WORK)
    root.add(rule.verbs, "rule", panel=WORK)
    root.add(explain.verbs, "explain", panel=WORK)
    root.add(identity.verbs, "identity", panel=LOGIN)
    configuration.add_to(root, panel=CONFIGURATION)
    root.add(configuration.verbs, "config", panel=CONFIGURATION)
    things.add_to(root, panel=CONFIGURATION)
    root.add(downtime.verbs, "downtime", panel=CONFIGURATION)
    decisions.add_to(root, panel=LOGIN)
    root.add(decisions.verbs, "audit", panel=CONFIGURATION)
