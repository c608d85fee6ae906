"""The server's own object store over HTTP: public routes, each request carries its presigned permission."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException

from sancho.kit.deployment import Deployment
from sancho.kit.errors import BadRequest, NotFound
from sancho.kit.object_stores import CHUNK, ContentDiffers, LocalObjects, SizeDiffers
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


class FormUnfit(BadRequest):
    """This is no form with one `file`: {reason}."""

    code = "form_unfit"

    def __init__(self, *, reason: str) -> None:
        """Say what is wrong with it."""
        super().__init__(reason=reason, field="file", hint="Send multipart/form-data, with the content as `file`.")


def _check(deployment: Deployment, method: Method, key: str, said: Permission) -> Objects:
    allowed = (method, key, said.expires, said.size)
    check(deployment.objects.secret, allowed, given=said.signature, now=deployment.clock.now())
    return deployment.objects


def _allowed(deployment: Deployment, method: Method, key: str, said: Permission) -> LocalObjects:
    if not isinstance(deployment.objects, LocalObjects):
        raise NotFound(what=f"Object {key}")
    _check(deployment, method, key, said)
    return deployment.objects


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
    await store.write(key, request.stream(), said.size or 0)


@router.post("/{key:path}", status_code=204, responses=problems(SignatureWrong, SizeDiffers, ContentDiffers, FormUnfit))
async def post_object(key: str, said: Presigned, deployment: Deployed, request: Request) -> None:
    """Write an object with a presigned URL, as the `file` of a form: exactly the announced bytes, or nothing."""
    store = _check(deployment, "POST", key, said)
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise FormUnfit(reason="it is not multipart/form-data")
    try:
        async with request.form(max_files=1, max_fields=20) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise FormUnfit(reason="there is none in it")
            await store.write(key, _chunks(file), said.size or 0)
    except (HTTPException, MultiPartException) as e:
        raise FormUnfit(reason=str(getattr(e, "detail", "") or getattr(e, "message", "")).rstrip(".")[:200]) from e


async def _chunks(file: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await file.read(CHUNK):
        yield chunk
