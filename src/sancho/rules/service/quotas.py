"""Quotas: charged and given back with every lock, held for uploads, worked out anew when what they mean changes."""

from collections.abc import Iterable, Sequence
from typing import Annotated

from pydantic import BaseModel, Field

from sancho.identity import service as identity
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.kit.units import Size
from sancho.rses import service as rses
from sancho.rses.errors import RseExpressionEmpty
from sancho.rules import plan
from sancho.rules.errors import QuotaExceeded
from sancho.rules.model import Bill, Charge, Quota, Slot, Usage
from sancho.rules.store import quotas
from sancho.vos.model import Change, Kind, Named

ORDER = 70
"""After accounts and RSEs, which quotas name."""
MEANING = {"Quota", "RSE", "Grant", "Site"}
"""Kinds of documents that can change what a quota applies to, or how much it is."""


class _TooLittle(Exception):
    """This connection's own slots have too little room."""


async def hold_quota(conn: Connection, vo: int, account_id: int, rse_id: int, size: int) -> None:
    """Set bytes aside for an account on an RSE; raises `QuotaExceeded`."""
    await charge(conn, vo, [Charge(account_id, rse_id, 0, 0, size)])


async def free_quota(conn: Connection, vo: int, account_id: int, rse_id: int, size: int) -> None:
    """Give back bytes that were set aside by `hold_quota`."""
    await charge(conn, vo, [Charge(account_id, rse_id, 0, 0, -size)])


async def charge(conn: Connection, vo: int, charges: Iterable[Charge]) -> None:
    """Charge accounts for bytes, or give them back, in one piece; raises `QuotaExceeded`.

    Every quota that applies, the account's own and those of the VO, is charged; where none does, only usage counts.
    """
    due = [c for c in charges if c.files or c.size or c.held]
    if not due:
        return
    await quotas.share(conn, vo)
    bills = await quotas.bills(conn, vo, due)
    if bills:
        await _pay(conn, vo, bills)
    await quotas.add_usage(conn, vo, due)


async def _pay(conn: Connection, vo: int, bills: Sequence[Bill]) -> None:
    """Change rooms: in this connection's slots if they suffice, else in all slots, which are then even again."""
    ids = [b.quota_id for b in bills]
    if not any(b.over for b in bills):
        try:
            async with conn.transaction():  # nobody may wait for all slots while he has some
                own = plan.charge_own(await quotas.lock_own_slots(conn, vo, ids), bills)
                if own is None:
                    raise _TooLittle
                await quotas.set_rooms(conn, vo, own)
            return
        except _TooLittle:
            pass
    slots = await quotas.lock_all_slots(conn, vo, ids)
    after = plan.charge_all(slots, await quotas.overs(conn, vo, ids), bills)
    if isinstance(after, Bill):
        known = {q.quota_id: q for q in await quotas.all_quotas(conn, vo)}
        raise exceeded(known[after.quota_id], after.size)
    rooms, overs = after
    await quotas.set_rooms(conn, vo, rooms)
    await quotas.set_overs(conn, vo, overs)


def exceeded(quota: Quota, needed: int) -> QuotaExceeded:
    """The error that says what stands in the way."""
    return QuotaExceeded(
        owner="The VO" if quota.account is None else f"Account {quota.account}", quota=quota.name,
        rse_expression=quota.rse_expression, free=max(quota.room - quota.over, 0), needed=needed,
    )  # fmt: skip


async def list_quotas(
    conn: Connection, vo: int, account_id: int | None = None, *, page: tuple[str, int]
) -> list[Quota]:
    """A VO's quotas with the room they have, by name; of an account those that apply to it.

    As many as `page` says, after the name it says.
    """
    return await quotas.list_quotas(conn, vo, account_id, page)


async def usage(
    conn: Connection, vo: int, account_id: int | None = None, *, rse_id: int | None = None,
    page: tuple[int, int, int] = (0, 0, 1000),
) -> list[Usage]:  # fmt: skip
    """What accounts lock on RSEs and hold for uploads, one account or all, on one RSE or all; exact, in its commit.

    By account and RSE: those after the ids that `page` says, as many as it says.
    """
    return await quotas.list_usage(conn, vo, account_id, rse_id, page)


# ---- what quotas mean


async def refresh_quotas(conn: Connection) -> None:
    """Work out anew to which RSEs the quotas of all served VOs apply, and what room they have."""
    for vo in await quotas.vos_with_quotas(conn):
        await _refresh(conn, vo)


async def _refresh(conn: Connection, vo: int) -> None:
    await quotas.alone(conn, vo)
    known = await quotas.all_quotas(conn, vo)
    matching = {e: await _matching(conn, vo, e) for e in sorted({q.rse_expression for q in known})}
    pairs = [(q.quota_id, rse_id) for q in known for rse_id in matching[q.rse_expression]]
    await quotas.put_quota_rses(conn, vo, pairs)
    charged = await quotas.charged(conn, vo)
    left = {q.quota_id: q.limit - charged[q.quota_id] for q in known}
    slots: list[Slot] = [slot for q in known for slot in plan.spread(q.quota_id, max(left[q.quota_id], 0))]
    await quotas.set_rooms(conn, vo, slots)
    await quotas.set_overs(conn, vo, [(q.quota_id, max(-left[q.quota_id], 0)) for q in known])


async def _matching(conn: Connection, vo: int, expression: str) -> list[int]:
    try:
        return [rse.rse_id for rse in await rses.resolve(conn, expression, vo=vo)]
    except RseExpressionEmpty:
        return []


class QuotaSpec(BaseModel, extra="forbid"):
    """How much an account, or without one all of the VO together, may lock on the RSEs that match."""

    account: Annotated[str | None, Field(max_length=63)] = None
    rse_expression: Annotated[str, Field(max_length=4000, examples=["tier=1"])]
    size: Annotated[Size, Field(lt=2**62, examples=["10 TB"])]


async def _apply(conn: Connection, _caller: Principal, vo: int, documents: Sequence[Named[QuotaSpec]]) -> None:
    for document in documents:
        await rses.resolve(conn, document.spec.rse_expression, field=document.field("rse_expression"), vo=vo)
        if document.spec.account is not None:
            await identity.get_account(conn, vo, document.spec.account, field=document.field("account"))
    await quotas.alone(conn, vo)
    await quotas.put_quotas(
        conn,
        vo,
        [quotas.QuotaSpec(d.name, d.spec.account, d.spec.rse_expression, d.spec.size) for d in documents],
    )


async def _retire(conn: Connection, _caller: Principal, vo: int, names: Sequence[str]) -> None:
    await quotas.alone(conn, vo)
    await quotas.delete_quotas(conn, vo, names)


async def _follow(conn: Connection, _caller: Principal, changes: Sequence[Change]) -> None:
    if any(change.kind in MEANING for change in changes):
        await refresh_quotas(conn)


QUOTA = Kind[QuotaSpec](
    name="Quota", model=QuotaSpec, order=ORDER, apply=_apply, retire=_retire, follow=_follow,
    permission="quotas:manage", things=lambda name, _: [f"quota:{name}"],
)  # fmt: skip
"""`kind: Quota`: what accounts may lock where."""
