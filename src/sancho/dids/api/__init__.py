"""Native routes of the namespace."""

from sancho.dids.api import archives, catalogue, keeping, lives, metadata, paths

ROUTERS = (archives.router, catalogue.router, keeping.router, lives.router, metadata.router, paths.router)
