"""Who used what: one ledger for CPU, storage and network.

A row is written in the transaction that ends an attempt, an upload or a transfer, so nothing is billed twice and
nothing that happened is left out. Rows are never changed; old weeks are dropped as partitions.

    attempt ended ─┐
    file uploaded ─┼─record──▶ ledger ──summary──▶ sums by account, site, RSE, kind or day
    file moved ────┘
"""
