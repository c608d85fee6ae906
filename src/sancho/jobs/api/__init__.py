"""Native routes of jobs."""

from sancho.jobs.api import changing, cloning, jobs, parameters, saved, searching, status, submitting

ROUTERS = (
    submitting.router, searching.router, parameters.router, saved.router, status.router, changing.router,
    cloning.router, jobs.router,
)  # fmt: skip
