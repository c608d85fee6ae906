"""The door of sharing: what is granted, and the ways to read it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from sancho.dids import service as dids
from sancho.dids.errors import DidNotFound
from sancho.kit import db
from sancho.kit.access import INSTANCE, Principal
from sancho.kit.db import Connection
from sancho.kit.deployment import Deployment
from sancho.sharing.model import KIND, Lent, Offered, Shared
from sancho.vos import service as vos


@asynccontextmanager
async def opened(deployment: Deployment, caller: Principal, owner: str, did: str) -> AsyncIterator[Shared]:
    """Open a dataset or container that another VO lets the caller's read.

    Raises `DidNotFound` when it does not, when it was withdrawn, and when there is no such VO or DID: who may not
    read it does not learn which.
    """
    async with deployment.database.transaction([INSTANCE]) as conn:
        vo = await vos.find(conn, owner)
    if vo is None or vo.vo == INSTANCE:
        raise DidNotFound(did=did)
    async with deployment.database.snapshot([vo.vo]) as conn:
        granted = await vos.find_spec(conn, vo.vo, KIND, did)
        if granted is None or caller.vo_name not in granted["to"]:
            raise DidNotFound(did=did)
        guest = replace(
            caller, vo=vo.vo, vo_name=vo.name, vos=(vo.vo,), account=f"{caller.account}@{caller.vo_name}",
            account_id=0, groups=(), permissions=frozenset(),
        )  # fmt: skip
        yield Shared(conn=conn, did=await dids.get_collection(conn, vo.vo, did), guest=guest)


@asynccontextmanager
async def lent(
    conn: Connection, reader: str, owner: str, names: Sequence[str], *, field: str = "did"
) -> AsyncIterator[Lent]:  # fmt: skip
    """Open datasets that the VO `owner` lets the VO `reader` read, for a part of the caller's transaction.

    While the block lasts the transaction serves the owner alone; read there what is below these datasets, and no more.
    Raises `DidNotFound`, naming the first as `VO/scope:name`, as `opened` does.
    """
    vo = await vos.find(conn, owner)
    if vo is None or vo.vo == INSTANCE:
        raise DidNotFound(did=f"{owner}/{names[0]}", field=field)
    async with db.serving(conn, [vo.vo]):
        granted = {d.name for d in await vos.documents(conn, [vo.vo], kind=KIND) if reader in d.spec["to"]}
        for name in names:
            if name not in granted:
                raise DidNotFound(did=f"{owner}/{name}", field=field)
        yield Lent(vo=vo.vo, dids=await dids.resolve(conn, vo.vo, names, field=field))


async def offered(deployment: Deployment, caller: Principal) -> list[Offered]:
    """The datasets that other VOs let the caller's read, by owner and name."""
    everybody = await db.all_vos(deployment.database)
    async with deployment.database.transaction(everybody) as conn:
        documents = await vos.documents(conn, everybody, kind=KIND)
    found = [Offered(vo=d.vo or "", did=d.name) for d in documents if caller.vo_name in d.spec["to"]]
    return sorted(found, key=lambda one: (one.vo, one.did))
