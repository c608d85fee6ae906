"""The one issuer of tokens: keys in a folder, signing, checking.

Each key is a file of its own, `KID.jwk`, in a folder that only its owner may enter. There are two kinds: Ed25519 for
tokens that come back to us, ES256 for storages, whose software (libscitokens) knows nothing newer. The newest key of
a kind signs, one for storages after it has been published for long enough for them to have read it; all are
published, a replaced one for as long as a token that it has signed may live. The folder is looked at at most once a
second, and at once for a token of an unknown key. So without a restart a new key checks everywhere at once, signs
within a second, and a key that is removed is trusted no more within a second.

A token whose header is, byte for byte, one that we write is checked here, by cryptography's Ed25519; any other goes
through joserfc, which is as strict and slower.
"""

import hashlib
import hmac
import json
import os
import stat
import tempfile
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, GuestProtocol, OKPKey
from joserfc.util import urlsafe_b64decode, urlsafe_b64encode

from sancho.kit.access import Algorithm
from sancho.kit.clock import Clock, SystemClock
from sancho.kit.errors import SanchoError, Unauthorized

ALGORITHM = "Ed25519"
ALGORITHMS: tuple[Algorithm, ...] = (ALGORITHM, "ES256")
ANNOUNCED: dict[Algorithm, timedelta] = {ALGORITHM: timedelta(), "ES256": timedelta(minutes=20)}
"""How long a key is published before it signs: libscitokens reads the keys that it knows of again after 10 minutes."""
TYPE = "at+jwt"
LONGEST_TOKEN = timedelta(days=7)
LONGEST_TEXT = 16_384
LOOK_EVERY = timedelta(seconds=1)
"""The folder of keys is looked at no more often."""
REMEMBERED = timedelta(seconds=30)
"""For so long a process may remember who a token stands for."""
SKEW = 60
"""Seconds by which the clocks of two of our servers may differ."""


class TokenInvalid(Unauthorized):
    """This token is not valid: {reason}."""

    code = "token_invalid"

    def __init__(self, *, reason: str) -> None:
        """Say what is wrong with it."""
        super().__init__(reason=reason, hint="Run `sancho login` for a new one.")


class TokenExpired(Unauthorized):
    """This token has expired."""

    code = "token_expired"

    def __init__(self) -> None:
        """Say how to get a new one."""
        super().__init__(hint="Use the refresh token, or run `sancho login`.")


class KeysExposed(SanchoError):
    """The folder of signing keys {folder} can be read by others than its owner."""

    code = "keys_exposed"

    def __init__(self, *, folder: str) -> None:
        """Say how to close it."""
        super().__init__(folder=folder, hint=f"Run `chmod 700 {folder}`, and consider the keys in it known to others.")


class KeyUnreadable(SanchoError):
    """The signing key {path} is not an Ed25519 key that we have made."""

    code = "key_unreadable"

    def __init__(self, *, path: str) -> None:
        """Name the file."""
        super().__init__(path=path, hint="Remove it, or restore it from a backup.")


class NoSigningKey(SanchoError):
    """There is no signing key in {folder}."""

    code = "no_signing_key"

    def __init__(self, *, folder: str) -> None:
        """Say how to make one."""
        super().__init__(folder=folder, hint="Run `sancho init`.")


class LifetimeTooLong(SanchoError):
    """No token of ours may live longer than {longest}."""

    code = "lifetime_too_long"

    def __init__(self, *, longest: str) -> None:
        """Keys are retired by it."""
        super().__init__(longest=longest)


@dataclass(frozen=True)
class SigningKey:
    """One key: the newest of its kind signs, all check."""

    kid: str
    algorithm: Algorithm
    made_at: datetime
    key: OKPKey | ECKey

    @property
    def header(self) -> str:
        """The first part of the access tokens that it signs, as joserfc writes it."""
        said = {"typ": TYPE, "alg": ALGORITHM, "kid": self.kid}
        return urlsafe_b64encode(json.dumps(said, separators=(",", ":")).encode()).decode()

    @property
    def public(self) -> Ed25519PublicKey:
        """What checks its signatures, if it is of our own kind."""
        return cast(Ed25519PublicKey, self.key.public_key)

    @property
    def signs_from(self) -> datetime:
        """When it takes over from the one before it."""
        return self.made_at + ANNOUNCED[self.algorithm]


def rotate(folder: Path, *, clock: Clock | None = None) -> str:
    """Add a key of each kind to the folder, which is made when missing.

    Return the id of the one that from now on signs tokens for ourselves. Keys that were replaced longer ago than any
    token lives are removed.
    """
    now = (clock or SystemClock()).now()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for keys in _by_kind(_read(folder)):
        for successor, old in pairwise(keys):
            if successor.signs_from + LONGEST_TOKEN < now:
                (folder / f"{old.kid}.jwk").unlink(missing_ok=True)
    made = [_make(folder, algorithm, now) for algorithm in ALGORITHMS]
    return made[0]


