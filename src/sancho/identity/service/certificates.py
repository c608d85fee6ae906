"""Whom a client certificate, or a proxy, stands for."""

import asyncio
from collections.abc import Sequence

from sancho.identity.errors import CertificateNotAccepted, NoCertificate
from sancho.kit import telemetry
from sancho.kit.deployment import Deployment
from sancho_contract.certificate import CertificatePerson, CertificateRefused

_log = telemetry.log(__name__)


async def certificate_person(deployment: Deployment, chain: Sequence[bytes] | None) -> CertificatePerson:
    """Say who has shown this chain, as `kit.proxied.client_certificate` gives it.

    Raises `NoCertificate` for None, `CertificateNotAccepted` for one that opens nothing.
    """
    if chain is None:
        raise NoCertificate
    verifier = deployment.certificates
    if verifier is None:
        raise CertificateNotAccepted(detail="Certificates are not accepted here.")
    try:
        person = await asyncio.to_thread(verifier.verify, chain, now=deployment.clock.now())
    except CertificateRefused as e:
        raise CertificateNotAccepted(detail=e.detail) from e
    if person.notice is not None:
        _log.warning("certificate_login_ends_soon", dn=person.dn, notice=person.notice)
    return person
