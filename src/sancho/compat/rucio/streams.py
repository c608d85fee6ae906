"""Rucio's streams: one JSON document a line, made as they are read."""

import json
from collections.abc import AsyncIterator, Iterable
from typing import Any

from fastapi.responses import StreamingResponse

JSON_STREAM = "application/x-json-stream"
"""Exactly so: clients compare the whole header."""


def stream_of(parts: AsyncIterator[Iterable[Any]]) -> StreamingResponse:
    """An answer of many documents, that come some at a time."""
    return StreamingResponse(_lines(parts), media_type=JSON_STREAM)


async def _lines(parts: AsyncIterator[Iterable[Any]]) -> AsyncIterator[bytes]:
    async for documents in parts:
        text = "".join(f"{json.dumps(document)}\n" for document in documents)
        if text:
            yield text.encode()
