"""The door of sharing: what is granted, and the one way to read it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from sancho.dids import service as dids
from sancho.dids.errors import DidNotFound
from sancho.kit import db
from sancho.kit.access import INSTANCE, Principal
from sancho.kit.deployment import Deployment
from sancho.sharing.model import KIND, Offered, Shared
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


async def offered(deployment: Deployment, caller: Principal) -> list[Offered]:
    """The datasets that other VOs let the caller's read, by owner and name."""
    everybody = await db.all_vos(deployment.database)
    async with deployment.database.transaction(everybody) as conn:
        documents = await vos.documents(conn, everybody, kind=KIND)
    found = [Offered(vo=d.vo or "", did=d.name) for d in documents if caller.vo_name in d.spec["to"]]
    return sorted(found, key=lambda one: (one.vo, one.did))
