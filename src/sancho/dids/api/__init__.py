"""Native routes of the namespace."""

from sancho.dids.api import archives, catalogue, keeping, lives, metadata, paths, publishing

ROUTERS = (
    archives.router, catalogue.router, keeping.router, lives.router, metadata.router, paths.router,
    publishing.router, publishing.public,
)  # fmt: skip
"""The last one needs no token."""
