"""Native routes of pilots: what pilots and their payloads talk to, and what people look at."""

from sancho.pilots.api import asking, listing, talking

ROUTERS = (talking.public_router, asking.router, talking.router, listing.router)
