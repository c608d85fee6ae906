"""Pilots: our processes in the slots of batch systems. Demand makes them, they make offers, run payloads, report.

    waiting jobs ─▶ plan ─▶ new ─CE plugin─▶ submitted ─first login─▶ running ─▶ done
                                     └──────────────┴──── no sign of life ──▶ failed, lost

A pilot proves itself by a secret made for its stamp and replaced at each login. `api` has the only routes that
pilots talk to; it checks that the attempt is the pilot's own and then calls `matching`, `uploads` and `jobs`.
The protocol is described in `sancho_pilot/protocol.json`, which is generated from here.
"""
