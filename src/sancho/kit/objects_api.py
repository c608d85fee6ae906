"""The server's own object store over HTTP: public routes, each request carries its presigned permission."""

import contextlib
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from sancho.kit.deployment import Deployment
from sancho.kit.errors import NotFound
from sancho.kit.forms import FormUnfit, file_of
from sancho.kit.object_stores import ContentDiffers, LocalObjects, SizeDiffers
from sancho.kit.objects import Method, Objects, SignatureWrong, check
from sancho.kit.problem import problems
from sancho.kit.units import Amount
from sancho.kit.web import Deployed, native

router = native("/objects", tags=["objects"])


class Permission(BaseModel):
    """What a presigned URL says of itself."""

    expires: Amount
    signature: Annotated[str, Query(max_length=64)]
    size: Amount | None = None


Presigned = Annotated[Permission, Query()]


def _check(deployment: Deployment, method: Method, key: str, said: Permission) -> Objects:
    allowed = (method, key, said.expires, said.size)
    check(deployment.objects.secret, allowed, given=said.signature, now=deployment.clock.now())
    return deployment.objects


def _allowed(deployment: Deployment, method: Method, key: str, said: Permission) -> LocalObjects:
    if not isinstance(deployment.objects, LocalObjects):
        raise NotFound(what=f"Object {key}")
    _check(deployment, method, key, said)
    return deployment.objects


async def _body(request: Request) -> AsyncIterator[bytes]:
    """What is sent, up to where a client goes away: then it is too little, which is no fault of ours."""
    with contextlib.suppress(ClientDisconnect):
        async for chunk in request.stream():
            yield chunk


@router.get("/{key:path}", responses=problems(SignatureWrong, NotFound), response_class=StreamingResponse)
async def get_object(key: str, said: Presigned, deployment: Deployed) -> StreamingResponse:
    """Read an object with a presigned URL."""
    store = _allowed(deployment, "GET", key, said)
    size = await store.size(key)
    if size is None:
        raise NotFound(what=f"Object {key}")
    headers = {"content-length": str(size)}
    return StreamingResponse(store.read(key), media_type="application/octet-stream", headers=headers)


@router.put("/{key:path}", status_code=201, responses=problems(SignatureWrong, SizeDiffers, ContentDiffers))
async def put_object(key: str, said: Presigned, deployment: Deployed, request: Request) -> None:
    """Write an object with a presigned URL: exactly the announced bytes, or nothing."""
    store = _allowed(deployment, "PUT", key, said)
    await store.write(key, _body(request), said.size or 0)


@router.post("/{key:path}", status_code=204, responses=problems(SignatureWrong, SizeDiffers, ContentDiffers, FormUnfit))
async def post_object(key: str, said: Presigned, deployment: Deployed, request: Request) -> None:
    """Write an object with a presigned URL, as the `file` of a form: exactly the announced bytes, or nothing."""
    store = _check(deployment, "POST", key, said)
    content = file_of(request.headers.get("content-type", ""), _body(request))
    await store.write(key, content, said.size or 0)
