"""Native routes of jobs."""

from sancho.jobs.api import jobs, parameters, saved, searching, status, submitting

ROUTERS = (submitting.router, searching.router, parameters.router, saved.router, status.router, jobs.router)
