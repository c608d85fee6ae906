"""Matching: which waiting job a pilot gets.

    offer ─▶ task queues that fit, by lottery ─▶ where are their inputs now? ─▶ `jobs.start` claims the first job

VOs have equal chances and, within a VO, groups have chances by their fair share: a lottery (Waldspurger and Weihl,
OSDI 1994) drawn for each match, so no state is kept and nobody starves. A job with inputs goes where most of their
bytes are; that is read from the replicas at the moment of the match. `store` has the query, over tables of `jobs`,
`replicas` and `rses`; `jobs` embeds it in its claim, so that choosing and claiming are one statement.
"""
