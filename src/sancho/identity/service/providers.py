"""Who vouches for people of a VO: documents of kind IdentityProvider, and how somebody they name becomes an account."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, cast

from pydantic import BaseModel, Field, ValidationError

from sancho.identity import plan, store
from sancho.identity.errors import (
    AccountSuspended,
    BeyondYours,
    IssuerTaken,
    ListUnbelievable,
    NotAMember,
    OperatorOnly,
    ProviderAway,
    ProviderNotFound,
    ProviderRefused,
)
from sancho.identity.model import Account, AccountKind, AccountState, Group, NewIdentity, Proof, Provider
from sancho.identity.service.noted import NOBODY, note_refused
from sancho.kit import telemetry
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.kit.deployment import Deployment
from sancho.kit.extensions import PluginUnknown, load
from sancho.vos import service as vos
from sancho.vos.errors import DocumentInvalid
from sancho.vos.model import VO, Document, Kind, Named
from sancho_contract.identity import OPERATOR_ONLY, IdentityProvider, IdentityRefused, Person, ProviderUnavailable

EXTENSION = "sancho.identity"
_log = telemetry.log(__name__)
GroupName = Annotated[str, Field(min_length=1, max_length=500)]


class ProviderSpec(BaseModel, extra="forbid"):
    """An identity provider of a VO."""

    issuer: Annotated[str, Field(max_length=500, pattern=r"^https?://[^\s]+$")]
    """Who vouches: the `iss` of its tokens. An issuer vouches for one VO, unless VO `instance` shares it."""
    title: Annotated[str | None, Field(max_length=100)] = None
    """What its button on the login page says; the document's name when absent."""
    plugin: Annotated[str, Field(max_length=100)] = "oidc"
    """The plugin that speaks with it."""
    members: Annotated[list[GroupName], Field(max_length=1000)] = []
    """Groups of theirs whose members are members of the VO, groups below them included; absent: everybody is."""
    groups: Annotated[
        dict[GroupName, Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]], Field(max_length=1000)
    ] = {}
    """Which group of theirs is which of ours. Absent: their `/VO/NAME` is our NAME, except `admins`."""
    settings: dict[str, Any] = {}
    """Settings of the plugin; secrets are named, never said."""


async def _apply(conn: Connection, caller: Principal, vo: int, documents: Sequence[Named[ProviderSpec]]) -> None:
    owners = await store.own_issuers(conn, vo, [d.spec.issuer for d in documents])
    names = await store.provider_names(conn, vo)
    groups = await store.list_groups(conn, vo)
    before = {provider.name: provider for provider in await store.list_providers(conn, vo)}
    for d in documents:
        owner = owners.get(d.spec.issuer)
        if owner is None:
            raise IssuerTaken(issuer=d.spec.issuer, field=d.field("issuer"))
        if owner != vo and not d.spec.members:
            why = "an issuer that several VOs share needs `members`: who of its people is one of yours"
            raise _invalid(d, why, "members")
        if names.setdefault(d.spec.issuer, d.name) != d.name:
            raise _invalid(d, f"the provider {names[d.spec.issuer]} of this VO has this issuer already", "issuer")
        settings = _checked(d)
        _require_operator(caller, d, settings, before.get(d.name))
        _require_reach(caller, d, groups)
        provider = Provider(
            provider_id=0, vo=vo, name=d.name, title=d.spec.title or d.name, issuer=d.spec.issuer,
            plugin=d.spec.plugin, enabled=True, members=tuple(d.spec.members), groups=d.spec.groups, settings=settings,
        )  # fmt: skip
        await store.put_provider(conn, provider, issuer_vo=owner)


def _require_operator(
    caller: Principal, document: Named[ProviderSpec], settings: Mapping[str, Any], before: Provider | None
) -> None:
    """What reaches into the operator's machine or network is theirs to say, and so is what it is used for."""
    spec, reserved = document.spec, operator_only(document.spec.plugin)
    unchanged = before is not None and (before.plugin, before.settings) == (spec.plugin, dict(settings))
    said = sorted(name for name, default in reserved.items() if settings.get(name, default) != default)
    if said and not unchanged and not caller.is_instance_admin:
        raise OperatorOnly(setting=said[0], field=document.field(f"settings.{said[0]}"))


def operator_only(plugin: str) -> dict[str, Any]:
    """The settings of a plugin that only administrators of the installation may say, each with its default."""
    fields = load(EXTENSION, plugin).Settings.model_fields
    return {name: field.default for name, field in fields.items() if field.json_schema_extra == OPERATOR_ONLY}


def _require_reach(caller: Principal, document: Named[ProviderSpec], groups: Sequence[Group]) -> None:
    """Whoever says who vouches gives what that provider may give: nobody gives what they do not have themselves."""
    given = document.spec.groups.values() or [group.name for group in groups if group.name != "admins"]
    lacking = plan.beyond(caller.permissions, groups, {*given, "users"})
    if lacking:
        raise BeyondYours(
            what=f"A group that {document.name} may put people in", account=caller.account,
            permissions=", ".join(lacking), field=document.field("groups"),
        )  # fmt: skip