def ensure_key(folder: Path, *, clock: Clock | None = None) -> None:
    """Make the first keys of an installation; of what kind there is one in the folder, make none."""
    now = (clock or SystemClock()).now()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    kinds = {key.algorithm for key in _read(folder)}
    for algorithm in ALGORITHMS:
        if algorithm not in kinds:
            _make(folder, algorithm, now)


def _make(folder: Path, algorithm: Algorithm, now: datetime) -> str:
    made = {"Ed25519": lambda: OKPKey.generate_key("Ed25519"), "ES256": lambda: ECKey.generate_key("P-256")}
    key = made[algorithm]()
    kid = key.thumbprint()
    said = key.as_dict(private=True) | {"kid": kid, "alg": algorithm, "use": "sig", "made_at": now.isoformat()}
    with tempfile.NamedTemporaryFile("w", dir=folder, prefix=".new-", delete=False) as file:
        json.dump(said, file)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).rename(folder / f"{kid}.jwk")
    return kid


def _by_kind(keys: list[SigningKey]) -> list[list[SigningKey]]:
    """The same keys apart, in the same order."""
    return [[key for key in keys if key.algorithm == algorithm] for algorithm in ALGORITHMS]


def _read(folder: Path) -> list[SigningKey]:
    """Every key in a folder, newest first."""
    if folder.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeysExposed(folder=str(folder))
    keys = [_read_key(path) for path in folder.glob("*.jwk")]
    return sorted(keys, key=lambda key: (key.made_at, key.kid), reverse=True)


def _read_key(path: Path) -> SigningKey:
    try:
        said = json.loads(path.read_text("utf-8"))
        made_at = datetime.fromisoformat(said.pop("made_at"))
        algorithm = cast(Algorithm, said.get("alg"))
        key = (ECKey if algorithm == "ES256" else OKPKey).import_key(said)
    except (ValueError, KeyError, TypeError, AttributeError, JoseError) as e:
        raise KeyUnreadable(path=str(path)) from e
    curve = {"Ed25519": "Ed25519", "ES256": "P-256"}.get(algorithm)
    if key.curve_name != curve or not key.is_private or said.get("kid") != path.stem or made_at.tzinfo is None:
        raise KeyUnreadable(path=str(path))
    return SigningKey(path.stem, algorithm, made_at, key)


