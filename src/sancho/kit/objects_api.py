"""The server's own object store over HTTP: public routes, each request carries its presigned permission."""

from typing import Annotated, cast

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from sancho.kit.errors import NotFound
from sancho.kit.object_stores import LocalObjects
from sancho.kit.objects import Method, SignatureWrong, check
from sancho.kit.problem import problems
from sancho.kit.web import Deployed

router = APIRouter(prefix="/objects", tags=["objects"])

Expires = Annotated[int, Query()]
Signature = Annotated[str, Query(max_length=64)]


def _store(deployment: Deployed, request: Request, key: str) -> LocalObjects:
    store = deployment.objects
    if not isinstance(store, LocalObjects):
        raise NotFound(what=f"Object {key}")
    query = request.query_params
    size = query.get("size")
    check(
        store.secret, cast(Method, request.method), key, expires=int(query["expires"]), given=query["signature"],
        size=int(size) if size else None, now=deployment.clock.now(),
    )  # fmt: skip
    return store


@router.get("/{key:path}", responses=problems(SignatureWrong, NotFound), response_class=StreamingResponse)
async def get_object(
    key: str, expires: Expires, signature: Signature, deployment: Deployed, request: Request
) -> StreamingResponse:
    """Read an object with a presigned URL."""
    store = _store(deployment, request, key)
    size = await store.size(key)
    if size is None:
        raise NotFound(what=f"Object {key}")
    headers = {"content-length": str(size)}
    return StreamingResponse(store.read(key), media_type="application/octet-stream", headers=headers)


@router.put("/{key:path}", status_code=201, responses=problems(SignatureWrong))
async def put_object(
    key: str, expires: Expires, signature: Signature, deployment: Deployed, request: Request,
    size: Annotated[int, Query(ge=0)],
) -> None:  # fmt: skip
    """Write an object with a presigned URL: exactly the announced bytes, or nothing."""
    await _store(deployment, request, key).write(key, request.stream(), size)