def _checked(document: Named[ProviderSpec]) -> dict[str, Any]:
    if "issuer" in document.spec.settings:
        raise _invalid(
            document, "the issuer is said beside the settings, where one VO alone can have it", "settings.issuer"
        )
    settings = {**document.spec.settings, "issuer": document.spec.issuer}
    try:
        load(EXTENSION, document.spec.plugin).Settings(**settings)
    except PluginUnknown as e:
        raise _invalid(document, str(e), "plugin") from e
    except ValidationError as e:
        fault = e.errors()[0]
        where = ".".join(str(part) for part in fault["loc"])
        raise _invalid(document, fault["msg"], f"settings.{where}") from e
    return settings


def _invalid(document: Named[ProviderSpec], problem: str, path: str) -> DocumentInvalid:
    return DocumentInvalid(kind="IdentityProvider", name=document.name, problems=problem, field=document.field(path))


async def _retire(conn: Connection, _caller: Principal, vo: int, names: Sequence[str]) -> None:
    await store.disable_providers(conn, vo, names)


PROVIDER = Kind(name="IdentityProvider", model=ProviderSpec, order=15, apply=_apply, retire=_retire)
"""Documents that say who vouches for a VO's people; when one goes, they keep their accounts and cannot log in by it."""


async def get_provider(conn: Connection, vo: VO, name: str) -> Provider:
    """Return an enabled provider of a VO; raises `ProviderNotFound`."""
    found = await store.list_providers(conn, vo.vo, name=name)
    if not found:
        raise ProviderNotFound(provider=name, vo=vo.name)
    return found[0]


async def list_providers(conn: Connection, vo: int) -> list[Provider]:
    """The enabled providers of a VO, by name."""
    return await store.list_providers(conn, vo)


async def all_providers(conn: Connection) -> list[Provider]:
    """The enabled providers of all VOs that the transaction serves."""
    return await store.all_providers(conn)


def plugin_of(deployment: Deployment, provider: Provider, vo_name: str) -> IdentityProvider:
    """What speaks with a provider; it reads the secrets of this VO and of no other."""
    secret = deployment.secrets.of(vo_name)
    made = deployment.extensions.get(EXTENSION, provider.plugin, provider.settings, secret=secret)
    return cast(IdentityProvider, made)


def refusal(provider: Provider, trouble: IdentityRefused | ProviderUnavailable) -> ProviderRefused | ProviderAway:
    """What to say of a provider's trouble."""
    if isinstance(trouble, IdentityRefused):
        return ProviderRefused(provider=provider.title, detail=trouble.detail)
    return ProviderAway(provider=provider.title, detail=trouble.detail, retry_after=int(trouble.retry_after or 10))


async def trouble_of(deployment: Deployment, vo: VO, provider: Provider) -> str | None:
    """Ask a provider how a login would begin; say what is wrong, or None when all is well."""
    nobody = f"{deployment.public_url}/v1/auth/callback"
    try:
        plugin = plugin_of(deployment, provider, vo.name)
        await plugin.login_url(redirect_uri=nobody, state="check", nonce="check", code_challenge="A" * 43)
    except (IdentityRefused, ProviderUnavailable) as e:
        return e.detail
    return None


async def welcome(deployment: Deployment, vo: VO, provider: Provider, person: Person) -> Account:
    """The account of somebody whom a provider vouches for, made when they come for the first time.

    Their groups follow the provider's word each time. Raises `NotAMember` or `AccountSuspended`.
    """
    if not plan.is_member(person.groups, provider.members):
        note_refused(vo.vo, NOBODY, f"{person.subject} of {person.issuer} is no member of the VO.")
        raise NotAMember(provider=provider.title, vo=vo.name)
    subject = f"{person.issuer} {person.subject}"
    async with deployment.database.transaction([vo.vo]) as conn:
        account = await _known(conn, vo, subject)
        if account is None:
            await vos.lock_configuration(conn)  # two people of one name, or one person twice, do not come at once
            account = await _known(conn, vo, subject)
        wanted = await _wanted(conn, vo, provider, person, account)
        if account is None:
            stem = plan.account_name(person.name, person.email, ())
            name = plan.account_name(stem, None, await store.names_like(conn, vo.vo, stem))
            account = await _put(conn, deployment, vo, provider, {name: wanted})
            new = NewIdentity(
                account_id=account.account_id, kind=Proof.TOKEN_ISSUER, subject=subject, issuer=person.issuer
            )
            await store.put_identity(conn, vo.vo, new)
        elif wanted != _spec(account):
            account = await _put(conn, deployment, vo, provider, {account.name: wanted})
        await store.note_proof(conn, vo.vo, Proof.TOKEN_ISSUER, subject, deployment.clock.now())
    return account


async def _known(conn: Connection, vo: VO, subject: str) -> Account | None:
    proofs = await store.list_identities(conn, vo.vo, kind=Proof.TOKEN_ISSUER, subject=subject)
    if not proofs:
        return None
    (account,) = await store.list_accounts(conn, vo.vo, ids=[proofs[0].account_id])
    if account.state is not AccountState.ACTIVE:
        note_refused(vo.vo, account.name, "A provider vouched for an account that is suspended.")
        raise AccountSuspended(account=account.name, vo=vo.name)
    return account


