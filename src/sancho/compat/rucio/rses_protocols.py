"""Rucio's changes of how RSEs are reached: each is a small change of the document that makes the RSE.

A protocol is named by its scheme, and by host and port where that is not enough. The plugin that reaches it follows
from the scheme. Its prefix is that of the VO's own area, or the one above it; all protocols of an RSE lead to the same
files.
"""

from fastapi import APIRouter, Response

from sancho.compat.rucio import rses_translate as say
from sancho.compat.rucio.caller import RucioConfigure
from sancho.compat.rucio.errors import PartNotServed
from sancho.compat.rucio.rses_errors import ProtocolExists, ProtocolNotThere, SchemeUnknown
from sancho.compat.rucio.rses_wire import ProtocolChange
from sancho.vos.model import Spec

router = APIRouter(prefix="/rucio/rses", include_in_schema=False, strict_content_type=False)


@router.post("/{rse}/protocols/{scheme}", status_code=201)
async def add(rse: str, scheme: str, body: ProtocolChange, configure: RucioConfigure) -> Response:
    """Let an RSE be reached in one more way; raises `ProtocolExists` where it is already."""
    if scheme not in say.PLUGINS:
        raise SchemeUnknown(scheme=scheme[:100])
    async with configure() as config:
        host = body.hostname or "localhost"
        prefix = say.prefix_of(scheme, host, body.port or 0, body.prefix or "", config.caller.vo_name)

        def with_one_more(spec: Spec) -> Spec:
            ways = say.ways_of(spec)
            if any(say.meant(way["prefix"], scheme, host, say.port_of(prefix)) for way in ways):
                raise ProtocolExists(rse=rse, url=f"{scheme}://{host}")
            plugin = say.PLUGINS[scheme]
            alike = next((way.get("settings") for way in ways if way["plugin"] == plugin), None)
            way: Spec = {"plugin": plugin, "prefix": prefix}
            if alike:
                way["settings"] = alike
            if body.domains is not None:
                way["domains"] = body.domains.ranks
            return say.with_ways(spec, [*ways, way])

        await config.change_rse(rse, with_one_more)
    return Response("Created", 201)


@router.put("/{rse}/protocols/{scheme}")
@router.put("/{rse}/protocols/{scheme}/{hostname}")
@router.put("/{rse}/protocols/{scheme}/{hostname}/{port}")
async def change(
    rse: str, scheme: str, body: ProtocolChange, configure: RucioConfigure,
    hostname: str | None = None, port: int | None = None,
) -> Response:  # fmt: skip
    """Change what protocols of an RSE are for, or where they lead to; never host and port, by which they are named."""
    for part, said, named in (("hostname", body.hostname, hostname), ("port", body.port, port)):
        if said is not None and said != named:
            raise PartNotServed(part=part, what="a protocol")
    async with configure() as config:

        def changed(way: Spec, position: int) -> Spec:
            new = dict(way)
            if body.prefix is not None:
                new["prefix"] = say.moved(way["prefix"], body.prefix, config.caller.vo_name)
            if body.domains is not None:
                new = say.with_ranks(new, position, body.domains.said)
            return new

        def with_changed(spec: Spec) -> Spec:
            ways = say.ways_of(spec)
            named = [say.meant(way["prefix"], scheme, hostname, port) for way in ways]
            if not any(named):
                raise ProtocolNotThere(rse=rse, scheme=scheme[:100])
            return say.with_ways(spec, [changed(way, n) if named[n - 1] else way for n, way in enumerate(ways, 1)])

        await config.change_rse(rse, with_changed)
    return Response(None, 200)


@router.delete("/{rse}/protocols/{scheme}")
@router.delete("/{rse}/protocols/{scheme}/{hostname}")
@router.delete("/{rse}/protocols/{scheme}/{hostname}/{port}")
async def delete(
    rse: str, scheme: str, configure: RucioConfigure, hostname: str | None = None, port: int | None = None
) -> Response:
    """Let an RSE be reached in some ways no more; without any it is not used."""

    def without(spec: Spec) -> Spec:
        ways = say.ways_of(spec)
        kept = [way for way in ways if not say.meant(way["prefix"], scheme, hostname, port)]
        if kept == ways:
            raise ProtocolNotThere(rse=rse, scheme=scheme[:100])
        return say.with_ways(spec, kept)

    async with configure() as config:
        await config.change_rse(rse, without)
    return Response(None, 200)
