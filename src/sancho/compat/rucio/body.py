"""Bodies of requests and of answers: JSON whatever its header says, and JSON line by line."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter, ValidationError

from sancho.compat.rucio.errors import BodyNotJson

T = TypeVar("T")
LINES = "application/x-json-stream"


def body_as(kind: type[T]) -> Callable[[Request], Awaitable[T]]:
    """A dependency that reads a body; its clients do not say that it is JSON.

    Raises `BodyNotJson` or `RequestValidationError`.
    """
    adapter = TypeAdapter[T](kind)

    async def read(request: Request) -> T:
        try:
            return adapter.validate_json(await request.body())
        except ValidationError as e:
            faults = e.errors(include_url=False, include_input=False)
            if faults[0]["type"] == "json_invalid":
                raise BodyNotJson(fault=faults[0]["msg"]) from e
            raise RequestValidationError([{**fault, "loc": ("body", *fault["loc"])} for fault in faults]) from e

    return read


async def lines(parts: AsyncIterator[Sequence[Any]]) -> StreamingResponse:
    """Answer with a JSON document on each line. What fails before the first of them is an error like any other."""
    first = await anext(parts, None)

    async def said() -> AsyncIterator[str]:
        if first:
            yield _text(first)
        async for part in parts:
            if part:
                yield _text(part)

    return StreamingResponse(said(), media_type=LINES)


def _text(part: Sequence[Any]) -> str:
    return "".join(f"{json.dumps(one)}\n" for one in part)
