"""What an issuer publishes, its metadata and keys: fetched when needed, and kept while the issuer is away."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, TypeAlias, TypeVar

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from pydantic import BaseModel, ValidationError

from sancho_contract.identity import IdentityRefused, ProviderUnavailable
from sancho_plugins.oidc.settings import OidcSettings, check_url
from sancho_plugins.oidc.talk import Talk

log = logging.getLogger(__name__)

FRESH = 600.0
"""Seconds for which what was fetched is not asked for again; a key that the issuer takes back works no longer."""
_SHORTEST_RSA = 342
"""Characters of the modulus of an RSA key of 2048 bits."""
_MOST_KEYS = 100

T = TypeVar("T")
Key: TypeAlias = RSAKey | ECKey | OKPKey
_KINDS: Mapping[str, type[Key]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}


class Metadata(BaseModel):
    """The discovery document (OpenID Connect Discovery, RFC 8414), as far as we use it."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    code_challenge_methods_supported: tuple[str, ...] | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class Kept(Generic[T]):
    """Something that is fetched and kept; a failure to fetch it anew leaves what there was."""

    def __init__(self, fetch: Callable[[], Awaitable[T]], pause: float, clock: Callable[[], float]) -> None:
        """Fetch at most once in `pause` seconds."""
        self._fetch = fetch
        self._pause = pause
        self._clock = clock
        self._value: T | None = None
        self._trouble: IdentityRefused | ProviderUnavailable | None = None
        self._fetched_at = self._tried_at = float("-inf")
        self._lock = asyncio.Lock()
        self._background: asyncio.Task[None] | None = None

    async def get(self) -> T:
        """What there is, at once; only if there is nothing yet, after fetching it."""
        if self._value is None:
            await self.look()
        elif self._clock() - self._fetched_at > FRESH and (self._background is None or self._background.done()):
            self._background = asyncio.create_task(self.look())
        if self._value is None:
            raise self.trouble or ProviderUnavailable("the issuer has not answered yet")
        return self._value

    async def look(self) -> None:
        """Fetch it again, unless that was tried a moment ago; `trouble` says what went wrong."""
        async with self._lock:
            if self._clock() - self._tried_at < self._pause:
                return
            try:
                self._value = await self._fetch()
            except (IdentityRefused, ProviderUnavailable) as trouble:
                self._trouble = trouble
                log.warning("not fetched from an issuer: %s", trouble.detail)
            else:
                self._trouble = None
                self._fetched_at = self._clock()
            self._tried_at = self._clock()

    @property
    def trouble(self) -> IdentityRefused | ProviderUnavailable | None:
        """What went wrong when it was last tried, to be raised; None if nothing did."""
        return None if self._trouble is None else type(self._trouble)(self._trouble.detail)

    async def aclose(self) -> None:
        """Stop fetching."""
        if self._background is not None:
            self._background.cancel()
            await asyncio.wait([self._background])


class Published:
    """The metadata and the keys of one issuer."""

    def __init__(self, settings: OidcSettings, talk: Talk, clock: Callable[[], float]) -> None:
        """Nothing is fetched before it is needed."""
        pause = settings.look_again.total_seconds()
        self._settings = settings
        self._talk = talk
        self.metadata = Kept(self._fetch_metadata, pause, clock)
        self._keys = Kept(self._fetch_keys, pause, clock)

    async def key(self, key_id: str | None, algorithm: str) -> Key:
        """Return the key that signs so; one that is not known is looked for once more at the issuer."""
        found = _fitting(await self._keys.get(), key_id, algorithm)
        if not found:
            await self._keys.look()
            found = _fitting(await self._keys.get(), key_id, algorithm)
        if not found and isinstance(self._keys.trouble, ProviderUnavailable):
            raise self._keys.trouble
        if len(found) != 1:
            raise IdentityRefused("the issuer has no such key as the token is signed with")
        return found[0]

    async def aclose(self) -> None:
        """Stop fetching."""
        await self.metadata.aclose()
        await self._keys.aclose()

    async def _fetch_metadata(self) -> Metadata:
        issuer = self._settings.issuer
        answer = await self._talk.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        try:
            said = Metadata.model_validate(answer.json())
            for url in (said.authorization_endpoint, said.token_endpoint, said.jwks_uri, said.userinfo_endpoint):
                if url is not None:
                    check_url(url, allow_http=issuer.startswith("http:"))
        except ValidationError as error:
            fields = ", ".join(sorted({".".join(map(str, e["loc"])) for e in error.errors()}))
            raise IdentityRefused(f"{answer.who} publishes metadata that we cannot read: {fields}") from error
        except ValueError as error:
            raise IdentityRefused(f"{answer.who} publishes an endpoint that we do not use: {error}") from error
        if said.issuer != issuer:
            raise IdentityRefused(f"{answer.who} publishes the metadata of another issuer")
        return said

    async def _fetch_keys(self) -> list[Key]:
        answer = await self._talk.get((await self.metadata.get()).jwks_uri)
        said = answer.json().get("keys")
        if not isinstance(said, list):
            raise IdentityRefused(f"{answer.who} publishes no keys")
        found = [_usable(key) for key in said[:_MOST_KEYS]]  # pyright: ignore[reportUnknownVariableType]
        return [key for key in found if key is not None]


def _usable(said: Any) -> Key | None:
    """Read a key that we know how to use: asymmetric, long enough, for signatures."""
    try:
        if said.get("use", "sig") != "sig" or (said["kty"] == "RSA" and len(said["n"]) < _SHORTEST_RSA):
            return None
        return _KINDS[said["kty"]].import_key(said)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _fitting(keys: list[Key], key_id: str | None, algorithm: str) -> list[Key]:
    kind = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}[algorithm[:2]]
    return [
        key
        for key in keys
        if key.key_type == kind and (key_id is None or key.kid == key_id) and key.alg in {None, algorithm}
    ]
