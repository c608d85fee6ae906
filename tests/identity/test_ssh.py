"""SSH keys and signatures as `ssh-keygen` and Rucio's client make them."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_ssh_private_key
from hypothesis import given
from hypothesis import strategies as st

from sancho.identity.errors import SshKeyInvalid
from sancho.identity.service import parse_public_key, verify_ssh
from tests.realparts.parts import need, run

CHALLENGE = "7f1c0e2a9b4d4c5e8f6a7b8c9d0e1f2a"
KINDS = ["ed25519", "rsa", "ecdsa-256", "ecdsa-384", "ecdsa-521"]


class Person:
    """Somebody with a key of each kind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def key(self, kind: str) -> Path:
        """The file of the private key; the public one is beside it."""
        file, (name, _, bits) = self.folder / kind, kind.partition("-")
        if not file.exists():
            more = ["-b", bits or "2048"] if name != "ed25519" else []
            run(need("openssh-client", "ssh-keygen"), "-q", "-t", name, *more, "-N", "", "-C", "me@here", "-f", file)
        return file

    def public(self, kind: str) -> str:
        return self.key(kind).with_suffix(".pub").read_text()

    def sign(self, kind: str, message: str, *, namespace: str = "sancho", more: tuple[str, ...] = ()) -> str:
        """As our own command line does it."""
        file = self.folder / f"message-{kind}"
        file.write_text(message)
        signature = file.with_name(file.name + ".sig")
        signature.unlink(missing_ok=True)
        run("ssh-keygen", "-Y", "sign", "-n", namespace, *more, "-f", self.key(kind), file)
        return signature.read_text()

    def sign_as_rucio(self, kind: str, message: str, *, algorithm: str | None = None) -> str:
        """As Rucio's client does it: what an SSH agent answers, `string kind, string signature`, in base64."""
        private = load_ssh_private_key(self.key(kind).read_bytes(), None)
        data = message.encode()
        match private:
            case ed25519.Ed25519PrivateKey():
                name, made = "ssh-ed25519", private.sign(data)
            case rsa.RSAPrivateKey():
                name = algorithm or "rsa-sha2-256"
                digest = {"rsa-sha2-256": hashes.SHA256(), "rsa-sha2-512": hashes.SHA512(), "ssh-rsa": hashes.SHA1()}
                made = private.sign(data, padding.PKCS1v15(), digest[name])
            case ec.EllipticCurvePrivateKey():
                name = f"ecdsa-sha2-nistp{private.key_size}"
                digest = {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}[private.key_size]
                numbers = decode_dss_signature(private.sign(data, ec.ECDSA(digest)))
                made = b"".join(string(n.to_bytes(n.bit_length() // 8 + 1)) for n in numbers)
            case _:
                raise AssertionError(private)
        return base64.b64encode(string(name.encode()) + string(made)).decode()


def string(value: bytes) -> bytes:
    return len(value).to_bytes(4) + value


@pytest.fixture(scope="module")
def alice(tmp_path_factory: pytest.TempPathFactory) -> Person:
    return Person(tmp_path_factory.mktemp("alice"))


@pytest.fixture(scope="module")
def mallory(tmp_path_factory: pytest.TempPathFactory) -> Person:
    return Person(tmp_path_factory.mktemp("mallory"))


Way = Callable[[Person, str, str], str]
WAYS: dict[str, Way] = {"ssh-keygen": Person.sign, "rucio": Person.sign_as_rucio}


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_is_named_as_ssh_keygen_names_it(kind: str, alice: Person) -> None:
    printed = run("ssh-keygen", "-l", "-E", "sha256", "-f", alice.key(kind).with_suffix(".pub"))

    assert parse_public_key(alice.public(kind)).subject == printed.split()[1]


def test_comments_and_spaces_make_no_other_key(alice: Person) -> None:
    kind, blob, _ = alice.public("ed25519").split()

    keys = {parse_public_key(text) for text in (f"{kind} {blob}", f"  {kind}   {blob} you@there and more\n")}

    assert [key.text for key in keys] == [f"{kind} {blob}"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_owner_of_a_key_is_known_by_a_signature(kind: str, way: str, alice: Person, mallory: Person) -> None:
    signature = WAYS[way](alice, kind, CHALLENGE)

    assert verify_ssh(alice.public(kind), CHALLENGE, signature)
    assert not verify_ssh(alice.public(kind), CHALLENGE + "0", signature)
    assert not verify_ssh(alice.public(kind), "", signature)
    assert not verify_ssh(mallory.public(kind), CHALLENGE, signature)
    assert not verify_ssh(mallory.public(kind), CHALLENGE, WAYS[way](alice, kind, CHALLENGE))
    others = [other for other in KINDS if other != kind]
    assert not any(verify_ssh(alice.public(other), CHALLENGE, signature) for other in others)


def test_a_signature_for_another_purpose_is_refused(alice: Person) -> None:
    for namespace in ("git", "file", "sancho.evil"):
        assert not verify_ssh(alice.public("ed25519"), CHALLENGE, alice.sign("ed25519", CHALLENGE, namespace=namespace))


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_both_hashes_of_ssh_keygen_will_do(algorithm: str, alice: Person) -> None:
    signature = alice.sign("rsa", CHALLENGE, more=("-O", f"hashalg={algorithm}"))

    assert verify_ssh(alice.public("rsa"), CHALLENGE, signature)


def test_rsa_signs_with_sha2_only(alice: Person) -> None:
    assert verify_ssh(alice.public("rsa"), CHALLENGE, alice.sign_as_rucio("rsa", CHALLENGE, algorithm="rsa-sha2-512"))
    assert not verify_ssh(alice.public("rsa"), CHALLENGE, alice.sign_as_rucio("rsa", CHALLENGE, algorithm="ssh-rsa"))


def test_a_signature_that_was_altered_anywhere_is_refused(alice: Person) -> None:
    for kind in ("ed25519", "ecdsa-256"):
        good = base64.b64decode(alice.sign_as_rucio(kind, CHALLENGE))
        for place in range(len(good)):
            altered = bytearray(good)
            altered[place] ^= 1
            assert not verify_ssh(alice.public(kind), CHALLENGE, base64.b64encode(altered).decode()), place
        for cut in (good[:-1], good + b"\0", b"", good[:10]):
            assert not verify_ssh(alice.public(kind), CHALLENGE, base64.b64encode(cut).decode())


def test_an_armoured_signature_that_was_altered_anywhere_is_refused(alice: Person) -> None:
    begin, *middle, end = alice.sign("ed25519", CHALLENGE).splitlines()
    good = base64.b64decode("".join(middle))
    for place in range(len(good)):
        altered = bytearray(good)
        altered[place] ^= 1
        text = "\n".join([begin, base64.b64encode(altered).decode(), end])
        assert not verify_ssh(alice.public("ed25519"), CHALLENGE, text), place
    for text in (begin, f"{begin}\n{end}", "\n".join([begin, *middle]), "\n".join([begin, *middle, end, "x"])):
        assert not verify_ssh(alice.public("ed25519"), CHALLENGE, text)


@given(st.text(), st.text(), st.text())
def test_whatever_the_texts_are_nothing_is_raised(key: str, challenge: str, signature: str) -> None:
    assert not verify_ssh(key, challenge, signature)
    assert not verify_ssh("ssh-ed25519 " + key, challenge, "-----BEGIN SSH SIGNATURE-----\n" + signature)


@pytest.mark.parametrize(
    "text",
    ["", "ssh-ed25519", "ssh-ed25519 AAAA", "ssh-rsa !!!!", "hello world", "ssh-ed25519 " + "A" * 20_000, "\0 \0"],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(SshKeyInvalid):
        parse_public_key(text)


def test_a_key_that_is_too_short_or_of_an_odd_kind_is_refused(tmp_path: Path) -> None:
    run("ssh-keygen", "-q", "-t", "rsa", "-b", "1024", "-N", "", "-f", tmp_path / "short")

    with pytest.raises(SshKeyInvalid, match="2048 bits"):
        parse_public_key((tmp_path / "short.pub").read_text())
    with pytest.raises(SshKeyInvalid):
        parse_public_key((tmp_path / "short").read_text())
