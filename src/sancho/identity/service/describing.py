"""Small changes of what the document of an account says."""

from collections.abc import Mapping, Sequence
from typing import Any

from sancho.identity.model import Account, AccountState
from sancho.identity.service.accounts import get_account
from sancho.identity.service.configuration import ACCOUNT
from sancho.kit.access import Principal, require
from sancho.kit.db import Connection
from sancho.vos import service as vos
from sancho.vos.model import Document, Kind, Spec

LEFT_AS_IT_IS = ("password_hash", "suspended")
"""What a document of an account changes only when it says it: a record of it is not to be said again."""


def document_of(account: Account, spec: Spec | None) -> Spec:
    """What the document of an account says that is to stay as it is; `spec` is what it says now.

    One that a provider's word made has no document yet: the first one says what the account is already, that it is
    suspended too, for a first document lets its account act unless it says otherwise.
    """
    if spec:
        return {key: value for key, value in spec.items() if key not in LEFT_AS_IT_IS}
    told: Spec = {"kind": account.kind.word, "groups": list(account.groups), "email": account.email}
    if account.attributes:
        told["attributes"] = dict(account.attributes)
    return told | {"suspended": True} if account.state is AccountState.SUSPENDED else told


async def change_attributes(
    conn: Connection, caller: Principal, name: str, changed: Mapping[str, Any], kinds: Sequence[Kind[Any]]
) -> Account:
    """Give an account of the caller's VO attributes, or with None take them away; others stay. Needs `accounts:manage`.

    It is a version of the configuration like any other, whose kind says what an attribute may be. Raises
    `AccountNotFound`, or what `vos.service.apply` raises.
    """
    require(caller, "accounts:manage", on=f"account:{name}")
    await vos.lock_configuration(conn)
    known = await get_account(conn, caller.vo, name, field="name")
    spec = document_of(known, await vos.find_spec(conn, caller.vo, ACCOUNT.name, name))
    said = {key: value for key, value in {**known.attributes, **changed}.items() if value is not None}
    document = Document(kind=ACCOUNT.name, name=name, vo=caller.vo_name, spec={**spec, "attributes": said})
    await vos.apply(conn, caller, [document], kinds, comment=f"attributes of {name}")
    return await get_account(conn, caller.vo, name)
