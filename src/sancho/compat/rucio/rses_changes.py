"""Rucio's changes of RSEs: each is a small change of the document that makes the RSE.

RSEs are owned by the VO `instance`, so its administrators alone change them; an RSE that a VO owns, they change by
documents.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from sancho.compat.rucio.caller import RucioConfigure
from sancho.compat.rucio.rses_errors import AttributeNotFound, DistanceExists, DistanceNotFound, QosTaken, RseExists
from sancho.compat.rucio.rses_wire import AttributeIn, DistanceIn, RseChange, RseIn
from sancho.rses import service
from sancho.sites import service as sites
from sancho.vos.model import Spec

router = APIRouter(prefix="/rucio/rses", include_in_schema=False, strict_content_type=False)
KIND = "RSE"


@router.put("/{rse}", status_code=201)
async def change(rse: str, body: RseChange, configure: RucioConfigure) -> Response:
    """Let an RSE be read, written and deleted from, or not; say where it is and of what kind."""
    async with configure() as config:
        await config.change_rse(rse, lambda spec: _said_of(spec, body))
    return Response("Created", 201)


def _said_of(spec: Spec, said: RseChange) -> Spec:
    attributes = {**spec.get("attributes", {}), **said.attributes}
    return {**spec, **said.switches, **({"attributes": attributes} if attributes else {})}


@router.post("/{rse}", status_code=201)
async def add(rse: str, body: RseIn, configure: RucioConfigure) -> Response:
    """Make an RSE, which is used as soon as it has a protocol; at its site, or at a new one of its own name."""
    async with configure() as config:
        if await config.read(KIND, rse) is not None:
            raise RseExists(rse=rse)
        site = body.site or rse
        known = {each.name for each in await sites.sites(config.conn)}
        new: list[tuple[str, str, Spec | None]] = [] if body.site or site in known else [("Site", site, {})]
        await config.put_all([*new, (KIND, rse, _said_of({"site": site}, body))])
    return Response("Created", 201)


@router.delete("/{rse}")
async def delete(rse: str, configure: RucioConfigure) -> Response:
    """Let an RSE be gone, which has no replicas."""
    async with configure() as config:
        await service.get(config.conn, rse, vo=config.caller.vo)
        await config.read(KIND, rse)
        await config.put(KIND, rse, None)
    return Response(None, 200)


@router.post("/{rse}/qos_policy/{policy}", status_code=201)
async def add_qos(rse: str, policy: str, configure: RucioConfigure) -> Response:
    """Let an RSE be of a QoS, which expressions ask for as `qos`; it can be of one only."""

    def with_qos(spec: Spec) -> Spec:
        attributes = spec.get("attributes", {})
        if "qos" in attributes:
            raise QosTaken(rse=rse, qos=str(attributes["qos"]))
        return {**spec, "attributes": {**attributes, "qos": policy}}

    async with configure() as config:
        await config.change_rse(rse, with_qos)
    return Response("Created", 201)


@router.delete("/{rse}/qos_policy/{policy}")
async def drop_qos(rse: str, policy: str, configure: RucioConfigure) -> Response:
    """Let an RSE be of a QoS no more."""

    def without(spec: Spec) -> Spec:
        attributes = dict(spec.get("attributes", {}))
        if attributes.pop("qos", None) != policy:
            raise AttributeNotFound(rse=rse, key=f"qos={policy[:100]}")
        return {**spec, "attributes": attributes}

    async with configure() as config:
        await config.change_rse(rse, without)
    return Response(None, 200)


@router.post("/{rse}/attr/{key}", status_code=201)
async def put_attribute(rse: str, key: str, body: AttributeIn, configure: RucioConfigure) -> Response:
    """Give an RSE an attribute, in place of what it was before."""

    def with_it(spec: Spec) -> Spec:
        return {**spec, "attributes": {**spec.get("attributes", {}), key: body.value}}

    async with configure() as config:
        await config.change_rse(rse, with_it)
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
        await config.change_rse(rse, without)
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

            await config.change_rse(one, linked)
    return Response("Created", 201)


@router.put("/{source}/distances/{destination}")
async def update_distance(source: str, destination: str, body: DistanceIn, configure: RucioConfigure) -> Response:
    """Change what a transfer from an RSE to another costs, or to and fro."""
    async with configure() as config:
        for one, other in _ways(source, destination, both=body.bidirectional):
            await service.get(config.conn, other, field="destination", vo=config.caller.vo)

            def nearer(spec: Spec, one: str = one, other: str = other) -> Spec:
                return _with_distance(_required(spec, one, other), other, body.distance)

            await config.change_rse(one, nearer)
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

            await config.change_rse(one, unlinked)
    return Response(None, 200)


def _required(spec: Spec, one: str, other: str) -> Spec:
    if other not in spec.get("distances", {}):
        raise DistanceNotFound(source=one[:100], destination=other[:100])
    return spec


def _with_distance(spec: Spec, other: str, distance: int | None) -> Spec:
    kept = {name: cost for name, cost in spec.get("distances", {}).items() if name != other}
    return {**spec, "distances": kept if distance is None else {**kept, other: distance}}
