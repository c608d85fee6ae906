"""Rucio's configuration: what a VO tells its clients and scripts, by section and option.

Each change is a small change of a document of kind `ClientSettings`, which no part of the server reads. A text that
spells a number or a boolean is one, as Rucio gives it back.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from sancho.compat.rucio.body import body_as
from sancho.compat.rucio.caller import RucioCaller, RucioConfigure, RucioTransaction, gives
from sancho.compat.rucio.config_translate import typed
from sancho.compat.rucio.config_wire import ConfigIn
from sancho.compat.rucio.errors import OptionNotFound, SectionNotFound
from sancho.kit.db import Connection
from sancho.vos import service as vos
from sancho.vos.model import CLIENT_SETTINGS, Spec

router = APIRouter(prefix="/rucio/config", include_in_schema=False, strict_content_type=False)
JSON = [Depends(gives("application/json"))]
Options = dict[str, Any]


@router.get("", dependencies=JSON)
@router.get("/", dependencies=JSON)
async def everything(caller: RucioCaller, conn: RucioTransaction) -> dict[str, Options]:
    """Show all sections and their options."""
    recorded = await vos.documents(conn, [caller.vo], kind=CLIENT_SETTINGS)
    return {one.name: dict(one.spec["options"]) for one in recorded}


async def _options(conn: Connection, vo: int, section: str) -> Options:
    found = await vos.find_spec(conn, vo, CLIENT_SETTINGS, section)
    if found is None:
        raise SectionNotFound(section=section[:100])
    return dict(found["options"])


@router.get("/{section}", dependencies=JSON)
async def section(section: str, caller: RucioCaller, conn: RucioTransaction) -> Options:
    """Show the options of a section."""
    return await _options(conn, caller.vo, section)


@router.get("/{section}/{option}", dependencies=JSON)
async def option(section: str, option: str, caller: RucioCaller, conn: RucioTransaction) -> Any:
    """Show what an option is."""
    options = await _options(conn, caller.vo, section)
    if option not in options:
        raise OptionNotFound(section=section[:100], option=option[:100])
    return options[option]


@router.post("", status_code=201)
@router.post("/", status_code=201)
async def put(configure: RucioConfigure, body: Annotated[ConfigIn, Depends(body_as(ConfigIn))]) -> Response:
    """Set options, of several sections at once; those that are not said stay."""
    return await _put(configure, body.root)


@router.put("/{section}/{option}/{value:path}", status_code=201)
async def put_one(section: str, option: str, value: str, configure: RucioConfigure) -> Response:
    """Set one option."""
    return await _put(configure, {section: {option: value}})


async def _put(configure: RucioConfigure, said: Mapping[str, Mapping[str, Any]]) -> Response:
    async with configure() as config:
        known = await config.read_all(CLIENT_SETTINGS, list(said))
        await config.put_all((CLIENT_SETTINGS, name, _with(known.get(name), said[name])) for name in said)
    return Response("Created", 201)


def _with(spec: Spec | None, said: Mapping[str, Any]) -> Spec:
    before: Options = spec["options"] if spec else {}
    return {"options": {**before, **{name: typed(value) for name, value in said.items()}}}


@router.delete("/{section}")
async def drop_section(section: str, configure: RucioConfigure) -> Response:
    """Let a section be gone with all its options."""
    async with configure() as config:
        if await config.read(CLIENT_SETTINGS, section) is None:
            raise SectionNotFound(section=section[:100])
        await config.put(CLIENT_SETTINGS, section, None)
    return Response(None, 200)


@router.delete("/{section}/{option}")
async def drop_option(section: str, option: str, configure: RucioConfigure) -> Response:
    """Let an option be gone; with its last option goes its section."""
    async with configure() as config:
        found = await config.read(CLIENT_SETTINGS, section)
        options: Options = dict(found["options"]) if found else {}
        if option not in options:
            raise OptionNotFound(section=section[:100], option=option[:100])
        del options[option]
        await config.put(CLIENT_SETTINGS, section, {"options": options} if options else None)
    return Response(None, 200)
