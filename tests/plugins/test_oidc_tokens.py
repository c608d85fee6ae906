"""Tokens that liars and thieves bring to an OpenID provider's plugin, and the few that are good."""

import base64
import hashlib
import json
import time
from contextlib import aclosing
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from sancho_contract.identity import IdentityRefused
from sancho_contract.testing.identity import encoded, unsigned
from sancho_plugins.oidc import OidcProvider
from tests.plugins.faulty_issuer import CLIENT, NONCE, FaultyIssuer, finish

# ---- tokens


FOREIGN = ECKey.generate_key("P-256")
NOW = int(time.time())

REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "the key of somebody else": ("signature", {"key": FOREIGN}),
    "a key that the issuer has not": ("no such key", {"key": FOREIGN, "kid": "other"}),
    "a key that the token itself brings": (
        "signature",
        {"key": FOREIGN, "header": {"jwk": FOREIGN.as_dict(private=False), "jku": "http://127.0.0.1:9/keys"}},
    ),
    "a shared secret": ("not signed in a way", {"key": OctKey.import_key("s" * 32), "alg": "HS256"}),
    "another curve than the key's": ("no such key", {"key": OKPKey.generate_key("Ed25519"), "alg": "Ed25519"}),
    "a header that we must know and do not": ("not a JSON Web Token", {"header": {"crit": ["x"], "x": 1}}),
    "a logout": ("not signed in a way", {"header": {"typ": "logout+jwt"}}),
    "another issuer": ("another issuer", {"iss": "https://other.example.org"}),
    "an issuer with one slash more": ("another issuer", {"iss": "http://127.0.0.1/"}),
    "no issuer": ("another issuer", {"iss": None}),
    "another audience": ("aud", {"aud": "other"}),
    "no audience": ("aud", {"aud": None}),
    "an audience that is no text": ("aud", {"aud": [CLIENT, 7]}),
    "several audiences and no client": ("another client", {"aud": [CLIENT, "other"]}),
    "several audiences and another client": ("another client", {"aud": [CLIENT, "other"], "azp": "other"}),
    "another client": ("another client", {"azp": "other"}),
    "its end in the past": ("expired", {"exp": NOW - 120}),
    "no end": ("exp", {"exp": None}),
    "an end that is no number": ("exp", {"exp": "never"}),
    "an end that is no number of JSON": ("exp", {"exp": float("nan")}),
    "its begin in the future": ("not yet valid", {"nbf": NOW + 3600}),
    "made in the future": ("future", {"iat": NOW + 3600}),
    "the nonce of another login": ("another login", {"nonce": "another"}),
    "no nonce": ("another login", {"nonce": None}),
    "a nonce that is no text": ("another login", {"nonce": [NONCE]}),
    "the hash of another access token": ("not the one that came", {"at_hash": "x" * 22}),
    "no subject": ("sub", {"sub": None}),
    "an empty subject": ("sub", {"sub": ""}),
    "a subject that is no text": ("sub", {"sub": 7}),
    "a long subject": ("1 to 255", {"sub": "x" * 256}),
    "a NUL": ("NUL", {"name": "a\0b"}),
    "a NUL deep inside": ("NUL", {"address": {"street": ["a", {"b\0": 1}]}}),
    "no number": ("no number", {"age": float("inf")}),
}


@pytest.mark.parametrize(("reason", "faults"), REFUSED.values(), ids=REFUSED)
async def test_an_id_token_is_refused_with(
    faulty: FaultyIssuer, provider: OidcProvider, reason: str, faults: dict[str, Any]
) -> None:
    faulty.tokens["id_token"] = faulty.token(**faults)
    with pytest.raises(IdentityRefused, match=reason) as refused:
        await finish(provider)
    assert faulty.tokens["id_token"] not in str(refused.value)


@pytest.mark.parametrize("token", [None, 7, "", "x.y.z", "[" * 200_000, ".".join(["[" * 50_000] * 3)])
async def test_what_is_no_token_at_all_is_refused(faulty: FaultyIssuer, provider: OidcProvider, token: Any) -> None:
    faulty.tokens["id_token"] = token
    with pytest.raises(IdentityRefused):
        await finish(provider)


async def test_a_token_that_nobody_signed_is_refused(faulty: FaultyIssuer, provider: OidcProvider) -> None:
    claims = {"iss": faulty.url, "aud": CLIENT, "sub": "alice", "nonce": NONCE, "iat": NOW, "exp": NOW + 600}
    head, _, _ = faulty.token().split(".")
    nested = base64.urlsafe_b64encode(b'{"alg":' + b"[" * 5000).rstrip(b"=").decode()
    lone = encoded(claims).replace("=", "")
    for token in (unsigned(claims), f"{head}.{encoded(claims)}.", f"{nested}.{lone}.AAAA"):
        faulty.tokens["id_token"] = token
        with pytest.raises(IdentityRefused):
            await finish(provider)


async def test_half_a_character_is_refused(faulty: FaultyIssuer, provider: OidcProvider) -> None:
    faulty.metadata, faulty.userinfo = {}, {"sub": "alice", "name": "\ud800"}
    faulty.tokens["id_token"] = faulty.token()
    with pytest.raises(IdentityRefused, match="half of a character"):
        await finish(provider)


