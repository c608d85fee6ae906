"""Where files are: one replica for each file and RSE, with a state, and deletion when nothing holds it.

    placed ──▶ copying ──arrive──▶ available ◀── registered, uploaded
                  │ lose               │ release, then its tombstone passes
                  ▼                    ▼
                removed ◀──reap── deleting

A *hold* is a count on the replica (`lock_count`): a replica with a hold is never deleted, one that is being deleted
cannot be held. When the last hold is released a *tombstone* is set; once it has passed, the reaper claims the
replica, deletes the file on its storage and then removes the row. It leaves alone the copies of a file of which
another copy is still being made, because they are its source.

`service` is the only door for other features. Replicas know files (`dids`) and places (`rses`); why something is held
(`rules`) and how it is brought (`transfers`) is not known here.
"""
