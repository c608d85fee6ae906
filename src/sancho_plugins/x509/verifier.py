"""The plugin: who has shown a chain of certificates, until the day on which nobody may log in so any more."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from pydantic import BaseModel, ConfigDict

from sancho_contract.certificate import CertificatePerson, CertificateRefused
from sancho_plugins.x509.names import comma_separated, slashed
from sancho_plugins.x509.proxies import unwrap
from sancho_plugins.x509.trust import Trust
from sancho_plugins.x509.voms import attributes

NOTICE = timedelta(days=90)
LONGEST_CHAIN = 20
LARGEST_CERTIFICATE = 100_000
UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What comes of bytes that are no certificate; found by changing bytes of good ones, a hundred thousand times."""


class X509Settings(BaseModel):
    """Whom to trust, and until when."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    ca_dir: Path = Path("/etc/grid-security/certificates")
    """Folder of authorities with their revocation lists and signing policies."""
    vomsdir: Path = Path("/etc/grid-security/vomsdir")
    """Folder of `VO/HOST.lsc` files: with which certificates each VO signs its attributes."""
    sunset: date
    """From this day on, UTC, every login by certificate is refused; for 90 days before it, people are told so."""
    allow_proxies: bool = True
    """Accept RFC 3820 proxies, with or without VOMS attributes, and not only certificates themselves."""
    longest_proxy: timedelta = timedelta(days=8)
    """Proxies that were made for longer are refused."""
    require_revocations: bool = True
    """Refuse what an authority signs whose revocation list is missing; a list that is there but old is always one."""


class X509Verifier:
    """Knows grid certificates and their proxies; keeps `sancho_contract.certificate.CertificateVerifier`."""

    Settings: type[BaseModel] = X509Settings

    def __init__(self, settings: X509Settings) -> None:
        """Read nothing yet."""
        self._settings = settings
        self._trust = Trust(settings.ca_dir, require_revocations=settings.require_revocations)

    def verify(self, chain: Sequence[bytes], *, now: datetime) -> CertificatePerson:
        """See `CertificateVerifier.verify`."""
        notice = self._notice(now)
        try:
            return self._verify(_load(chain), now, notice)
        except UNREADABLE as e:
            raise CertificateRefused("The certificate cannot be read.") from e

    def _verify(self, chain: Sequence[x509.Certificate], now: datetime, notice: str | None) -> CertificatePerson:
        found = unwrap(chain, now=now, longest=self._settings.longest_proxy)
        if found.proxies and not self._settings.allow_proxies:
            raise CertificateRefused("Proxies may not log in here; use the certificate itself, or a token.")
        self._trust.check(found.person, found.authorities, now=now, person=True)
        said = attributes(found.proxies, found.person, self._settings.vomsdir, self._trust, now=now)
        ends = [one.not_valid_after_utc for one in (*found.proxies, found.person)]
        return CertificatePerson(
            dn=slashed(found.person.subject),
            rfc4514=comma_separated(found.person.subject),
            fqans=said.fqans if said else (),
            vo=said.vo if said else None,
            not_after=min([*ends, *([said.not_after] if said else [])]),
            notice=notice,
        )

    def _notice(self, now: datetime) -> str | None:
        sunset = datetime.combine(self._settings.sunset, time(), UTC)
        if now >= sunset:
            raise CertificateRefused(
                f"Logging in by certificate ended here on {sunset:%Y-%m-%d}. Run `sancho login`, or ask your VO for a "
                "token."
            )
        if now < sunset - NOTICE:
            return None
        return f"Logging in by certificate ends here on {sunset:%Y-%m-%d}. Use `sancho login` instead."


def _load(chain: Sequence[bytes]) -> list[x509.Certificate]:
    if not 0 < len(chain) <= LONGEST_CHAIN or any(len(one) > LARGEST_CERTIFICATE for one in chain):
        raise CertificateRefused("There is no certificate, or far too much of it.")
    return [x509.load_der_x509_certificate(one) for one in chain]
