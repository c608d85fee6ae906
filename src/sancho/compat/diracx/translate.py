"""DiracX's words to ours and back: scopes, properties, logins."""

import base64
import binascii
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sancho.compat.diracx import wire
from sancho.compat.diracx.errors import PropertyNotHeld, ScopeUnfit, ScopeUnrecognised
from sancho.identity.model import Group, OpenLogin
from sancho.kit.access import Principal
from sancho.vos.model import VO

PROPERTIES: dict[str, frozenset[str]] = {
    "CSAdministrator": frozenset({"configuration:apply"}),
    "FileCatalogManagement": frozenset({"dids:manage"}),
    "GenericPilot": frozenset({"pilots:report"}),
    "JobAdministrator": frozenset({"jobs:manage"}),
    "NormalUser": frozenset({"jobs:create"}),
    "Operator": frozenset({"pilots:read"}),
    "ProxyManagement": frozenset({"accounts:manage"}),
    "ServiceAdministrator": frozenset({"configuration:apply", "pilots:read", "topology:manage"}),
    "SiteManager": frozenset({"topology:manage"}),
    "StageAllowed": frozenset({"rules:create"}),
    "UserManager": frozenset({"accounts:manage", "groups:manage"}),
}
"""What the properties of DiracX amount to here."""
WITHOUT_MEANING = frozenset({
    "AccountingMonitor", "AlarmsManagement", "BookkeepingManagement", "FullDelegation", "JobMonitor", "JobSharing",
    "LimitedDelegation", "PPGAuthority", "Pilot", "PrivateLimitedDelegation", "ProductionManagement", "TrustedHost",
})  # fmt: skip
"""Properties that nothing here amounts to; no group gives them."""
PRIMARY = "primary-group"
_LEGACY = re.compile(r"Bearer diracx:legacy:([A-Za-z0-9_=-]{1,1000})", re.ASCII)
_PREFIXES = ("vo:", "group:", "property:")


@dataclass(frozen=True)
class Scope:
    """What a DiracX client asks for; without a group, the account's own default."""

    vo: str
    group: str | None = None
    properties: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Spell it as DiracX does."""
        group = () if self.group is None else (f"group:{self.group}",)
        return " ".join((f"vo:{self.vo}", *group, *(f"property:{name}" for name in self.properties)))


def read_scope(text: str) -> Scope:
    """Read a DiracX scope; raises `ScopeUnrecognised`, `ScopeUnfit` or `PropertyNotHeld`."""
    words = list(dict.fromkeys(text.split()))
    strange = [word for word in words if not word.startswith(_PREFIXES)]
    vos, groups, properties = ([w.removeprefix(p) for w in words if w.startswith(p)] for p in _PREFIXES)
    strange += [f"property:{name}" for name in properties if name not in PROPERTIES.keys() | WITHOUT_MEANING]
    if strange:
        raise ScopeUnrecognised(words=[word[:100] for word in strange[:10]])
    if len(vos) != 1 or not vos[0]:
        raise ScopeUnfit(reason="Exactly one VO must be named, as vo:NAME.")
    if len(groups) > 1 or not all(groups):
        raise ScopeUnfit(reason="At most one group may be named, as group:NAME.")
    nowhere = [name for name in properties if name in WITHOUT_MEANING]
    if nowhere:
        raise PropertyNotHeld(name=nowhere[0])
    return Scope(vos[0], groups[0] if groups else None, tuple(sorted(properties)))


def token_scope(scope: Scope) -> str:
    """Our token scope for a DiracX scope, whose VO is said beside it."""
    group = PRIMARY if scope.group is None else f"group:{scope.group}"
    return " ".join((group, *(f"+{permission}" for permission in permissions_of(scope.properties))))


def diracx_scope(vo: str, text: str) -> Scope:
    """The DiracX scope of one of our token scopes, as it was asked for or as it was settled."""
    words = text.split()
    held = {word.removeprefix("+") for word in words if ":" in word and not word.startswith("group:")}
    return Scope(vo, group_of(text), tuple(properties_of(held)))


def group_of(text: str) -> str | None:
    """The group that a token scope names first: that in whose name its token acts."""
    return next((w.removeprefix("group:") for w in text.split() if w.startswith("group:")), None)


def groups_of(caller: Principal) -> frozenset[str]:
    """All groups of an account, those too that its token leaves out."""
    return frozenset((*caller.groups, *(name for name, _ in caller.rights.roles)))


def permissions_of(properties: Iterable[str]) -> list[str]:
    """The permissions that properties amount to."""
    return sorted(frozenset[str]().union(*(PROPERTIES[name] for name in properties)))


def properties_of(permissions: Collection[str]) -> list[str]:
    """The properties that permissions amount to."""
    return [name for name, needed in PROPERTIES.items() if "*" in permissions or needed <= set(permissions)]


def metadata(vos: Sequence[VO], groups: Sequence[Group], webpage: str) -> wire.Metadata:
    """What the world may know of VOs and their groups, which come the oldest first."""
    support = wire.SupportInfo(message="Ask an administrator of your VO.", webpage=webpage, email="")
    said: dict[str, wire.VOInfo] = {}
    for vo in vos:
        mine = {g.name: wire.GroupInfo(properties=properties_of(g.permissions)) for g in groups if g.vo == vo.vo}
        said[vo.name] = wire.VOInfo(groups=mine, support=support, default_group=next(iter(mine), ""))
    return wire.Metadata(virtual_organizations=said)


def refresh_token(vo: str, login: OpenLogin) -> wire.RefreshToken:
    """A login as DiracX lists it."""
    return wire.RefreshToken(
        jti=str(login.family), scope=str(diracx_scope(vo, login.token_scope)), sub=f"{vo}:{login.account}"
    )


def legacy_key(header: str) -> bytes | None:
    """The key that a legacy service shows in its `Authorization`; None when it shows none."""
    found = _LEGACY.fullmatch(header)
    try:
        return base64.urlsafe_b64decode(found[1]) if found else None
    except binascii.Error:
        return None
