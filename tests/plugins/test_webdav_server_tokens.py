"""The storage server: whose tokens open which paths."""

import time
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey

from tests.storage_site import Issuer, StorageSite, ask, forged, raw, wait_for

pytestmark = pytest.mark.usefixtures("tree")


# ---- whose tokens


def test_a_request_without_a_token_is_challenged(site: StorageSite) -> None:
    status, headers, _ = raw(site, "GET", "/belle/raw/file", None)
    assert status == 401
    assert headers["WWW-Authenticate"] == 'Bearer realm="one"'


@pytest.mark.parametrize("kid", ["ed", "ec"])
def test_tokens_of_both_kinds_of_keys_are_accepted(site: StorageSite, kid: str) -> None:
    token = site.issuer.token("storage.read:/belle", kid=kid)
    assert raw(site, "GET", "/belle/raw/file", token)[0] == 200


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_the_older_name_of_the_signature_is_accepted(site: StorageSite) -> None:
    token = site.issuer.token("storage.read:/belle", kid="ed", alg="EdDSA")
    assert raw(site, "GET", "/belle/raw/file", token)[0] == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": int(time.time()) - 60},
        {"exp": None},
        {"nbf": int(time.time()) + 86_400},
        {"aud": "storage-two"},
        {"aud": ["storage-two", "storage-three"]},
        {"aud": None},
        {"iss": "https://elsewhere"},
        {"iss": None},
    ],
    ids=[
        "expired",
        "endless",
        "early",
        "another audience",
        "other audiences",
        "no audience",
        "another issuer",
        "no issuer",
    ],
)
def test_a_token_that_is_not_for_here_and_now_is_refused(site: StorageSite, claims: dict[str, Any]) -> None:
    token = site.issuer.token("storage.read:/", **claims)
    status, headers, body = raw(site, "GET", "/belle/raw/file", token)
    assert status == 401
    assert 'error="invalid_token"' in headers["WWW-Authenticate"]
    assert token.encode() not in body


def test_a_token_for_several_audiences_is_accepted(site: StorageSite) -> None:
    assert raw(site, "GET", "/belle/raw/file", site.issuer.token("storage.read:/", aud=["x", "storage-one"]))[0] == 200


def test_a_clock_that_is_a_little_off_does_no_harm(site: StorageSite) -> None:
    token = site.issuer.token("storage.read:/", exp=int(time.time()) - 3, nbf=int(time.time()) + 3)
    assert raw(site, "GET", "/belle/raw/file", token)[0] == 200


def forgeries(issuer: Issuer) -> list[str]:
    header, payload, signature = issuer.token("storage.read:/").split(".")
    claims = {"iss": issuer.url, "aud": "storage-one", "scope": "storage.read:/", "exp": int(time.time()) + 600}
    stranger = ECKey.generate_key("P-256")
    return [
        forged({"alg": "none"}, claims),
        forged({"alg": "none", "kid": "ec"}, claims),
        forged({"alg": "None", "kid": "ec"}, claims),
        forged({"alg": "ES256", "kid": "ec"}, claims),
        forged({"alg": "HS256", "kid": "ec"}, claims, secret=issuer.keys["ec"].as_pem(private=False)),
        forged({"alg": "ES256", "kid": "ec"}, claims, secret=issuer.keys["ec"].as_pem(private=False)),
        forged({"alg": "ES256"}, claims, signature=b"x" * 64),
        forged({"alg": "ES256", "kid": 7}, claims, signature=b"x" * 64),
        forged({"alg": "ES256", "kid": "ec", "crit": ["b64"], "b64": False}, claims, signature=b"x" * 64),
        issuer.token("storage.read:/", key=stranger),
        issuer.token("storage.read:/", key=stranger, kid="nobody's"),
        f"{header}.{payload}.{signature[:-4]}AAAA",
        f"{header}.{payload}",
        f"{header}.{payload}.{signature}.x",
        "not-a-token",
        "ü".encode().decode("latin-1"),
        "a." * 20_000,
    ]


def test_no_forged_token_is_accepted(site: StorageSite) -> None:
    for token in forgeries(site.issuer):
        assert raw(site, "GET", "/belle/raw/file", token)[0] in {400, 401}, token[:80]
    assert raw(site, "GET", "/belle/raw/file", site.issuer.token("storage.read:/"))[0] == 200


def test_a_new_key_is_fetched_and_a_missing_one_is_not_asked_for_each_time(fresh: StorageSite, issuer: Issuer) -> None:
    fresh.start()
    (fresh.root / "file").write_bytes(b"content")
    asked = issuer.asked
    issuer.keys["new"] = ECKey.generate_key("P-256")
    try:
        assert raw(fresh, "GET", "/file", issuer.token("storage.read:/", kid="new"))[0] == 200
        new = issuer.token("storage.read:/", kid="new")
    finally:
        del issuer.keys["new"]
    for token in forgeries(issuer):
        raw(fresh, "GET", "/file", token)
    assert issuer.asked - asked <= 3
    assert raw(fresh, "GET", "/file", new)[0] == 200, "a key lives on until the set is fetched anew"


