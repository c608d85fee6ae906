"""Policies: how documents make them, and how the principal of a request gets those that concern it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, Self, cast

from pydantic import AfterValidator, BaseModel, Field, ValidationError, field_validator, model_validator

from sancho.decisions import store
from sancho.decisions.errors import LocksOut, PolicyPluginUnfit
from sancho.decisions.model import StoredPolicy
from sancho.identity import service as identity
from sancho.identity.errors import AccountNotFound, BeyondYours, GroupNotFound
from sancho.identity.model import PERMISSIONS
from sancho.kit.access import Principal, Rights, RightsOf, may_give
from sancho.kit.db import Connection
from sancho.kit.extensions import Extensions, PluginUnknown, load
from sancho.kit.policy import KINDS, Effect, Policy, spell_in
from sancho.vos import service as vos
from sancho.vos.model import Kind, Named
from sancho_contract.policy import PolicyPlugin

GROUP = "sancho.policy"
"""The entry points of policy plugins."""
PATTERN = re.compile(r"(?:[a-z]+:)?[^\s*:]+(?::[^\s*]*)?\*?")
PATH = re.compile(r"/[^\s*]+\*?")
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]


def _pattern(text: str) -> str:
    fits = PATH.fullmatch(text) if text.startswith("/") else ":" in text and PATTERN.fullmatch(text)
    if not fits:
        kinds = ", ".join(f"{kind}:" for kind in KINDS)
        raise ValueError(
            f"is not a DID, a path, a scope with ':', or a thing that begins with {kinds}; '*' may stand at its end"
        )
    return text


class PolicySpec(BaseModel, extra="forbid"):
    """What some may or may not do, beyond what their groups have. A denial wins over everything else."""

    effect: Literal["allow", "deny"] | None = None
    """What it does; leave it out when a plugin says so."""
    plugin: Annotated[str | None, Field(max_length=100)] = None
    """Name of an installed `sancho.policy` plugin that decides."""
    settings: dict[str, Any] = {}
    """What the plugin needs to know."""
    permissions: Annotated[list[str], Field(min_length=1, max_length=100)]
    """What it is about, such as `rules:create`; `*` is everything."""
    groups: Annotated[list[Name], Field(max_length=1000)] = []
    """Whom it is about; with no accounts either, everybody."""
    accounts: Annotated[list[Name], Field(max_length=1000)] = []
    """Whom it is about, besides the groups."""
    things: Annotated[
        list[Annotated[str, Field(max_length=400), AfterValidator(_pattern)]], Field(max_length=1000)
    ] = []
    """On what: `mc:run7` or `/belle/mc/run7` (and all below), `mc:` (a scope), `mc:run*`, `site:LYON`, `tag:gpu`; empty
    is everything."""
    reason: Annotated[str, Field(min_length=1, max_length=300)]
    """Why; it is shown to whom it denies something."""

    @field_validator("permissions")
    @classmethod
    def _known(cls, permissions: list[str]) -> list[str]:
        unknown = sorted(set(permissions) - PERMISSIONS - {"*"})
        if unknown:
            raise ValueError(f"there is no permission {unknown[0]}; there are: *, {', '.join(sorted(PERMISSIONS))}")
        return permissions

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.effect is None) == (self.plugin is None):
            raise ValueError("a policy has either an effect or a plugin")
        return self

    def stored(self, vo: int, name: str, things: Iterable[str]) -> StoredPolicy:
        """The same as it is kept, with its things spelled out."""
        return StoredPolicy(
            vo=vo, name=name, effect=Effect.PLUGIN if self.effect is None else Effect[self.effect.upper()],
            permissions=tuple(dict.fromkeys(self.permissions)), groups=tuple(self.groups),
            accounts=tuple(self.accounts), things=tuple(dict.fromkeys(things)), reason=self.reason,
            plugin=self.plugin, settings=self.settings,
        )  # fmt: skip


def rights_of(extensions: Extensions) -> RightsOf:
    """What reads the rights of accounts, with the plugins that policies name."""

    async def rights(conn: Connection, vo: int, account_id: int) -> Rights:
        found = await store.rights(conn, vo, account_id)
        if found is None:
            return Rights()
        return Rights(
            roles=tuple((name, frozenset(held)) for name, held in sorted(found.roles.items())),
            policies=tuple(_ready(policy, extensions) for policy in found.policies),
        )

    return rights


def _ready(policy: StoredPolicy, extensions: Extensions) -> Policy:
    """A policy that can be asked. Without its plugin it denies: what was to be judged is not let pass unjudged."""
    effect, reason = policy.effect, policy.reason
    plugin: PolicyPlugin | None = None
    if policy.plugin is not None:
        try:
            plugin = cast(PolicyPlugin, extensions.get(GROUP, policy.plugin, policy.settings))
        except (PluginUnknown, ImportError, ValidationError):
            effect, reason = Effect.DENY, f"its plugin {policy.plugin} cannot be used on this server ({reason})"
    return Policy(
        vo=policy.vo, name=policy.name, effect=effect, permissions=frozenset(policy.permissions),
        groups=frozenset(policy.groups), accounts=frozenset(policy.accounts), on=policy.things, reason=reason,
        plugin=plugin,
    )  # fmt: skip


async def _apply(conn: Connection, caller: Principal, vo: int, documents: Sequence[Named[PolicySpec]]) -> None:
    vo_name = next(known.name for known in await vos.list_vos(conn) if known.vo == vo)
    wanted = {d.name: d.spec.stored(vo, d.name, _spelled(vo_name, d)) for d in documents}
    before = {policy.name: policy for policy in await store.policies(conn, vo, list(wanted))}
    await _check_names(conn, vo, documents)
    for d in documents:
        _check_plugin(d)
        for policy in filter(None, [before.get(d.name), wanted[d.name]]):
            _require_reach(caller, policy, field=d.field("permissions"))
        _check_way_back(caller, wanted[d.name], field=d.field("effect"))
    await store.put_policies(conn, vo, list(wanted.values()))


def _spelled(vo_name: str, document: Named[PolicySpec]) -> list[str]:
    texts = enumerate(document.spec.things)
    return [spell_in(vo_name, text, field=document.field(f"things.{n}")) for n, text in texts]


async def _retire(conn: Connection, caller: Principal, vo: int, names: Sequence[str]) -> None:
    for policy in await store.policies(conn, vo, names):
        _require_reach(caller, policy)
    await store.drop_policies(conn, vo, names)


async def _check_names(conn: Connection, vo: int, documents: Sequence[Named[PolicySpec]]) -> None:
    """A denial that names nobody by mistake would deny nothing."""
    groups = {group.name for group in await identity.groups(conn, vo)}
    unknown = set(await store.unknown_accounts(conn, vo, sorted({a for d in documents for a in d.spec.accounts})))
    for d in documents:
        for i, group in enumerate(d.spec.groups):
            if group not in groups:
                raise GroupNotFound(group=group, field=d.field(f"groups.{i}"))
        for i, account in enumerate(d.spec.accounts):
            if account in unknown:
                raise AccountNotFound(account=account, field=d.field(f"accounts.{i}"))


def _check_plugin(document: Named[PolicySpec]) -> None:
    name = document.spec.plugin
    if name is None:
        return
    try:
        load(GROUP, name).Settings.model_validate(document.spec.settings)
    except (PluginUnknown, ImportError) as e:
        raise PolicyPluginUnfit(plugin=name, reason=str(e), field=document.field("plugin")) from e
    except ValidationError as e:
        faults = e.errors(include_url=False, include_input=False)
    else:
        return
    said = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults)
    raise PolicyPluginUnfit(plugin=name, reason=said, field=document.field("settings"))


def _require_reach(caller: Principal, policy: StoredPolicy, *, field: str | None = None) -> None:
    """Nobody gives others, or takes from them, what they do not have themselves, there."""
    patterns: Iterable[str | None] = policy.things or [None]
    lacking = {p for p in policy.permissions for pattern in patterns if not may_give(caller, p, pattern)}
    if lacking:
        raise BeyondYours(
            what=f"Policy {policy.name}", account=caller.account, permissions=", ".join(sorted(lacking)), field=field
        )


def _check_way_back(caller: Principal, policy: StoredPolicy, *, field: str) -> None:
    """Who applies a policy can still take it back."""
    ready = _ready(policy, Extensions())
    if ready.effect is Effect.DENY and not ready.on and caller.is_concerned(ready, "configuration:apply"):
        raise LocksOut(policy=policy.name, account=caller.account, field=field)


def _things(name: str, _spec: Mapping[str, Any]) -> list[str]:
    return [f"policy:{name}"]


POLICY = Kind(
    name="Policy", model=PolicySpec, order=25, apply=_apply, retire=_retire, permission="policies:manage",
    things=_things,
)  # fmt: skip
"""Documents that make policies."""
