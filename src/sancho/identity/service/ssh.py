"""SSH keys as identities: reading them, and checking what their owners have signed.

Two ways of signing are known. Rucio's clients send the bare signature of an SSH agent over the challenge, in base64.
`ssh-keygen -Y sign -n sancho` makes an armoured one, which a signature for any other purpose cannot be taken for.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_public_key

from sancho.identity.errors import SshKeyInvalid

NAMESPACE = "sancho"
"""What `ssh-keygen -Y sign -n` must say for a login here."""
LONGEST = 16_384
SMALLEST_RSA = 2048
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_MAGIC = b"SSHSIG"
_RSA: dict[bytes, hashes.HashAlgorithm] = {b"rsa-sha2-256": hashes.SHA256(), b"rsa-sha2-512": hashes.SHA512()}
_CURVES: dict[bytes, hashes.HashAlgorithm] = {
    b"ecdsa-sha2-nistp256": hashes.SHA256(),
    b"ecdsa-sha2-nistp384": hashes.SHA384(),
    b"ecdsa-sha2-nistp521": hashes.SHA512(),
}
_Key = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey


@dataclass(frozen=True)
class SshKey:
    """A public key: `subject` is its fingerprint, by which an identity names it, `text` the line of an `.pub` file."""

    subject: str
    text: str
    key: _Key = field(repr=False, compare=False)


class _Malformed(Exception):
    pass


def parse_public_key(text: str) -> SshKey:
    """Read a line of an `.pub` file; options, comments and spaces make no other key of it. Raises `SshKeyInvalid`.

    Ed25519, ECDSA and RSA of 2048 bits or more will do.
    """
    words = text.split()
    if not len(words) >= 2 or len(text) > LONGEST:
        raise SshKeyInvalid(reason="it is not a line like those in .pub files")
    try:
        key = load_ssh_public_key(" ".join(words[:2]).encode())
    except (ValueError, UnsupportedAlgorithm) as e:
        raise SshKeyInvalid(reason="it cannot be read, or its kind is not known here") from e
    match key:
        case rsa.RSAPublicKey() if key.key_size < SMALLEST_RSA:
            raise SshKeyInvalid(reason=f"RSA keys must have {SMALLEST_RSA} bits")
        case rsa.RSAPublicKey() | ec.EllipticCurvePublicKey() | ed25519.Ed25519PublicKey():
            pass
        case _:
            raise SshKeyInvalid(reason="only Ed25519, ECDSA and RSA keys will do")
    line = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    digest = hashlib.sha256(base64.b64decode(line.split()[1])).digest()
    return SshKey("SHA256:" + base64.b64encode(digest).decode().rstrip("="), line.decode(), key)


def verify(public_key: str, challenge: str, signature: str) -> bool:
    """Say whether the owner of a key has signed a challenge, in either way; whatever the texts are, nothing is raised.

    A challenge must be used once, and only be taken from whom it was given to: that is the caller's care.
    """
    try:
        key = parse_public_key(public_key)
        if len(signature) > LONGEST:
            return False
        if signature.lstrip().startswith(_BEGIN):
            return _verify_armoured(key, challenge.encode(), signature)
        return _matches(key, challenge.encode(), _decoded(signature))
    except (SshKeyInvalid, _Malformed, UnicodeError):
        return False


def _verify_armoured(key: SshKey, challenge: bytes, signature: str) -> bool:
    """SSHSIG: the signature is over the namespace and a hash of the message, and brings its key along."""
    lines = signature.strip().splitlines()
    if lines[0] != _BEGIN or lines[-1] != _END:
        return False
    blob = _Reader(_decoded("".join(lines[1:-1])))
    if blob.take(len(_MAGIC)) != _MAGIC or blob.take(4) != b"\0\0\0\1":
        return False
    own, namespace, reserved, algorithm, inner = (blob.string() for _ in range(5))
    blob.end()
    if own != base64.b64decode(key.text.split()[1]) or namespace != NAMESPACE.encode():
        return False
    if algorithm not in {b"sha256", b"sha512"}:
        return False
    digest = hashlib.new(algorithm.decode(), challenge).digest()
    signed = _MAGIC + b"".join(_string(part) for part in (namespace, reserved, algorithm, digest))
    return _matches(key, signed, inner)


def _matches(key: SshKey, signed: bytes, blob: bytes) -> bool:
    """Check an SSH signature, `string kind, string signature`."""
    reader = _Reader(blob)
    kind, signature = reader.string(), reader.string()
    reader.end()
    try:
        match key.key:
            case ed25519.Ed25519PublicKey() as own if kind == b"ssh-ed25519":
                own.verify(signature, signed)
            case rsa.RSAPublicKey() as own if kind in _RSA:
                own.verify(signature, signed, padding.PKCS1v15(), _RSA[kind])
            case ec.EllipticCurvePublicKey() as own if kind in _CURVES and key.text.startswith(kind.decode() + " "):
                numbers = _Reader(signature)
                r, s = numbers.string(), numbers.string()
                numbers.end()
                made = encode_dss_signature(int.from_bytes(r, signed=True), int.from_bytes(s, signed=True))
                own.verify(made, signed, ec.ECDSA(_CURVES[kind]))
            case _:
                return False
    except (InvalidSignature, ValueError):
        return False
    return True


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as e:
        raise _Malformed from e


def _string(value: bytes) -> bytes:
    return len(value).to_bytes(4) + value


class _Reader:
    """Takes an SSH message apart."""

    def __init__(self, data: bytes) -> None:
        self._rest = data

    def take(self, length: int) -> bytes:
        if len(self._rest) < length:
            raise _Malformed
        taken, self._rest = self._rest[:length], self._rest[length:]
        return taken

    def string(self) -> bytes:
        return self.take(int.from_bytes(self.take(4)))

    def end(self) -> None:
        if self._rest:
            raise _Malformed
