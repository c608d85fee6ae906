"""URLs that need no token: which protocols know them, and what such a URL lets one do."""

from datetime import timedelta

from sancho.kit.access import Principal
from sancho.kit.deployment import Deployment
from sancho.kit.extensions import Extensions
from sancho.rses.model import Operation, Rse
from sancho.rses.service.catalogue import by, path_below, pfn, storage, token
from sancho_contract.storage import SignsUrls

SIGNED_FOR_MOST = timedelta(hours=1)
"""How long a signed URL is good at the most: as long as a token of the API."""


def signs(extensions: Extensions, rse: Rse) -> bool:
    """Say whether URLs of an RSE, as it is reached by its first protocol, can be signed."""
    if not rse.plugin:
        return False
    door = storage(extensions, rse)
    return isinstance(door, SignsUrls) and door.signs


def signing(extensions: Extensions, rse: Rse) -> list[Rse]:
    """The ways to reach an RSE whose URLs can be signed, in order of its protocols."""
    return [way for protocol in rse.protocols if signs(extensions, way := by(rse, protocol))]


def signing_at(extensions: Extensions, rse: Rse, url: str, operation: Operation) -> tuple[Rse, str] | None:
    """The way to an RSE whose URL this is, if it is for the operation and signs, and the path below it, or None."""
    for way in signing(extensions, rse):
        path = path_below(way, url)
        if path is not None and any(ranks.get(operation.value) for ranks in way.domains.values()):
            return way, path
    return None


def signed_url(
    deployment: Deployment, caller: Principal, rse: Rse, path: str, lifetime: timedelta, *, write: bool = False
) -> str:
    """The URL of a path on an RSE whose URLs can be signed, with the right to read the file, or to put it there.

    It is good for `lifetime`, of `SIGNED_FOR_MOST` at the most, and says host and port as `pfn` does.
    """
    lasts = min(lifetime, SIGNED_FOR_MOST)
    right = token(
        deployment.signer, rse, subject=f"{caller.vo_name}:{caller.account}", lifetime=lasts,
        read=[] if write else [path], create=[path] if write else [],
    )  # fmt: skip
    door = storage(deployment.extensions, rse)
    assert isinstance(door, SignsUrls), "asked by `signs` before"
    return door.signed(pfn(rse, path), right, write=write, lifetime=lasts)
