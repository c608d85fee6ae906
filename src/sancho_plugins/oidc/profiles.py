"""How the issuers of this field say who somebody is: data, and the few functions that read it."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import unquote

from sancho_contract.identity import IdentityRefused, Person
from sancho_plugins.oidc.settings import OidcSettings

MEMBER = "member"
"""The role that says no more than membership."""
_ENTITLEMENT = re.compile(r"(?P<namespace>urn:.+?):group:(?P<group>[^#?]+)", re.IGNORECASE)
_DN = re.compile(r"cn=(?P<name>(?:[^,\\]|\\.)+),.*=", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Where an issuer puts what we want to know; of several claims for names the first that is there counts."""

    scopes: tuple[str, ...] = ("openid", "profile", "email")
    names: tuple[str, ...] = ("preferred_username",)
    emails: tuple[str, ...] = ("email",)
    groups: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    """Claims whose words are roles in the issuer as a whole: `/Role=…`."""
    namespaces: tuple[str, ...] = ()


PROFILES: Mapping[str, Profile] = {
    "generic": Profile(groups=("wlcg.groups", "groups", "entitlements", "eduperson_entitlement", "isMemberOf")),
    "iam": Profile(
        scopes=("openid", "profile", "email", "wlcg.groups"),
        groups=("wlcg.groups", "groups"),
    ),
    "checkin": Profile(
        scopes=("openid", "profile", "email", "entitlements"),
        names=("preferred_username", "voperson_id"),
        emails=("email", "voperson_verified_email"),
        groups=("entitlements", "eduperson_entitlement"),
        namespaces=("urn:mace:egi.eu",),
    ),
    "cilogon": Profile(
        scopes=("openid", "profile", "email", "org.cilogon.userinfo"),
        names=("preferred_username", "uid", "eppn"),
        groups=("wlcg.groups", "isMemberOf", "is_member_of"),
    ),
    "keycloak": Profile(groups=("groups",), roles=("realm_access.roles",)),
}


def person(settings: OidcSettings, claims: Mapping[str, Any]) -> Person:
    """Read a person from the claims of a token that was checked, and of userinfo; raises `IdentityRefused`."""
    profile = PROFILES[settings.profile]
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= 255:
        raise IdentityRefused("the issuer names no subject of 1 to 255 characters")
    if not is_storable(claims):
        raise IdentityRefused("what the issuer says holds a NUL, half of a character or no number")
    clients = {claims.get("client_id"), claims.get("azp"), settings.client_id}
    verified = str(claims.get("email_verified", "true")).lower() != "false"
    return Person(
        issuer=settings.issuer,
        subject=subject,
        name=_first(claims, profile.names),
        email=_first(claims, profile.emails) if verified else None,
        groups=tuple(dict.fromkeys(_groups(settings, profile, claims))),
        client=subject in clients,
        claims=dict(claims),
    )


def _groups(settings: OidcSettings, profile: Profile, claims: Mapping[str, Any]) -> Iterator[str]:
    namespaces = profile.namespaces if settings.entitlement_namespaces is None else settings.entitlement_namespaces
    for name in profile.groups if settings.groups_claim is None else (settings.groups_claim,):
        for said in _texts(_find(claims, name)):
            if path := group_path(said, namespaces):
                yield path
    for name in profile.roles if settings.groups_claim is None else ():
        yield from (f"/Role={said}" for said in _texts(_find(claims, name)))


def group_path(said: str, namespaces: Iterable[str] = ()) -> str | None:
    """Return the path of a group: of a path or name, a distinguished name, or an entitlement of these namespaces.

    `urn:mace:egi.eu:group:belle:production:role=manager#aai.egi.eu` is `/belle/production/Role=manager`, and with
    the role `member` `/belle/production`.
    """
    if said.lower().startswith("urn:"):
        found = _ENTITLEMENT.match(said)
        if found is None or found["namespace"].lower() not in {namespace.lower() for namespace in namespaces}:
            return None
        return _entitled(found["group"])
    if found := _DN.match(said):
        said = re.sub(r"\\(.)", r"\1", found["name"])
    path = said.strip("/")
    return f"/{path}" if path.strip() else None


def _entitled(group: str) -> str | None:
    *parts, last = group.split(":")
    role = last[len("role=") :] if last.lower().startswith("role=") else None
    names = [unquote(name) for name in (parts if role is not None else [*parts, last])]
    if not names or not all(names) or any("/" in name for name in names):
        return None
    return "/" + "/".join(names) + (f"/Role={unquote(role)}" if role and role != MEMBER else "")


def _find(claims: Mapping[str, Any], name: str) -> Any:
    """A claim by its name, or by the dotted way to it: `wlcg.groups` is a name, `realm_access.roles` a way."""
    if name in claims:
        return claims[name]
    first, dot, rest = name.partition(".")
    inner = claims.get(first)
    return _find(cast(Mapping[str, Any], inner), rest) if dot and isinstance(inner, dict) else None


def _texts(value: Any) -> list[str]:
    values = cast(list[Any], value) if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str) and one]


def _first(claims: Mapping[str, Any], names: Iterable[str]) -> str | None:
    return next((text for name in names for text in _texts(_find(claims, name))), None)


def is_storable(value: Any) -> bool:
    """Can a database keep all of this: no NUL, no half of a character, no number that is none?"""
    pending: list[Any] = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            inner = cast(dict[Any, Any], one)
            pending += [*inner.keys(), *inner.values()]
        elif isinstance(one, list):
            pending += cast(list[Any], one)
        elif isinstance(one, str):
            if "\0" in one or any("\ud800" <= character <= "\udfff" for character in one):
                return False
        elif isinstance(one, float) and not math.isfinite(one):
            return False
    return True
