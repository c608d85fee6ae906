"""Native routes of jobs."""

from sancho.jobs.api import jobs, submitting

ROUTERS = (submitting.router, jobs.router)
