"""Issuers that lie, break or go away, and what is believed of them all the same."""

import base64
import json
import ssl
from contextlib import aclosing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

import pytest
from joserfc.jwk import ECKey
from pydantic import ValidationError

from sancho.local.tls import ensure_certificates
from sancho_contract.identity import IdentityRefused, ProviderUnavailable
from sancho_plugins.oidc import OidcProvider, OidcSettings
from sancho_plugins.oidc.talk import LARGEST
from tests.plugins.faulty_issuer import CLIENT, METADATA, FaultyIssuer, begin, finish
from tests.realparts.oidc import OpenIdProvider, openid_provider

FOREIGN = ECKey.generate_key("P-256")


# ---- the issuer's keys and metadata


async def test_a_key_that_is_new_at_the_issuer_works_at_once(faulty: FaultyIssuer, provider: OidcProvider) -> None:
    assert (await provider.person_of_token(faulty.token())).subject == "alice"
    faulty.keys = {"new": ECKey.generate_key("P-256")}
    assert (await provider.person_of_token(faulty.token(kid="new"))).subject == "alice"
    assert faulty.asked["/keys"] == 2


async def test_tokens_that_name_no_key_of_the_issuer_make_nobody_ask_more_often(faulty: FaultyIssuer) -> None:
    now = 0.0
    async with aclosing(faulty.provider(clock=lambda: now, look_again=10)) as provider:
        for _ in range(20):
            with pytest.raises(IdentityRefused):
                await provider.person_of_token(faulty.token(key=FOREIGN, kid="unknown"))
        assert faulty.asked["/keys"] == 1
        now = 11.0
        faulty.keys["new"] = ECKey.generate_key("P-256")
        assert (await provider.person_of_token(faulty.token(kid="new"))).subject == "alice"
        assert faulty.asked["/keys"] == 2
        for _ in range(20):
            with pytest.raises(IdentityRefused, match="another issuer"):
                await provider.person_of_token(faulty.token(key=FOREIGN, kid="unknown", iss="https://x.example.org"))
        assert faulty.asked["/keys"] == 2


@pytest.mark.parametrize("answer", [(503, {}, b""), (200, {}, b"[]"), (200, {}, b"{"), (200, {}, b" " * (LARGEST + 1))])
async def test_while_the_issuer_is_out_of_order_its_keys_go_on_working(faulty: FaultyIssuer, answer: Any) -> None:
    now = 0.0
    async with aclosing(faulty.provider(clock=lambda: now)) as provider:
        assert (await provider.person_of_token(faulty.token())).subject == "alice"
        faulty.answers["/keys"] = faulty.answers[METADATA] = answer
        now = 24 * 3600.0
        for _ in range(3):
            assert (await provider.person_of_token(faulty.token())).subject == "alice"
        with pytest.raises((ProviderUnavailable, IdentityRefused)):
            await provider.person_of_token(faulty.token(key=FOREIGN, kid="new"))
        assert (await provider.person_of_token(faulty.token())).subject == "alice"


async def test_a_token_whose_key_cannot_be_had_is_not_judged(faulty: FaultyIssuer, provider: OidcProvider) -> None:
    faulty.answers["/keys"] = (503, {}, b"")
    with pytest.raises(ProviderUnavailable):
        await provider.person_of_token(faulty.token())
    del faulty.answers["/keys"]
    assert (await provider.person_of_token(faulty.token())).subject == "alice"


async def test_a_key_that_the_issuer_takes_back_works_no_longer_after_ten_minutes(faulty: FaultyIssuer) -> None:
    now = 0.0
    async with aclosing(faulty.provider(clock=lambda: now)) as provider:
        old = faulty.token()
        await provider.person_of_token(old)
        faulty.keys = {"new": ECKey.generate_key("P-256")}
        await provider.person_of_token(old)
        now = 601.0
        await provider.person_of_token(faulty.token(kid="new"))
        with pytest.raises(IdentityRefused, match="no such key"):
            await provider.person_of_token(old)


METADATA_FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "another issuer": ("another issuer", {"issuer": "https://other.example.org"}),
    "one slash more": ("another issuer", {"issuer": "/"}),
    "no keys": ("jwks_uri", {"jwks_uri": None}),
    "keys without TLS at another host": ("https", {"jwks_uri": "http://192.0.2.1/keys"}),
    "a token endpoint without TLS": ("https", {"token_endpoint": "http://issuer.example.org/token"}),
    "an endpoint in a file": ("host", {"token_endpoint": "file:///etc/passwd"}),
    "an endpoint with a password in it": ("plain URL", {"token_endpoint": "https://a:b@issuer.example.org/token"}),
    "an endpoint that is no URL": ("endpoint", {"authorization_endpoint": "https://[::1"}),
    "something else than text": ("token_endpoint", {"token_endpoint": 7}),
}


