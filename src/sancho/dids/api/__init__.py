"""Native routes of the namespace."""

from sancho.dids.api import catalogue, lives

ROUTERS = (catalogue.router, lives.router)
