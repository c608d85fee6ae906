"""The plugin: an OpenID provider as the contract wants it."""

import base64
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any
from urllib.parse import quote_plus, urlencode

from pydantic import BaseModel

from sancho_contract.identity import IdentityRefused, Member, Person
from sancho_contract.secrets import SecretReader
from sancho_plugins.oidc.profiles import PROFILES, person
from sancho_plugins.oidc.published import Metadata, Published
from sancho_plugins.oidc.scim import SCIM_SCOPE, read_members
from sancho_plugins.oidc.settings import OidcSettings
from sancho_plugins.oidc.talk import Talk
from sancho_plugins.oidc.tokens import Tokens

BASIC = "client_secret_basic"
POST = "client_secret_post"


class OidcProvider:
    """One issuer, as one client of it; see `sancho_contract.identity.IdentityProvider`."""

    Settings: type[BaseModel] = OidcSettings

    def __init__(
        self, settings: OidcSettings, secret: SecretReader, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Nothing is asked yet; `clock` says how old what the issuer published is."""
        self.issuer = settings.issuer
        self.lists_members = settings.scim
        self._settings = settings
        self._secret = secret
        self._talk = Talk(settings.ca_file, settings.timeout.total_seconds())
        self._published = Published(settings, self._talk, clock)
        self._tokens = Tokens(settings, self._published)

    async def login_url(self, *, redirect_uri: str, state: str, nonce: str, code_challenge: str) -> str:
        """See `IdentityProvider.login_url`."""
        metadata = await self._published.metadata.get()
        methods = metadata.code_challenge_methods_supported
        if methods is not None and "S256" not in methods:
            raise IdentityRefused("the issuer protects its codes with less than S256 (RFC 7636)")
        query = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(self._settings.scopes or PROFILES[self._settings.profile].scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": code_challenge,
            "code_challenge_method": "S256",
        }
        endpoint = metadata.authorization_endpoint
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    async def person(
        self, *, code: str, redirect_uri: str, code_verifier: str, nonce: str, issuer: str | None
    ) -> Person:
        """See `IdentityProvider.person`."""
        metadata = await self._published.metadata.get()
        if issuer is None and metadata.authorization_response_iss_parameter_supported:
            raise IdentityRefused("the answer does not say which issuer it is from, and this one's always do")
        if issuer not in {None, self.issuer}:
            raise IdentityRefused("the answer is from another issuer than the one that was asked")
        said = await self._token(
            metadata,
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": redirect_uri,
                "code_verifier": code_verifier,
            },
        )
        claims = await self._tokens.id_token(said.get("id_token"), nonce, said.get("access_token"))
        return person(self._settings, await self._with_userinfo(metadata, claims, said.get("access_token")))

    async def person_of_token(self, token: str) -> Person:
        """See `IdentityProvider.person_of_token`; an access token that may is used to ask for userinfo."""
        claims = await self._tokens.any_token(token)
        if "openid" in str(claims.get("scope", "")).split():
            claims = await self._with_userinfo(await self._published.metadata.get(), claims, token)
        return person(self._settings, claims)

    async def members(self) -> AsyncGenerator[Member, None]:
        """See `IdentityProvider.members`."""
        metadata = await self._published.metadata.get()
        said = await self._token(metadata, {"grant_type": "client_credentials", "scope": SCIM_SCOPE})
        token = said.get("access_token")
        if not isinstance(token, str):
            raise IdentityRefused("the issuer gave no access token")
        url = self._settings.scim_url or f"{self.issuer.rstrip('/')}/scim"
        async for member in read_members(self._talk, url.rstrip("/"), token):
            yield member

    async def aclose(self) -> None:
        """Close the connections."""
        await self._published.aclose()
        await self._talk.aclose()

    async def _token(self, metadata: Metadata, form: Mapping[str, str]) -> dict[str, Any]:
        """Ask the token endpoint, and say who we are in the way that the issuer wants."""
        client_id = self._settings.client_id
        if self._settings.client_secret is None:
            answer = await self._talk.post(metadata.token_endpoint, {**form, "client_id": client_id})
            return answer.json()
        secret = await self._secret(self._settings.client_secret)
        methods = metadata.token_endpoint_auth_methods_supported
        if POST in methods and BASIC not in methods:
            form = {**form, "client_id": client_id, "client_secret": secret}
            return (await self._talk.post(metadata.token_endpoint, form)).json()
        pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
        basic = base64.b64encode(pair.encode()).decode()
        return (await self._talk.post(metadata.token_endpoint, form, basic=basic)).json()

    async def _with_userinfo(self, metadata: Metadata, claims: dict[str, Any], token: object) -> dict[str, Any]:
        """Add what the userinfo endpoint says of the same subject; what is signed counts before what is not."""
        if not self._settings.userinfo or metadata.userinfo_endpoint is None or not isinstance(token, str):
            return claims
        said = (await self._talk.get(metadata.userinfo_endpoint, bearer=token)).json()
        if said.get("sub") != claims["sub"]:
            raise IdentityRefused("the issuer speaks of two different people")
        return {**said, **claims}