def hashed(token: str, digest: str) -> str:
    value = hashlib.new(digest, token.encode()).digest()
    return base64.urlsafe_b64encode(value[: len(value) // 2]).rstrip(b"=").decode()


GOOD: dict[str, dict[str, Any]] = {
    "nothing special": {},
    "a clock that is a little fast": {"iat": NOW + 25, "nbf": NOW + 25},
    "a clock that is a little slow": {"exp": NOW - 5},
    "several audiences and us as the client": {"aud": ["other", CLIENT], "azp": CLIENT},
    "no name for its only key": {"kid": None},
    "the hash of the access token": {"at_hash": hashed("the-access-token", "sha256")},
    "headers that need not be known": {"header": {"typ": "jwt", "x5t": "x", "something": 1}},
    "a subject of 255 characters": {"sub": "x" * 255},
    "very many groups": {"groups": [f"/belle/group-{number}" for number in range(3000)]},
}


@pytest.mark.parametrize("facts", GOOD.values(), ids=GOOD)
async def test_an_id_token_is_good_with(faulty: FaultyIssuer, provider: OidcProvider, facts: dict[str, Any]) -> None:
    if facts.get("kid", "ec") is None:
        faulty.keys[None] = faulty.keys.pop("ec")
    if "exp" in facts:  # a while may have passed since this module was read
        facts = facts | {"exp": int(time.time()) - 5}
    faulty.tokens["id_token"] = faulty.token(**facts)
    found = await finish(provider)
    assert found.subject == facts.get("sub", "alice")
    assert len(found.groups) == len(facts.get("groups", []))


@pytest.mark.parametrize(
    ("alg", "key", "digest"),
    [
        ("RS256", RSAKey.generate_key(2048), "sha256"),
        ("PS384", RSAKey.generate_key(2048), "sha384"),
        ("ES512", ECKey.generate_key("P-521"), "sha512"),
        ("Ed25519", OKPKey.generate_key("Ed25519"), "sha512"),
    ],
)
async def test_signatures_of_this_kind_are_known(
    faulty: FaultyIssuer, provider: OidcProvider, alg: str, key: Any, digest: str
) -> None:
    faulty.keys["new"] = key
    faulty.tokens["id_token"] = faulty.token(kid="new", alg=alg, at_hash=hashed("the-access-token", digest))
    assert (await finish(provider)).subject == "alice"


async def test_a_short_or_foreign_key_is_not_used(faulty: FaultyIssuer, provider: OidcProvider) -> None:
    faulty.keys["ec"] = ECKey.generate_key("P-256")
    good = faulty.keys["ec"].as_dict(private=False) | {"kid": "ec"}
    strange = [{"kty": "RSA", "n": "AQAB" * 40, "e": "AQAB", "kid": "ec"}, {"kty": "oct", "k": "c2VjcmV0"}, {}, 7, None]
    strange += [{"kty": "EC"}, {"kty": ["EC"]}, good | {"use": "enc"}, good | {"x": "!"}, good | {"alg": "ES384"}]
    faulty.answers["/keys"] = (200, {}, json.dumps({"keys": [*strange, good]}).encode())
    faulty.tokens["id_token"] = faulty.token()
    assert (await finish(provider)).subject == "alice"


# ---- tokens that somebody shows


async def test_a_token_for_us_or_for_an_allowed_audience_opens_the_door_and_no_other(faulty: FaultyIssuer) -> None:
    async with aclosing(faulty.provider(audiences=["https://sancho.example.org"])) as provider:
        for audience in (CLIENT, "https://sancho.example.org", ["https://sancho.example.org", "x"]):
            assert (await provider.person_of_token(faulty.token(aud=audience, nonce=None))).subject == "alice"
        for audience in ("https://storage.example.org", "https://sancho.example.org/", [], "", None):
            with pytest.raises(IdentityRefused, match="aud"):
                await provider.person_of_token(faulty.token(aud=audience))


async def test_an_access_token_is_used_to_ask_who_that_is(faulty: FaultyIssuer, provider: OidcProvider) -> None:
    faulty.userinfo = {"sub": "alice", "groups": ["/belle"]}
    access = faulty.token(header={"typ": "at+jwt"}, scope="openid profile")
    assert (await provider.person_of_token(access)).groups == ("/belle",)
    assert faulty.authorizations[-1] == f"Bearer {access}"
    faulty.answers["/userinfo"] = (401, {}, b"")
    with pytest.raises(IdentityRefused, match="401"):
        await provider.person_of_token(access)


async def test_a_program_is_told_from_a_person(faulty: FaultyIssuer, provider: OidcProvider) -> None:
    programs: list[dict[str, Any]] = [{"client_id": "robot"}, {"azp": "robot"}]
    assert (await provider.person_of_token(faulty.token(sub=CLIENT))).client
    for claims in programs:
        assert (await provider.person_of_token(faulty.token(sub="robot", **claims))).client
    assert not (await provider.person_of_token(faulty.token(client_id="robot"))).client
