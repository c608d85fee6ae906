"""Programs that log people in: our own, and those that the operator names."""

from sancho.identity.errors import ClientUnknown
from sancho.identity.model import Client
from sancho.kit.deployment import Deployment

PAGE = Client(client_id="sancho-web", title="The web page", redirects=("/ui/signed-in",))
"""The page that we serve ourselves."""
CLIENTS = {
    "sancho": Client(client_id="sancho", title="The command line", loopback=True),
    PAGE.client_id: PAGE,
    "rucio": Client(client_id="rucio", title="A Rucio client", redirects=("/rucio/auth/oidc_code",)),
}
"""Those that every installation knows."""


def find_client(deployment: Deployment, client_id: str) -> Client | None:
    """A program by its id; None when there is none."""
    return CLIENTS.get(client_id) or deployment.clients.get(client_id)


def client_of(deployment: Deployment, client_id: str) -> Client:
    """A program by its id; raises `ClientUnknown`."""
    found = find_client(deployment, client_id)
    if found is None:
        raise ClientUnknown(client=client_id[:100])
    return found
