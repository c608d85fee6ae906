"""Rules: what should exist where, and the locks that make it so.

A *rule* is a standing request: "keep N copies of this DID on RSEs matching
this expression until this date". A rule is carried out by *locks*, one per
file and RSE; a replica under at least one lock is never deleted.

    asked ──plan──▶ locks placed ──transfers──▶ locks settled ──▶ rule is ok

What a lock counts as is read, under the lock of its replica's row, from its
transfer request: none is ok, one that is stuck is stuck, any other is
replicating. Settling removes the request and moves the count in one commit,
so news that comes twice counts once.

Who adds or removes locks of a rule first locks DIDs: the files' parents,
shared, to extend rules as collections grow; the rule's DID and all collections
below it, alone, to create or delete one, or to take its locks off files that
were detached. So no file slips through between.

`plan` decides where copies go and touches nothing; `store` holds the SQL;
`service` is the only door for other features. Rules read `dids`, `rses` and
`replicas`, and queue work with `transfers`. None of those know rules exist.
"""
