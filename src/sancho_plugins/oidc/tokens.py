"""Judges tokens of one issuer: signed by it, for us, now, and this very login's."""

import base64
import hashlib
import hmac
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, cast

from joserfc import jws, jwt
from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError, MissingClaimError
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry

from sancho_contract.identity import IdentityRefused
from sancho_plugins.oidc.published import Published
from sancho_plugins.oidc.settings import OidcSettings

_HASHES = {
    "RS256": "sha256", "RS384": "sha384", "RS512": "sha512",
    "PS256": "sha256", "PS384": "sha384", "PS512": "sha512",
    "ES256": "sha256", "ES384": "sha384", "ES512": "sha512",
    "EdDSA": "sha512", "Ed25519": "sha512",
}  # fmt: skip
"""The signatures that we accept, each with the hash that `at_hash` is made with: none that a client could make."""
_TYPES = {"", "jwt", "at+jwt", "application/at+jwt"}
_LONGEST = 128 << 10
_MALFORMED = (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError)


class _Lax(JWSRegistry):
    """Headers that we do not know are no reason to refuse, unless `crit` says so."""

    max_header_length = 8 << 10
    max_signature_length = 4 << 10


_REGISTRY = _Lax(algorithms=list(_HASHES), strict_check_header=False)


@dataclass(frozen=True)
class Checked:
    """A token whose signature, issuer, audience and times are right."""

    claims: dict[str, Any]
    algorithm: str


class Tokens:
    """Judges the tokens of one issuer."""

    def __init__(self, settings: OidcSettings, published: Published) -> None:
        """The settings say for whom tokens must be, and how far clocks may differ."""
        self._settings = settings
        self._published = published

    async def id_token(self, token: object, nonce: str, access_token: object) -> dict[str, Any]:
        """Return the claims of the ID token of a login (OpenID Connect Core, 3.1.3.7); raises `IdentityRefused`."""
        if not isinstance(token, str):
            raise IdentityRefused("the issuer gave no ID token")
        checked = await self._check(token, [self._settings.client_id])
        claims = checked.claims
        if not isinstance(said := claims.get("nonce"), str) or not hmac.compare_digest(said.encode(), nonce.encode()):
            raise IdentityRefused("the ID token is of another login: its nonce is not the one that we sent")
        several = isinstance(claims["aud"], list) and len(cast(list[str], claims["aud"])) > 1
        if (several or "azp" in claims) and claims.get("azp") != self._settings.client_id:
            raise IdentityRefused("the ID token was given to another client")
        if "at_hash" in claims and claims["at_hash"] != _hash(checked.algorithm, access_token):
            raise IdentityRefused("the access token is not the one that came with the ID token")
        return claims

    async def any_token(self, token: str) -> dict[str, Any]:
        """Return the claims of an access or ID token that is meant for us; raises `IdentityRefused`."""
        return (await self._check(token, [self._settings.client_id, *self._settings.audiences])).claims

    async def _check(self, token: str, audiences: Collection[str]) -> Checked:
        if len(token) > _LONGEST:
            raise IdentityRefused("the token is too long")
        key_id, algorithm = self._look_at(token)
        key = await self._published.key(key_id, algorithm)
        expected = JWTClaimsRegistry(
            leeway=int(self._settings.leeway.total_seconds()),
            iss={"essential": True, "value": self._settings.issuer},
            aud={"essential": True, "values": list(audiences)},
            exp={"essential": True},
            sub={"essential": True},
        )
        try:
            claims = jwt.decode(token, key, registry=_REGISTRY).claims
            expected.validate(claims)
        except ExpiredTokenError as error:
            raise IdentityRefused("the token has expired") from error
        except (MissingClaimError, InvalidClaimError) as error:
            raise IdentityRefused(f"the token is not for here or now: {error.description}") from error
        except _MALFORMED as error:
            raise IdentityRefused("the signature of the token is not valid") from error
        return Checked(claims, algorithm)

    def _look_at(self, token: str) -> tuple[str | None, str]:
        """Return which key the token says it is signed with, and how; nothing of that is believed yet."""
        try:
            seen = jws.extract_compact(token.encode(), registry=_REGISTRY)
            header = seen.headers()
            _REGISTRY.check_header(header)
            issuer = json.loads(seen.payload or b"").get("iss")
            kind = str(header.get("typ", "")).lower()
        except _MALFORMED as error:
            raise IdentityRefused("this is not a JSON Web Token") from error
        if header["alg"] not in _HASHES or kind not in _TYPES:
            raise IdentityRefused("the token is not signed in a way, or not of a kind, that is accepted")
        if issuer != self._settings.issuer:
            raise IdentityRefused("the token is of another issuer")
        return header.get("kid"), header["alg"]


def _hash(algorithm: str, access_token: object) -> str | None:
    """`at_hash` (OpenID Connect Core, 3.1.3.6): the left half of the token's hash."""
    if not isinstance(access_token, str):
        return None
    digest = hashlib.new(_HASHES[algorithm], access_token.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
