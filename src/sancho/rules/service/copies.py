"""Copies that are made for jobs, so that they can run: begun once, kept while jobs want them, and let go after."""

from collections.abc import Sequence
from datetime import timedelta

from sancho.identity import service as identity
from sancho.kit.db import Connection
from sancho.rules.model import COPY_GRACE, PLACEMENT, PLACEMENT_ACCOUNT, Copying, Quota
from sancho.rules.service.asking import ensure_all
from sancho.rules.store import copies, quotas


async def copy_for_jobs(conn: Connection, vo: int, did_ids: Sequence[int], rse: str, lifetime: timedelta) -> list[int]:
    """Copy DIDs that jobs want to an RSE, for so long at most; call `alone` first. Return the rules.

    They are not copied a second time while anybody wants them. What has no room in a quota is stuck with that reason.
    """
    account_id = await identity.ensure_service_account(conn, vo, PLACEMENT_ACCOUNT)
    made = await ensure_all(
        conn, vo, account_id, did_ids, copies=1, rse_expression=rse, lifetime=lifetime, activity=PLACEMENT
    )  # fmt: skip
    await copies.note_placed(conn, vo, did_ids)
    return made


async def keep_copies(conn: Connection, vo: int, lifetime: timedelta) -> None:
    """Let copies end an hour after the last job that wanted them, and last for their lifetime where there are jobs.

    Call `alone` first, and place nothing in the same transaction. Safe to run twice.
    """
    changing = await copies.lock_changing(conn, vo, lifetime, COPY_GRACE)
    if changing:
        await copies.end_or_keep(conn, vo, changing, lifetime, COPY_GRACE)


async def copying(conn: Connection, vo: int, did_ids: Sequence[int]) -> list[Copying]:
    """The rules that copy these DIDs for jobs, and how much is there."""
    return await copies.of_dids(conn, vo, did_ids)


async def room_for_copies(conn: Connection, vo: int, rse_ids: Sequence[int]) -> tuple[int, list[Quota], int]:
    """Bytes that copies hold, the quotas that bound them on these RSEs, and the account that they are charged to."""
    account_id = await identity.ensure_service_account(conn, vo, PLACEMENT_ACCOUNT)
    return await copies.held(conn, vo), await quotas.quotas_over(conn, vo, [account_id], list(rse_ids)), account_id
