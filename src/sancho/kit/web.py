"""What a route may ask for: its caller, a transaction, a snapshot, the deployment.

People, pilots and jobs are strangers to each other's routes: a route takes a `Caller`, a `PilotCaller` or a
`JobCaller`, and with it `Transaction`, `PilotTransaction` or `JobTransaction`.

A write takes `Transaction`: it has committed before the answer is sent (scope "function"), so nobody is told of
a change that did not happen. A streamed GET takes `Snapshot`, which lives as long as the answer.
"""

from collections.abc import AsyncIterator
from enum import Enum
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel

from sancho.kit import faults, telemetry
from sancho.kit.access import Authenticator, NotAJob, NotAPilot, Principal, refuse_machines
from sancho.kit.db import Connection
from sancho.kit.deployment import Deployment
from sancho.kit.errors import BadRequest, Invalid, Unauthorized

_committed = faults.point("web.committed")
"""What was asked for has happened, and who asked does not know it yet."""


def deployment_of(request: Request) -> Deployment:
    """The deployment that serves a request: what `Deployed` gives, for routes that are asked most."""
    return cast(Deployment, request.app.state.deployment)


async def _deployment(request: Request) -> Deployment:
    return deployment_of(request)


Deployed = Annotated[Deployment, Depends(_deployment)]


class ParameterUnknown(Invalid):
    """This route has no parameter {name}; it has: {known}."""

    code = "parameter_unknown"

    def __init__(self, *, name: str, known: str) -> None:
        """Name the parameter, and those there are."""
        super().__init__(name=name, known=known, field=name, hint="A word that is not understood would change nothing.")


def parameters(route: APIRoute) -> frozenset[str]:
    """The names that a route knows in the query of its URL."""
    names: set[str] = set()
    todo = [route.dependant]
    while todo:
        dependant = todo.pop()
        todo += dependant.dependencies
        for one in dependant.query_params:
            kind: Any = one.field_info.annotation
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                names |= kind.model_fields.keys()
            else:
                names.add(one.alias)
    return frozenset(names)


class AnotherRoute(BadRequest):
    """This is a request to {route}, and the one that was meant is to {meant}."""

    code = "another_route"

    def __init__(self, *, route: str, meant: str) -> None:
        """Name both."""
        super().__init__(route=route, meant=meant, hint=f"{MEANT} names the only route that may answer.")


MEANT = "x-sancho-route"
"""The header of whoever puts a path together and wants one route alone to answer, whatever the parts were."""


async def check_parameters(request: Request) -> None:
    """Refuse what a route does not know: a misspelt filter must not pass for none.

    Raises `ParameterUnknown`; `AnotherRoute` when the request names another than this.
    """
    route = request.scope.get("route")
    if (meant := request.headers.get(MEANT)) is not None and isinstance(route, APIRoute) and meant != route.path_format:
        raise AnotherRoute(route=route.path_format, meant=meant[:300])
    if request.query_params and isinstance(route, APIRoute):
        known = parameters(route)
        unknown = sorted(set(request.query_params) - known)
        if unknown:
            raise ParameterUnknown(name=unknown[0][:100], known=", ".join(sorted(known)) or "none")


def native(prefix: str = "", *, tags: list[str | Enum], route_class: type[APIRoute] = APIRoute) -> APIRouter:
    """A router for native routes: below /v1, where a parameter that a route does not know is refused."""
    known = [Depends(check_parameters)]
    return APIRouter(prefix=f"/v1{prefix}", tags=tags, dependencies=known, route_class=route_class)


class NoToken(Unauthorized):
    """This request carries no bearer token."""

    code = "no_token"

    def __init__(self) -> None:
        """Say how to get one."""
        super().__init__(hint="Run `sancho login`, or send `Authorization: Bearer TOKEN`.")


async def _principal(request: Request) -> Principal:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NoToken
    return await principal_of(request, token.strip())


async def principal_of(request: Request, token: str) -> Principal:
    """Say who a token stands for, wherever it stood in the request; raises what an `Authenticator` raises."""
    authenticator = cast(Authenticator, request.app.state.authenticator)
    principal = await authenticator.authenticate(token)
    telemetry.bind(vo=principal.vo_name, account=principal.account)
    return principal


Authenticated = Annotated[Principal, Depends(_principal)]


async def _caller(request: Request) -> Principal:
    principal = await _principal(request)
    refuse_machines(principal)
    return principal


async def pilot_of(request: Request) -> Principal:
    """The pilot that asks: what `PilotCaller` gives, for routes that are asked most. Raises `NotAPilot`."""
    principal = await _principal(request)
    if principal.pilot_id is None:
        raise NotAPilot
    return principal


async def _job(request: Request) -> Principal:
    principal = await _principal(request)
    if principal.job_id is None:
        raise NotAJob
    return principal


Caller = Annotated[Principal, Depends(_caller)]
PilotCaller = Annotated[Principal, Depends(pilot_of)]
JobCaller = Annotated[Principal, Depends(_job)]


async def _transaction(caller: Caller, deployment: Deployed) -> AsyncIterator[Connection]:
    async with deployment.database.transaction(caller.vos) as conn:
        yield conn
    _committed()


async def _pilot_transaction(caller: PilotCaller, deployment: Deployed) -> AsyncIterator[Connection]:
    # Pilots are many and each asks for little: planning would cost more than the work.
    async with deployment.database.transaction(caller.vos, plan_once=True) as conn:
        yield conn


async def _job_transaction(caller: JobCaller, deployment: Deployed) -> AsyncIterator[Connection]:
    async with deployment.database.transaction(caller.vos, plan_once=True) as conn:
        yield conn


async def _snapshot(caller: Caller, deployment: Deployed) -> AsyncIterator[Connection]:
    async with deployment.database.snapshot(caller.vos) as conn:
        yield conn


Transaction = Annotated[Connection, Depends(_transaction, scope="function")]
PilotTransaction = Annotated[Connection, Depends(_pilot_transaction, scope="function")]
JobTransaction = Annotated[Connection, Depends(_job_transaction, scope="function")]
Snapshot = Annotated[Connection, Depends(_snapshot, scope="request")]
