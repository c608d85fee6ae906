"""What every feature stands on and no feature owns: no word of jobs or data in here.

`db` transactions and rows · `migrate` numbered SQL · `tasks` background work · `access` who is calling ·
`web` the request's transaction and caller · `errors`, `problem` what can go wrong and how it is said ·
`extensions` plugins by name · `objects` presigned small objects · `faults` named points for kill tests ·
`clock` time as an argument · `telemetry` logs, traces, metrics · `deployment` what one process was given.
"""
