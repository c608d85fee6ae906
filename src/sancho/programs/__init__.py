"""Programs: which processes are alive, of the installation and of the VOs beside it.

A *program* of the installation, an API or a worker, lives while it holds a connection of its own to the database, and
says there what it is called: so nothing is written for it, and a dead one is gone at once. A VO's own services, which
have no such connection, report a *beat* now and then; one that has not been heard of for a day is forgotten.

    connections of the installation ─┐
                                     ├─▶ who is alive, since when, heard of when
    beats of a VO's own services ────┘

What runs on one machine under a supervisor is told by `sancho status` without asking anybody.
"""
