"""Proxies as `voms-proxy-init` and `voms-proxy-fake` make them, with and without attributes of a VO."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from sancho_contract.certificate import CertificateRefused
from sancho_plugins.x509.verifier import X509Verifier
from sancho_plugins.x509.voms import ATTRIBUTE_CERTIFICATES
from tests.realparts.grid_people import Forge, GridPeople, chain_of, now
from tests.realparts.pki import Authority

ALICE = "/DC=org/DC=sancho/O=users/CN=Alice Example"


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> GridPeople:
    return GridPeople(tmp_path_factory.mktemp("grid"))


@pytest.fixture(scope="module")
def voms_proxy(grid: GridPeople) -> list[bytes]:
    return chain_of(grid.voms_proxy())


def refused(verifier: X509Verifier, chain: list[bytes], **delta: float) -> str:
    with pytest.raises(CertificateRefused) as caught:
        verifier.verify(chain, now=now() + timedelta(**delta))
    return caught.value.detail


def test_a_voms_proxy_says_who_and_with_which_roles(grid: GridPeople, voms_proxy: list[bytes]) -> None:
    person = grid.verifier().verify(voms_proxy, now=now())

    assert person.dn == ALICE
    assert person.vo == "vo-a"
    assert person.fqans == ("/vo-a/Role=production", "/vo-a")
    assert timedelta(hours=11) < person.not_after - now() <= timedelta(hours=12)


def test_a_plain_proxy_says_who_and_nothing_of_a_vo(grid: GridPeople) -> None:
    person = grid.verifier().verify(chain_of(grid.grid_proxy("-hours", "6")), now=now())

    assert (person.dn, person.vo, person.fqans) == (ALICE, None, ())
    assert person.not_after - now() <= timedelta(hours=6)


def test_a_proxy_that_has_ended_is_refused(grid: GridPeople, voms_proxy: list[bytes]) -> None:
    assert "The proxy ended at" in refused(grid.verifier(), voms_proxy, hours=12, minutes=1)


def test_a_limited_proxy_is_refused(grid: GridPeople) -> None:
    assert "limited" in refused(grid.verifier(), chain_of(grid.grid_proxy("-limited")))
    assert "limited" in refused(grid.verifier(), chain_of(grid.voms_proxy("-limited")))


def test_a_proxy_that_allows_none_below_it_is_good_itself(grid: GridPeople) -> None:
    chain = chain_of(grid.grid_proxy("-path-length", "0"))

    assert grid.verifier().verify(chain, now=now()).dn == ALICE


def test_a_proxy_of_another_authority_is_refused(grid: GridPeople, tmp_path: Path) -> None:
    mallory = Authority(tmp_path / "other", "/DC=org/DC=evil/CN=CA").user("Alice Example")

    assert "not one of an authority" in refused(grid.verifier(), chain_of(grid.voms_proxy(person=mallory)))


def test_a_proxy_of_a_revoked_certificate_is_refused(tmp_path: Path) -> None:
    grid = GridPeople(tmp_path)
    chain = chain_of(grid.voms_proxy())
    grid.authority.revoke(grid.alice)

    assert "revoked" in refused(grid.verifier(), chain)


def test_the_attributes_of_a_vo_that_is_not_known_are_refused(grid: GridPeople) -> None:
    chain = chain_of(grid.voms_proxy(vo="vo-b", fqans=["/vo-b/Role=NULL/Capability=NULL"]))

    assert "does not know localhost as a VOMS server of vo-b" in refused(grid.verifier(), chain)


def test_a_vo_speaks_of_its_own_groups_only(grid: GridPeople) -> None:
    for fqan in ("/vo-b/Role=production/Capability=NULL", "/vo-ab/Role=NULL/Capability=NULL"):
        assert "not its own" in refused(grid.verifier(), chain_of(grid.voms_proxy(fqans=[fqan])))


def test_attributes_signed_by_another_host_are_refused(grid: GridPeople) -> None:
    other = grid.authority.host("other.localhost")

    assert "vo-a does not sign with" in refused(grid.verifier(), chain_of(grid.voms_proxy(host=other)))


def test_attributes_signed_by_a_host_of_another_authority_are_refused(grid: GridPeople, tmp_path: Path) -> None:
    """Its names are the right ones; only the authority behind them is not."""
    same_names = Authority(tmp_path / "other", grid.authority.subject).host()

    assert "not one of an authority" in refused(grid.verifier(), chain_of(grid.voms_proxy(host=same_names)))


def test_attributes_of_a_revoked_host_are_refused(tmp_path: Path) -> None:
    grid = GridPeople(tmp_path)
    chain = chain_of(grid.voms_proxy())
    grid.authority.revoke(grid.host)

    assert "revoked" in refused(grid.verifier(), chain)


def _attributes(chain: list[bytes]) -> x509.UnrecognizedExtension:
    found = x509.load_der_x509_certificate(chain[0]).extensions.get_extension_for_oid(ATTRIBUTE_CERTIFICATES).value
    assert isinstance(found, x509.UnrecognizedExtension)
    return found


def test_somebody_elses_attributes_are_refused(grid: GridPeople, voms_proxy: list[bytes]) -> None:
    stolen = Forge(grid.authority.user("Mallory")).add((_attributes(voms_proxy), False))

    assert "somebody else's" in refused(grid.verifier(), stolen.der)


def test_attributes_end_before_their_proxy_if_they_say_so(grid: GridPeople, voms_proxy: list[bytes]) -> None:
    longer = Forge(grid.alice).add((_attributes(voms_proxy), False), life=timedelta(hours=36))

    assert grid.verifier().verify(longer.der, now=now()).not_after - now() <= timedelta(hours=12)
    assert "The VOMS attributes ended at" in refused(grid.verifier(), longer.der, hours=13)


def test_a_delegated_proxy_has_the_attributes_of_the_one_above(grid: GridPeople, voms_proxy: list[bytes]) -> None:
    below = Forge(grid.alice).add((_attributes(voms_proxy), False)).add(cn="2")

    assert grid.verifier().verify(below.der, now=now()).fqans == ("/vo-a/Role=production", "/vo-a")


def test_every_bit_of_the_attributes_counts(grid: GridPeople, voms_proxy: list[bytes]) -> None:
    """Nothing but a refusal comes of changed bytes, wherever they are; none gets more roles."""
    said = _attributes(voms_proxy)
    verifier = grid.verifier()
    for place in range(0, len(said.value), 37):
        value = bytearray(said.value)
        value[place] ^= 0x55
        changed = Forge(grid.alice).add((x509.UnrecognizedExtension(said.oid, bytes(value)), False))
        assert refused(verifier, changed.der)
