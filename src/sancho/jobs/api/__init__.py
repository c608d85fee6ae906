"""Native routes of jobs."""

from sancho.jobs.api import (
    changing,
    cloning,
    cwl,
    demand,
    jobs,
    news,
    parameters,
    saved,
    searching,
    status,
    submitting,
)

ROUTERS = (
    submitting.router, cwl.router, searching.router, parameters.router, saved.router, status.router, changing.router,
    cloning.router, demand.router, news.router, jobs.router,
)  # fmt: skip
