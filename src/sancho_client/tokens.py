"""Where tokens come from: the environment, a file that others renew, or a login that we renew ourselves.

Logins are kept in `tokens/HOST.json` below the configuration folder (file 0600, folder 0700), one for each server URL
and VO. A refresh token is good for one use, and using it again later ends the login: so refreshing happens under a file
lock, the file is read again once the lock is held, and it is replaced in one step.
"""

import base64
import contextlib
import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from httpx2 import Request
from pydantic import BaseModel, ValidationError

from sancho_client.call import Call
from sancho_client.environment import Environment
from sancho_client.errors import BadInput, NotLoggedIn, Problem
from sancho_client.exchange import Patience, Steps, TokenSource, Wait, carry
from sancho_client.models.identity import Tokens

EARLY = timedelta(seconds=30)
"""A token is renewed this long before it expires."""
LOCK_PAUSE = 0.05
RENEWAL = 15.0
"""Seconds that a renewal may wait for the server."""


class Login(BaseModel):
    """What is remembered of one login."""

    url: str
    vo: str
    account: str
    access_token: str
    refresh_token: str | None = None
    expires_at: datetime

    @classmethod
    def of(cls, tokens: Tokens, *, url: str, vo: str, account: str) -> "Login":
        """Remember tokens that have just been issued."""
        return cls(
            url=url,
            vo=vo,
            account=account,
            access_token=tokens.access_token,
            refresh_token=tokens.refresh_token,
            expires_at=datetime.now(UTC) + timedelta(seconds=tokens.expires_in),
        )


class _File(BaseModel):
    last_vo: str | None = None
    logins: list[Login] = []


