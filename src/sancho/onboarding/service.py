"""The door of onboarding: found a VO in one piece, and check whether one can work."""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sancho.identity import service as identity
from sancho.identity.model import DEFAULT_GROUPS
from sancho.kit import db
from sancho.kit.access import INSTANCE, Principal, require
from sancho.kit.deployment import Deployment
from sancho.onboarding import plan
from sancho.onboarding.errors import VoExists
from sancho.onboarding.model import Check, Founded, Founding, Standing
from sancho.rses import service as rses
from sancho.rules import service as rules
from sancho.sites import service as sites
from sancho.vos import service as vos
from sancho.vos.errors import VoNotFound
from sancho.vos.model import VO, Kind


async def found(deployment: Deployment, caller: Principal, founding: Founding, kinds: Sequence[Kind[Any]]) -> Founded:
    """Make a VO with all that it shall have, or nothing; for administrators of the installation.

    Raises `VoExists`, or whatever is wrong with the documents that it becomes.
    """
    if not caller.may("vos:create"):
        require(caller, "vos:create", on=f"vo:{founding.name}")  # before a hash is computed for it
    password = secrets.token_urlsafe(12) if plan.has_passwords(founding) else None
    documents = plan.documents(founding, None if password is None else await identity.make_hash(password))
    if caller.vo == INSTANCE:
        caller = replace(caller, vos=tuple(await db.all_vos(deployment.database)))
    async with deployment.database.transaction(caller.vos) as conn:
        require(caller, "vos:create", on=f"vo:{founding.name}")
        await vos.lock_configuration(conn)
        if caller.vo == INSTANCE and await vos.find(conn, founding.name) is not None:  # others are refused anyway
            raise VoExists(vo=founding.name)
        applied = await vos.apply(conn, caller, documents, kinds, comment=f"VO {founding.name} comes in")
    return Founded(version=applied.version, changes=applied.changes, admin=founding.admin, password=password)


async def check(deployment: Deployment, caller: Principal, name: str) -> list[Check]:
    """Say what a VO has and what it lacks; for its administrators and those of the installation.

    Its identity providers are asked, with no transaction open. Raises `VoNotFound`, for VOs of others too.
    """
    require(caller, "configuration:apply")
    async with deployment.database.transaction([INSTANCE]) as conn:
        vo = await vos.find(conn, name) if caller.is_instance_admin or name == caller.vo_name else None
    if vo is None:
        raise VoNotFound(vo=name, field="name")
    standing = await _standing(deployment, vo)
    return plan.checklist(standing, DEFAULT_GROUPS)


async def _standing(deployment: Deployment, vo: VO) -> Standing:
    async with deployment.database.transaction([vo.vo]) as conn:
        providers = await identity.all_providers(conn)
        administrators = await identity.administrators(conn, vo.vo)
        groups = await identity.groups(conn, vo.vo)
        quotas = await rules.list_quotas(conn, vo.vo, page=("", 6))
        storages = await rses.rses(conn, vo=vo.vo)
        ces = await sites.ces(conn)
    answers = {p.name: await identity.trouble_of(deployment, vo, p) for p in providers}
    return Standing(
        vo=vo.name, passwords=vo.passwords, providers=answers, administrators=administrators,
        groups=[g.name for g in groups], quotas=[q.name for q in quotas],
        rses=[r.name for r in storages if r.readable and r.writable],
        ces=[c.name for c in ces if c.enabled and c.max_pilots > 0],
    )  # fmt: skip
