"""Uploads: the one door through which a file enters, for users and for jobs.

    intent ──token for exactly its path──▶ bytes on storage ──verify──▶ commit
       └── never committed: its path is emptied and its quota given back after `expires_at`

An *intent* is a file that somebody is about to add. It draws the file's DID id, and the path contains that id, so no
two intents ever meet at one path: an attempt that was given up cannot harm its successor. `verify` asks the storage
for size and checksum while no transaction is open; `commit` then registers file, replica, attachment, rule, usage
and quota at once, and is idempotent by intent. Jobs call it in the transaction that ends the attempt.

Clients that compute paths themselves, as Rucio's do, *announce* a file instead, put it, and say so; it counts as there
once it has been seen.
"""
