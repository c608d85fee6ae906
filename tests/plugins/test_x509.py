"""Certificates and proxies that nobody's program makes, and a folder of trust in every state."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sancho_contract.certificate import CertificateRefused
from sancho_contract.testing.certificate import Case, CertificateConformance
from sancho_plugins.x509.names import slashed
from sancho_plugins.x509.proxies import BEFORE_RFC, INDEPENDENT, LIMITED
from sancho_plugins.x509.verifier import X509Verifier
from tests.realparts.grid_people import SUNSET, Forge, GridPeople, now
from tests.realparts.pki import Authority, name

ALICE = "/DC=org/DC=sancho/O=users/CN=Alice Example"


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> GridPeople:
    return GridPeople(tmp_path_factory.mktemp("grid"))


def refused(verifier: X509Verifier, chain: list[bytes], **delta: float) -> str:
    with pytest.raises(CertificateRefused) as caught:
        verifier.verify(chain, now=now() + timedelta(**delta))
    return caught.value.detail


@pytest.mark.filterwarnings("ignore:Parsed a serial number:cryptography.utils.CryptographyDeprecationWarning")
class TestX509(CertificateConformance):
    """The suite that every verifier passes."""

    @pytest.fixture(autouse=True)
    def _grid(self, grid: GridPeople) -> None:
        forge = Forge(grid.alice).add().add(cn="2")
        self._case = Case(verifier=grid.verifier(), chain=forge.der, now=now(), dn=ALICE)

    def case(self) -> Case:
        return self._case


# ---- who it is


def test_a_certificate_stands_for_its_subject_in_both_spellings(grid: GridPeople) -> None:
    person = grid.verifier().verify([grid.alice.der], now=now())

    assert (person.dn, person.rfc4514) == (ALICE, "CN=Alice Example,O=users,DC=sancho,DC=org")
    assert (person.vo, person.fqans, person.notice) == (None, (), None)


def test_a_proxy_of_a_proxy_stands_for_the_person_and_ends_with_the_first_of_them(grid: GridPeople) -> None:
    forge = Forge(grid.alice).add(life=timedelta(hours=1)).add(cn="7", life=timedelta(hours=9))

    person = grid.verifier().verify(forge.der, now=now())

    assert person.dn == ALICE
    assert person.not_after == forge.chain[1].not_valid_after_utc


@pytest.mark.parametrize("value", ["a/CN=b", "a\nb", "x/1.2.3=y"])
def test_a_name_that_could_be_taken_for_another_is_refused(value: str) -> None:
    with pytest.raises(CertificateRefused, match="without doubt"):
        slashed(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, value)]))


def test_a_name_of_several_values_in_one_part_is_refused() -> None:
    both = [x509.NameAttribute(NameOID.COMMON_NAME, "a"), x509.NameAttribute(NameOID.USER_ID, "b")]

    with pytest.raises(CertificateRefused, match="without doubt"):
        slashed(x509.Name([x509.RelativeDistinguishedName(both)]))


def test_a_host_with_a_slash_in_its_name_is_written_as_ever() -> None:
    service = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "host/ce.example.org")])

    assert slashed(service) == "/CN=host/ce.example.org"


# ---- until when


def test_after_the_sunset_nobody_logs_in_and_before_it_people_are_told(grid: GridPeople) -> None:
    def said(days: int) -> str | None:
        verifier = grid.verifier(sunset=(now() + timedelta(days=days)).date())
        return verifier.verify([grid.alice.der], now=now()).notice

    assert said(92) is None
    assert "ends here on" in (said(89) or "")
    assert "ended here on" in refused(grid.verifier(sunset=now().date()), [grid.alice.der])
    assert grid.verifier().Settings.model_fields["sunset"].is_required()
    assert now().date() < SUNSET


# ---- proxies


def test_proxies_can_be_switched_off(grid: GridPeople) -> None:
    verifier = grid.verifier(allow_proxies=False)

    assert verifier.verify([grid.alice.der], now=now()).dn == ALICE
    assert "Proxies may not log in" in refused(verifier, Forge(grid.alice).add().der)


def _by_somebody_else(forge: Forge) -> Forge:
    return forge.add(key=ec.generate_private_key(ec.SECP256R1()))


AUTHORITY = (x509.BasicConstraints(ca=True, path_length=None), True)
OTHER_NAME = (x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
UNKNOWN = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b""), True)
SIGNS = (
    x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=False, encipher_only=False, decipher_only=False,
    ),
    True,
)  # fmt: skip
ENCRYPTS = (
    x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=True, data_encipherment=False,
        key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    ),
    True,
)  # fmt: skip
OLD = (x509.UnrecognizedExtension(BEFORE_RFC, b""), False)

FORGED: dict[str, tuple[Callable[[Forge], Forge], str]] = {
    "limited": (lambda f: f.add(language=LIMITED), "limited"),
    "below a limited one": (lambda f: f.add(language=LIMITED).add(cn="2"), "limited"),
    "independent": (lambda f: f.add(language=INDEPENDENT), "independent"),
    "of an unknown policy": (lambda f: f.add(language=x509.ObjectIdentifier("1.2.3")), "policy"),
    "with a policy of its own": (lambda f: f.add(policy=b"only on Tuesdays"), "policy"),
    "deeper than allowed": (lambda f: f.add(path_length=0).add(cn="2"), "further down"),
    "deeper than allowed higher up": (lambda f: f.add(path_length=1).add(cn="2").add(cn="3"), "further down"),
    "of another name": (lambda f: f.add(subject=name("/DC=org/DC=sancho/O=users/CN=Bob/CN=1")), "name"),
    "of its signer's own name": (lambda f: f.add(subject=f.chain[0].subject), "name"),
    "with a name of two more parts": (lambda f: f.add(subject=name(f"{ALICE}/CN=1/CN=2")), "name"),
    "with another kind of name": (lambda f: f.add(subject=name(f"{ALICE}/O=1")), "name"),
    "signed by somebody else": (_by_somebody_else, "not signed by"),
    "not critical": (lambda f: f.add(critical=False), "insist"),
    "of the old kind": (lambda f: f.add(info=False, cn="proxy"), "before RFC 3820"),
    "of the draft": (lambda f: f.add(OLD, info=False), "before RFC 3820"),
    "an authority": (lambda f: f.add(AUTHORITY), "authority"),
    "one that signs": (lambda f: f.add(SIGNS), "not for logging in"),
    "one that only encrypts": (lambda f: f.add(ENCRYPTS), "not for logging in"),
    "one with another name": (lambda f: f.add(OTHER_NAME), "another name"),
    "with what nobody knows": (lambda f: f.add(UNKNOWN), "1.2.3.4"),
    "ended": (lambda f: f.add(starts=now() - timedelta(hours=13)), "ended at"),
    "not begun": (lambda f: f.add(starts=now() + timedelta(hours=1)), "not valid yet"),
    "made for a year": (lambda f: f.add(life=timedelta(days=365)), "lives longer"),
    "signed with SHA-224": (lambda f: f.add(digest=hashes.SHA224()), "hash"),
    "no proxy at all": (lambda f: f.add(info=False), "not one of an authority"),
}


@pytest.mark.parametrize("kind", FORGED)
def test_a_proxy_is_refused_that_is(kind: str, grid: GridPeople) -> None:
    forge, why = FORGED[kind]

    assert why in refused(grid.verifier(), forge(Forge(grid.alice)).der)


def test_proxies_may_be_as_deep_as_those_above_allow(grid: GridPeople) -> None:
    forge = Forge(grid.alice).add(path_length=2).add(cn="2", path_length=1).add(cn="3", path_length=0)

    assert grid.verifier().verify(forge.der, now=now()).dn == ALICE


def test_a_clock_that_is_a_little_ahead_makes_good_proxies(grid: GridPeople) -> None:
    forge = Forge(grid.alice).add(starts=now() + timedelta(minutes=4))

    assert grid.verifier().verify(forge.der, now=now()).dn == ALICE


# ---- trust


@pytest.fixture
def own(tmp_path: Path) -> GridPeople:
    """A grid whose folder of trust a test may spoil."""
    return GridPeople(tmp_path)


def test_the_certificate_of_another_authority_is_refused_even_if_it_has_the_same_name(
    own: GridPeople, tmp_path: Path
) -> None:
    for subject in ("/DC=org/DC=evil/CN=CA", own.authority.subject):
        other = Authority(tmp_path / f"other{len(subject)}", subject)
        mallory = other.user("Alice Example")

        assert "not one of an authority" in refused(own.verifier(), [mallory.der, other.credential.der])
        assert "not one of an authority" in refused(own.verifier(), Forge(mallory).add().der)


def test_a_revoked_certificate_is_refused_from_the_next_list_on(own: GridPeople) -> None:
    verifier, chain = own.verifier(), Forge(own.alice).add().der
    assert verifier.verify(chain, now=now()).dn == ALICE

    own.authority.revoke(own.alice)

    assert "revoked" in refused(verifier, chain)


def test_an_ended_certificate_is_refused_whatever_its_proxy_says(own: GridPeople) -> None:
    gone = own.authority.user("Gone", life=timedelta(days=-1))

    assert "ended at" in refused(own.verifier(), [gone.der])
    assert "The certificate ended at" in refused(own.verifier(), Forge(gone).add().der)


def test_without_a_current_revocation_list_nobody_is_trusted(own: GridPeople, tmp_path: Path) -> None:
    verifier, lenient = own.verifier(), own.verifier(require_revocations=False)
    list_file = own.authority.certificates / f"{own.authority.hash}.r0"

    own.authority.publish_revocations(at=now() - timedelta(days=2), lifetime=timedelta(days=1))
    assert "no current revocation list" in refused(verifier, [own.alice.der])
    assert "no current revocation list" in refused(lenient, [own.alice.der])

    forged = Authority(tmp_path / "other", own.authority.subject)
    list_file.write_bytes((forged.certificates / f"{forged.hash}.r0").read_bytes())
    assert "no current revocation list" in refused(verifier, [own.alice.der])

    list_file.write_bytes(b"junk")
    assert "no current revocation list" in refused(verifier, [own.alice.der])

    list_file.unlink()
    assert "no current revocation list" in refused(verifier, [own.alice.der])
    assert lenient.verify([own.alice.der], now=now()).dn == ALICE


def test_an_authority_signs_only_what_its_policy_says(own: GridPeople) -> None:
    own.authority.allow("/DC=org/DC=else/*", "/DC=org/DC=sancho/O=users/CN=Ali?e*")
    assert own.verifier().verify([own.alice.der], now=now()).dn == ALICE

    own.authority.allow("/DC=org/DC=else/*")
    assert "may not sign for" in refused(own.verifier(), [own.alice.der])

    (own.authority.certificates / f"{own.authority.hash}.signing_policy").unlink()
    assert "no signing policy" in refused(own.verifier(), [own.alice.der])


def test_a_policy_of_one_pattern_may_be_written_without_quotes(own: GridPeople) -> None:
    policy = own.authority.certificates / f"{own.authority.hash}.signing_policy"
    policy.write_text(
        "# for the other one\naccess_id_CA X509 '/CN=Other'\npos_rights globus CA:sign\ncond_subjects globus '\"*\"'\n"
        f"access_id_CA  X509  '{own.authority.subject}'\npos_rights  globus  CA:sign\n"
        'cond_subjects globus "/DC=org/DC=sancho/*"\n'
    )
    assert own.verifier().verify([own.alice.der], now=now()).dn == ALICE

    policy.write_text(policy.read_text().replace("pos_rights  globus  CA:sign", "neg_rights globus CA:sign"))
    assert "may not sign for" in refused(own.verifier(), [own.alice.der])


def test_an_authority_is_trusted_as_long_as_it_lies_in_the_folder(own: GridPeople) -> None:
    verifier = own.verifier()
    assert verifier.verify([own.alice.der], now=now()).dn == ALICE

    (own.authority.certificates / f"{own.authority.hash}.0").unlink()

    assert "trusts no authority" in refused(verifier, [own.alice.der])


def test_a_servers_certificate_that_is_not_for_clients_stands_for_nobody(own: GridPeople) -> None:
    server = own.authority.server_only()

    assert "not one of an authority" in refused(own.verifier(), [server.der])


def test_a_user_cannot_sign_for_another_user(own: GridPeople) -> None:
    forge = Forge(own.alice).add(info=False, subject=name("/DC=org/DC=sancho/O=users/CN=Bob"))

    assert "not one of an authority" in refused(own.verifier(), forge.der)


def test_an_authority_below_another_signs_for_people_within_its_depth(own: GridPeople) -> None:
    below = own.authority.below("Below")
    bob = below.user("Bob")
    assert "Nothing is known" in refused(own.verifier(), [bob.der, below.credential.der])

    below.install(own.authority.certificates)
    assert own.verifier().verify([bob.der, below.credential.der], now=now()).dn.endswith("/O=users/CN=Bob")

    deeper = below.below("Deeper")
    deeper.install(own.authority.certificates)
    carol = deeper.user("Carol")
    (own.authority.certificates / f"{deeper.hash}.0").unlink()
    assert "not one of an authority" in refused(
        own.verifier(), [carol.der, deeper.credential.der, below.credential.der]
    )
