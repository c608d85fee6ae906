"""Native routes of jobs."""

from sancho.jobs.api import changing, cloning, cwl, demand, jobs, parameters, saved, searching, status, submitting

ROUTERS = (
    submitting.router, cwl.router, searching.router, parameters.router, saved.router, status.router, changing.router,
    cloning.router, demand.router, jobs.router,
)  # fmt: skip
