"""Onboarding: a VO comes in, with all that it needs to begin, and it is checked whether it can work.

A *founding* says in one piece what a VO shall have: who vouches for its people, its first administrator, groups,
quotas, scopes, and what it may use. It becomes documents of the kinds that other features declare, applied at once,
so that what comes of it is what `sancho apply` would have made, and is changed later in the same way.

    founding ──plan──▶ documents ──vos.apply──▶ a VO ──check──▶ what works, what is missing, and what to do next

It stands above the features it asks; nothing below knows that it exists, and it has no tables.
"""
