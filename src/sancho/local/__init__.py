"""One grid on one machine: its folder, its database, its programs and what keeps them alive.

A *home* is a folder that holds everything of one grid: settings, keys, the
database, the storage of two sites, logs. `grid` brings a home to life,
`supervisor` keeps its *programs* running, `postgres` looks after the database,
and `status`, `doctor` and `backup` answer questions about it.

    up ──layout──▶ database ──migrate, init──▶ supervisor ──▶ api, worker, storages ──▶ ready

Nothing here knows jobs, rules or files: the programs are separate processes,
told what to do by their command line and `SANCHO_*` variables. In production
something else (systemd, Kubernetes) takes this package's place.
"""
