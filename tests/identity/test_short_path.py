"""The short path on which our own tokens are checked agrees with joserfc, whatever somebody makes of a token."""

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sancho.kit.issuer import Issuer, TokenExpired, TokenInvalid, rotate
from tests.identity.helpers import URL, StoppedClock
from tests.identity.test_issuer import claims_now

HOUR = timedelta(hours=1)


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def issuer(keys: Path, clock: StoppedClock) -> Issuer:
    rotate(keys, clock=clock)
    return Issuer(keys, URL, clock=clock)


def outcome(issuer: Issuer, token: str) -> dict[str, Any] | type[Exception]:
    try:
        return issuer.check(token)
    except (TokenInvalid, TokenExpired) as e:
        return type(e)


def patient(keys: Path, clock: StoppedClock) -> Issuer:
    """One that checks every token with joserfc."""
    made = Issuer(keys, URL, clock=clock)
    made.jwks()
    made._checks = {}
    return made


def test_our_own_tokens_take_the_short_path(issuer: Issuer) -> None:
    assert issuer.sign({}, HOUR).partition(".")[0] in issuer._checks


SPOILING = ("set", "insert", "delete", "cut", "double")
ALPHABET = "ABCwxyz019-_.=+/ \n\x00é"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(
    changes=st.lists(
        st.tuples(st.sampled_from(SPOILING), st.floats(0, 1), st.sampled_from(ALPHABET)),
        max_size=3,
    )
)
def test_the_short_path_agrees_with_joserfc_on_spoilt_tokens(
    issuer: Issuer, keys: Path, clock: StoppedClock, changes: list[tuple[str, float, str]]
) -> None:
    token = issuer.sign({"sub": "belle:alice"}, HOUR)
    for change, place, character in changes:
        at = int(place * (len(token) - 1))
        token = {
            "set": token[:at] + character + token[at + 1 :], "insert": token[:at] + character + token[at:],
            "delete": token[:at] + token[at + 1 :], "cut": token[:at], "double": token + token[at:],
        }[change]  # fmt: skip

    assert outcome(issuer, token) == outcome(patient(keys, clock), token)


SAID = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["iss", "sub", "iat", "exp", "x"]), inner)
    ),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(
    said=st.binary(max_size=20)
    | SAID.map(lambda value: json.dumps(value).encode())
    | st.dictionaries(st.sampled_from(["iss", "iat", "nbf", "exp", "sub"]), SAID),
    tail=st.sampled_from(["", "=", "A", "B", "."]),
)
def test_the_short_path_agrees_with_joserfc_on_whatever_our_key_has_signed(
    issuer: Issuer, keys: Path, clock: StoppedClock, said: bytes | dict[str, Any], tail: str
) -> None:
    payload = json.dumps(claims_now(clock) | said).encode() if isinstance(said, dict) else said
    text = f"{next(iter(known_headers(issuer)))}.{base64.urlsafe_b64encode(payload).decode().rstrip('=')}{tail}"
    private = next(key.key.private_key for key in issuer._keys if key.algorithm == "Ed25519")
    assert isinstance(private, Ed25519PrivateKey)
    signature = private.sign(text.encode())
    token = f"{text}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"

    assert outcome(issuer, token) == outcome(patient(keys, clock), token)


def known_headers(issuer: Issuer) -> list[str]:
    issuer.jwks()
    return list(issuer._checks)
