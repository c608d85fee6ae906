"""Identity: who somebody is, what they may do, and the one issuer of tokens.

An *account* owns things within a VO; an *identity* is a way to prove one is that account, today a password.
*Groups* give accounts their permissions and their share of capacity. A proof is exchanged for two tokens:

    password ──login──▶ access token (a JWT, an hour) + refresh token (opaque, a month, used once)
                             │                                │
                             ▼                                └──refresh──▶ a new pair
                     authenticate ──▶ Principal: account, groups, permissions

The access token says who, never what for: permissions are looked up, and remembered for at most 30 seconds, so
that a suspended account or a changed group takes effect at once. Pilots and storages get tokens of the same issuer
that are meant for another audience and are of no use here.
"""