@pytest.mark.parametrize(("reason", "faults"), METADATA_FAULTS.values(), ids=METADATA_FAULTS)
async def test_an_issuer_is_refused_that_publishes(
    faulty: FaultyIssuer, provider: OidcProvider, reason: str, faults: dict[str, Any]
) -> None:
    faulty.metadata = {name: faulty.url + "/" if value == "/" else value for name, value in faults.items()}
    with pytest.raises(IdentityRefused, match=reason):
        await begin(provider)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((302, {"Location": "/elsewhere"}, b""), IdentityRefused),
        ((404, {}, b"not here"), IdentityRefused),
        ((200, {}, b"[" * 100_000), IdentityRefused),
        ((200, {}, b"\xff"), IdentityRefused),
        ((200, {"Content-Encoding": "gzip"}, b"\x1f\x8b"), IdentityRefused),
        ((200, {}, b" " * (LARGEST + 1)), IdentityRefused),
        ((200, {"Content-Length": "100"}, b"{}"), ProviderUnavailable),
        ((502, {}, b"<html>"), ProviderUnavailable),
    ],
)
async def test_an_answer_that_is_none_is_read_no_further(
    faulty: FaultyIssuer, provider: OidcProvider, answer: Any, error: type[Exception]
) -> None:
    faulty.answers[METADATA] = answer
    with pytest.raises(error):
        await begin(provider)
    assert faulty.asked == {METADATA: 1}


async def test_an_issuer_that_says_nothing_is_not_waited_for(faulty: FaultyIssuer) -> None:
    faulty.stalled.add(METADATA)
    async with aclosing(faulty.provider(timeout=0.1)) as provider:
        with pytest.raises(ProviderUnavailable, match="in time"):
            await begin(provider)


async def test_an_issuer_whose_certificate_nobody_signs_is_not_talked_to(faulty: FaultyIssuer, tmp_path: Path) -> None:
    ensure_certificates(tmp_path)
    key = {"cert": str(tmp_path / "server.pem"), "key": str(tmp_path / "server.key")}
    trusting = ssl.create_default_context(cafile=tmp_path / "ca.pem")
    with openid_provider(tmp_path / "log", users={}, verify=trusting, **key) as real:
        for ca_file, error in (
            (tmp_path / "ca.pem", None),
            (None, "cannot be reached"),
            (tmp_path / "absent.pem", "ca_file"),
        ):
            async with aclosing(faulty.provider(issuer=real.issuer, ca_file=ca_file, allow_http=False)) as provider:
                if error is None:
                    assert (await begin(provider)).startswith(real.issuer)
                else:
                    with pytest.raises(ProviderUnavailable, match=error):
                        await begin(provider)


# ---- logins


async def test_a_login_is_begun_with_s256_or_not_at_all(faulty: FaultyIssuer) -> None:
    for methods, accepted in ((["S256"], True), (None, True), (["plain"], False), ([], False)):
        faulty.metadata = {"code_challenge_methods_supported": methods}
        async with aclosing(faulty.provider()) as provider:
            if accepted:
                query = parse_qs(urlsplit(await begin(provider)).query)
                assert query["code_challenge_method"] == ["S256"]
            else:
                with pytest.raises(IdentityRefused, match="S256"):
                    await begin(provider)


async def test_a_login_page_with_a_query_of_its_own_keeps_it(faulty: FaultyIssuer, provider: OidcProvider) -> None:
    faulty.metadata["authorization_endpoint"] = f"{faulty.url}/authorize?realm=belle"
    query = parse_qs(urlsplit(await begin(provider)).query)
    assert (query["realm"], query["client_id"]) == (["belle"], [CLIENT])


async def test_a_code_of_another_issuer_is_shown_to_neither(
    issuers: tuple[OpenIdProvider, OpenIdProvider], faulty: FaultyIssuer
) -> None:
    """The mix-up attack: an honest issuer's code is brought to the end of a login that began with another."""
    _, honest = issuers
    faulty.tokens["id_token"] = faulty.token()
    faulty.metadata["authorization_response_iss_parameter_supported"] = True
    async with aclosing(faulty.provider()) as provider:
        for named in (honest.issuer, None, "", faulty.url + "/"):
            with pytest.raises(IdentityRefused, match="issuer"):
                await finish(provider, code="a code of the honest issuer", issuer=named)
        assert faulty.asked["/token"] == 0
        assert (await finish(provider, issuer=faulty.url)).subject == "alice"


