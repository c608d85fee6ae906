"""The OpenID plugin passes the suite, against the certified provider, as each of the profiles."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any, ClassVar

import pytest

from sancho_contract.identity import Member, Person
from sancho_contract.testing.identity import Desk, IdentityConformance
from sancho_plugins.oidc import OidcProvider, OidcSettings
from tests.realparts.oidc import ODD, USERS, Client, OpenIdProvider
from tests.storage_site import free_port

pytestmark = pytest.mark.realparts

AUDIENCE = "https://sancho.example.org"
BACK = "http://127.0.0.1:8000/callback"


class TestIam(IdentityConformance):
    """INDIGO IAM: groups in `wlcg.groups`, and a list of people."""

    issuer: ClassVar[OpenIdProvider]
    client: ClassVar[Client]
    user = "alice"
    profile = "iam"
    groups: tuple[str, ...] = ("/belle", "/belle/production")
    public = False
    more: Mapping[str, Any] = {"scim": True}
    number = 0
    """Which of the two issuers."""

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _issuer(cls, issuers: tuple[OpenIdProvider, OpenIdProvider]) -> None:
        cls.issuer = issuers[cls.number]
        cls.client = cls.issuer.register(BACK, public=cls.public)

    @asynccontextmanager
    async def desk(self) -> AsyncGenerator[Desk]:
        claims = USERS[self.user]
        async with (
            aclosing(self.provider(self.issuer.issuer)) as provider,
            aclosing(self.provider(f"http://127.0.0.1:{free_port()}")) as unreachable,
        ):
            yield Desk(
                provider=provider,
                redirect_uri=BACK,
                log_in=lambda url: asyncio.to_thread(self.issuer.log_in, url, self.user),
                person=Person(
                    issuer=self.issuer.issuer,
                    subject=claims["sub"],
                    name=claims.get("preferred_username", self.user),
                    email=claims["email"],
                    groups=self.groups,
                ),
                token=lambda: asyncio.to_thread(self.token, AUDIENCE),
                foreign_token=lambda: asyncio.to_thread(self.token, "https://storage.example.org"),
                members=[member(name, claims) for name, claims in USERS.items()] if self.more.get("scim") else None,
                unreachable=unreachable,
            )

    def provider(self, issuer: str) -> OidcProvider:
        async def secret(name: str) -> str:
            assert (name, self.client.secret is None) == ("iam", False)
            return str(self.client.secret)

        settings: dict[str, Any] = {"client_secret": None if self.public else "iam", "profile": self.profile}
        settings |= {"issuer": issuer, "client_id": self.client.client_id, "allow_http": True}
        settings |= {"audiences": (AUDIENCE,), **self.more}
        return OidcProvider(OidcSettings(**settings), secret)

    def token(self, audience: str) -> str:
        """An access token for a service, as a command line gets it."""
        scope = "wlcg.groups storage.read:/"
        return self.issuer.device_token(self.client, self.user, scope=scope, resource=audience)["access_token"]


class TestCheckIn(TestIam):
    """EGI Check-in: groups in entitlements, those of its own namespace alone."""

    user, profile, more = "chen", "checkin", {}
    groups = ("/belle", "/belle/production/Role=manager")


class TestCILogon(TestIam):
    """CILogon: groups in `isMemberOf`, as names and distinguished names; a public client."""

    user, profile, more, public = "cleo", "cilogon", {}, True
    groups = ("/belle", "/analysis")


class TestKeycloak(TestIam):
    """Keycloak: groups as paths, roles of the realm, all of it in the tokens."""

    user, profile = "kai", "keycloak"
    more: Mapping[str, Any] = {"scopes": ("openid", "profile", "email", "groups", "roles"), "userinfo": False}
    number = 1
    groups = ("/belle", "/belle/shifters", "/Role=offline_access", "/Role=operator")


class TestOddText(TestIam):
    """Somebody whose every claim means something to SQL, HTML or a shell."""

    user, profile, more = "odd", "generic", {"scopes": ("openid", "profile", "email", "wlcg.groups")}
    groups = (f"/belle/{ODD}", "/belle")


def member(name: str, claims: Mapping[str, Any]) -> Member:
    groups = tuple(claims.get("wlcg.groups", ()))
    return Member(subject=claims.get("sub", name), active=True, name=name, email=claims["email"], groups=groups)
