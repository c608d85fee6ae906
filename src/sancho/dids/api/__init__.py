"""Native routes of the namespace."""

from sancho.dids.api import archives, catalogue, lives, metadata, paths

ROUTERS = (archives.router, catalogue.router, lives.router, metadata.router, paths.router)
