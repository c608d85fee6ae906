"""Native routes of the namespace."""

from sancho.dids.api import catalogue, metadata

ROUTERS = (catalogue.router, metadata.router)
