"""Rucio's changes of RSEs: each is a small change of the document that makes the RSE.

RSEs are owned by the VO `instance`, so its administrators alone change them; an RSE that a VO owns, they change by
documents.
"""

from collections.abc import Callable
from typing import Annotated

from fastapi import Query, Response

from sancho.compat.rucio.caller import Configuration, RucioConfigure
from sancho.compat.rucio.errors import AttributeNotFound, DistanceExists, DistanceNotFound
from sancho.compat.rucio.rses_wire import AttributeIn, DistanceIn, RseChange
from sancho.kit.web import Branch
from sancho.rses import service
from sancho.rses.errors import RseNotFound
from sancho.vos.model import Spec

router = Branch(prefix="/rucio/rses", include_in_schema=False, strict_content_type=False)
KIND = "RSE"


async def _change(config: Configuration, rse: str, changed: Callable[[Spec], Spec]) -> None:
    spec = await config.read(KIND, rse)
    known = await service.get(config.conn, rse, vo=config.caller.vo)
    if spec is None and known.vo == config.caller.vo:
        raise RseNotFound(rse=rse)
    await config.put(KIND, rse, changed(spec or {"site": known.site, "plugin": known.plugin, "prefix": known.prefix}))


@router.put("/{rse}", status_code=201)
async def change(rse: str, body: RseChange, configure: RucioConfigure) -> Response:
    """Let an RSE be read, written and deleted from, or not."""
    words = {"availability_read": "readable", "availability_write": "writable", "availability_delete": "deletable"}
    said = {words[word]: value for word, value in body.model_dump(exclude_none=True).items()}
    async with configure() as config:
        await _change(config, rse, lambda spec: {**spec, **said})
    return Response("Created", 201)


@router.post("/{rse}/attr/{key}", status_code=201)
async def put_attribute(rse: str, key: str, body: AttributeIn, configure: RucioConfigure) -> Response:
    """Give an RSE an attribute, in place of what it was before."""
    async with configure() as config:
        await _change(config, rse, lambda spec: {**spec, "attributes": {**spec.get("attributes", {}), key: body.value}})
    return Response("Created", 201)


@router.delete("/{rse}/attr/{key}")
async def drop_attribute(rse: str, key: str, configure: RucioConfigure) -> Response:
    """Take an attribute from an RSE."""

    def without(spec: Spec) -> Spec:
        attributes = spec.get("attributes", {})
        if key not in attributes:
            raise AttributeNotFound(rse=rse, key=key[:100])
        return {**spec, "attributes": {name: value for name, value in attributes.items() if name != key}}

    async with configure() as config:
        await _change(config, rse, without)
    return Response(None, 200)


def _ways(source: str, destination: str, *, both: bool) -> list[tuple[str, str]]:
    return [(source, destination), (destination, source)] if both else [(source, destination)]


@router.post("/{source}/distances/{destination}", status_code=201)
async def add_distance(source: str, destination: str, body: DistanceIn, configure: RucioConfigure) -> Response:
    """Let a link lead from an RSE to another, or to and fro; fails where one does already."""
    async with configure() as config:
        for one, other in _ways(source, destination, both=body.bidirectional):
            await service.get(config.conn, other, field="destination", vo=config.caller.vo)

            def linked(spec: Spec, one: str = one, other: str = other) -> Spec:
                if other in spec.get("distances", {}):
                    raise DistanceExists(source=one, destination=other)
                return _with_distance(spec, other, body.distance)

            await _change(config, one, linked)
    return Response("Created", 201)


@router.put("/{source}/distances/{destination}")
async def update_distance(source: str, destination: str, body: DistanceIn, configure: RucioConfigure) -> Response:
    """Change what a transfer from an RSE to another costs, or to and fro."""
    async with configure() as config:
        for one, other in _ways(source, destination, both=body.bidirectional):
            await service.get(config.conn, other, field="destination", vo=config.caller.vo)

            def nearer(spec: Spec, one: str = one, other: str = other) -> Spec:
                return _with_distance(_required(spec, one, other), other, body.distance)

            await _change(config, one, nearer)
    return Response(None, 200)


@router.delete("/{source}/distances/{destination}")
async def delete_distance(
    source: str, destination: str, configure: RucioConfigure, bidirectional: Annotated[bool, Query()] = False
) -> Response:
    """Let no link lead from an RSE to another any more, or none to and fro."""
    async with configure() as config:
        for one, other in _ways(source, destination, both=bidirectional):

            def unlinked(spec: Spec, one: str = one, other: str = other) -> Spec:
                return _with_distance(_required(spec, one, other), other, None)

            await _change(config, one, unlinked)
    return Response(None, 200)


def _required(spec: Spec, one: str, other: str) -> Spec:
    if other not in spec.get("distances", {}):
        raise DistanceNotFound(source=one[:100], destination=other[:100])
    return spec


def _with_distance(spec: Spec, other: str, distance: int | None) -> Spec:
    kept = {name: cost for name, cost in spec.get("distances", {}).items() if name != other}
    return {**spec, "distances": kept if distance is None else {**kept, other: distance}}
