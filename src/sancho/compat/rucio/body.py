"""Bodies of requests: JSON, whatever their header says."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError

from sancho.compat.rucio.errors import BodyNotJson

T = TypeVar("T")


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