class TokenCache:
    """The logins to one server, in one file."""

    def __init__(self, config_home: Path, url: str) -> None:
        self.url = url.rstrip("/")
        self._folder = config_home / "tokens"
        host = urlsplit(self.url).netloc.rpartition("@")[2].replace(":", "_") or "unknown"
        self._path = self._folder / f"{host}.json"

    def find(self, vo: str | None) -> Login | None:
        """The login for a VO; without a VO, the one that was made last."""
        file = self._read()
        wanted = vo or file.last_vo
        return next((n for n in file.logins if n.url == self.url and n.vo == wanted), None)

    def vos(self) -> list[str]:
        """The VOs that there are logins for."""
        return sorted(n.vo for n in self._read().logins if n.url == self.url)

    def keep(self, login: Login, *, make_last: bool = False) -> None:
        """Remember a login instead of an earlier one for the same VO. Hold the lock."""
        file = self._read()
        others = [n for n in file.logins if (n.url, n.vo) != (login.url, login.vo)]
        last = login.vo if make_last or file.last_vo is None else file.last_vo
        self._write(_File(last_vo=last, logins=[*others, login]))

    def forget(self, vo: str) -> None:
        """Forget a login; forgetting none is fine. Hold the lock."""
        file = self._read()
        rest = [n for n in file.logins if (n.url, n.vo) != (self.url, vo)]
        left = [n.vo for n in rest if n.url == self.url]
        self._write(_File(last_vo=file.last_vo if file.last_vo in left else next(iter(left), None), logins=rest))

    @contextlib.contextmanager
    def try_lock(self) -> Iterator[bool]:
        """Take the lock if nobody else has it, and say whether it was taken."""
        self._make_folder()
        lock = os.open(self._path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(lock)

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Take the lock; waits for it."""
        self._make_folder()
        lock = os.open(self._path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _make_folder(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _read(self) -> _File:
        try:
            return _File.model_validate_json(self._path.read_bytes())
        except (FileNotFoundError, ValidationError):
            # What we cannot read any more is worth no more than a new login.
            return _File()

    def _write(self, file: _File) -> None:
        write_private(self._path, file.model_dump_json(indent=1))


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step; only its owner may read it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


class NoToken:
    """No token, for calls that need none."""

    def token(self, _rejected: str | None, /) -> Steps[str | None]:
        """There is none."""
        return None
        yield  # pyright: ignore[reportUnreachable]


NO_TOKEN = NoToken()


class GivenToken:
    """A token that somebody gave us; when it expires, that is that."""

    variable = "SANCHO_TOKEN"

    def __init__(self, token: str) -> None:
        self._token = token.strip()

    def token(self, _rejected: str | None, /) -> Steps[str | None]:
        """Hand out the same token again."""
        return self._token
        yield  # pyright: ignore[reportUnreachable]


class TokenFile:
    """A file that holds a token; somebody else renews it, so it is read for each request."""

    variable = "SANCHO_TOKEN_FILE"

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def exists(self) -> bool:
        """True when there is such a file."""
        return self._path.is_file()

    def token(self, _rejected: str | None, /) -> Steps[str | None]:
        """Read the file."""
        try:
            return self._path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as e:
            raise BadInput(f"The token file {self._path} cannot be read: {e}", hint="See SANCHO_TOKEN_FILE.") from e
        yield  # pyright: ignore[reportUnreachable]


class CachedLogin:
    """A login of ours, renewed before it expires and whenever the server does not take it any more."""

    def __init__(self, cache: TokenCache, vo: str | None) -> None:
        self._cache = cache
        self._vo = vo

    @property
    def exists(self) -> bool:
        """True when there is such a login, be it over by now."""
        return self._cache.find(self._vo) is not None

    def token(self, rejected: str | None, /) -> Steps[str | None]:
        """The cached token, or a new one in its place; raises `NotLoggedIn`."""
        login = self._find()
        while not _good(login, rejected):
            with self._cache.try_lock() as locked:
                if locked:
                    login = self._find()
                    return login.access_token if _good(login, rejected) else (yield from self._renew(login))
            yield Wait(LOCK_PAUSE)
            login = self._find()
        return login.access_token

    def _find(self) -> Login:
        login = self._cache.find(self._vo)
        if login is None:
            there = self._cache.vos()
            said = f" for VO {self._vo}" if self._vo else ""
            hint = f"Run `sancho login --vo {self._vo or 'VO'}`."
            raise NotLoggedIn(
                f"You are not logged in to {self._cache.url}{said}.",
                hint=f"{hint} There are logins for {', '.join(there)}." if there else hint,
            )
        return login

    def _renew(self, login: Login) -> Steps[str]:
        over = NotLoggedIn(
            f"The login of {login.account} to {login.url} is over.", hint=f"Run `sancho login --vo {login.vo}`."
        )
        if login.refresh_token is None:
            raise over
        form = {"grant_type": "refresh_token", "refresh_token": login.refresh_token}
        call = Call(method="POST", path="/v1/auth/token", answer=Tokens, form=form, public=True, repeatable=True)
        try:
            tokens = yield from carry(
                call, lambda _token: _request(login.url, call), NO_TOKEN, Patience(seconds=RENEWAL)
            )
        except Problem as problem:
            if problem.status not in {400, 401, 403}:
                raise
            self._cache.forget(login.vo)
            raise over from problem
        renewed = Login.of(tokens, url=login.url, vo=login.vo, account=login.account)
        self._cache.keep(renewed)
        return renewed.access_token


def _request(url: str, call: Call[Tokens]) -> Request:
    return Request(call.method, url + call.path, data=call.form)


def _good(login: Login, rejected: str | None) -> bool:
    return login.access_token != rejected and login.expires_at - EARLY > datetime.now(UTC)


class OfVo:
    """A token of the environment's, for those who want one VO: one that speaks for another VO is never sent.

    Then the login for that VO is used, or a token in a file that is named like the VO, beside SANCHO_TOKEN_FILE.
    """

    def __init__(self, given: "GivenToken | TokenFile", vo: str, login: CachedLogin, beside: TokenFile | None) -> None:
        self._given = given
        self._vo = vo
        self._login = login
        self._beside = beside

    def token(self, rejected: str | None, /) -> Steps[str | None]:
        """A token for the VO; raises `NotLoggedIn` when there is none."""
        token = yield from self._given.token(rejected)
        other = vo_of(token)
        if other in {None, self._vo}:
            return token
        if self._login.exists:
            return (yield from self._login.token(rejected))
        if self._beside is not None and self._beside.exists:
            found = yield from self._beside.token(rejected)
            if vo_of(found) == self._vo:
                return found
        raise NotLoggedIn(
            f"The token in {self._given.variable} speaks for VO {other}, not for {self._vo}.",
            hint=f"Run `sancho login --vo {self._vo}`; on a grid of this machine: "
            f'eval "$(sancho env --vo {self._vo})".',
        )


def vo_of(token: str | None) -> str | None:
    """The VO that a token of ours speaks for, which nobody has verified; None when it does not say."""
    return (_subject(token) or (None, None))[0]


def account_of(token: str | None) -> str | None:
    """The account that a token of ours speaks for, which nobody has verified; None when it does not say."""
    return (_subject(token) or (None, None))[1]


def _subject(token: str | None) -> tuple[str, str] | None:
    try:
        body = (token or "").split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        vo, mark, account = str(claims["sub"]).partition(":")
    except (IndexError, KeyError, TypeError, ValueError):
        return None
    return (vo, account) if mark else None


def source(environment: Environment, url: str, vo: str | None) -> TokenSource:
    """The tokens for one server: SANCHO_TOKEN, SANCHO_TOKEN_FILE, or a login, in that order.

    Where a VO is wanted, by argument or SANCHO_VO, a token for another VO is passed over.
    """
    wanted = vo or environment.vo
    login = CachedLogin(TokenCache(environment.config_home, url), wanted)
    file = environment.token_file
    given = GivenToken(environment.token) if environment.token else TokenFile(file) if file else None
    if given is None or wanted is None:
        return given or login
    named = wanted not in {"", ".", ".."} and "/" not in wanted
    return OfVo(given, wanted, login, TokenFile(file.with_name(wanted)) if file and named else None)


class _Server(BaseModel):
    url: str


def remember_server(environment: Environment, url: str) -> None:
    """Make a server the one to talk to when SANCHO_URL is not set."""
    write_private(environment.config_home / "server.json", _Server(url=url).model_dump_json())


def remembered_server(environment: Environment) -> str | None:
    """The server of the last login."""
    try:
        return _Server.model_validate_json((environment.config_home / "server.json").read_bytes()).url
    except (FileNotFoundError, ValidationError):
        return None
