"""The file in a form, as it comes: nothing of it is kept in memory, or on disk."""

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from sancho.kit.errors import BadRequest

LONGEST_HEADERS = 8192
"""Bytes of the headers of all parts of a form."""


class FormUnfit(BadRequest):
    """This is no form with one `file`: {reason}."""

    code = "form_unfit"

    def __init__(self, *, reason: str) -> None:
        """Say what is wrong with it."""
        super().__init__(reason=reason, field="file", hint="Send multipart/form-data, with the content as `file`.")


@dataclass
class _Seen:
    """What the parser has come across since it was asked last."""

    pieces: list[bytes] = field(default_factory=list[bytes])
    name: bytes = b""
    value: bytes = b""
    headers: int = 0
    files: int = 0
    inside: bool = False
    ended: bool = False

    def begin(self) -> None:
        self.inside = False

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self.name += data[start:end]
        self._count(end - start)

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self.value += data[start:end]
        self._count(end - start)

    def _count(self, size: int) -> None:
        self.headers += size
        if self.headers > LONGEST_HEADERS:
            raise FormUnfit(reason=f"its parts have headers of more than {LONGEST_HEADERS} bytes")

    def header_end(self) -> None:
        if self.name.lower() == b"content-disposition":
            _, said = parse_options_header(self.value)
            if said.get(b"name") == b"file" and b"filename" in said:
                self.files += 1
                self.inside = True
        self.name = self.value = b""
        if self.files > 1:
            raise FormUnfit(reason="there are several in it")

    def data(self, data: bytes, start: int, end: int) -> None:
        if self.inside:
            self.pieces.append(data[start:end])

    def end(self) -> None:
        self.ended = True


async def file_of(content_type: str, stream: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The content of the one `file` in a form; raises `FormUnfit` in the end if it was none, or ended half way."""
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise FormUnfit(reason="it is not multipart/form-data")
    seen = _Seen()
    try:
        parser = MultipartParser(
            options[b"boundary"],
            {
                "on_part_begin": seen.begin, "on_header_field": seen.header_name, "on_header_value": seen.header_value,
                "on_header_end": seen.header_end, "on_part_data": seen.data, "on_end": seen.end,
            },
        )  # fmt: skip
        async for chunk in stream:
            parser.write(chunk)
            for piece in seen.pieces:
                yield piece
            seen.pieces.clear()
    except FormParserError as e:
        raise FormUnfit(reason=str(e).rstrip(".")[:200]) from e
    if not seen.ended:
        raise FormUnfit(reason="it ends half way")
    if seen.files == 0:
        raise FormUnfit(reason="there is none in it")
