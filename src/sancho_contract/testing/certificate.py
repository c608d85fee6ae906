"""What everything that judges client certificates must pass.

class TestMyVerifier(CertificateConformance):
    def case(self):
        return Case(verifier=MyVerifier(...), chain=..., now=..., dn="/DC=org/DC=example/CN=Jane Doe")
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from sancho_contract.certificate import CertificateRefused, CertificateVerifier


@dataclass(frozen=True)
class Case:
    """A verifier, and a chain of two certificates or more that it trusts at a moment."""

    verifier: CertificateVerifier
    chain: Sequence[bytes]
    now: datetime
    dn: str


class CertificateConformance:
    """Derive from this, and say what to test."""

    def case(self) -> Case:
        """The verifier and what it trusts."""
        raise NotImplementedError

    def refused(self, chain: Sequence[bytes], now: datetime | None = None) -> str:
        """Why a chain is refused."""
        case = self.case()
        with pytest.raises(CertificateRefused) as caught:
            case.verifier.verify(chain, now=now or case.now)
        return caught.value.detail

    def test_a_trusted_chain_stands_for_its_person(self) -> None:
        case = self.case()

        person = case.verifier.verify(case.chain, now=case.now)

        assert person.dn == case.dn
        assert person.not_after > case.now
        assert person.not_after.tzinfo is UTC

    def test_a_chain_ends_when_it_says(self) -> None:
        case = self.case()
        ends = case.verifier.verify(case.chain, now=case.now).not_after

        assert self.refused(case.chain, ends)
        assert self.refused(case.chain, ends + timedelta(days=1))

    def test_a_chain_from_the_future_is_refused(self) -> None:
        assert self.refused(self.case().chain, self.case().now - timedelta(days=3650))

    def test_no_certificate_stands_for_nobody(self) -> None:
        assert self.refused([])

    @pytest.mark.parametrize("junk", [b"", b"\x00", b"\x30\x80", b"no certificate", b"\x30\x84\xff\xff\xff\xff"])
    def test_junk_stands_for_nobody(self, junk: bytes) -> None:
        assert self.refused([junk])
        assert self.refused([junk, *self.case().chain])

    @pytest.mark.parametrize("share", [0.3, 0.5, 0.7, 0.9, 0.999])
    def test_a_bit_that_was_changed_is_noticed(self, share: float) -> None:
        first, *rest = self.case().chain
        changed = bytearray(first)
        changed[int(len(changed) * share)] ^= 1

        assert self.refused([bytes(changed), *rest])

    def test_nothing_but_a_refusal_comes_of_changed_bytes(self) -> None:
        chance, case = random.Random(1), self.case()  # noqa: S311 - the same bytes each time
        for _ in range(300):
            chain = [bytearray(one) for one in case.chain]
            changed = chance.choice(chain[:2])
            place = chance.randrange(len(changed))
            changed[place] ^= chance.randrange(1, 256)
            assert self.refused([bytes(one) for one in chain])

    def test_half_a_chain_is_refused(self) -> None:
        assert self.refused(self.case().chain[:1])
