"""What request headers ask for: ranges, preconditions, checksums."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus

from sancho_plugins.file_tree import Entry
from sancho_plugins.webdav_server.asgi import Refusal

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@dataclass(frozen=True)
class Span:
    """Which bytes of a file to send."""

    start: int
    length: int
    partial: bool


def etag(entry: Entry) -> str:
    """A validator that changes whenever a file is replaced or written to."""
    return f'"{entry.inode:x}-{entry.size:x}-{entry.modified_ns:x}"'


def described(entry: Entry) -> dict[str, str]:
    """The headers that describe a file."""
    modified_at = datetime.fromtimestamp(entry.modified_ns // 1_000_000_000, UTC)
    return {
        "Content-Type": "application/octet-stream",
        "Accept-Ranges": "bytes",
        "ETag": etag(entry),
        "Last-Modified": format_datetime(modified_at, usegmt=True),
    }


def digest(adler32: str) -> dict[str, str]:
    """A checksum as RFC 3230 writes it."""
    return {"Digest": f"adler32={adler32}"}


def wants_adler32(headers: dict[str, str]) -> bool:
    """Does the client ask for the one checksum that we know (and not with weight 0)?"""
    for asked in headers.get("want-digest", "").lower().split(","):
        algorithm, _, weight = asked.strip().partition(";")
        if algorithm.strip() == "adler32" and not re.fullmatch(r"\s*q=0(\.0*)?\s*", weight):
            return True
    return False


def wanted_span(headers: dict[str, str], entry: Entry) -> Span:
    """Which bytes are asked for; several ranges at once, or of another version of the file, give all of it."""
    found = _RANGE.fullmatch(headers.get("range", "").strip())
    if found is None or found[0] == "bytes=-" or headers.get("if-range", etag(entry)) != etag(entry):
        return Span(0, entry.size, partial=False)
    first, last = found[1], found[2]
    start = int(first) if first else max(0, entry.size - int(last))
    end = min(int(last), entry.size - 1) if first and last else entry.size - 1
    if first and last and int(last) < start:
        return Span(0, entry.size, partial=False)
    if start >= entry.size or (not first and int(last) == 0):
        raise Refusal(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
            "range_unsatisfiable",
            f"the file has {entry.size} B",
            Content_Range=f"bytes */{entry.size}",
        )
    return Span(start, end - start + 1, partial=True)


def check_preconditions(headers: dict[str, str], entry: Entry | None) -> None:
    """Refuse when If-Match or If-None-Match do not hold for what is there now."""
    tag = None if entry is None else etag(entry)
    if "if-none-match" in headers and tag is not None and _matches(headers["if-none-match"], tag):
        raise Refusal(HTTPStatus.PRECONDITION_FAILED, "file_exists", "there is such a file already")
    if "if-match" in headers and (tag is None or not _matches(headers["if-match"], tag)):
        raise Refusal(HTTPStatus.PRECONDITION_FAILED, "file_changed", "the file is another than the one named")


def _matches(condition: str, tag: str) -> bool:
    return condition.strip() == "*" or tag in {one.strip() for one in condition.split(",")}
