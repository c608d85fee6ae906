"""Bearer tokens in the WLCG profile: who signed them, whom they are for, and which paths they open."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError, MissingClaimError
from joserfc.jwt import JWTClaimsRegistry

from sancho_plugins.webdav_server.keys import IssuerKeys
from sancho_plugins.webdav_server.paths import AmbiguousPath, canonical, covers

ALGORITHMS = ["EdDSA", "Ed25519", "ES256"]
LEEWAY = 10
"""Seconds by which two clocks may differ."""
_LONGEST = 16 << 10


class TokenRefused(Exception):
    """This is no valid token for this storage; the text says why, and holds nothing of the token."""


class Verb(StrEnum):
    """What a token may do at a path, and below."""

    READ = "storage.read"
    CREATE = "storage.create"
    MODIFY = "storage.modify"
    """Includes creating, replacing and deleting."""


@dataclass(frozen=True)
class Bearer:
    """Whoever holds a valid token, and what it lets them do."""

    subject: str
    grants: tuple[tuple[Verb, str], ...]

    def may(self, path: str, *verbs: Verb) -> bool:
        """May they do any of these at this path?"""
        return any(verb in verbs and covers(granted, path) for verb, granted in self.grants)

    def only_at(self, path: str) -> "Bearer":
        """What is left when a token counts for exactly this path: one in a URL opens nothing else."""
        return Bearer(self.subject, tuple((verb, granted) for verb, granted in self.grants if granted == path))

    def may_make_folder(self, path: str) -> bool:
        """May they write at, below or above this folder? What lies above a file they may write is theirs to make."""
        return any(
            verb is not Verb.READ and (covers(granted, path) or covers(path, granted)) for verb, granted in self.grants
        )


class Tokens:
    """Judges tokens of one issuer for one audience."""

    def __init__(self, issuer: str, audience: str, keys: IssuerKeys, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives seconds since 1970."""
        self._keys = keys
        self._claims = JWTClaimsRegistry(
            now=lambda: int(clock()),
            leeway=LEEWAY,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
        )

    async def read(self, token: str) -> Bearer:
        """Return who bears it; raises `TokenRefused`, or `IssuerUnavailable` when its key cannot be had."""
        if len(token) > _LONGEST:
            raise TokenRefused("the token is too long")
        key_id = _key_id(token)
        key = await self._keys.find(key_id)
        if key is None:
            raise TokenRefused("the issuer has no key with the id that the token names")
        try:
            claims = jwt.decode(token, key, algorithms=ALGORITHMS).claims
            self._claims.validate(claims)
        except ExpiredTokenError as error:
            raise TokenRefused("the token has expired") from error
        except MissingClaimError as error:
            raise TokenRefused(f"the token lacks a claim: {error.description}") from error
        except InvalidClaimError as error:
            raise TokenRefused(f"the token is not for here or now: {error.description}") from error
        except (JoseError, ValueError) as error:
            raise TokenRefused("the signature of the token is not valid") from error
        return Bearer(subject=str(claims.get("sub", "")), grants=_grants(claims.get("scope")))


def _key_id(token: str) -> str:
    try:
        header: dict[str, Any] = jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError) as error:
        raise TokenRefused("this is not a JSON Web Token") from error
    if header.get("alg") not in ALGORITHMS:
        raise TokenRefused("the token is not signed in a way that is accepted here")
    key_id = header.get("kid")
    if not isinstance(key_id, str):
        raise TokenRefused("the token does not name its key")
    return key_id


def _grants(scope: object) -> tuple[tuple[Verb, str], ...]:
    """Read `storage.read:/path storage.modify:/other`; what is unknown or ambiguous grants nothing."""
    grants: list[tuple[Verb, str]] = []
    for word in scope.split(" ") if isinstance(scope, str) else []:
        verb, _, path = word.partition(":")
        try:
            grants.append((Verb(verb), canonical(path)))
        except (ValueError, AmbiguousPath):
            continue
    return tuple(grants)
