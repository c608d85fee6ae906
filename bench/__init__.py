"""Benchmarks: what one API process reaches over HTTP, beside the raw limit of the same machine in the same run.

`python -m bench --size small|large [--only NAME]` starts a durable PostgreSQL and one API process of its own, fills
the database with rows that have nothing to do with what is measured, and measures five workloads at several such
sizes: `register_files`, `submit_jobs`, `match`, `rule_10k`, `list_dataset`. API and raw limit take turns, several
rounds each, and medians count; so a busy machine makes both slower, and the ratio stays what it is.

    lhcb    the queues that `match` works on      ground   database, server, world, tokens
    filling unrelated rows                        driver   sends requests that were encoded beforehand
    figures what a run says, and the goals        workloads one module each: the API's side and the raw side
"""
