"""VOMS: groups and roles that a VO's server has signed, carried in a proxy as an attribute certificate (RFC 5755).

Whose signatures count is in a folder of `VO/HOST.lsc` files: the names of the server's certificate and of what is
above it, one a line.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, cast
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from sancho_contract.certificate import CertificateRefused
from sancho_plugins.x509.names import slashed
from sancho_plugins.x509.trust import Trust

VOMS = "1.3.6.1.4.1.8005.100.100"
ATTRIBUTE_CERTIFICATES = x509.ObjectIdentifier(f"{VOMS}.5")
FQANS = x509.ObjectIdentifier(f"{VOMS}.4")
SIGNERS = x509.ObjectIdentifier(f"{VOMS}.10")
SKEW = timedelta(minutes=5)
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "1.2.840.113549.1.1.11": hashes.SHA256(),
    "1.2.840.113549.1.1.12": hashes.SHA384(),
    "1.2.840.113549.1.1.13": hashes.SHA512(),
    "1.2.840.10045.4.3.2": hashes.SHA256(),
    "1.2.840.10045.4.3.3": hashes.SHA384(),
    "1.2.840.10045.4.3.4": hashes.SHA512(),
}
"""The signature algorithms that are good enough, RSA and ECDSA."""
_VO = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,254}")
_FQAN = re.compile(r"(?:/[\w.-]+)+(?:/Role=[\w.-]+)?(?:/Capability=[\w.-]+)?")


@asn1.sequence
class Algorithm:
    """AlgorithmIdentifier, of algorithms without parameters."""

    oid: x509.ObjectIdentifier
    parameters: asn1.Null | None


@asn1.sequence
class IssuerSerial:
    """A certificate, by who has issued it and its number."""

    issuer: list[asn1.TLV]
    serial: int
    unique_id: asn1.BitString | None


@asn1.sequence
class Digest:
    """A holder by the hash of something, which VOMS does not use."""

    kind: int
    other: x509.ObjectIdentifier | None
    algorithm: Algorithm
    digest: asn1.BitString


@asn1.sequence
class Holder:
    """Whom the attributes are for."""

    certificate: Annotated[IssuerSerial | None, asn1.Implicit(0)]
    names: Annotated[list[asn1.TLV] | None, asn1.Implicit(1)]
    digest: Annotated[Digest | None, asn1.Implicit(2)]


@asn1.sequence
class Issuer:
    """Who has signed, by name."""

    names: list[asn1.TLV]


@asn1.sequence
class Validity:
    """From when to when."""

    starts: asn1.GeneralizedTime
    ends: asn1.GeneralizedTime


@asn1.sequence
class Attribute:
    """One kind of attribute, with its values."""

    kind: x509.ObjectIdentifier
    values: asn1.SetOf[asn1.TLV]


@asn1.sequence
class Extension:
    """An extension, as in certificates."""

    oid: x509.ObjectIdentifier
    critical: Annotated[bool, asn1.Default(value=False)]
    value: bytes


@asn1.sequence
class Info:
    """What is signed."""

    version: int
    holder: Holder
    issuer: Annotated[Issuer, asn1.Implicit(0)]
    algorithm: Algorithm
    serial: int
    validity: Validity
    attributes: list[Attribute]
    unique_id: asn1.BitString | None
    extensions: list[Extension] | None


@asn1.sequence
class AttributeCertificate:
    """Attributes of a holder, signed."""

    info: asn1.TLV
    algorithm: Algorithm
    signature: asn1.BitString


@asn1.sequence
class Carried:
    """What the extension of a proxy holds."""

    certificates: list[AttributeCertificate]


@asn1.sequence
class Names:
    """IetfAttrSyntax, with the values that VOMS writes."""

    authority: Annotated[list[asn1.TLV] | None, asn1.Implicit(0)]
    values: list[bytes]


@asn1.sequence
class Chain:
    """The signer's certificate and what is above it, as VOMS adds them."""

    certificates: list[x509.Certificate]


@dataclass(frozen=True)
class Attributes:
    """What a VO says of a person."""

    vo: str
    fqans: tuple[str, ...]
    not_after: datetime


def attributes(
    proxies: Sequence[x509.Certificate], person: x509.Certificate, vomsdir: Path, trust: Trust, *, now: datetime
) -> Attributes | None:
    """The checked attributes of the lowest proxy that has any, None without; raises `CertificateRefused`.

    Of several VOs in one proxy the first counts, as for VOMS.
    """
    for proxy in proxies:
        try:
            carried = proxy.extensions.get_extension_for_oid(ATTRIBUTE_CERTIFICATES).value
        except x509.ExtensionNotFound:
            continue
        assert isinstance(carried, x509.UnrecognizedExtension)
        found = asn1.decode_der(Carried, carried.value).certificates
        if found:
            return _check(found[0], person, vomsdir, trust, now)
    return None


