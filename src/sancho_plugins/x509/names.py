"""Names of certificates, written as grids and as directories do."""

import re

from cryptography import x509
from cryptography.x509.oid import NameOID

from sancho_contract.certificate import CertificateRefused

_SHORT = {
    NameOID.COMMON_NAME: "CN",
    NameOID.COUNTRY_NAME: "C",
    NameOID.DOMAIN_COMPONENT: "DC",
    NameOID.EMAIL_ADDRESS: "emailAddress",
    NameOID.LOCALITY_NAME: "L",
    NameOID.ORGANIZATION_NAME: "O",
    NameOID.ORGANIZATIONAL_UNIT_NAME: "OU",
    NameOID.SERIAL_NUMBER: "serialNumber",
    NameOID.STATE_OR_PROVINCE_NAME: "ST",
    NameOID.STREET_ADDRESS: "street",
    NameOID.USER_ID: "UID",
}
_UNCLEAR = re.compile(r"[\x00-\x1f\x7f]|/[A-Za-z0-9.]+=")


def slashed(name: x509.Name) -> str:
    """The name as grids write it; raises `CertificateRefused` for one that would be written as another name is.

    That form escapes nothing, so `CN=a/CN=b` in one part must not pass for two.
    """
    parts: list[str] = []
    for rdn in name.rdns:
        one = next(iter(rdn))
        value = one.value
        if len(list(rdn)) != 1 or not isinstance(value, str) or _UNCLEAR.search(value):
            raise CertificateRefused("The certificate has a name that cannot be written without doubt.")
        parts.append(f"/{_SHORT.get(one.oid, one.oid.dotted_string)}={value}")
    return "".join(parts)


def comma_separated(name: x509.Name) -> str:
    """The name as directories write it, RFC 4514."""
    return name.rfc4514_string({NameOID.EMAIL_ADDRESS: "emailAddress"})
