"""One operation of the API as a value: what to send, and how to read the answer.

`sancho_client.calls.*` makes these values and `Client` or `AsyncClient` carries them out, so that no operation is
written twice. A `Call[T]` has one answer, `Pages[T]` is a listing that comes page by page, `Lines[T]` a listing that
is streamed, one JSON document a line.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import NoneType
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, RootModel, TypeAdapter

T_co = TypeVar("T_co", covariant=True)
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Query = Mapping[str, str | int | bool | Sequence[str] | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Call(Generic[T_co]):
    """One request and the type of its answer; `query` entries that are None are not sent."""

    method: Method
    path: str
    answer: type[T_co]
    """What the answer's body is read as; `NoneType` for an answer without a body."""
    query: Query | None = None
    json: Any = None
    form: Mapping[str, str] | None = None
    repeatable: bool | None = None
    """May be sent again when nobody knows whether it was carried out; by default, what is not a POST or a PATCH."""
    public: bool = False
    """Needs no token."""

    @property
    def may_repeat(self) -> bool:
        """Say whether sending it twice does no harm."""
        return self.method not in {"POST", "PATCH"} if self.repeatable is None else self.repeatable

    def parse(self, body: bytes) -> T_co:
        """Read the answer; raises Pydantic's `ValidationError`."""
        return adapter(self.answer).validate_json(body or b"null")


Cursor = str | int


@dataclass(frozen=True, kw_only=True, slots=True)
class Pages(Generic[T_co]):
    """A listing that comes in pages; iterating fetches them as needed.

    A page is either `{"items": […], "next": cursor or null}`, or a plain array, after which the next page begins at
    the last item's `key`.
    """

    path: str
    item: type[T_co]
    query: Query | None = None
    method: Method = "GET"
    json: Mapping[str, Any] | None = None
    """Body of a listing by POST; the cursor is added to it."""
    items: str = "items"
    cursor: str = "cursor"
    """The parameter that says where a page begins."""
    key: str | None = None
    """The field of the last item with which to ask for more, where pages are plain arrays; None: there is one page."""
    page_size: int | None = None
    """Items to ask for at once; None leaves it to the server."""
    limit: int | None = None
    """How many items to hand out at most; None for all."""
    public: bool = False
    """Needs no token."""

    def page(self, at: Cursor | None) -> "Call[PageBody]":
        """The call for one page; None for the first."""
        given = {self.cursor: at, "limit": self._size()}
        if self.json is not None:
            body = {**self.json, **{k: v for k, v in given.items() if v is not None}}
            return Call(method=self.method, path=self.path, answer=PageBody, json=body, repeatable=True)
        query = {**(self.query or {}), **given}
        return Call(method=self.method, path=self.path, answer=PageBody, query=query, public=self.public)

    def parse(self, page: "PageBody") -> tuple[list[T_co], Cursor | None]:
        """Read one page: its items and where the next one begins; raises Pydantic's `ValidationError`."""
        items = adapter(list[self.item])
        if isinstance(page.root, dict):
            following: Cursor | None = page.root.get("next")
            return items.validate_python(page.root.get(self.items)), following
        rows = page.root
        more = self.key is not None and rows and len(rows) == self._size()
        return items.validate_python(rows), rows[-1][self.key] if more and self.key else None

    def _size(self) -> int | None:
        if self.page_size is None or self.limit is None:
            return self.page_size
        return min(self.page_size, self.limit)


class PageBody(RootModel[dict[str, Any] | list[dict[str, Any]]]):
    """A page as it came."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lines(Generic[T_co]):
    """A listing that is streamed as NDJSON; iterating holds one line in memory."""

    path: str
    item: type[T_co]
    query: Query | None = None
    method: Method = "GET"
    json: Any = None

    def call(self) -> "Call[None]":
        """The call whose answer is the stream."""
        return Call(
            method=self.method, path=self.path, answer=NoneType, query=self.query, json=self.json, repeatable=True
        )

    def parse(self, line: str | bytes) -> T_co:
        """Read one line; raises Pydantic's `ValidationError`."""
        return adapter(self.item).validate_json(line)


@lru_cache(maxsize=256)
def adapter(answer: Any) -> TypeAdapter[Any]:
    """The reader of a type, made once."""
    return TypeAdapter(answer)


def segment(value: str | int) -> str:
    """A value as one segment of a path; `:` may stay, `/` may not."""
    return quote(str(value), safe=":")


def did_path(did: str) -> str:
    """A DID as the rest of a path: names may hold slashes."""
    return quote(did, safe=":/")


def body(**fields: Any) -> dict[str, Any]:
    """A JSON object of the fields that are not None; models are dumped without what was not set."""
    return {k: _plain(v) for k, v in fields.items() if v is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_unset=True)
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]  # pyright: ignore[reportUnknownVariableType]
    return value
