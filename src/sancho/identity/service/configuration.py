"""How documents of the kinds Group and Account come true, and how an installation begins."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, field_validator

from sancho.identity import plan, store
from sancho.identity.errors import BeyondYours, GroupNotFound, PasswordsOff
from sancho.identity.model import DEFAULT_GROUPS, PERMISSIONS, AccountKind, AccountState, Group
from sancho.identity.service.fitness import Fitness
from sancho.identity.service.passwords import ANY, is_hash, make_hash
from sancho.kit.access import INSTANCE, Principal
from sancho.kit.clock import SystemClock
from sancho.kit.db import Connection
from sancho.vos import service as vos
from sancho.vos.model import INSTANCE_NAME, Action, Applied, Change, Document, Kind, Named

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]

AttributeName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9._-]{0,62}$")]
AttributeValue = bool | int | float | Annotated[str, Field(max_length=1000)]


def _not_tiny(share: float) -> float:
    if 0 < share < 1e-6:
        raise ValueError("a share is 0, or at least a millionth")
    return share


class GroupSpec(BaseModel, extra="forbid"):
    """A group of accounts."""

    permissions: Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=100)] = []
    """What its members may do, such as `rules:create`; `*` is everything."""
    share: Annotated[float, Field(ge=0, le=1e6), AfterValidator(_not_tiny)] = 1
    """Its part of the VO's capacity, relative to the other groups'."""

    @field_validator("permissions")
    @classmethod
    def _known(cls, permissions: list[str]) -> list[str]:
        unknown = sorted(set(permissions) - PERMISSIONS - {"*"})
        if unknown:
            raise ValueError(f"there is no permission {unknown[0]}; there are: *, {', '.join(sorted(PERMISSIONS))}")
        return permissions


class AccountSpec(BaseModel, extra="forbid"):
    """An account of a VO."""

    kind: Annotated[str, Field(pattern="^(user|group|service)$")] = "user"
    """Who is behind it."""
    email: Annotated[str | None, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")] = None
    """Where its people can be reached."""
    groups: Annotated[list[Name], Field(max_length=100)] = []
    """The groups it is in."""
    attributes: Annotated[dict[AttributeName, AttributeValue], Field(max_length=100)] = {}
    """What else its VO wants to say of it; it gives no rights."""
    suspended: bool | None = None
    """Whether it is barred; when absent, that stays as it is."""
    password_hash: Annotated[str | None, Field(max_length=500)] = None
    """An argon2id hash of its password; when absent, the password stays as it is. Never kept in the history, and never
    looked into: whether the password is a good one is for who makes the hash to say."""

    @field_validator("password_hash")
    @classmethod
    def _argon2(cls, text: str | None) -> str | None:
        if text is not None and not is_hash(text):
            raise ValueError("is not an argon2id hash of acceptable cost")
        return text


def _require_reach(
    caller: Principal, known: Sequence[Group], groups: Sequence[str], *, what: str, field: str | None = None
) -> None:
    """Nobody gives others, or takes from them, what they do not have themselves."""
    lacking = plan.beyond(caller.permissions, known, groups)
    if lacking:
        raise BeyondYours(what=what, account=caller.account, permissions=", ".join(lacking), field=field)


async def _apply_groups(conn: Connection, caller: Principal, vo: int, documents: Sequence[Named[GroupSpec]]) -> None:
    known = await store.list_groups(conn, vo)
    for d in documents:
        wanted = Group(group_id=0, vo=vo, name="", permissions=tuple(d.spec.permissions), share=0)
        names = [wanted.name, d.name]
        _require_reach(caller, [*known, wanted], names, what=f"Group {d.name}", field=d.field("permissions"))
    await store.put_groups(
        conn,
        vo,
        names=[d.name for d in documents],
        permissions=[" ".join(dict.fromkeys(d.spec.permissions)) for d in documents],
        shares=[d.spec.share for d in documents],
    )


async def _retire_groups(conn: Connection, caller: Principal, vo: int, names: Sequence[str]) -> None:
    _require_reach(caller, await store.list_groups(conn, vo), names, what="One of these groups")
    await store.drop_groups(conn, vo, names)


async def _give_default_groups(conn: Connection, _caller: Principal, changes: Sequence[Change]) -> None:
    """A VO that has just been made gets the groups that every VO has."""
    made = [c.name for c in changes if c.kind == "VO" and c.action is Action.CREATED]
    await _add_default_groups(conn, [vo.vo for vo in await vos.list_vos(conn) if vo.name in made] if made else [])


async def _add_default_groups(conn: Connection, numbers: Sequence[int]) -> None:
    each = [(vo, name, " ".join(permissions)) for vo in numbers for name, permissions in DEFAULT_GROUPS.items()]
    await store.add_groups(conn, [vo for vo, _, _ in each], [n for _, n, _ in each], [p for _, _, p in each])


async def _apply_accounts(
    conn: Connection, caller: Principal, vo: int, documents: Sequence[Named[AccountSpec]]
) -> None:
    known = await store.list_groups(conn, vo)
    groups = {group.name: group.group_id for group in known}
    before = {a.name: a.groups for a in await store.list_accounts(conn, vo, names=[d.name for d in documents])}
    for d in documents:
        for i, group in enumerate(d.spec.groups):
            if group not in groups:
                raise GroupNotFound(group=group, field=d.field(f"groups.{i}"))
        touched = [*d.spec.groups, *before.get(d.name, ())]
        _require_reach(caller, known, touched, what=f"Account {d.name}", field=d.field("groups"))
    ids = await store.put_accounts(
        conn,
        vo,
        names=[d.name for d in documents],
        kinds=[AccountKind[d.spec.kind.upper()].value for d in documents],
        emails=[d.spec.email for d in documents],
        suspended=[d.spec.suspended for d in documents],
    )
    await store.put_attributes(conn, vo, {ids[d.name]: d.spec.attributes for d in documents})
    memberships = [(ids[d.name], groups[group]) for d in documents for group in dict.fromkeys(d.spec.groups)]
    await store.put_memberships(
        conn,
        vo,
        account_ids=list(ids.values()),
        members=[a for a, _ in memberships],
        group_ids=[g for _, g in memberships],
    )
    await _apply_secrets(conn, vo, documents, ids)


async def _apply_secrets(
    conn: Connection, vo: int, documents: Sequence[Named[AccountSpec]], ids: dict[str, int]
) -> None:
    now = SystemClock().now()
    new = [(d.name, d.spec.password_hash) for d in documents if d.spec.password_hash is not None]
    off = {v.vo: v.name for v in await vos.list_vos(conn) if not v.passwords} if new else {}
    if vo in off:
        first = next(d for d in documents if d.spec.password_hash is not None)
        raise PasswordsOff(vo=off[vo], field=first.field("password_hash"))
    await store.put_passwords(
        conn, vo, account_ids=[ids[n] for n, _ in new], names=[n for n, _ in new], hashes=[h for _, h in new], now=now
    )
    void = {n for n, _ in new} | {d.name for d in documents if d.spec.suspended}
    await store.revoke_all(conn, vo, [ids[n] for n in sorted(void)], now)


async def _retire_accounts(conn: Connection, caller: Principal, vo: int, names: Sequence[str]) -> None:
    """An account that goes is suspended: jobs, rules and files remain its own."""
    groups = [group for account in await store.list_accounts(conn, vo, names=names) for group in account.groups]
    _require_reach(caller, await store.list_groups(conn, vo), groups, what="One of these accounts")
    ids = await store.set_state(conn, vo, names, AccountState.SUSPENDED.value)
    await store.revoke_all(conn, vo, ids, SystemClock().now())


async def _welcome_back(conn: Connection, _caller: Principal, changes: Sequence[Change]) -> None:
    """An account whose document went and comes again may act again, unless the document says otherwise."""
    back: dict[str, list[str]] = {}
    for c in changes:
        if c.kind == "Account" and c.action is Action.CREATED and not (c.after or {}).get("suspended"):
            back.setdefault(c.vo, []).append(c.name)
    numbers = {vo.name: vo.vo for vo in await vos.list_vos(conn)} if back else {}
    for vo_name, names in back.items():
        await store.set_state(conn, numbers[vo_name], names, AccountState.ACTIVE.value)


GROUP = Kind(
    name="Group", model=GroupSpec, order=10, apply=_apply_groups, retire=_retire_groups, follow=_give_default_groups,
    permission="groups:manage", things=lambda name, _: [f"group:{name}"],
)  # fmt: skip
"""Documents that make groups; every new VO gets the default ones."""
ACCOUNT = Kind(
    name="Account", model=AccountSpec, order=20, apply=_apply_accounts, retire=_retire_accounts, follow=_welcome_back,
    secrets=frozenset({"password_hash"}), permission="accounts:manage", things=lambda name, _: [f"account:{name}"],
)  # fmt: skip
"""Documents that make accounts; one that goes leaves its account suspended, for it may own things."""


async def bootstrap(
    conn: Connection, names: Sequence[str], password: str, kinds: Sequence[Kind[Any]], against: Fitness = ANY
) -> Applied:
    """Begin: make VOs by name, their default groups, and in each and in `instance` an account `admin`.

    `password` is that of every `admin` made now, but of VOs that have switched passwords off; those that exist keep
    theirs, so it can be repeated. It is held `against` what is near and what was stolen, and may raise what
    `make_hash` raises. The transaction serves every VO there is. `kinds` are those of all features, so that
    everything that follows from an account is made too.
    """
    known = await vos.list_vos(conn)
    caller = Principal(
        vo=INSTANCE, vo_name=INSTANCE_NAME, account_id=0, account="init", permissions=frozenset("*"),
        vos=tuple(vo.vo for vo in known),
    )  # fmt: skip
    await _add_default_groups(conn, [INSTANCE])
    have = {vo.name for vo in known if await store.list_accounts(conn, vo.vo, names=["admin"])}
    missing = [name for name in dict.fromkeys([INSTANCE_NAME, *names]) if name not in have]
    spec: dict[str, Any] = {"groups": ["admins"]}
    secret = {"password_hash": await make_hash(password, against.beside(*names, "admin"))} if missing else {}
    off = {vo.name for vo in known if not vo.passwords}
    there = {d.name: d.spec for d in await vos.documents(conn, [INSTANCE], kind="VO")}  # which stay as they are
    documents = [Document(kind="VO", name=n, spec=there.get(n, {})) for n in names if n != INSTANCE_NAME]
    documents += [
        Document(kind="Account", name="admin", vo=name, spec=spec if name in off else {**spec, **secret})
        for name in missing
    ]  # fmt: skip
    return await vos.apply(conn, caller, documents, kinds, comment="the beginning")