def test_known_keys_go_on_working_while_the_issuer_is_away(fresh: StorageSite, issuer: Issuer) -> None:
    fresh.start()
    (fresh.root / "file").write_bytes(b"content")
    good = issuer.token("storage.read:/")
    issuer.away = True
    try:
        status, headers, _ = raw(fresh, "GET", "/file", good)
        assert (status, headers["Retry-After"]) == (503, "3"), "nothing was fetched yet, so nobody can know"
        issuer.away = False
        wait_for(lambda: raw(fresh, "GET", "/file", good)[0] == 200, "the fetch of the keys")
        issuer.away = True
        assert raw(fresh, "GET", "/file", good)[0] == 200
    finally:
        issuer.away = False


# ---- tokens in URLs


def in_url(site: StorageSite, method: str, path: str, scope: str, body: bytes | None = None, **headers: str) -> int:
    """Ask with a token in the query alone."""
    signed = f"{path}?authz=Bearer%20{site.issuer.token(scope)}"
    return raw(site, method, signed, None, body, **headers)[0]


def test_a_token_in_a_url_counts_for_exactly_its_path(site: StorageSite) -> None:
    assert in_url(site, "GET", "/belle/raw/file", "storage.read:/belle/raw/file") == 200
    for wide in ("storage.read:/", "storage.read:/belle/raw", "storage.modify:/belle/raw/file"):
        assert in_url(site, "GET", "/belle/raw/file", wide) == 403, wide
    token = site.issuer.token("storage.read:/belle/raw/file")
    for query in (f"authz={token}", f"authz=Basic%20{token}", f"authz=Bearer%20{token}&authz=Bearer%20x", "authz="):
        assert raw(site, "GET", f"/belle/raw/file?{query}", None)[0] == 401, query
    assert raw(site, "GET", f"/belle/raw/file?authz=Bearer%20{token}", "rubbish")[0] == 401
    assert token not in site.log()


def test_who_may_put_a_file_may_look_at_it_and_at_no_folder(site: StorageSite) -> None:
    scope = "storage.create:/belle/raw/put-by-url"
    assert in_url(site, "PUT", "/belle/raw/put-by-url", scope, b"abc") == 201
    assert in_url(site, "PROPFIND", "/belle/raw/put-by-url", scope, Depth="1") == 207
    assert in_url(site, "GET", "/belle/raw/put-by-url", scope) == 403
    assert in_url(site, "PUT", "/belle/raw/put-by-url", scope, b"abd") == 403
    assert in_url(site, "PROPFIND", "/belle/raw", "storage.create:/belle/raw", Depth="1") == 403


# ---- which paths

READS = [
    ("storage.read:/", "/belle/raw/file", 200),
    ("storage.read:/belle", "/belle/raw/file", 200),
    ("storage.read:/belle/", "/belle/raw/file", 200),
    ("storage.read:/belle/raw/file", "/belle/raw/file", 200),
    ("storage.read:/belle/r%61w", "/belle/raw/file", 200),
    ("storage.read:/belle", "/belle/r%61w/file", 200),
    ("storage.read:/belle", "//belle///raw/file", 200),
    ("openid storage.read:/nowhere storage.read:/belle offline_access", "/belle/raw/file", 200),
    ("storage.read:/belle", "/belle2/file", 403),
    ("storage.read:/bell", "/belle/raw/file", 403),
    ("storage.read:/belle/raw/file/more", "/belle/raw/file", 403),
    ("storage.read:/belle/raw/fil", "/belle/raw/file", 403),
    ("storage.read:/BELLE", "/belle/raw/file", 403),
    ("storage.modify:/belle storage.create:/belle", "/belle/raw/file", 403),
    ("storage.read:belle", "/belle/raw/file", 403),
    ("storage.read:", "/belle/raw/file", 403),
    ("storage.read", "/belle/raw/file", 403),
    ("storage.read:/belle/../", "/belle/raw/file", 403),
    ("storage.read:/belle2/../belle", "/belle/raw/file", 403),
    ("storage.reads:/belle", "/belle/raw/file", 403),
    ("storage.stage:/belle", "/belle/raw/file", 403),
    ("", "/belle/raw/file", 403),
    ("storage.read:/belle", "/belle/../belle2/file", 400),
    ("storage.read:/belle", "/belle/%2e%2e/belle2/file", 400),
    ("storage.read:/belle", "/belle/.%2E/belle2/file", 400),
    ("storage.read:/belle", "/belle/%252e%252e/belle2/file", 400),
    ("storage.read:/belle", "/belle/..%2fbelle2/file", 400),
    ("storage.read:/belle", "/belle/..%252fbelle2/file", 400),
    ("storage.read:/belle", "/belle/%25%32%66", 400),
    ("storage.read:/belle", "/belle/per%25cent", 404),
    ("storage.read:/belle", "/belle%2Fraw/file", 400),
    ("storage.read:/belle", "/belle/./raw/file", 400),
    ("storage.read:/belle", "/belle/..\\belle2\\file", 400),
    ("storage.read:/belle", "/belle/raw/file%00", 400),
    ("storage.read:/belle", "/belle/raw%0a/file", 400),
    ("storage.read:/belle", "/belle/%ff/file", 400),
    ("storage.read:/belle", "/belle/%c0%ae%c0%ae/file", 400),
    ("storage.read:/belle", "/belle/%zz/file", 400),
    ("storage.read:/belle", f"/belle/{'a' * 300}", 400),
    ("storage.read:/", "/.sancho/incoming", 403),
    ("storage.read:/", "/%2esancho/incoming/file", 403),
    ("storage.read:/belle", "/belle/raw/nothing", 404),
    ("storage.read:/belle", "/belle/raw/file/below", 404),
    ("storage.read:/belle", "/belle/raw", 404),
]


