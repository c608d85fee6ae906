"""What the architecture tests let pass, each with its reason. A line that is no longer needed fails the build.

A growing list is a smell to discuss, not a habit.
"""

MODULE_LINES: dict[str, str] = {}
"""Modules of more than 400 lines."""

FUNCTION_LINES: dict[str, str] = {}
"""Functions of more than 60 lines, `sancho.rules.plan:place`."""

PARAMETERS: dict[str, str] = {
    "sancho.cli.grid:up": "a verb: one parameter for each option",
    "sancho_client.calls.jobs:list_jobs": "one parameter for each that the route has",
    "sancho_client.cli.job_search:list_": "a verb: one parameter for each option",
    "sancho_client.cli.metadata:find": "a verb: one parameter for each option",
    "sancho_client.cli.user:login": "a verb: one parameter for each option",
    "sancho_client.cli.vo:create": "a verb: one parameter for each option",
    "sancho_plugins.webdav_server.command:storage": "a verb: one parameter for each option",
    "sancho.rses.service.catalogue:token": "what may be read, created and modified are lists of different callers",
}
"""Functions of more than 6 parameters."""

FEATURE_IMPORTS: dict[str, str] = {}
"""Modules that import more than 6 other features."""

DOORS: dict[str, str] = {}
"""Modules that enter another feature elsewhere than by its service, model or errors."""

PARTS: dict[str, str] = {
    "sancho.jobs.cwl": "CWL: what of it is read, with Pydantic, so neither model nor plan",
    "sancho.rses.expression": "the language of RSE expressions: a parser that plan and others read, itself no plan",
}
"""Modules of a feature with a name of their own, `sancho.rses.grammar`; they stand below `plan` and `store`."""

ORDER: dict[str, str] = {}
"""Modules that import another of their feature that is not below them."""

WRITES: dict[str, str] = {}
"""Stores that write a table of another feature, `sancho.rules.store:replica`."""

SQL: dict[str, str] = {}
"""Modules of a feature with SQL outside of its store."""

BROAD_EXCEPT: dict[str, str] = {
    "sancho_pilot.__main__:run": "the pilot's outermost frame",
    "sancho_pilot.loop:Loop._step": "the outermost frame of a thread of the pilot",
}
"""Functions that catch every exception."""

ENVIRONMENT: dict[str, str] = {
    "sancho.local.demonstration.payload.analyse": "a payload: a variable tells it where the pilot has put its inputs",
    "sancho.local.programs": "hands its environment on to the processes it starts",
    "sancho_pilot.payload": "hands its environment on to shims: the site's Python may need it to start",
    "sancho_plugins.local_keeper": "takes from a worker's environment the little that its pilots may have",
    "sancho_client.environment": "what `sancho env` exports are the client's own settings, read in one place",
}
"""Modules that read the environment."""

CLIENT: dict[str, str] = {}
"""Modules of the server, outside of the command line and the local grid, that import the client."""

SLEEPS: dict[str, str] = {
    "tests.conftest": "`eventually` waits for a condition in another process, until a deadline",
    "tests.storage_site": "`wait_for` does the same for tests that are not async",
}
"""Helpers of tests that sleep, such as the one that waits for a condition until a deadline."""
