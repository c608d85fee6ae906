"""Rucio's conventions of metadata: the keys of a VO. Each change is a small change of the document that makes a key."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from sancho.compat.rucio.body import body_as
from sancho.compat.rucio.caller import RucioCaller, RucioConfigure, RucioTransaction, gives
from sancho.compat.rucio.dids_translate import key_of
from sancho.compat.rucio.dids_wire import ConventionIn
from sancho.compat.rucio.errors import KeyExists, KeyNotFound, ValueExists
from sancho.dids import service as dids

router = APIRouter(prefix="/rucio/meta_conventions", include_in_schema=False)
JSON = [Depends(gives("application/json"))]
KIND = "MetadataKey"


@router.get("/", dependencies=JSON)
async def list_keys(caller: RucioCaller, conn: RucioTransaction) -> list[str]:
    """List the keys that DIDs may carry."""
    return [key.name for key in await dids.list_keys(conn, caller.vo)]


@router.get("/{key}/", dependencies=JSON)
async def list_values(key: str, caller: RucioCaller, conn: RucioTransaction) -> list[str]:
    """List the values that a key may have; none when it may have others than some."""
    known = {one.name: one for one in await dids.list_keys(conn, caller.vo)}
    if key not in known:
        raise KeyNotFound(key=key)
    return list(known[key].terms.vocabulary or ())


@router.post("/{key}")
@router.post("/{key}/")
async def add(
    key: str, configure: RucioConfigure, body: Annotated[ConventionIn, Depends(body_as(ConventionIn))]
) -> Response:
    """Make a key; or, with a value, let a key have it."""
    async with configure() as config:
        known = await config.read(KIND, key)
        if body.value is None:
            if known is not None:
                raise KeyExists(key=key)
            await config.put(KIND, key, key_of(key, body))
            return Response("Created", 201)
        if known is None:
            raise KeyNotFound(key=key)
        values: list[str] = known.get("vocabulary") or []
        if body.value in values:
            raise ValueExists(key=key, value=body.value[:100])
        await config.put(KIND, key, known | {"vocabulary": [*values, body.value]})
    return Response("Created", 201)
