"""The login cache: private, renewed in time, by one process at a time. The answers of the server are played."""

import base64
import json
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from httpx2 import MockTransport, Request, Response

from sancho_client import Client
from sancho_client.calls import identity
from sancho_client.environment import Environment
from sancho_client.errors import BadInput, NotLoggedIn
from sancho_client.tokens import (
    CachedLogin,
    GivenToken,
    Login,
    TokenCache,
    TokenFile,
    remember_server,
    source,
    vo_of,
)
from tests.client.driving import play

URL = "https://grid.example.org:8443"


def login(token: str = "old", *, seconds: float = 3600, refresh: str | None = "r1", vo: str = "belle") -> Login:
    expires = datetime.now(UTC) + timedelta(seconds=seconds)
    return Login(url=URL, vo=vo, account="alice", access_token=token, refresh_token=refresh, expires_at=expires)


@pytest.fixture
def cache(tmp_path: Path) -> TokenCache:
    return TokenCache(tmp_path / "config", URL)


def renewed(token: str = "new", refresh: str = "r2") -> Response:
    return Response(200, json={"access_token": token, "refresh_token": refresh, "expires_in": 3600})


def test_a_login_is_kept_where_nobody_else_can_read_it(cache: TokenCache, tmp_path: Path) -> None:
    cache.keep(login())

    folder = tmp_path / "config" / "tokens"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "grid.example.org_8443.json").stat().st_mode) == 0o600


def test_logins_are_told_apart_by_server_and_vo(cache: TokenCache, tmp_path: Path) -> None:
    cache.keep(login("b", vo="belle"), make_last=True)
    cache.keep(login("g", vo="gridpp"), make_last=True)

    found = {vo: cache.find(vo) for vo in ("belle", "gridpp", None, "lhcb")}

    assert {vo: f and f.access_token for vo, f in found.items()} == {
        "belle": "b",
        "gridpp": "g",
        None: "g",
        "lhcb": None,
    }
    assert TokenCache(tmp_path / "config", "http://grid.example.org:8443").find("belle") is None


def test_a_forgotten_login_makes_room_for_the_other(cache: TokenCache) -> None:
    cache.keep(login("b", vo="belle"), make_last=True)
    cache.keep(login("g", vo="gridpp"), make_last=True)

    cache.forget("gridpp")

    assert cache.vos() == ["belle"]
    assert (last := cache.find(None)) is not None
    assert last.vo == "belle"


def test_a_good_token_is_used_as_it_is(cache: TokenCache) -> None:
    cache.keep(login("good"))

    played = play(CachedLogin(cache, None).token(None), [])

    assert played.result == "good"


def test_a_token_is_renewed_before_it_expires(cache: TokenCache) -> None:
    cache.keep(login(seconds=20))

    played = play(CachedLogin(cache, "belle").token(None), [renewed()])

    assert played.result == "new"
    form = parse_qs(played.requests[0].content.decode())
    assert form == {"grant_type": ["refresh_token"], "refresh_token": ["r1"]}
    assert (kept := cache.find("belle")) is not None
    assert (kept.access_token, kept.refresh_token) == ("new", "r2")


def test_a_token_that_the_server_does_not_take_is_renewed(cache: TokenCache) -> None:
    cache.keep(login("old"))

    assert play(CachedLogin(cache, "belle").token("old"), [renewed()]).result == "new"


def test_a_token_that_another_process_has_renewed_is_taken_over(cache: TokenCache) -> None:
    cache.keep(login("newer"))

    assert play(CachedLogin(cache, "belle").token("old"), []).result == "newer"


def test_a_login_that_is_over_says_so_and_is_forgotten(cache: TokenCache) -> None:
    cache.keep(login(seconds=0))

    played = play(CachedLogin(cache, "belle").token(None), [Response(401, json={"code": "refresh_refused"})])

    assert isinstance(played.error, NotLoggedIn)
    assert played.error.hint == "Run `sancho login --vo belle`."
    assert cache.find("belle") is None


def test_a_server_that_fails_does_not_end_a_login(cache: TokenCache) -> None:
    cache.keep(login(seconds=0))

    play(CachedLogin(cache, "belle").token(None), [Response(500, json={"code": "bug"})])

    assert cache.find("belle") is not None


def test_a_missing_login_names_those_there_are(cache: TokenCache) -> None:
    cache.keep(login(vo="gridpp"))

    error = play(CachedLogin(cache, "belle").token(None), []).error

    assert isinstance(error, NotLoggedIn)
    assert error.hint == "Run `sancho login --vo belle`. There are logins for gridpp."


def test_many_at_once_renew_a_token_once(cache: TokenCache, tmp_path: Path) -> None:
    cache.keep(login(seconds=0))
    used: list[str] = []
    arrived = threading.Event()

    def answer(request: Request) -> Response:
        if request.url.path == "/v1/auth/token":
            used.append(parse_qs(request.content.decode())["refresh_token"][0])
            arrived.wait(0.2)
            return renewed()
        assert request.headers["authorization"] == "Bearer new"
        return Response(200, json={"vo": "belle", "account": "alice"})

    environment = Environment(config_home=tmp_path / "config")

    def ask() -> None:
        with Client(URL, environment=environment, transport=MockTransport(answer)) as client:
            assert client.send(identity.whoami()).account == "alice"

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert used == ["r1"]


