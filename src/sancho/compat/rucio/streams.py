"""Rucio's streams: one JSON document a line, made as they are read."""

from collections.abc import AsyncIterator, Iterable
from typing import Any

from fastapi.responses import StreamingResponse
from pydantic_core import to_json

JSON_STREAM = "application/x-json-stream"
"""Exactly so: clients compare the whole header."""


async def stream_of(parts: AsyncIterator[Iterable[Any]]) -> StreamingResponse:
    """An answer of many documents, that come some at a time; bytes are lines already.

    What fails before the first is an error like any other.
    """
    first = await anext(parts, None)
    return StreamingResponse(_lines(first, parts), media_type=JSON_STREAM)


async def _lines(first: Iterable[Any] | None, parts: AsyncIterator[Iterable[Any]]) -> AsyncIterator[bytes]:
    if text := _text(first or ()):
        yield text
    async for documents in parts:
        if text := _text(documents):
            yield text


def _text(documents: Iterable[Any]) -> bytes:
    return b"".join([one if isinstance(one, bytes) else to_json(one) + b"\n" for one in documents])
