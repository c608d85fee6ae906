"""Background work of identity."""

import asyncio
from datetime import timedelta

from sancho.identity import service
from sancho.identity.errors import ListUnbelievable, ProviderAway, ProviderRefused
from sancho.identity.model import Provider
from sancho.kit import telemetry
from sancho.kit.db import all_vos
from sancho.kit.deployment import Deployment
from sancho.kit.tasks import Tasks
from sancho.vos import service as vos
from sancho.vos.model import VO

tasks = Tasks("identity")
_log = telemetry.log(__name__)


@tasks.task("tidy", every=timedelta(hours=1))
async def tidy(deployment: Deployment) -> None:
    """Delete refresh tokens and logins that have expired."""
    async with deployment.database.transaction(await all_vos(deployment.database)) as conn:
        await service.forget_expired(conn, deployment.clock.now())


@tasks.task("follow", every=timedelta(seconds=20))
async def follow(deployment: Deployment) -> None:
    """Let accounts follow the lists of people that their identity providers keep: suspended there, suspended here.

    With what processes remember (30 seconds), that takes less than a minute if the list is read within 8 seconds. A
    provider that is away changes nothing, and one that is slow keeps no other waiting.
    """
    async with deployment.database.transaction([0]) as conn:
        known = {vo.vo: vo for vo in await vos.list_vos(conn)}
    async with deployment.database.transaction(list(known)) as conn:
        providers = await service.all_providers(conn)
    followed = (_follow(deployment, known[provider.vo], provider) for provider in providers)
    for trouble in await asyncio.gather(*followed, return_exceptions=True):
        if trouble is not None:
            raise trouble


async def _follow(deployment: Deployment, vo: VO, provider: Provider) -> None:
    try:
        await service.follow(deployment, vo, provider)
    except (ProviderAway, ProviderRefused) as e:
        _log.warning("a list of people cannot be followed", provider=provider.name, detail=str(e))
    except ListUnbelievable as e:
        _log.error("a list of people is not followed", provider=provider.name, detail=str(e), hint=e.hint)
