"""Keys that rotate without a restart, and tokens that nobody else can make."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey

from sancho.kit.issuer import (
    Issuer,
    KeysExposed,
    KeyUnreadable,
    LifetimeTooLong,
    NoSigningKey,
    TokenExpired,
    TokenInvalid,
    ensure_key,
    rotate,
)
from tests.identity.helpers import URL, StoppedClock

HOUR, WEEK = timedelta(hours=1), timedelta(days=7)


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


def kid_of(token: str) -> str:
    header = token.partition(".")[0]
    return json.loads(base64.urlsafe_b64decode(header + "=="))["kid"]


def published(issuer: Issuer, algorithm: str = "Ed25519") -> dict[str, Any]:
    """The one public key of a kind."""
    [key] = [key for key in issuer.jwks()["keys"] if key["alg"] == algorithm]
    return key


def encoded(value: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def claims_now(clock: StoppedClock, **other: Any) -> dict[str, Any]:
    now = int(clock.now().timestamp())
    return {"iss": URL, "aud": URL, "sub": "belle:alice", "iat": now, "nbf": now, "exp": now + 3600, **other}


def test_what_was_signed_is_what_is_read(issuer: Issuer) -> None:
    claims = issuer.check(issuer.sign({"sub": "belle:alice", "iss": "https://evil.test"}, HOUR))

    assert claims["sub"] == "belle:alice"
    assert claims["iss"] == URL


def test_no_two_tokens_are_the_same(issuer: Issuer) -> None:
    assert issuer.sign({}, HOUR) != issuer.sign({}, HOUR)


def test_the_folder_and_its_keys_are_private(issuer: Issuer, keys: Path) -> None:
    assert keys.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in keys.iterdir()} == {0o600}


def test_a_folder_that_others_can_read_is_refused(keys: Path, clock: StoppedClock) -> None:
    rotate(keys, clock=clock)
    keys.chmod(0o750)

    with pytest.raises(KeysExposed):
        Issuer(keys, URL, clock=clock).sign({}, HOUR)
    with pytest.raises(KeysExposed):
        rotate(keys, clock=clock)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"made_at": "yesterday"}', '{"made_at": "2030-01-01T00:00:00+00:00"}']
)
def test_a_file_that_is_no_key_is_refused_by_name(keys: Path, clock: StoppedClock, text: str) -> None:
    rotate(keys, clock=clock)
    (keys / "broken.jwk").write_text(text)

    with pytest.raises(KeyUnreadable, match=r"broken\.jwk"):
        Issuer(keys, URL, clock=clock).sign({}, HOUR)


def test_without_a_key_nothing_is_signed(keys: Path, clock: StoppedClock) -> None:
    issuer = Issuer(keys, URL, clock=clock)

    with pytest.raises(NoSigningKey):
        issuer.sign({}, HOUR)
    assert issuer.jwks() == {"keys": []}


def test_the_first_key_of_each_kind_is_made_once(keys: Path, clock: StoppedClock) -> None:
    ensure_key(keys, clock=clock)
    ensure_key(keys, clock=clock)

    assert len(list(keys.iterdir())) == 2


def test_a_kind_that_an_older_installation_lacks_is_added(issuer: Issuer, keys: Path, clock: StoppedClock) -> None:
    ours, lacking = published(issuer), published(issuer, "ES256")
    (keys / f"{lacking['kid']}.jwk").unlink()
    clock.advance(timedelta(seconds=1))
    with pytest.raises(NoSigningKey):
        issuer.sign({}, HOUR, algorithm="ES256")

    ensure_key(keys, clock=clock)

    assert issuer.check(issuer.sign({}, HOUR, algorithm="ES256"))
    assert published(issuer) == ours


def test_storages_get_tokens_signed_as_they_know_it(issuer: Issuer) -> None:
    token = issuer.sign({"sub": "belle:alice"}, HOUR, algorithm="ES256")
    key = published(issuer, "ES256")

    assert key.keys() == {"kty", "crv", "x", "y", "kid", "alg", "use"}
    assert kid_of(token) == key["kid"]
    assert jwt.decode(token, ECKey.import_key(key), algorithms=["ES256"]).claims["sub"] == "belle:alice"


def test_a_new_key_for_storages_signs_once_they_can_have_read_it(
    issuer: Issuer, keys: Path, clock: StoppedClock
) -> None:
    old = published(issuer, "ES256")["kid"]
    clock.advance(HOUR)
    rotate(keys, clock=clock)

    assert old in {key["kid"] for key in issuer.jwks()["keys"]}
    assert kid_of(issuer.sign({}, HOUR, algorithm="ES256")) == old
    clock.advance(timedelta(minutes=19))
    last = issuer.sign({}, WEEK, algorithm="ES256")
    assert kid_of(last) == old
    clock.advance(timedelta(minutes=1))
    assert kid_of(issuer.sign({}, HOUR, algorithm="ES256")) != old

    clock.advance(WEEK - timedelta(minutes=2))
    rotate(keys, clock=clock)
    assert issuer.check(last)
    clock.advance(timedelta(minutes=3))
    rotate(keys, clock=clock)
    assert not (keys / f"{old}.jwk").exists()


def test_if_the_old_key_for_storages_is_taken_away_the_new_one_signs_at_once(
    issuer: Issuer, keys: Path, clock: StoppedClock
) -> None:
    old = published(issuer, "ES256")["kid"]
    clock.advance(HOUR)
    rotate(keys, clock=clock)

    (keys / f"{old}.jwk").unlink()

    assert kid_of(issuer.sign({}, HOUR, algorithm="ES256")) == published(issuer, "ES256")["kid"]


def test_a_key_checks_only_what_it_may_sign(issuer: Issuer) -> None:
    ours, storages = published(issuer), published(issuer, "ES256")
    for token, kid in (
        (issuer.sign({}, HOUR), storages["kid"]),
        (issuer.sign({}, HOUR, algorithm="ES256"), ours["kid"]),
    ):
        header, payload, signature = token.split(".")
        said = json.loads(base64.urlsafe_b64decode(header + "=="))
        with pytest.raises(TokenInvalid):
            issuer.check(".".join([encoded(said | {"kid": kid}), payload, signature]))


def test_published_keys_are_public_only(issuer: Issuer) -> None:
    key = published(issuer)

    assert key.keys() == {"kty", "crv", "x", "kid", "alg", "use"}
    assert (key["alg"], key["use"], key["crv"]) == ("Ed25519", "sig", "Ed25519")


def test_a_published_key_checks_our_tokens(issuer: Issuer) -> None:
    token = issuer.sign({"sub": "belle:alice"}, HOUR)
    key = published(issuer)

    assert jwt.decode(token, OKPKey.import_key(key), algorithms=["Ed25519"]).claims["sub"] == "belle:alice"


def test_a_new_key_signs_at_once_and_the_old_one_still_checks(issuer: Issuer, keys: Path, clock: StoppedClock) -> None:
    old = issuer.sign({}, HOUR)
    clock.advance(HOUR / 2)

    kid = rotate(keys, clock=clock)

    assert kid_of(issuer.sign({}, HOUR)) == kid
    assert issuer.check(old)
    assert {key["kid"] for key in issuer.jwks()["keys"] if key["alg"] == "Ed25519"} == {kid, kid_of(old)}
    assert len(issuer.jwks()["keys"]) == 4


def test_a_replaced_key_is_trusted_only_while_its_tokens_may_live(
    issuer: Issuer, keys: Path, clock: StoppedClock
) -> None:
    old = issuer.sign({}, WEEK)
    clock.advance(HOUR)
    kid = rotate(keys, clock=clock)
    clock.advance(WEEK + timedelta(seconds=1))

    assert published(issuer)["kid"] == kid
    with pytest.raises(TokenInvalid):
        issuer.check(old)
    rotate(keys, clock=clock)
    assert not (keys / f"{kid_of(old)}.jwk").exists()
    assert (keys / f"{kid}.jwk").exists()
    clock.advance(timedelta(seconds=1))  # the folder is looked at again
    assert len([key for key in issuer.jwks()["keys"] if key["alg"] == "Ed25519"]) == 2


def test_a_key_that_is_removed_is_trusted_no_more(issuer: Issuer, keys: Path, clock: StoppedClock) -> None:
    old = issuer.sign({}, HOUR)
    clock.advance(timedelta(seconds=1))
    rotate(keys, clock=clock)

    (keys / f"{kid_of(old)}.jwk").unlink()

    with pytest.raises(TokenInvalid):
        issuer.check(old)


def test_no_token_lives_longer_than_its_key_is_published(issuer: Issuer) -> None:
    with pytest.raises(LifetimeTooLong):
        issuer.sign({}, WEEK + timedelta(seconds=1))


def test_a_token_expires(issuer: Issuer, clock: StoppedClock) -> None:
    token = issuer.sign({}, HOUR)
    clock.advance(HOUR)

    with pytest.raises(TokenExpired):
        issuer.check(token)


def test_a_token_from_the_future_is_refused_but_for_the_skew_of_clocks(issuer: Issuer, clock: StoppedClock) -> None:
    token = issuer.sign({}, HOUR)
    clock.advance(timedelta(seconds=-60))
    assert issuer.check(token)
    clock.advance(timedelta(seconds=-1))
    with pytest.raises(TokenInvalid):
        issuer.check(token)


def test_a_token_of_another_installation_is_refused(
    issuer: Issuer, tmp_path: Path, keys: Path, clock: StoppedClock
) -> None:
    rotate(tmp_path / "others", clock=clock)
    for other in (Issuer(tmp_path / "others", URL, clock=clock), Issuer(keys, "https://other.test", clock=clock)):
        with pytest.raises(TokenInvalid):
            issuer.check(other.sign({"sub": "belle:alice"}, HOUR))


def test_a_token_without_a_signature_is_refused(issuer: Issuer, clock: StoppedClock) -> None:
    key = published(issuer)
    for algorithm in ("none", "None", "NONE"):
        header = {"alg": algorithm, "typ": "at+jwt", "kid": key["kid"]}
        with pytest.raises(TokenInvalid):
            issuer.check(f"{encoded(header)}.{encoded(claims_now(clock))}.")


def test_a_public_key_is_no_shared_secret(issuer: Issuer, clock: StoppedClock) -> None:
    key = published(issuer)
    raw = base64.urlsafe_b64decode(key["x"] + "==")
    header = {"alg": "HS256", "typ": "at+jwt", "kid": key["kid"]}
    for secret in (raw, key["x"].encode(), json.dumps(key).encode()):
        said = f"{encoded(header)}.{encoded(claims_now(clock))}"
        mac = hmac.new(secret, said.encode(), hashlib.sha256).digest()
        with pytest.raises(TokenInvalid):
            issuer.check(f"{said}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}")


def test_a_key_that_the_token_brings_along_is_not_trusted(issuer: Issuer, clock: StoppedClock) -> None:
    own = OKPKey.generate_key("Ed25519")
    ours = published(issuer)
    for kid in (ours["kid"], own.thumbprint(), "", "../keys/x", None):
        header = {"alg": "Ed25519", "typ": "at+jwt", "jwk": own.as_dict(private=False)} | (
            {"kid": kid} if kid is not None else {}
        )
        token = jwt.encode(header, claims_now(clock), own, algorithms=["Ed25519"])
        with pytest.raises(TokenInvalid):
            issuer.check(token)


def test_a_token_of_another_type_is_refused(issuer: Issuer, keys: Path, clock: StoppedClock) -> None:
    path = keys / f"{published(issuer)['kid']}.jwk"
    key = OKPKey.import_key({k: v for k, v in json.loads(path.read_text()).items() if k != "made_at"})
    good = {"alg": "Ed25519", "typ": "at+jwt", "kid": path.stem}
    assert issuer.check(jwt.encode(good, claims_now(clock), key, algorithms=["Ed25519"]))

    for header in (good | {"typ": "JWT"}, {k: v for k, v in good.items() if k != "typ"}):
        with pytest.raises(TokenInvalid):
            issuer.check(jwt.encode(header, claims_now(clock), key, algorithms=["Ed25519"]))
    for odd in ({"exp": "soon"}, {"exp": None}, {"iat": 1.5}, {"nbf": [1]}, {"iss": None}, {"iss": ["x", URL]}):
        with pytest.raises(TokenInvalid):
            issuer.check(jwt.encode(good, claims_now(clock) | odd, key, algorithms=["Ed25519"]))


HEADERS = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64"]), inner)
    ),
    max_leaves=5,
).map(lambda header: f"{base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip('=')}.e30.AAAA")
SHAPES = st.from_regex(r"[A-Za-z0-9_-]{0,20}\.[A-Za-z0-9_-]{0,20}\.[A-Za-z0-9_-]{0,20}", fullmatch=True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.text(max_size=60) | SHAPES | HEADERS)
def test_any_nonsense_is_refused_as_invalid(issuer: Issuer, text: str) -> None:
    with pytest.raises(TokenInvalid):
        issuer.check(text)


def test_the_folder_is_looked_at_once_a_second(issuer: Issuer, keys: Path, clock: StoppedClock) -> None:
    old = issuer.sign({}, HOUR)
    clock.advance(timedelta(milliseconds=500))

    kid = rotate(keys, clock=clock)
    elsewhere = Issuer(keys, URL, clock=clock).sign({}, HOUR)

    assert kid_of(issuer.sign({}, HOUR)) == kid_of(old)
    assert issuer.check(elsewhere)  # an unknown key is looked for at once
    assert kid_of(issuer.sign({}, HOUR)) == kid

    (keys / f"{kid_of(old)}.jwk").unlink()
    assert issuer.check(old)
    clock.advance(timedelta(seconds=1))
    with pytest.raises(TokenInvalid):
        issuer.check(old)


def test_a_key_of_another_kind_is_refused_by_name(keys: Path, clock: StoppedClock) -> None:
    rotate(keys, clock=clock)
    said = OKPKey.generate_key("X25519").as_dict(private=True) | {"kid": "x", "made_at": clock.now().isoformat()}
    (keys / "x.jwk").write_text(json.dumps(said))

    with pytest.raises(KeyUnreadable, match=r"x\.jwk"):
        Issuer(keys, URL, clock=clock).sign({}, HOUR)


def test_an_endless_token_is_refused(issuer: Issuer) -> None:
    with pytest.raises(TokenInvalid, match="too long"):
        issuer.check("a" * 100_000)
