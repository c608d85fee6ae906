"""Native routes of VOs and their configuration."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, cast

from fastapi import Query, Request
from pydantic import BaseModel, Field

from sancho.kit import db
from sancho.kit.access import INSTANCE, Principal, require
from sancho.kit.deployment import Deployment
from sancho.kit.problem import problems
from sancho.kit.units import Id
from sancho.kit.web import Caller, Deployed, Transaction, native
from sancho.vos import service
from sancho.vos.errors import (
    DocumentInUse,
    DocumentInvalid,
    NotYourConfiguration,
    ReferenceUnknown,
    TooManyDocuments,
    VersionNotFound,
    VersionOfOthers,
)
from sancho.vos.model import CLIENT_SETTINGS, VO, Applied, Change, Document, Kind, Section, Version

router = native(tags=["configuration"])


class DocumentIn(BaseModel, extra="forbid"):
    """One thing as it shall be."""

    kind: Annotated[str, Field(max_length=100, examples=["Account"])]
    name: Annotated[str, Field(max_length=200, examples=["alice"])]
    vo: Annotated[str | None, Field(max_length=100, examples=["belle"])] = None
    spec: Annotated[dict[str, Any], Field(examples=[{"email": "alice@example.org", "groups": ["users"]}])] = {}
    remove: bool = False


class ApplyIn(BaseModel, extra="forbid"):
    """Documents to apply in one piece."""

    documents: list[DocumentIn]
    dry_run: bool = False
    comment: Annotated[str | None, Field(max_length=1000, pattern=r"^[^\x00]*$")] = None


class RollbackIn(BaseModel, extra="forbid"):
    """A version to go back to."""

    version: Id
    dry_run: bool = False


async def _everywhere(caller: Principal, deployment: Deployment) -> Principal:
    """What accounts of the VO `instance` apply concerns every VO, those made a moment ago too."""
    if caller.vo != INSTANCE:
        return caller
    return replace(caller, vos=tuple(await db.all_vos(deployment.database)))


def _kinds(request: Request) -> Sequence[Kind[Any]]:
    return cast(Sequence[Kind[Any]], request.app.state.kinds)


@router.post(
    "/configuration/apply",
    responses=problems(DocumentInvalid, NotYourConfiguration, ReferenceUnknown, DocumentInUse, TooManyDocuments),
)
async def apply(body: ApplyIn, request: Request, caller: Caller, deployment: Deployed) -> Applied:
    """Make documents come true in one piece, or with `dry_run` say what would change."""
    caller = await _everywhere(caller, deployment)
    documents = [Document(**d.model_dump()) for d in body.documents]
    async with deployment.database.transaction(caller.vos) as conn:
        return await service.apply(conn, caller, documents, _kinds(request), dry_run=body.dry_run, comment=body.comment)


@router.post("/configuration/rollback", responses=problems(VersionNotFound, DocumentInUse))
async def rollback(body: RollbackIn, request: Request, caller: Caller, deployment: Deployed) -> Applied:
    """Bring the configuration of a version back, as a new version."""
    caller = await _everywhere(caller, deployment)
    async with deployment.database.transaction(caller.vos) as conn:
        return await service.rollback(conn, caller, body.version, _kinds(request), dry_run=body.dry_run)


@router.get("/configuration")
async def documents(
    caller: Caller, conn: Transaction, kind: Annotated[str | None, Query(pattern=r"^[A-Za-z]{1,100}$")] = None
) -> list[Document]:
    """List the documents in force that the caller's VOs own."""
    require(caller, "configuration:apply")
    return await service.documents(conn, caller.vos, kind=kind)


@router.get("/configuration/versions")
async def versions(
    caller: Caller,
    conn: Transaction,
    before: Id | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[Version]:
    """List what was applied, newest first; `before` the last one seen gives the next page."""
    return await service.versions(conn, caller, before=before, limit=limit)


@router.get("/configuration/versions/{version}", responses=problems(VersionNotFound, VersionOfOthers))
async def changes(version: Id, caller: Caller, conn: Transaction) -> list[Change]:
    """Show what a version changed."""
    return await service.changes(conn, caller, version)


@router.get("/client-settings")
async def client_settings(caller: Caller, conn: Transaction) -> list[Section]:
    """List what the VO tells its clients and scripts, by section; every account reads it."""
    recorded = await service.documents(conn, [caller.vo], kind=CLIENT_SETTINGS)
    return [Section(name=one.name, options=one.spec["options"]) for one in recorded]


@router.get("/vos")
async def vos(caller: Caller, conn: Transaction) -> list[VO]:
    """List VOs: one's own, or for an administrator of the installation all of them."""
    return [vo for vo in await service.list_vos(conn) if caller.is_instance_admin or vo.vo in caller.vos]