def test_a_token_file_is_read_each_time(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("one\n")
    tokens = TokenFile(path)
    assert play(tokens.token(None), []).result == "one"

    path.write_text("two")
    assert play(tokens.token("one"), []).result == "two"

    path.unlink()
    assert isinstance(play(tokens.token(None), []).error, BadInput)


def test_a_given_token_goes_before_a_file_and_a_file_before_a_login(tmp_path: Path) -> None:
    both = Environment(token="t", token_file=tmp_path / "token", config_home=tmp_path)
    file = Environment(token_file=tmp_path / "token", config_home=tmp_path)

    assert isinstance(source(both, URL, None), GivenToken)
    assert isinstance(source(file, URL, None), TokenFile)
    assert isinstance(source(Environment(config_home=tmp_path), URL, None), CachedLogin)


def token_of(vo: str) -> str:
    """A token as servers of ours sign them, but for its signature."""
    body = json.dumps({"sub": f"{vo}:alice"}).encode()
    return f"e30.{base64.urlsafe_b64encode(body).decode().rstrip('=')}.x"


def chosen(environment: Environment, vo: str | None) -> str | NotLoggedIn | None:
    """The token that is sent, or why none is."""
    played = play(source(environment, URL, vo).token(None), [])
    assert played.error is None or isinstance(played.error, NotLoggedIn)
    return played.error or played.result


@pytest.mark.parametrize("by_variable", [False, True])
def test_a_token_for_another_vo_than_the_one_wanted_is_never_sent(tmp_path: Path, by_variable: bool) -> None:
    said, variable = (None, "gridpp") if by_variable else ("gridpp", None)
    environment = Environment(token=token_of("belle"), vo=variable, config_home=tmp_path / "config")

    refused = chosen(environment, said)

    assert isinstance(refused, NotLoggedIn)
    assert refused.message == "The token in SANCHO_TOKEN speaks for VO belle, not for gridpp."
    assert "sancho login --vo gridpp" in str(refused.hint)
    assert 'eval "$(sancho env --vo gridpp)"' in str(refused.hint)
    assert chosen(environment, "belle") == token_of("belle")

    TokenCache(tmp_path / "config", URL).keep(login("mine", vo="gridpp"))
    assert chosen(environment, said) == "mine"


def test_a_token_file_for_another_vo_makes_way_for_the_one_beside_it(tmp_path: Path) -> None:
    (tmp_path / "belle").write_text(token_of("belle"))
    (tmp_path / "gridpp").write_text(token_of("gridpp"))
    (tmp_path / "lhcb").write_text(token_of("belle"))
    environment = Environment(token_file=tmp_path / "belle", vo="belle", config_home=tmp_path / "config")

    assert chosen(environment, None) == token_of("belle")
    assert chosen(environment, "gridpp") == token_of("gridpp")
    for missing in ("lhcb", "atlas", "../belle", ""):
        found = chosen(environment, missing)
        assert isinstance(found, NotLoggedIn) if missing else found == token_of("belle")


def test_what_a_token_says_of_its_vo_is_read_only_where_it_can_be() -> None:
    assert vo_of(token_of("belle")) == "belle"
    for odd in (None, "", "opaque", "a.b.c", "e30.e30.x", "e30.W10.x", "e30.!!.x", "e30.eyJzdWIiOiAieCJ9.x"):
        assert vo_of(odd) is None


def test_a_cache_that_cannot_be_read_is_an_empty_one(cache: TokenCache, tmp_path: Path) -> None:
    cache.keep(login())
    (tmp_path / "config" / "tokens" / "grid.example.org_8443.json").write_text("{")

    assert cache.find("belle") is None


def test_the_server_of_the_last_login_is_the_one_to_talk_to(tmp_path: Path) -> None:
    environment = Environment(config_home=tmp_path)
    with pytest.raises(BadInput, match="No server is known"):
        Client(environment=environment)

    remember_server(environment, URL)

    with Client(environment=environment) as client:
        assert client.url == URL


def test_empty_variables_count_as_unset(tmp_path: Path) -> None:
    found = Environment.read({"SANCHO_URL": "", "SANCHO_TOKEN": "", "XDG_CONFIG_HOME": str(tmp_path)})

    assert found == Environment(config_home=tmp_path / "sancho")


def test_a_proxy_goes_before_a_certificate_whose_key_may_be_in_its_own_file(tmp_path: Path) -> None:
    certificate, key, proxy = ({f"X509_USER_{what}": f"/x/{what}"} for what in ("CERT", "KEY", "PROXY"))

    for given, files in (
        (certificate | key, ("/x/CERT", "/x/KEY")),
        (certificate, ("/x/CERT", "/x/CERT")),
        (certificate | key | proxy, ("/x/PROXY", "/x/PROXY")),
    ):
        found = Environment.read({**given, "SANCHO_CONFIG_HOME": str(tmp_path)})
        assert found == Environment(config_home=tmp_path, certificate=(Path(files[0]), Path(files[1])))
    assert Environment.read({**key, "SANCHO_CONFIG_HOME": str(tmp_path)}).certificate is None
