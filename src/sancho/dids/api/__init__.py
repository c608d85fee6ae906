"""Native routes of the namespace."""

from sancho.dids.api import catalogue, lives, paths

ROUTERS = (catalogue.router, lives.router, paths.router)
