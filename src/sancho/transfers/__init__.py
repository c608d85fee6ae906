"""Transfers: bringing files to where rules want them.

A *transfer request* is one wish to bring a file to an RSE, however many rules
want it there; a *transfer* is one attempt at it: a chosen source, a tool, a
lease. The request outlives its attempts.

    asked ──claim──▶ carried by a tool ──record──▶ replica available ──▶ rules settle
                          └──failed──▶ later, from elsewhere ──8 times──▶ rules get stuck

No transaction is open while bytes move. A worker may be killed at any moment:
the lease ends and another takes over. Transfers read `rses`, `dids` and
`replicas`; they do not know what a rule is, only that news goes up by name.
"""
