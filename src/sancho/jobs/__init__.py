"""Jobs: what users want computed, and everything that happens to them until the outputs are catalogued.

A *job* is wanted once and survives retries; an *attempt* is one run of it on one pilot. Jobs that need the same of
a slot and read the same inputs wait in one *task queue*, the unit of matching.

    submit ─▶ pending ──inputs complete──▶ waiting ──match──▶ matched ─▶ running ─▶ completing ─▶ done
                                            ▲ ▲                   └─────────┴──────────┴──▶ failed, killed
                                     held ◀─┘ └─ a fault that is not its own, or rescheduled ─┘

A job is pending while its inputs are not complete, or while other jobs have to come before it (`service.edges`).

A finishing attempt commits its uploads, extends the rules above them, records provenance and usage and ends the
job in one transaction (`service.finish`): that transaction is why this project exists. Jobs read `dids` and
`replicas`, and use `uploads` and `rules`; `matching` and `pilots` stand above and come in through `service`.
"""
