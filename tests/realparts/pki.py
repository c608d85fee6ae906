"""A throw-away grid authority: certificates of hosts and users, and the folder of trust that grid software reads.

It may name localhost and 127.0.0.0/8 only, so that a machine that trusts it for a test is not endangered.
"""

import fcntl
import ipaddress
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.realparts.parts import LOCK, lack, need, run

SYSTEM_FOLDER = Path("/usr/local/share/ca-certificates")
OIDS = {
    "C": NameOID.COUNTRY_NAME,
    "DC": NameOID.DOMAIN_COMPONENT,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "CN": NameOID.COMMON_NAME,
}


def name(slashed: str) -> x509.Name:
    """A name from the grid's slash form, each part of which starts with a type of `OIDS`."""
    parts = [part.partition("=") for part in slashed.removeprefix("/").split("/")]
    return x509.Name([x509.NameAttribute(OIDS[kind], value) for kind, _, value in parts])


@dataclass(frozen=True)
class Credential:
    """A certificate with its key, in memory and in two files."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey = field(repr=False)
    cert_file: Path
    key_file: Path

    @property
    def der(self) -> bytes:
        """The certificate as it goes over the wire."""
        return self.certificate.public_bytes(Encoding.DER)

    def copy_for(self, user: str, folder: Path) -> tuple[Path, Path]:
        """Copies of both files that a service user can read, the key it alone."""
        made = []
        for source in (self.cert_file, self.key_file):
            copy = folder / source.name
            copy.write_bytes(source.read_bytes())
            copy.chmod(0o400)
            if os.geteuid() == 0:
                shutil.chown(copy, user)
            made.append(copy)
        return made[0], made[1]


class Authority:
    """A certificate authority in a folder, with the hashed folder of trust `certificates` below it."""

    def __init__(
        self, folder: Path, subject: str = "/DC=org/DC=sancho/CN=Throw-away CA", *, above: "Authority | None" = None
    ) -> None:
        """Make its key and its own certificate, an empty revocation list, and a signing policy for its own names.

        `above` is the authority that signs it, as the last that may sign people.
        """
        self.folder = folder
        self.certificates = folder / "certificates"
        self.certificates.mkdir(parents=True)
        self.subject = subject
        self.revoked: list[int] = []
        key = rsa.generate_private_key(65537, 2048)
        made = (
            self._builder(name(subject), name(above.subject if above else subject), key, timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0 if above else None), critical=True)
            .add_extension(_usage(authority=True), critical=True)
            .add_extension(x509.NameConstraints(_loopback(), None), critical=False)  # voms-proxy-init knows no other
            .sign(above.credential.key if above else key, hashes.SHA256())
        )
        self.credential = self._keep("ca", made, key)
        self.file = self.credential.cert_file
        self.hash = run(need("openssl", "openssl"), "x509", "-in", self.file, "-noout", "-hash").strip()
        (self.certificates / f"{self.hash}.0").write_bytes(self.file.read_bytes())
        self.allow(subject.rpartition("/")[0] + "/*")
        self.publish_revocations()

    def allow(self, *patterns: str) -> None:
        """Write the signing policy: the names that this authority may sign."""
        said = " ".join(f'"{pattern}"' for pattern in patterns)
        (self.certificates / f"{self.hash}.signing_policy").write_text(
            f"access_id_CA X509 '{self.subject}'\npos_rights globus CA:sign\ncond_subjects globus '{said}'\n"
        )

    def publish_revocations(self, *, at: datetime | None = None, lifetime: timedelta = timedelta(days=30)) -> None:
        """Write the revocation list anew."""
        now = at or datetime.now(UTC)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.credential.certificate.subject)
            .last_update(now - timedelta(minutes=5))
            .next_update(now + lifetime)
        )
        for serial in self.revoked:
            one = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now - timedelta(minutes=5))
            builder = builder.add_revoked_certificate(one.build())
        made = builder.sign(self.credential.key, hashes.SHA256())
        (self.certificates / f"{self.hash}.r0").write_bytes(made.public_bytes(Encoding.PEM))

    def revoke(self, credential: Credential) -> None:
        """Take a certificate back, and say so in the list."""
        self.revoked.append(credential.certificate.serial_number)
        self.publish_revocations()

    def host(self, common_name: str = "localhost") -> Credential:
        """A certificate for servers on this machine."""
        loopback = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        return self._issue(
            f"{self._base()}/O=hosts/CN={common_name}",
            x509.SubjectAlternativeName([x509.DNSName("localhost"), loopback]),
            [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH],
        )

    def user(self, common_name: str, *, life: timedelta = timedelta(days=10)) -> Credential:
        """A certificate for a person."""
        subject = f"{self._base()}/O=users/CN={common_name}"
        return self._issue(subject, None, [ExtendedKeyUsageOID.CLIENT_AUTH], life=life)

    def server_only(self) -> Credential:
        """A certificate that is not for clients."""
        return self._issue(f"{self._base()}/O=hosts/CN=server", None, [ExtendedKeyUsageOID.SERVER_AUTH])

    def below(self, common_name: str) -> "Authority":
        """An authority that this one has signed, in a folder of its own."""
        return Authority(self.folder / common_name, f"{self._base()}/CN={common_name}", above=self)

    def install(self, certificates: Path) -> None:
        """Let a folder of trust know this authority as well."""
        for file in self.certificates.iterdir():
            (certificates / file.name).write_bytes(file.read_bytes())

    def _base(self) -> str:
        return self.subject.rpartition("/")[0]

    def _issue(
        self, subject: str, names: x509.SubjectAlternativeName | None, purposes: list[x509.ObjectIdentifier],
        life: timedelta = timedelta(days=10),
    ) -> Credential:  # fmt: skip
        key = rsa.generate_private_key(65537, 2048)
        ours = self.credential.certificate
        builder = (
            self._builder(name(subject), ours.subject, key, life)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ours.public_key()), critical=False)  # pyright: ignore[reportArgumentType]
        )
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        file_name = subject.rpartition("=")[2].replace(" ", "-").lower()
        return self._keep(file_name, builder.sign(self.credential.key, hashes.SHA256()), key)

    def _builder(
        self, subject: x509.Name, issuer: x509.Name, key: rsa.RSAPrivateKey, life: timedelta
    ) -> x509.CertificateBuilder:
        """A certificate that ends `life` from now, in the past if that is negative."""
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(min(now, now + life) - timedelta(hours=1))
            .not_valid_after(now + life)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )

    def _keep(self, file_name: str, certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> Credential:
        cert_file, key_file = self.folder / f"{file_name}.pem", self.folder / f"{file_name}.key"
        cert_file.write_bytes(certificate.public_bytes(Encoding.PEM))
        key_file.touch(mode=0o600)
        key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return Credential(certificate, key, cert_file, key_file)


def _loopback() -> list[x509.GeneralName]:
    return [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_network("127.0.0.0/8"))]


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority, content_commitment=False, key_encipherment=not authority,
        data_encipherment=False, key_agreement=False, key_cert_sign=authority, crl_sign=authority,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


@contextmanager
def trusted_by_the_system(authority: Authority) -> Generator[None]:
    """Let every program of this machine trust an authority until the block ends; needs root.

    For programs that offer no other way. One test at a time may do so.
    """
    if os.geteuid() != 0:
        lack("only root may let the system trust an authority")
    update = need("ca-certificates", "update-ca-certificates")
    ours = SYSTEM_FOLDER / f"sancho-test-{authority.hash}.crt"
    with LOCK.with_suffix(".trust").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        SYSTEM_FOLDER.mkdir(parents=True, exist_ok=True)
        for left in SYSTEM_FOLDER.glob("sancho-test-*.crt"):
            left.unlink()  # by a test that was killed
        try:
            ours.write_bytes(authority.file.read_bytes())
            run(update)
            yield
        finally:
            ours.unlink(missing_ok=True)
            run(update, "--fresh")
