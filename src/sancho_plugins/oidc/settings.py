"""What an operator says about an OpenID provider."""

from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sancho_contract.identity import OPERATOR_ONLY

Words = Annotated[tuple[Annotated[str, Field(pattern=r"^[\x21\x23-\x5b\x5d-\x7e]{1,255}$")], ...], Field(max_length=50)]


class OidcSettings(BaseModel):
    """An issuer, and what we are to it."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    issuer: Annotated[str, Field(max_length=500)]
    """Exactly what its tokens say in `iss`, with or without the last slash."""
    client_id: Annotated[str, Field(min_length=1, max_length=500)]
    """What the issuer calls us."""
    client_secret: Annotated[str | None, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")] = None
    """Name of the VO's secret with which we prove who we are; a public client has none."""
    profile: Literal["generic", "iam", "checkin", "cilogon", "keycloak"] = "generic"
    """How this issuer says names and groups."""
    scopes: Words | None = None
    """What to ask for at a login, when it is not what the profile asks for; `openid` must be among it."""
    groups_claim: Annotated[str | None, Field(min_length=1, max_length=255)] = None
    """The only claim to read groups from, when it is not those of the profile; a dot goes into an object."""
    entitlement_namespaces: tuple[str, ...] | None = None
    """Namespaces whose entitlements (AARC-G002, G069) are groups, such as `urn:mace:egi.eu`, when they are not the
    profile's. Others may have been put there by a home organisation, and are left out."""
    userinfo: bool = True
    """Ask the userinfo endpoint too, if there is one. Without it all must be in the tokens."""
    audiences: Words = ()
    """Audiences besides our `client_id` that a token may have which somebody shows to exchange it for ours."""
    scim: bool = False
    """Follow the issuer's list of people (SCIM, RFC 7644): who leaves or is suspended there is so here."""
    scim_url: Annotated[str | None, Field(json_schema_extra=OPERATOR_ONLY)] = None
    """Where that list is; `ISSUER/scim` when absent and the profile is `iam`."""
    ca_file: Annotated[Path | None, Field(json_schema_extra=OPERATOR_ONLY)] = None
    """Certificates that sign the issuer's, when the system's do not."""
    allow_http: Annotated[bool, Field(json_schema_extra=OPERATOR_ONLY)] = False
    """Accept an issuer on this very machine without TLS: for tests and trials."""
    leeway: Annotated[timedelta, Field(ge=timedelta(0), le=timedelta(minutes=5))] = timedelta(seconds=30)
    """By how much the issuer's clock and ours may differ."""
    timeout: Annotated[timedelta, Field(gt=timedelta(0), le=timedelta(minutes=1))] = timedelta(seconds=10)
    """How long any one answer of the issuer may take, from first to last byte."""
    look_again: Annotated[timedelta, Field(ge=timedelta(0), le=timedelta(minutes=10))] = timedelta(seconds=10)
    """The issuer is asked for its keys at most this often, whatever tokens name."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for url in (self.issuer, self.scim_url):
            if url is not None:
                check_url(url, allow_http=self.allow_http)
        if self.scopes is not None and "openid" not in self.scopes:
            raise ValueError("scopes: `openid` must be among them")
        if self.scim and self.client_secret is None:
            raise ValueError("scim: a public client cannot read the list of people; it needs a client_secret")
        if self.scim and self.scim_url is None and self.profile != "iam":
            raise ValueError("scim: say where the list is (scim_url)")
        return self


def check_url(url: str, *, allow_http: bool) -> None:
    """Raise `ValueError` unless this is an https URL, or with `allow_http` an http URL of this machine."""
    parts = urlsplit(url)
    if not url.isascii() or not url.isprintable() or " " in url or parts.fragment or "@" in parts.netloc:
        raise ValueError("not a plain URL")
    if not parts.hostname or (parts.port or 1) < 1:  # an impossible port raises `ValueError` itself
        raise ValueError("the URL names no host")
    if parts.scheme != "https" and not (allow_http and parts.scheme == "http" and is_loopback(parts.hostname)):
        raise ValueError("the URL must be https; http only with allow_http, and to this machine")


def is_loopback(host: str) -> bool:
    """Is this a name or address of this machine that no other can have?"""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
