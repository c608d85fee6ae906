"""A person's data: all of it told, or the person taken out of it."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sancho.identity import store
from sancho.identity.errors import AlreadyErased
from sancho.identity.service.accounts import get_account, require_reach
from sancho.identity.service.tokens import end_login
from sancho.kit import db
from sancho.kit.access import INSTANCE, Principal, require, require_owner
from sancho.kit.deployment import Deployment
from sancho.kit.personal import Person, PersonalData
from sancho.vos import service as vos


@dataclass(frozen=True, kw_only=True)
class Erased:
    """What an account is called now, and how many rows of each feature were changed for it."""

    account: str
    changed: Mapping[str, int] = field(default_factory=dict[str, int])


async def person_to_tell(deployment: Deployment, caller: Principal, name: str) -> Person:
    """The account whose data somebody may have: one's own, or with `accounts:manage` anybody's of the VO.

    That they asked is noted in the audit log. Raises `AccountNotFound`, `NotYours` or `BeyondYours`.
    """
    async with deployment.database.transaction([caller.vo]) as conn:
        account = await get_account(conn, caller.vo, name, field="name")
        require_owner(
            caller, account.account_id, "accounts:manage", what="This account", owner=name, on=f"account:{name}"
        )
        if account.account_id != caller.account_id:
            await require_reach(conn, caller, account)
    return Person(vo=caller.vo, vo_name=caller.vo_name, account_id=account.account_id, name=name)


async def tell(deployment: Deployment, person: Person, parts: Sequence[PersonalData]) -> AsyncIterator[bytes]:
    """Everything about a person, one JSON document a line, as of one moment; nothing is built up in memory."""
    async with deployment.database.snapshot([person.vo]) as conn:
        for part in parts:
            async for line in part.tell(conn, person):
                yield json.dumps({"feature": part.feature, **line}, ensure_ascii=False).encode() + b"\n"


async def erase(deployment: Deployment, caller: Principal, name: str, parts: Sequence[PersonalData]) -> Erased:
    """Take a person out of everything of the caller's VO.

    What remains of the account has a pseudonym and owns what it owned. Its tokens are void within 30 seconds.
    Raises `AccountNotFound`, `AlreadyErased`, or `BeyondYours` for somebody with more permissions.
    """
    served = [caller.vo] if caller.vo != INSTANCE else await db.all_vos(deployment.database)
    async with deployment.database.transaction(served) as conn:
        require(caller, "accounts:manage", on=f"account:{name}")
        await vos.lock_configuration(conn)
        account = await get_account(conn, caller.vo, name, field="name")
        person = Person(vo=caller.vo, vo_name=caller.vo_name, account_id=account.account_id, name=name)
        if name == person.pseudonym:
            raise AlreadyErased(account=name)
        await require_reach(conn, caller, account)
        now: datetime = deployment.clock.now()
        for login in await store.list_logins(conn, caller.vo, now, account_id=account.account_id):
            await end_login(conn, deployment, caller.vo, login.family)
        changed = {part.feature: await part.erase(conn, person) for part in parts if part.erase is not None}
    return Erased(account=person.pseudonym, changed=changed)
