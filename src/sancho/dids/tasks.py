"""Background work of the namespace."""

from datetime import timedelta
from typing import Any

from sancho.dids import service
from sancho.kit.db import all_vos
from sancho.kit.deployment import Deployment
from sancho.kit.tasks import Tasks

tasks = Tasks("dids")


@tasks.task("refresh")
async def refresh(deployment: Deployment, *, vo: int, did_id: int) -> None:
    """Bring a smart dataset up to date, part by part. Safe to run twice."""
    after: int | None = None
    while after != 0:
        async with deployment.database.transaction([vo]) as conn:
            after = (await service.refresh(conn, vo, did_id, deployment.search_fields, after=after or 0)).more


@tasks.task("refresh_all", every=timedelta(minutes=1))
async def refresh_all(deployment: Deployment) -> None:
    """Have every smart dataset brought up to date."""
    for vo in await all_vos(deployment.database):
        async with deployment.database.transaction([vo]) as conn:
            await service.refresh_due(conn, vo)


@tasks.task("describe_below")
async def describe_below(
    deployment: Deployment, *, vo: int, did_id: int, document: dict[str, Any], owners: list[tuple[int, int]],
    behind: int,
) -> None:  # fmt: skip
    """Let some of what is below a collection say something, and queue the rest. Safe to run twice."""
    pairs = [(account_id, scope_account_id) for account_id, scope_account_id in owners]
    async with deployment.database.transaction([vo]) as conn:
        await service.describe_part(conn, vo, did_id, document, owners=pairs, after=behind)


@tasks.task("announce")
async def announce(
    deployment: Deployment, *, vo: int, parent_ids: list[int], child_ids: list[int], gone: bool, behind: int
) -> None:  # fmt: skip
    """Tell rules of some of what has come into containers, or is gone, and queue the rest. Safe to run twice."""
    async with deployment.database.transaction([vo]) as conn:
        await service.announce_rest(conn, vo, parent_ids, child_ids, gone=gone, after=behind)
