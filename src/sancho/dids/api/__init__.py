"""Native routes of the namespace."""

from sancho.dids.api import archives, catalogue, following, keeping, lives, metadata, paths, publishing

ROUTERS = (
    following.router, archives.router, catalogue.router, keeping.router, lives.router, metadata.router, paths.router,
    publishing.router, publishing.public,
)  # fmt: skip
"""The first has paths that a DID's name would fit; the last needs no token."""