@pytest.mark.parametrize(("scope", "path", "status"), READS)
def test_a_token_opens_its_paths_and_what_is_below_them(site: StorageSite, scope: str, path: str, status: int) -> None:
    token = site.issuer.token(scope)
    assert raw(site, "GET", path, token)[0] == status
    assert raw(site, "HEAD", path, token)[0] == (200 if "modify" in scope else status)


def test_a_scope_that_is_no_text_grants_nothing(site: StorageSite) -> None:
    assert raw(site, "GET", "/belle/raw/file", site.issuer.token(["storage.read:/"]))[0] == 403


VERBS = [
    # method, path, read, create, modify
    ("GET", "/belle/raw/file", 200, 403, 403),
    ("HEAD", "/belle/raw/file", 200, 200, 200),
    ("PROPFIND", "/belle/raw", 207, 403, 403),
    ("PUT", "/belle/raw/new", 403, 201, 201),
    ("PUT", "/belle/raw/file", 403, 403, 204),
    ("DELETE", "/belle/raw/file", 403, 403, 204),
    ("MKCOL", "/belle/raw/folder", 403, 201, 201),
]


@pytest.mark.parametrize(("method", "path", "read", "create", "modify"), VERBS)
def test_each_method_needs_its_grant(
    site: StorageSite, method: str, path: str, read: int, create: int, modify: int
) -> None:
    for verb, expected in (("read", read), ("create", create), ("modify", modify)):
        for made in ("new", "folder"):
            target = site.root / "belle/raw" / made
            target.rmdir() if target.is_dir() else target.unlink(missing_ok=True)
        (site.root / "belle/raw/file").write_bytes(b"content")
        body = b"new content" if method == "PUT" else None
        response = ask(site, method, path, f"storage.{verb}:/belle/raw", body, Depth="1")
        assert response.status_code == expected, verb
        if expected == 403 and method != "HEAD":
            assert response.headers["content-type"] == "application/problem+json"
            assert "WWW-Authenticate" not in response.headers


def test_folders_above_a_file_one_may_write_may_be_made(site: StorageSite) -> None:
    scope = "storage.create:/gridpp/run1/file"
    assert ask(site, "MKCOL", "/gridpp", scope).status_code == 201
    assert ask(site, "MKCOL", "/gridpp/run1/", scope).status_code == 201
    assert ask(site, "MKCOL", "/gridpp/run1/", scope).status_code == 405
    assert ask(site, "MKCOL", "/gridpp/run2", scope).status_code == 403
    assert ask(site, "MKCOL", "/gridpp/run1/file/a/b", scope).status_code == 409


@pytest.mark.parametrize("method", ["MOVE", "COPY", "LOCK", "UNLOCK", "PROPPATCH", "POST", "PATCH", "TRACE"])
def test_what_is_not_done_here_is_refused(site: StorageSite, method: str) -> None:
    response = ask(site, method, "/belle/raw/file", "storage.modify:/ storage.read:/", Destination="/belle2/file2")
    assert response.status_code == 405
    assert "PUT" in response.headers["Allow"]


def test_health_needs_no_token_and_is_no_file(site: StorageSite) -> None:
    assert raw(site, "GET", "/healthz", None)[0] == 200
    assert raw(site, "PUT", "/healthz", site.issuer.token("storage.modify:/"), b"x")[0] == 403


def test_symbolic_links_lead_nowhere(site: StorageSite, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    links = site.root / "links"
    links.mkdir()
    (links / "file").symlink_to(tmp_path / "secret")
    (links / "folder").symlink_to(tmp_path)
    with site.client() as client:
        assert client.get("/links/file").status_code == 404
        assert client.get("/links/folder/secret").status_code == 404
        assert client.put("/links/folder/new", content=b"x").status_code == 409
        assert b"secret" not in client.request("PROPFIND", "/links/folder", headers={"Depth": "1"}).content
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]