def _check(
    certificate: AttributeCertificate, person: x509.Certificate, vomsdir: Path, trust: Trust, now: datetime
) -> Attributes:
    info = cast(Info, certificate.info.parse(Info))  # pyright: ignore[reportUnknownMemberType]
    found = {one.oid: one for one in info.extensions or []}
    if info.version != 1 or any(one.critical for one in found.values()):
        raise CertificateRefused("The VOMS attributes are of a kind that is not understood here.")
    starts, ends = (_time(moment) for moment in (info.validity.starts, info.validity.ends))
    if now < starts - SKEW:
        raise CertificateRefused("The VOMS attributes are not valid yet.")
    if now >= ends:
        raise CertificateRefused(f"The VOMS attributes ended at {ends:%Y-%m-%d %H:%M} UTC. Make a new proxy.")
    _check_holder(info.holder, person)
    vo, host, fqans = _fqans(info)
    if SIGNERS not in found:
        raise CertificateRefused("The VOMS attributes came without the certificate of who has signed them.")
    signers = asn1.decode_der(Chain, found[SIGNERS].value).certificates
    _check_signers(signers, info.issuer, vomsdir / vo / f"{host}.lsc", vo)
    trust.check(signers[0], signers[1:], now=now, person=False)
    _check_signature(certificate, info, signers[0])
    return Attributes(vo, fqans, min(ends, signers[0].not_valid_after_utc))


def _time(moment: asn1.GeneralizedTime) -> datetime:
    return moment.as_datetime()


def _directory_names(names: Sequence[asn1.TLV]) -> list[x509.Name]:
    """The X.500 names among general names; those are tagged 4, explicitly."""
    return [x509.Name.from_bytes(bytes(one.data)) for one in names if one.tag_bytes == b"\xa4"]


def _check_holder(holder: Holder, person: x509.Certificate) -> None:
    """The attributes must be for this certificate, in every way in which they say whose they are."""
    said: list[bool] = []
    if holder.certificate is not None:
        issued = holder.certificate
        said.append(issued.serial == person.serial_number and person.issuer in _directory_names(issued.issuer))
    if holder.names is not None:
        said.append(person.subject in _directory_names(holder.names))
    if not said or not all(said) or holder.digest is not None:
        raise CertificateRefused("The VOMS attributes are somebody else's.")


def _fqans(info: Info) -> tuple[str, str, tuple[str, ...]]:
    """The VO, the host that has signed for it, and the groups and roles."""
    said = [value for one in info.attributes if one.kind == FQANS for value in one.values.as_list()]
    if len(said) != 1:
        raise CertificateRefused("The VOMS attributes hold no groups and roles, or hold them twice.")
    names = cast(Names, said[0].parse(Names))  # pyright: ignore[reportUnknownMemberType]
    uris = [bytes(one.data).decode("ascii") for one in names.authority or [] if one.tag_bytes == b"\x86"]
    where = urlsplit(uris[0]) if len(uris) == 1 else urlsplit("")
    vo, host = uris[0].partition("://")[0] if uris else "", where.hostname or ""
    if not _VO.fullmatch(vo) or not _HOST.fullmatch(host):
        raise CertificateRefused("The VOMS attributes do not say of which VO they are.")
    fqans = tuple(value.decode("ascii") for value in names.values)
    for fqan in fqans:
        if not _FQAN.fullmatch(fqan) or fqan.split("/")[1] != vo:
            raise CertificateRefused(f"The VOMS attributes of {vo} speak of what is not its own.")
    return vo, host, tuple(fqan.replace("/Role=NULL", "").replace("/Capability=NULL", "") for fqan in fqans)


def _check_signers(signers: Sequence[x509.Certificate], issuer: Issuer, lsc: Path, vo: str) -> None:
    """The signer must be one that the VO is known to sign with, and the one that the attributes name."""
    try:
        chains = [_lines(part) for part in re.split(r"(?m)^-+\s*NEXT CHAIN\s*-+$", lsc.read_text("utf-8"))]
    except (OSError, ValueError) as e:
        raise CertificateRefused(f"This server does not know {lsc.stem} as a VOMS server of {vo}.") from e
    names = [slashed(one.subject) for one in signers]
    names += [slashed(signers[-1].issuer)] if signers else []
    if not any(len(chain) > 1 and names[: len(chain)] == chain for chain in chains):
        raise CertificateRefused(f"The VOMS attributes are signed by somebody whom {vo} does not sign with.")
    if signers[0].subject not in _directory_names(issuer.names):
        raise CertificateRefused("The VOMS attributes name another signer than the certificate that came with them.")


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _check_signature(certificate: AttributeCertificate, info: Info, signer: x509.Certificate) -> None:
    algorithm = _HASHES.get(certificate.algorithm.oid.dotted_string)
    if algorithm is None or info.algorithm.oid != certificate.algorithm.oid:
        raise CertificateRefused("The VOMS attributes are signed in a way that is not good enough.")
    signed, signature = asn1.encode_der(certificate.info), certificate.signature.as_bytes()
    try:
        match signer.public_key():
            case rsa.RSAPublicKey() as key:
                key.verify(signature, signed, padding.PKCS1v15(), algorithm)
            case ec.EllipticCurvePublicKey() as key:
                key.verify(signature, signed, ec.ECDSA(algorithm))
            case _:
                raise CertificateRefused("The VOMS attributes are signed in a way that is not good enough.")
    except InvalidSignature as e:
        raise CertificateRefused("The signature of the VOMS attributes is wrong.") from e
