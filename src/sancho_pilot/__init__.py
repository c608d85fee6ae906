"""The pilot: our process in a slot; it makes offers, runs payloads and reports.

It needs nothing but Python 3.8 or newer and its standard library, is shipped
as one zipapp, and shares with the server only the protocol. Two halves:

    events ──▶ machine (pure: no I/O, no clock, no randomness) ──▶ instructions
       ▲                                                                │
       └──────────── loop (HTTP, payload, files, signals) ◀─────────────┘

`machine` is the pilot as a whole, `life` one attempt in it; both only think.
`loop` carries out: `operations` are the steps that take time, each in its own
thread, on top of `server`, `transfer`, `payload`, `sandbox` and `spool`. Every
event is logged with the instructions it led to, so that `journal.replay` can
run the same thoughts again. A report that matters is on disk before it is
sent and stays there until the server has answered it.
"""
