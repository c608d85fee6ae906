"""Proxies, RFC 3820: short-lived certificates that a person's own certificate has signed, one below the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat import asn1

from sancho_contract.certificate import CertificateRefused
from sancho_plugins.x509.names import slashed

PROXY_CERT_INFO = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.14")
INHERIT_ALL = x509.ObjectIdentifier("1.3.6.1.5.5.7.21.1")
INDEPENDENT = x509.ObjectIdentifier("1.3.6.1.5.5.7.21.2")
LIMITED = x509.ObjectIdentifier("1.3.6.1.4.1.3536.1.1.1.9")
BEFORE_RFC = x509.ObjectIdentifier("1.3.6.1.4.1.3536.1.222")
KNOWN = frozenset(
    {PROXY_CERT_INFO, x509.KeyUsage.oid, x509.ExtendedKeyUsage.oid, x509.BasicConstraints.oid}
)  # fmt: skip
"""Critical extensions of a proxy that we understand."""
GOOD_HASH = 32
"""Bytes of SHA-256, the weakest hash that will do."""
SKEW = timedelta(minutes=5)
"""By how much the clock that made a proxy may be ahead of ours."""


@asn1.sequence
class ProxyPolicy:
    """What a proxy may do of what its signer may."""

    language: x509.ObjectIdentifier
    policy: bytes | None


@asn1.sequence
class ProxyCertInfo:
    """The extension that makes a certificate a proxy."""

    path_length: int | None
    policy: ProxyPolicy


@dataclass(frozen=True)
class Unwrapped:
    """A chain taken apart: proxies, leaf first; the person's certificate; the authorities that came with it."""

    proxies: tuple[x509.Certificate, ...]
    person: x509.Certificate
    authorities: tuple[x509.Certificate, ...]


def unwrap(chain: Sequence[x509.Certificate], *, now: datetime, longest: timedelta) -> Unwrapped:
    """Check the proxies at the beginning of a chain against who has signed them; raises `CertificateRefused`.

    Whether the person's certificate is to be trusted, it does not say.
    """
    proxies: list[x509.Certificate] = []
    for below, certificate in enumerate(chain):
        info = _info(certificate)
        if info is None:
            return Unwrapped(tuple(proxies), certificate, tuple(chain[below + 1 :]))
        if below + 1 == len(chain):
            break
        _check_info(info, below)
        _check_extensions(certificate)
        _check_times(certificate, now=now, longest=longest)
        _check_signer(certificate, chain[below + 1])
        proxies.append(certificate)
    raise CertificateRefused("The certificate that the proxy was made from did not come with it.")


def _info(certificate: x509.Certificate) -> ProxyCertInfo | None:
    """What makes it a proxy; None when it is none."""
    found = {one.oid: one for one in certificate.extensions}
    if BEFORE_RFC in found or _is_legacy(certificate):
        raise CertificateRefused("The proxy is of a kind from before RFC 3820. Make a new one: voms-proxy-init -rfc.")
    one = found.get(PROXY_CERT_INFO)
    if one is None:
        return None
    assert isinstance(one.value, x509.UnrecognizedExtension)
    if not one.critical:
        raise CertificateRefused("The proxy does not insist on being one.")
    return asn1.decode_der(ProxyCertInfo, one.value.value)


def _is_legacy(certificate: x509.Certificate) -> bool:
    last = list(certificate.subject)[-1:]
    return (
        bool(last)
        and last[0].value in {"proxy", "limited proxy"}
        and x509.Name([*certificate.issuer.rdns, x509.RelativeDistinguishedName(last)]) == certificate.subject
    )


def _check_info(info: ProxyCertInfo, below: int) -> None:
    if info.path_length is not None and (info.path_length < 0 or below > info.path_length):
        raise CertificateRefused("The proxy is further down than a proxy above it allows.")
    match info.policy.language:
        case x509.ObjectIdentifier() as language if language == LIMITED:
            raise CertificateRefused("The proxy is limited, and a limited proxy may not log in.")
        case x509.ObjectIdentifier() as language if language == INDEPENDENT:
            raise CertificateRefused("The proxy is independent of its person: it stands for nobody.")
        case x509.ObjectIdentifier() as language if language != INHERIT_ALL or info.policy.policy is not None:
            raise CertificateRefused("The proxy has a policy that is not understood here.")
        case _:
            pass


def _check_extensions(certificate: x509.Certificate) -> None:
    for one in certificate.extensions:
        if one.critical and one.oid not in KNOWN:
            raise CertificateRefused(f"The proxy has a critical extension {one.oid.dotted_string} that is not known.")
        match one.value:
            case x509.SubjectAlternativeName() | x509.IssuerAlternativeName():
                raise CertificateRefused("The proxy has another name, which a proxy must not have.")
            case x509.BasicConstraints(ca=True):
                raise CertificateRefused("The proxy calls itself an authority.")
            case x509.KeyUsage() as usage if usage.key_cert_sign or not usage.digital_signature:
                raise CertificateRefused("The proxy has a key that is not for logging in.")
            case _:
                pass


def _check_times(certificate: x509.Certificate, *, now: datetime, longest: timedelta) -> None:
    starts, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now < starts - SKEW:
        raise CertificateRefused("The proxy is not valid yet.")
    if now >= ends:
        raise CertificateRefused(f"The proxy ended at {ends:%Y-%m-%d %H:%M} UTC. Make a new one.")
    if ends - starts > longest + SKEW:
        raise CertificateRefused(f"The proxy lives longer than the {longest} that are allowed here.")


def _check_signer(proxy: x509.Certificate, signer: x509.Certificate) -> None:
    above, own = signer.subject.rdns, proxy.subject.rdns
    added = own[len(above) :]
    if own[: len(above)] != above or len(added) != 1 or slashed(x509.Name(added))[:4] != "/CN=":
        raise CertificateRefused("The proxy's name is not that of its signer with one part more.")
    try:
        usage = signer.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        usage = None
    if usage is not None and not usage.digital_signature:
        raise CertificateRefused("The proxy is signed by a certificate that may not sign.")
    if proxy.signature_hash_algorithm is not None and proxy.signature_hash_algorithm.digest_size < GOOD_HASH:
        raise CertificateRefused("The proxy is signed with a hash that is no longer good enough.")
    try:
        proxy.verify_directly_issued_by(signer)
    except (InvalidSignature, ValueError, TypeError) as e:
        raise CertificateRefused("The proxy is not signed by the certificate that came with it.") from e
