"""How the system asks whom a client certificate, or a proxy made from one, stands for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pydantic import BaseModel


@dataclass(frozen=True, kw_only=True)
class CertificatePerson:
    """Who has shown a certificate that is trusted; never the name of a proxy, always that of the person behind it."""

    dn: str
    """The subject as grids write it, `/DC=org/DC=example/CN=Jane Doe`; no two names are written alike."""
    rfc4514: str
    """The same subject as directories write it, `CN=Jane Doe,DC=example,DC=org`."""
    fqans: tuple[str, ...] = ()
    """Groups and roles that a VO has signed, the primary one first: `/vo/group`, `/vo/Role=production`."""
    vo: str | None = None
    """The VO that has signed `fqans`, by the name that VOMS has for it; None when nobody has."""
    not_after: datetime
    """When the first of all these credentials ends; what is given for them should not live longer."""
    notice: str | None = None
    """What the person should be told, such as that certificates will soon be refused."""


class CertificateRefused(Exception):
    """A certificate opens nothing here; the text says why, to the person who has shown it."""

    def __init__(self, detail: str) -> None:
        """Say why, in words that a log may hold as well."""
        super().__init__(detail)
        self.detail = detail


class CertificateVerifier(Protocol):
    """Knows which certificates to trust, and for whom they stand.

    An implementation may be asked from several threads at once. It reads files, so call it from a thread where
    others must not wait. Whoever calls has seen to it that the client holds the private key: TLS does.
    """

    Settings: type[BaseModel]

    def verify(self, chain: Sequence[bytes], *, now: datetime) -> CertificatePerson:
        """Say who has shown a chain of certificates, each in DER, the client's own first; raises `CertificateRefused`.

        Whatever the bytes are, nothing else is raised.
        """
        ...
