"""What a proxy in front says of its client: the certificate it has shown, and where it is.

Anybody can send such headers, so they count only from the addresses that the operator calls a proxy of ours. A
certificate from anywhere else is refused, for it can only be a forgery or a proxy that was forgotten in the settings.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.requests import Request

from sancho.kit import telemetry
from sancho.kit.errors import BadRequest, Forbidden

Network = IPv4Network | IPv6Network

CERTIFICATE = "client-cert"
CHAIN = "client-cert-chain"
LONGEST = 200_000
_log = telemetry.log(__name__)
_BYTES = re.compile(r" *:([A-Za-z0-9+/]+={0,2}): *")


class CertificateNotFromProxy(Forbidden):
    """The header {header} came from {address}, which is no proxy of this server."""

    code = "certificate_not_from_proxy"
    oauth = "invalid_client"

    def __init__(self, *, header: str, address: str) -> None:
        """Name the header and who has sent it."""
        super().__init__(
            header=header, address=address, field=header,
            hint="Connect to the proxy in front. An operator: name it in SANCHO_TRUSTED_PROXIES.",
        )  # fmt: skip


class CertificateUnreadable(BadRequest):
    """The header {header} is not what RFC 9440 makes of a certificate."""

    code = "certificate_unreadable"
    oauth = "invalid_request"

    def __init__(self, *, header: str) -> None:
        """Name the header."""
        super().__init__(header=header, field=header, hint="See the configuration of the proxy in front.")


def client_certificate(request: Request, trusted: Sequence[Network]) -> tuple[bytes, ...] | None:
    """The chain that the client has shown to the proxy in front, in DER, its own certificate first; None without one.

    Reads `Client-Cert` and `Client-Cert-Chain` of RFC 9440. Raises `CertificateNotFromProxy` when somebody sends them
    who is not in `trusted`, `CertificateUnreadable` when they are not well formed.
    """
    said = {header: request.headers.getlist(header) for header in (CERTIFICATE, CHAIN)}
    present = next((header for header, values in said.items() if values), None)
    if present is None:
        return None
    if not _is_trusted(_peer(request), trusted):
        address = str(_peer(request) or "a local socket")
        _log.warning("certificate_not_from_proxy", header=present, address=address)
        raise CertificateNotFromProxy(header=present, address=address)
    first = _decode(CERTIFICATE, said[CERTIFICATE])
    if len(first) != 1:
        raise CertificateUnreadable(header=CERTIFICATE)
    return (*first, *_decode(CHAIN, said[CHAIN]))


def client_address(request: Request, trusted: Sequence[Network]) -> str:
    """Where the client is: who has connected, or behind proxies in `trusted` whom the first of them has named.

    Only what proxies of ours have added to `X-Forwarded-For` is believed, which is its end.
    """
    peer = _peer(request)
    if not _is_trusted(peer, trusted):
        return str(peer or "")
    named = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
    for text in reversed(named):
        try:
            peer = ip_address(text.strip())
        except ValueError:
            break
        if not _is_trusted(peer, trusted):
            break
    return str(peer or "")


def _peer(request: Request) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(request.client.host) if request.client else None
    except ValueError:
        return None


def _is_trusted(address: IPv4Address | IPv6Address | None, trusted: Sequence[Network]) -> bool:
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address is not None and any(address in network for network in trusted)


def _decode(header: str, values: Sequence[str]) -> list[bytes]:
    """The byte sequences of a structured field (RFC 9651), without parameters."""
    text = ",".join(values)
    if not text:
        return []
    found = [_BYTES.fullmatch(item) for item in text.split(",")]
    if len(text) > LONGEST or None in found:
        raise CertificateUnreadable(header=header)
    try:
        return [base64.b64decode(item[1], validate=True) for item in found if item is not None]
    except binascii.Error as e:
        raise CertificateUnreadable(header=header) from e
