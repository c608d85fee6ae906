"""Native routes of jobs."""

from sancho.jobs.api import jobs, parameters, saved, searching, submitting

ROUTERS = (submitting.router, searching.router, parameters.router, saved.router, jobs.router)
