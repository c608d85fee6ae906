"""The folder of authorities that grids trust: certificates, revocation lists, and what each authority may sign.

`HASH.0` is an authority, `HASH.r0` its revocation list and `HASH.signing_policy` the names that it may sign, as IGTF
distributes them and fetch-crl keeps them. The folder is looked at for each certificate, and read when it has changed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from sancho_contract.certificate import CertificateRefused
from sancho_plugins.x509.names import slashed

KNOWN = frozenset(
    {
        x509.BasicConstraints.oid, x509.KeyUsage.oid, x509.ExtendedKeyUsage.oid, x509.NameConstraints.oid,
        x509.SubjectAlternativeName.oid, x509.CertificatePolicies.oid,
    }
)  # fmt: skip
"""Critical extensions that we understand, or that ask nothing of us."""
LONGEST_CHAIN = 8
_ENTRY = re.compile(
    r"^\s*access_id_CA\s+X509\s+'(?P<issuer>[^']*)'(?P<rest>.*?)(?=^\s*access_id_CA\b|\Z)", re.MULTILINE | re.DOTALL
)
_SUBJECTS = re.compile(r"^\s*cond_subjects\s+globus\s+(?:'(?P<many>[^']*)'|\"(?P<one>[^\"]*)\")", re.MULTILINE)


@dataclass(frozen=True)
class Authority:
    """One authority, and where its revocation list and signing policy are."""

    certificate: x509.Certificate
    stem: Path

    @property
    def revocations(self) -> list[Path]:
        """The files of its revocation list."""
        return sorted(self.stem.parent.glob(f"{self.stem.name}.r[0-9]"))

    @property
    def policy(self) -> Path:
        """The file of its signing policy."""
        return self.stem.parent / f"{self.stem.name}.signing_policy"


@dataclass(frozen=True)
class Revocations:
    """What an authority has taken back, and until when this is all."""

    until: datetime
    serials: frozenset[int]


class Trust:
    """The authorities in a folder."""

    def __init__(self, folder: Path, *, require_revocations: bool) -> None:
        """Read nothing yet; without `require_revocations`, an authority without a list is trusted all the same."""
        self._folder = folder
        self._require_revocations = require_revocations
        self._read: tuple[frozenset[tuple[str, int, int]], list[Authority]] = (frozenset(), [])

    def check(
        self, certificate: x509.Certificate, above: Sequence[x509.Certificate], *, now: datetime, person: bool
    ) -> None:
        """Let a certificate pass that leads to one of the authorities; raises `CertificateRefused`.

        `above` are what came with it; `person` demands that it is meant for clients.
        """
        authorities = self._authorities()
        if not authorities:
            raise CertificateRefused("This server trusts no authority for certificates.")
        verifier = (
            PolicyBuilder()
            .store(Store([authority.certificate for authority in authorities]))
            .time(now)
            .max_chain_depth(LONGEST_CHAIN)
            .extension_policies(ca_policy=_FOR_AUTHORITIES, ee_policy=_FOR_PEOPLE if person else _FOR_HOSTS)
            .build_client_verifier()
        )
        try:
            chain = verifier.verify(certificate, list(above)).chain
        except VerificationError as e:
            raise CertificateRefused(_why(certificate, now)) from e
        by_name = {authority.certificate.subject: authority for authority in authorities}
        for signed, signer in pairwise(chain):
            self._check_step(signed, signer, by_name.get(signer.subject), now)

    def _check_step(
        self, signed: x509.Certificate, signer: x509.Certificate, authority: Authority | None, now: datetime
    ) -> None:
        for one in signed.extensions:
            if one.critical and one.oid not in KNOWN:
                raise CertificateRefused(
                    f"The certificate has a critical extension {one.oid.dotted_string} that is not known."
                )
        if authority is None:
            raise CertificateRefused(f"Nothing is known here about the authority {slashed(signer.subject)}.")
        _check_policy(signed, authority)
        self._check_revocations(signed, signer, authority, now)

    def _check_revocations(
        self, signed: x509.Certificate, signer: x509.Certificate, authority: Authority, now: datetime
    ) -> None:
        name = slashed(signer.subject)
        seen = False
        for path in authority.revocations:
            revocations = _revocations(path, signer)
            if revocations is None or revocations.until <= now:
                continue
            seen = True
            if signed.serial_number in revocations.serials:
                raise CertificateRefused(f"The certificate has been revoked by {name}.")
        if not seen and (authority.revocations or self._require_revocations):
            raise CertificateRefused(
                f"There is no current revocation list of {name} here, so nothing that it signs is trusted."
            )

    def _authorities(self) -> list[Authority]:
        stamp, known = self._read
        try:
            found = sorted(self._folder.glob("*.[0-9]"))
            now = frozenset((path.name, (seen := path.stat()).st_mtime_ns, seen.st_size) for path in found)
            if now != stamp:
                known = [Authority(_certificate(path), path.with_suffix("")) for path in found]
                self._read = (now, known)
        except (OSError, ValueError) as e:
            raise CertificateRefused("The authorities that this server trusts cannot be read.") from e
        return known


def _certificate(path: Path) -> x509.Certificate:
    data = path.read_bytes()
    return x509.load_pem_x509_certificate(data) if b"-----BEGIN" in data else x509.load_der_x509_certificate(data)


def _revocations(path: Path, signer: x509.Certificate) -> Revocations | None:
    """The revocation list of an authority; None when the file holds none, or one that is not its own."""
    try:
        seen = path.stat()
        return _read_revocations(path, signer, seen.st_mtime_ns, seen.st_size)
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=64)
def _read_revocations(path: Path, signer: x509.Certificate, _changed_at: int, _size: int) -> Revocations | None:
    """Read and check a list once for each time that it changes: some have a megabyte and more."""
    data = path.read_bytes()
    found = x509.load_pem_x509_crl(data) if b"-----BEGIN" in data else x509.load_der_x509_crl(data)
    signed = found.issuer == signer.subject and found.is_signature_valid(signer.public_key())  # pyright: ignore[reportArgumentType]
    if not signed or found.next_update_utc is None:
        return None
    return Revocations(found.next_update_utc, frozenset(one.serial_number for one in found))


def _check_policy(signed: x509.Certificate, authority: Authority) -> None:
    """Let an authority sign only the names that its signing policy has."""
    issuer, subject = slashed(authority.certificate.subject), slashed(signed.subject)
    try:
        said = re.sub(r"^\s*#.*$", "", authority.policy.read_text("utf-8"), flags=re.MULTILINE)
    except (OSError, ValueError) as e:
        raise CertificateRefused(f"There is no signing policy of {issuer} here.") from e
    allowed = [
        pattern
        for entry in _ENTRY.finditer(said)
        if entry["issuer"] == issuer and re.search(r"^\s*pos_rights\s+globus\s+CA:sign", entry["rest"], re.MULTILINE)
        for pattern in _patterns(entry["rest"])
    ]
    if not any(_like(pattern).fullmatch(subject) for pattern in allowed):
        raise CertificateRefused(f"The authority {issuer} may not sign for {subject}.")


def _patterns(entry: str) -> list[str]:
    found = _SUBJECTS.search(entry)
    if found is None:
        return []
    many = found["many"]
    return [found["one"]] if many is None else re.findall(r'"([^"]*)"', many) or many.split()


def _like(pattern: str) -> re.Pattern[str]:
    """What a pattern with `*` and `?` means."""
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.IGNORECASE)


def _why(certificate: x509.Certificate, now: datetime) -> str:
    """What to tell about a certificate that leads to no authority: the commonest reasons by name."""
    ends = certificate.not_valid_after_utc
    if now >= ends:
        return f"The certificate ended at {ends:%Y-%m-%d %H:%M} UTC."
    if now < certificate.not_valid_before_utc:
        return "The certificate is not valid yet."
    return f"The certificate is not one of an authority trusted here; it names {slashed(certificate.issuer)}."


def _is_authority(_policy: Policy, _certificate: x509.Certificate, said: x509.BasicConstraints) -> None:
    if not said.ca:
        raise ValueError("not an authority")


def _may_sign(_policy: Policy, _certificate: x509.Certificate, said: x509.KeyUsage | None) -> None:
    if said is not None and not said.key_cert_sign:
        raise ValueError("may not sign certificates")


def _is_no_authority(_policy: Policy, _certificate: x509.Certificate, said: x509.BasicConstraints | None) -> None:
    if said is not None and said.ca:
        raise ValueError("an authority")


def _for_clients(_policy: Policy, _certificate: x509.Certificate, said: x509.ExtendedKeyUsage | None) -> None:
    wanted = {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if said is not None and not wanted & set(said):
        raise ValueError("not for clients")


_FOR_AUTHORITIES = (
    ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, _is_authority)
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _may_sign)
)
_FOR_HOSTS = ExtensionPolicy.permit_all().may_be_present(x509.BasicConstraints, Criticality.AGNOSTIC, _is_no_authority)
_FOR_PEOPLE = _FOR_HOSTS.may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _for_clients)
