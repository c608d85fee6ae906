"""What a DiracX client looks at before it logs in, beside identity's discovery document and keys."""

from datetime import timedelta

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from sancho.compat.diracx import translate
from sancho.compat.diracx.errors import NoContact
from sancho.compat.diracx.wire import Metadata
from sancho.identity import service as identity
from sancho.kit.access import INSTANCE
from sancho.kit.web import Deployed
from sancho.settings import Settings
from sancho.vos import service as vos

router = APIRouter(prefix="/.well-known", include_in_schema=False)


@router.get("/dirac-metadata")
async def metadata(deployment: Deployed) -> Metadata:
    """VOs, their groups and the properties that come with these."""
    async with deployment.database.transaction([INSTANCE]) as conn:
        known = [vo for vo in await vos.list_vos(conn) if vo.vo != INSTANCE]
    ids = [vo.vo for vo in known]
    async with deployment.database.transaction(ids) as conn:
        groups = await identity.groups_of(conn, ids)
    return translate.metadata(known, groups, deployment.public_url)


@router.get("/security.txt")
async def security(request: Request, deployment: Deployed) -> Response:
    """Whom to tell of a weakness (RFC 9116); DiracX's clients take the text as a JSON string."""
    settings: Settings = request.app.state.settings
    if settings.security_contact is None:
        raise NoContact
    until = deployment.clock.now() + timedelta(days=180)
    said = f"Contact: {settings.security_contact}\nExpires: {until:%Y-%m-%dT%H:%M:%SZ}\n"
    json = request.headers.get("accept", "").startswith("application/json")
    return JSONResponse(said) if json else PlainTextResponse(said)
