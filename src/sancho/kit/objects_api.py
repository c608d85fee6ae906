"""The server's own object store over HTTP: public routes, each request carries its presigned permission."""

from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from sancho.kit.deployment import Deployment
from sancho.kit.errors import NotFound
from sancho.kit.object_stores import LocalObjects
from sancho.kit.objects import Method, SignatureWrong, check
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


def _allowed(deployment: Deployment, method: Method, key: str, said: Permission) -> LocalObjects:
    store = deployment.objects
    if not isinstance(store, LocalObjects):
        raise NotFound(what=f"Object {key}")
    check(store.secret, (method, key, said.expires, said.size), given=said.signature, now=deployment.clock.now())
    return store


@router.get("/{key:path}", responses=problems(SignatureWrong, NotFound), response_class=StreamingResponse)
async def get_object(key: str, said: Presigned, deployment: Deployed) -> StreamingResponse:
    """Read an object with a presigned URL."""
    store = _allowed(deployment, "GET", key, said)
    size = await store.size(key)
    if size is None:
        raise NotFound(what=f"Object {key}")
    headers = {"content-length": str(size)}
    return StreamingResponse(store.read(key), media_type="application/octet-stream", headers=headers)


@router.put("/{key:path}", status_code=201, responses=problems(SignatureWrong))
async def put_object(key: str, said: Presigned, deployment: Deployed, request: Request) -> None:
    """Write an object with a presigned URL: exactly the announced bytes, or nothing."""
    store = _allowed(deployment, "PUT", key, said)
    await store.write(key, request.stream(), said.size or 0)
