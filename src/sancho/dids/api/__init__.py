"""Native routes of the namespace."""

from sancho.dids.api import catalogue, lives, metadata, paths

ROUTERS = (catalogue.router, lives.router, metadata.router, paths.router)