async def test_an_id_token_of_another_issuer_is_refused_though_it_is_good_there(faulty: FaultyIssuer) -> None:
    with FaultyIssuer() as other:
        faulty.tokens["id_token"] = other.token()
        async with aclosing(faulty.provider()) as provider:
            with pytest.raises(IdentityRefused, match="another issuer"):
                await finish(provider)


async def test_a_code_that_is_refused_is_not_repeated(faulty: FaultyIssuer, provider: OidcProvider) -> None:
    said = {"error": "invalid_grant", "error_description": "the code the-code of alice is no good"}
    for body, reason in ((said, "invalid_grant"), ({"error": "the-code"}, "400$"), ({"error": ["x"]}, "400$")):
        faulty.answers["/token"] = (400, {}, json.dumps(body).encode())
        with pytest.raises(IdentityRefused, match=reason) as refused:
            await finish(provider)
        assert "the-code" not in str(refused.value)


async def test_a_token_endpoint_that_is_busy_says_when_to_come_again(
    faulty: FaultyIssuer, provider: OidcProvider
) -> None:
    for status, wait, expected in ((429, "7", 7.0), (503, "soon", None), (500, "9" * 400, None)):
        faulty.answers["/token"] = (status, {"Retry-After": wait}, b"")
        with pytest.raises(ProviderUnavailable, match=str(status)) as unavailable:
            await finish(provider)
        assert unavailable.value.retry_after == expected


async def test_we_say_who_we_are_as_the_issuer_wants_it(faulty: FaultyIssuer) -> None:
    faulty.tokens["id_token"] = faulty.token()
    for methods in (["client_secret_basic"], ["client_secret_post"], None):
        faulty.metadata["token_endpoint_auth_methods_supported"] = methods
        async with aclosing(faulty.provider(client_secret="iam")) as provider:
            await finish(provider)
    basic = next(given for given in faulty.authorizations if given).removeprefix("Basic ")
    pair = [unquote_plus(part) for part in base64.b64decode(basic).decode().split(":")]
    assert pair == [CLIENT, "secret called iam: /?&=%+ü"]
    assert [form.get("client_secret") for form in faulty.forms] == [None, "secret called iam: /?&=%+ü", None]
    assert {form["code_verifier"] for form in faulty.forms} == {"v" * 43}


async def test_a_secret_that_cannot_be_read_is_told_by_whoever_reads_it(faulty: FaultyIssuer) -> None:
    class Missing(Exception):
        pass

    async def missing(name: str) -> str:
        raise Missing(name)

    settings = OidcSettings(issuer=faulty.url, client_id=CLIENT, client_secret="iam", allow_http=True)
    async with aclosing(OidcProvider(settings, missing)) as provider:
        with pytest.raises(Missing, match="iam"):
            await finish(provider)
    assert faulty.asked["/token"] == 0


# ---- settings


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "http://issuer.example.org", "allow_http": True},
        {"issuer": "http://127.0.0.1"},
        {"issuer": "http://127.0.0.1.example.org", "allow_http": True},
        {"issuer": "ftp://issuer.example.org"},
        {"issuer": "https://"},
        {"issuer": "https://user:secret@issuer.example.org"},
        {"issuer": "https://issuer.example.org/#fragment"},
        {"issuer": "https://issuer.example.org:99999"},
        {"issuer": "https://issüer.example.org"},
        {"client_id": ""},
        {"client_secret": "The Secret Itself!"},
        {"client_secret": "../other/iam"},
        {"scopes": ["profile"]},
        {"scopes": ["openid", "two words"]},
        {"scim": True, "profile": "iam"},
        {"scim": True, "client_secret": "iam"},
        {"scim_url": "http://127.0.0.1/scim"},
        {"profile": "other"},
        {"leeway": 3600},
        {"timeout": 0},
        {"unknown": 1},
    ],
)
def test_settings_are_refused_that_say(wrong: dict[str, Any]) -> None:
    good: dict[str, Any] = {"issuer": "https://issuer.example.org", "client_id": CLIENT}
    OidcSettings(**good)
    with pytest.raises(ValidationError):
        OidcSettings(**(good | wrong))