class Issuer:
    """Signs and checks tokens in the name of one installation; a `kit.access.Signer`."""

    def __init__(
        self,
        folder: Path,
        issuer_url: str,
        *,
        access: timedelta = timedelta(hours=1),
        refresh: timedelta = timedelta(days=30),
        clock: Clock | None = None,
    ) -> None:
        """Sign with the keys in `folder`; `access` and `refresh` are how long the tokens of users live."""
        self.issuer = issuer_url
        self.access = access
        self.refresh = refresh
        self.clock = clock or SystemClock()
        self._folder = folder
        self._names: tuple[str, ...] | None = None
        self._keys: list[SigningKey] = []
        self._looked_at: datetime | None = None
        self._checks: dict[str, tuple[Ed25519PublicKey, datetime | None]] = {}
        self._void: dict[str, float] = {}

    def sign(
        self, claims: Mapping[str, Any], lifetime: timedelta, *, algorithm: Algorithm = ALGORITHM, kind: str = TYPE
    ) -> str:
        """Make a JWT: `claims` and our `iss`, `iat`, `nbf`, `exp`, `jti`; it lives a week at most.

        `kind` is its `typ`: only that of access tokens passes `check`.
        """
        if lifetime > LONGEST_TOKEN:
            raise LifetimeTooLong(longest=str(LONGEST_TOKEN))
        at = self.clock.now()
        key, now = self._signing(algorithm, at), int(at.timestamp())
        ours = {"iss": self.issuer, "iat": now, "nbf": now, "exp": now + int(lifetime.total_seconds())}
        header = {"alg": algorithm, "kid": key.kid, "typ": kind}
        said = {**claims, **ours, "jti": uuid.uuid4().hex}
        return jwt.encode(header, said, key.key, algorithms=[algorithm])

    def check(self, token: str) -> dict[str, Any]:
        """Return the claims of a token that we have signed and that is valid now; what it is for, the caller checks.

        Raises `TokenInvalid` or `TokenExpired`.
        """
        if len(token) > LONGEST_TEXT:
            raise TokenInvalid(reason="it is too long")
        claims = self._claims(token)
        if claims.get("iss") != self.issuer:
            raise TokenInvalid(reason="it is not one of ours")
        self._check_times(claims)
        return claims

    def jwks(self) -> dict[str, Any]:
        """The public keys with which anybody may check our tokens."""
        return {"keys": [key.key.as_dict(private=False) for key in self._trusted()]}

    def _claims(self, token: str) -> dict[str, Any]:
        """What a token says, if one of our keys has signed it as an access token."""
        self._current()
        header, _, rest = token.partition(".")
        known = self._checks.get(header)
        try:
            if known is not None and (known[1] is None or known[1] >= self.clock.now()):
                claims = _verified(known[0], header, rest)
                if not isinstance(claims, dict):
                    raise TokenInvalid(reason="it is not one of ours")
                return cast(dict[str, Any], claims)
            decoded = jwt.decode(token, self._key_of, algorithms=list(ALGORITHMS))
        except (InvalidSignature, JoseError, ValueError, TypeError) as e:
            raise TokenInvalid(reason="it is not one of ours") from e
        if decoded.header.get("typ") != TYPE:
            raise TokenInvalid(reason="it is not one of ours")
        return decoded.claims

    def derive(self, purpose: str) -> bytes:
        """A secret that only the servers of this installation can know; another for each purpose and signing key."""
        keys = self._current()
        if not keys:
            raise NoSigningKey(folder=str(self._folder))
        secret = cast(str, keys[0].key.as_dict(private=True)["d"])
        return hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).digest()

    def forget(self, token_id: str) -> None:
        """Let this process refuse a token or login, by its id, that it remembers as good; the database knows."""
        now = self.clock.now().timestamp()
        self._void = {known: until for known, until in self._void.items() if until > now}
        self._void[token_id] = now + REMEMBERED.total_seconds()

    def is_void(self, claims: Mapping[str, Any]) -> bool:
        """Say whether a token, or its login, was made void a moment ago."""
        return bool(self._void) and (claims["jti"] in self._void or claims.get("sid") in self._void)

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now = self.clock.now().timestamp()
        times = [claims.get(name) for name in ("iat", "nbf", "exp")]
        if not all(isinstance(t, int) for t in times):
            raise TokenInvalid(reason="it does not say when it is valid")
        issued, starts, ends = cast(list[int], times)
        if issued > now + SKEW or starts > now + SKEW:
            raise TokenInvalid(reason="it is not valid yet")
        if ends <= now:
            raise TokenExpired

    def _signing(self, algorithm: Algorithm, at: datetime) -> SigningKey:
        for _ in range(2):
            keys = [key for key in self._current() if key.algorithm == algorithm]
            if keys:
                return next((key for key in keys if key.signs_from <= at), keys[-1])
            self._looked_at = None
        raise NoSigningKey(folder=str(self._folder))

    def _key_of(self, guest: GuestProtocol) -> OKPKey | ECKey:
        kid = guest.headers().get("kid")
        if not any(one.kid == kid for one in self._keys):
            self._looked_at = None
        found = next((one.key for one in self._trusted() if one.kid == kid), None)
        if found is None:
            raise TokenInvalid(reason="it is signed with a key that is not ours")
        return found

    def _trusted(self) -> list[SigningKey]:
        now = self.clock.now()
        return [key for key, until in _with_ends(self._current()) if until is None or until >= now]

    def _current(self) -> list[SigningKey]:
        now = self.clock.now()
        if self._looked_at is not None and abs(now - self._looked_at) < LOOK_EVERY:
            return self._keys
        names = tuple(sorted(path.name for path in self._folder.glob("*.jwk")))
        if names != self._names:
            self._keys, self._names = _read(self._folder) if names else [], names
            ours = [(key, until) for key, until in _with_ends(self._keys) if key.algorithm == ALGORITHM]
            self._checks = {key.header: (key.public, until) for key, until in ours}
        self._looked_at = now
        return self._keys


def _with_ends(keys: list[SigningKey]) -> list[tuple[SigningKey, datetime | None]]:
    """Each key, and until when tokens that it has signed may live; None for the one of its kind that signs."""
    return [
        (key, None if successor is None else successor.signs_from + LONGEST_TOKEN)
        for own in _by_kind(keys)
        for key, successor in zip(own, [None, *own], strict=False)
    ]


def _verified(key: Ed25519PublicKey, header: str, rest: str) -> object:
    """What a token says whose header is known; raises `InvalidSignature` or `ValueError`."""
    said, dot, signature = rest.partition(".")
    if not dot:
        raise ValueError(rest)
    key.verify(urlsafe_b64decode(signature.encode("ascii")), f"{header}.{said}".encode("ascii"))
    return json.loads(urlsafe_b64decode(said.encode("ascii")))
