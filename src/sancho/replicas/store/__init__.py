"""The SQL of replicas; one statement each.

Writes `replica`, `replica_path`, `rse_usage_slot` and `deletion`.

Lock, then act: one statement locks rows in the order of their keys and says what it saw under the lock, the next
changes and counts. Lock order: replicas by file and RSE, then this connection's slots of usage by RSE.
"""
