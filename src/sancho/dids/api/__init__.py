"""Native routes of the namespace."""

from sancho.dids.api import catalogue, paths

ROUTERS = (catalogue.router, paths.router)
