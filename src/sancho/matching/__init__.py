"""Matching: which waiting job a pilot gets.

    offer ─▶ board of what waits ─▶ plan: what fits, whose turn it is ─▶ one statement claims a job

Each process that serves pilots keeps a board of all task queues with waiting jobs (`plan`), and is told when they are
filled (`tasks`). `store` reads what the board is made of, and has a query that checks a plan over the live replicas;
`jobs` embeds it in its claim, so that checking and claiming are one statement. `docs/adr/0025` says why.
"""