def _spec(account: Account) -> dict[str, Any]:
    return {"kind": account.kind.word, "email": account.email, "groups": sorted(account.groups)}


async def _wanted(
    conn: Connection, vo: VO, provider: Provider, person: Person, account: Account | None
) -> dict[str, Any]:
    """The document of somebody's account, as a provider's word makes it."""
    ours = {group.name for group in await store.list_groups(conn, vo.vo)}
    given, governed = plan.groups_of(person.groups, provider.groups, ours, vo.name)
    before = {"users"} & ours if account is None else set(account.groups)
    kind = AccountKind.SERVICE if person.client else AccountKind.USER
    email = person.email if person.email and re.fullmatch(r"[^@\s]{1,200}@[^@\s]{1,50}", person.email) else None
    return {
        "kind": kind.word if account is None else account.kind.word,
        "email": email or (account.email if account else None),
        "groups": sorted((before - governed) | given),
    }


async def _put(
    conn: Connection, deployment: Deployment, vo: VO, provider: Provider, specs: Mapping[str, dict[str, Any]]
) -> Account:
    """Make or change accounts as by documents, so that all that follows from one is made too; return the first."""
    word = f"idp:{provider.name}"
    caller = Principal(vo=vo.vo, vo_name=vo.name, account_id=0, account=word, permissions=frozenset("*"), vos=(vo.vo,))
    documents = [Document(kind="Account", name=name, vo=vo.name, spec=spec) for name, spec in specs.items()]
    await vos.apply(conn, caller, documents, deployment.kinds, comment=f"{provider.title} says so")
    _log.info("accounts follow their provider", accounts=len(specs), vo=vo.name, provider=provider.name)
    return (await store.list_accounts(conn, vo.vo, names=list(specs)))[0]


async def follow(deployment: Deployment, vo: VO, provider: Provider) -> tuple[int, int]:
    """Let accounts follow a provider's list of people: how many were suspended or let in again, or changed groups.

    Whoever is off the list, or not active there, is suspended and logged out everywhere. Nothing is done when the
    list did not come to its end. Raises `ProviderRefused`, `ProviderAway`, or `ListUnbelievable` for a list that would
    suspend nearly everybody.
    """
    plugin = plugin_of(deployment, provider, vo.name)
    try:
        members = {m.subject: m async for m in plugin.members()} if plugin.lists_members else None
    except (IdentityRefused, ProviderUnavailable) as e:
        raise refusal(provider, e) from e
    if members is None:
        return 0, 0
    now = deployment.clock.now()
    async with deployment.database.transaction([vo.vo]) as conn:
        proofs = await store.list_identities(conn, vo.vo, kind=Proof.TOKEN_ISSUER, issuer=provider.issuer)
        accounts = {a.account_id: a for a in await store.list_accounts(conn, vo.vo, ids=[p.account_id for p in proofs])}
        active = {a.account_id for a in accounts.values() if a.state is AccountState.ACTIVE}
        here = {p.subject.removeprefix(f"{provider.issuer} "): p for p in proofs}
        good = {s for s, m in members.items() if m.active and plan.is_member(m.groups, provider.members)}
        # Whom an administrator has suspended stays so: the provider lets in again only whom it has suspended itself.
        out = [p for s, p in here.items() if s not in good and p.barred_at is None and p.account_id in active]
        back = [p for s, p in here.items() if s in good and p.barred_at is not None]
        if plan.is_unbelievable(len(out), len(active), listed=len(members)):
            telemetry.LISTS_NOT_FOLLOWED.labels(vo.name, provider.name).inc()
            raise ListUnbelievable(provider=provider.title, out=len(out), known=len(here), listed=len(members))
        await store.bar(conn, vo.vo, [p.subject for p in out], now)
        await store.bar(conn, vo.vo, [p.subject for p in back], None)
        await store.set_state(conn, vo.vo, [p.account for p in out], AccountState.SUSPENDED.value)
        await store.set_state(conn, vo.vo, [p.account for p in back], AccountState.ACTIVE.value)
        await store.revoke_all(conn, vo.vo, [p.account_id for p in out], now)
        ours = {group.name for group in await store.list_groups(conn, vo.vo)}
        changed: dict[str, dict[str, Any]] = {}
        for subject in good & here.keys():
            account = accounts[here[subject].account_id]
            given, governed = plan.groups_of(members[subject].groups, provider.groups, ours, vo.name)
            groups = sorted((set(account.groups) - governed) | given)
            if groups != sorted(account.groups):
                changed[account.name] = {**_spec(account), "groups": groups}
        if changed:
            await _put(conn, deployment, vo, provider, changed)
    if out or back:
        _log.info("suspension follows a provider", out=len(out), back=len(back), vo=vo.name, provider=provider.name)
    return len(out) + len(back), len(changed)
