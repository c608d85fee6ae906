"""A grid of people for tests: an authority, a VO whose server is this host, proxies of the grid's own programs."""

import os
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from sancho_plugins.x509.proxies import INHERIT_ALL, PROXY_CERT_INFO, ProxyCertInfo, ProxyPolicy
from sancho_plugins.x509.verifier import X509Settings, X509Verifier
from tests.realparts.parts import need, run
from tests.realparts.pki import Authority, Credential

SUNSET = date(2100, 1, 1)
ROLES = ("/vo-a/Role=production/Capability=NULL", "/vo-a/Role=NULL/Capability=NULL")


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


class GridPeople:
    """The authority, its people, and the files of everybody's trust."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority(folder / "pki")
        self.host = self.authority.host()
        self.alice = self.authority.user("Alice Example")
        self.vomsdir = folder / "vomsdir"
        self.let_sign("vo-a", self.host)

    def let_sign(self, vo: str, host: Credential) -> None:
        """Let a host sign the attributes of a VO, as localhost."""
        (self.vomsdir / vo).mkdir(parents=True, exist_ok=True)
        names = (host.certificate.subject, host.certificate.issuer)
        said = "".join("/" + "/".join(part.rfc4514_string() for part in name.rdns) + "\n" for name in names)
        (self.vomsdir / vo / "localhost.lsc").write_text(said)

    def verifier(self, **settings: object) -> X509Verifier:
        usual: dict[str, object] = {"ca_dir": self.authority.certificates, "vomsdir": self.vomsdir, "sunset": SUNSET}
        return X509Verifier(X509Settings.model_validate(usual | settings))

    def voms_proxy(
        self, *more: str, person: Credential | None = None, host: Credential | None = None, vo: str = "vo-a",
        fqans: Sequence[str] = ROLES,
    ) -> Path:  # fmt: skip
        """A proxy with attributes of a VO, made by `voms-proxy-fake`; gives its file."""
        person, host, out = person or self.alice, host or self.host, self._file()
        run(
            need("voms-clients", "voms-proxy-fake"), "-cert", person.cert_file, "-key", person.key_file,
            "-certdir", self.authority.certificates, "-hostcert", host.cert_file, "-hostkey", host.key_file,
            "-voms", vo, "-uri", "localhost:15000", "-rfc", "-bits", "2048", "-newformat", "-out", out,
            *(word for fqan in fqans for word in ("-fqan", fqan)), *more,
            env={"HOME": str(self.folder)},
        )  # fmt: skip
        return out

    def grid_proxy(self, *more: str, person: Credential | None = None) -> Path:
        """A proxy without attributes, made by `voms-proxy-init`; gives its file."""
        person, out = person or self.alice, self._file()
        run(
            need("voms-clients", "voms-proxy-init"), "-cert", person.cert_file, "-key", person.key_file,
            "-certdir", self.authority.certificates, "-rfc", "-bits", "2048", "-out", out, *more,
            env={"HOME": str(self.folder)},
        )  # fmt: skip
        return out

    def _file(self) -> Path:
        return self.folder / f"proxy-{os.urandom(4).hex()}"


def chain_of(file: Path) -> list[bytes]:
    """The certificates of a proxy's file, in DER."""
    return [one.public_bytes(Encoding.DER) for one in x509.load_pem_x509_certificates(file.read_bytes())]


class Forge:
    """Makes proxies that no program would, below a credential or below each other."""

    def __init__(self, signer: Credential) -> None:
        self.chain = [signer.certificate]
        self._key: ec.EllipticCurvePrivateKey | object = signer.key

    @property
    def der(self) -> list[bytes]:
        return [one.public_bytes(Encoding.DER) for one in self.chain]

    def add(
        self, *extensions: tuple[x509.ExtensionType, bool], language: x509.ObjectIdentifier = INHERIT_ALL,
        policy: bytes | None = None, path_length: int | None = None, cn: str = "1",
        life: timedelta = timedelta(hours=12),
        starts: datetime | None = None, subject: x509.Name | None = None, critical: bool = True, info: bool = True,
        key: object = None, digest: hashes.HashAlgorithm | None = None,
    ) -> "Forge":  # fmt: skip
        """One more proxy, below all others."""
        above, begins = self.chain[0], starts or now() - timedelta(minutes=1)
        own = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name(
            [*above.subject.rdns, x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.COMMON_NAME, cn)])]
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject or name)
            .issuer_name(above.subject)
            .public_key(own.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(begins + life)
        )
        if info:
            said = asn1.encode_der(
                ProxyCertInfo(path_length=path_length, policy=ProxyPolicy(language=language, policy=policy))
            )
            builder = builder.add_extension(x509.UnrecognizedExtension(PROXY_CERT_INFO, said), critical=critical)
        for extension, is_critical in extensions:
            builder = builder.add_extension(extension, critical=is_critical)
        self.chain.insert(0, builder.sign(key or self._key, digest or hashes.SHA256()))  # pyright: ignore[reportArgumentType]
        self._key = own
        return self
