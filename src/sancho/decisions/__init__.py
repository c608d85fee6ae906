"""Decisions: who may do what and why, and what was decided.

`kit.access` decides, from groups, ownership and policies. A *policy* allows or denies permissions to groups and
accounts, on DIDs, sites or tags, or has a plugin say so; documents of the kind Policy make them, and the principal
of every request brings those of its VO along. `can` explains a decision before somebody runs into it.

    require ──notes──▶ trail of the request ──before commit──▶ audit rows ──every few seconds──▶ sealed batches

The *audit log* holds a row for each decision about a write, allowed ones in the transaction of the write. Rows are
never changed: a batch's hash covers its rows and the hash of the batch before, one chain for each VO, so whoever
knows one hash can tell that nothing up to there was altered, removed or put in between. Only the owner of the
database drops old batches, whole; what was dropped is known, and the chain goes on behind it.
"""
