"""What a route may ask for: its caller, a transaction, a snapshot, the deployment.

A write takes `Transaction`: it has committed before the answer is sent (scope "function"), so nobody is told of
a change that did not happen. A streamed GET takes `Snapshot`, which lives as long as the answer.
"""

from collections.abc import AsyncIterator
from typing import Annotated, cast

from fastapi import Depends, Request

from sancho.kit import telemetry
from sancho.kit.access import Authenticator, Principal
from sancho.kit.db import Connection
from sancho.kit.deployment import Deployment
from sancho.kit.errors import Unauthorized


def _deployment(request: Request) -> Deployment:
    return cast(Deployment, request.app.state.deployment)


Deployed = Annotated[Deployment, Depends(_deployment)]


class NoToken(Unauthorized):
    """This request carries no bearer token."""

    code = "no_token"

    def __init__(self) -> None:
        """Say how to get one."""
        super().__init__(hint="Run `sancho login`, or send `Authorization: Bearer TOKEN`.")


async def _caller(request: Request) -> Principal:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NoToken
    authenticator = cast(Authenticator, request.app.state.authenticator)
    principal = await authenticator.authenticate(token.strip())
    telemetry.bind(vo=principal.vo_name, account=principal.account)
    return principal


Caller = Annotated[Principal, Depends(_caller)]


async def _transaction(caller: Caller, deployment: Deployed) -> AsyncIterator[Connection]:
    async with deployment.database.transaction(caller.vos) as conn:
        yield conn


async def _snapshot(caller: Caller, deployment: Deployed) -> AsyncIterator[Connection]:
    async with deployment.database.snapshot(caller.vos) as conn:
        yield conn


Transaction = Annotated[Connection, Depends(_transaction, scope="function")]
Snapshot = Annotated[Connection, Depends(_snapshot, scope="request")]
