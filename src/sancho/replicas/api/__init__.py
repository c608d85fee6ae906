"""Native routes of replicas, and of what is on storages."""

from sancho.replicas.api import replicas, storages

ROUTERS = (replicas.router, storages.router)

__all__ = ["ROUTERS"]
