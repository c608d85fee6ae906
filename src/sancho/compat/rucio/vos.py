"""Rucio's VOs, for administrators of the installation: made by our founding, changed by the document of each.

A VO that is made here has an administrator `root`, with a password that nobody knows: `recover` gives it one, or
another proof. Others than administrators of the installation see their own VO, and recover nothing but that.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, cast

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse

from sancho.compat.rucio.accounts_wire import IdentityIn, VoSaid
from sancho.compat.rucio.caller import RucioCaller, RucioConfigure, RucioTransaction, gives
from sancho.compat.rucio.identities_body import prove
from sancho.compat.rucio.streams import JSON_STREAM, stream_of
from sancho.compat.rucio.translate import vo_in_list
from sancho.identity import service as identity
from sancho.kit.access import INSTANCE
from sancho.kit.web import Deployed
from sancho.onboarding import service as onboarding
from sancho.onboarding.model import Founding
from sancho.vos import service as vos
from sancho.vos.model import Kind, Spec

router = APIRouter(prefix="/rucio/vos", include_in_schema=False, strict_content_type=False)
KIND = "VO"
ROOT = "root"
"""The administrator that Rucio gives a VO."""


@router.get("/", dependencies=[Depends(gives(JSON_STREAM))])
async def list_vos(caller: RucioCaller, conn: RucioTransaction) -> StreamingResponse:
    """Stream the VOs that the caller may know of, as the native API does."""
    seen = [vo for vo in await vos.list_vos(conn) if caller.is_instance_admin or vo.vo in caller.vos]
    said = {one.name: one.spec for one in await vos.documents(conn, [INSTANCE], kind=KIND)}
    return await stream_of(_once([vo_in_list(vo, said.get(vo.name, {})) for vo in seen]))


async def _once(documents: Iterable[Any]) -> AsyncIterator[Iterable[Any]]:
    yield documents


@router.post("/{vo}", status_code=201)
async def add(vo: str, body: VoSaid, request: Request, caller: RucioCaller, deployment: Deployed) -> Response:
    """Make a VO with its groups and an administrator."""
    kinds = cast(Sequence[Kind[Any]], request.app.state.kinds)
    founding = Founding(name=vo, admin=ROOT, spec=body.said, email=body.email)
    await onboarding.found(deployment, caller, founding, kinds)
    return Response("Created", 201)


@router.put("/{vo}")
async def change(vo: str, body: VoSaid, configure: RucioConfigure) -> Response:
    """Change what is said of a VO."""
    async with configure() as config:
        spec = await config.read(KIND, vo)
        known = await vos.get(config.conn, vo)
        first: Spec = {
            "alias": known.alias, "passwords": known.passwords, "max_reschedules": known.max_reschedules,
        }  # fmt: skip
        await config.put(KIND, vo, {**(first if spec is None else spec), **body.said})
    return Response(None, 200)


@router.post("/{vo}/recover", status_code=201)
async def recover(vo: str, body: IdentityIn, caller: RucioCaller, deployment: Deployed) -> Response:
    """Let something prove the administrator of a VO who has lost what did; a password takes the place of any other."""
    acting = await vos.acting(deployment, caller, vo)
    async with deployment.database.transaction([acting.vo]) as conn:
        administrators = await identity.administrators(conn, acting.vo)
    account = ROOT if ROOT in administrators else next(iter(administrators), ROOT)
    await prove(deployment, acting, account, body, again=True)
    return Response("Created", 201)
