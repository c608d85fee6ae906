"""How numbers and lists go to PostgreSQL, and JSON comes back.

psycopg picks the type of an integer by its value, so that one statement has several types of parameters and is
prepared and planned for each. Here every integer is a bigint and a list of them a bigint[]: one statement, one plan.
Lists of integers and of strings are long (1000s of ids and names in a bulk call), so they are written in one piece.
"""

from typing import Any

import psycopg
from psycopg.abc import AdaptContext, Buffer, DumperKey, PyFormat
from psycopg.adapt import AdaptersMap, Dumper
from psycopg.types.array import ListDumper
from psycopg.types.json import set_json_loads
from psycopg.types.numeric import Int8Dumper
from pydantic_core import from_json

_QUOTE, _COMMA = '"', '","'


class BigintsDumper(Dumper):
    """Writes a list of integers, with None among them perhaps, as bigint[]."""

    oid = psycopg.adapters.types["int8"].array_oid

    def dump(self, obj: list[int | None]) -> bytes:
        """Write PostgreSQL's array literal; raises `DataError` for an item that is no integer."""
        try:
            return ("{" + ",".join(map(int.__repr__, obj)) + "}").encode()  # pyright: ignore[reportArgumentType]
        except TypeError:
            return ("{" + ",".join(map(_number, obj)) + "}").encode()


def _number(item: int | None) -> str:
    if item is None:
        return "NULL"
    if type(item) is not int:
        raise psycopg.DataError(f"an integer was expected in a list of them, not {item!r}")
    return repr(item)


class TextsDumper(Dumper):
    """Writes a list of strings, with None among them perhaps, as an array of a type that its context says."""

    def __init__(self, cls: type, context: AdaptContext | None = None) -> None:
        """Write lists of class `cls`."""
        super().__init__(cls, context)
        self._usual = ListDumper(cls, context)

    def dump(self, obj: list[Any]) -> Buffer | None:
        """Write PostgreSQL's array literal, at once when nothing in it needs an escape."""
        try:
            text = _COMMA.join(obj)
        except TypeError:
            return self._usual.dump(obj)
        if "\\" in text or "\0" in text or text.count(_QUOTE) != 2 * (len(obj) - 1):
            return self._usual.dump(obj)
        return ('{"' + text + '"}').encode()


class AnyListDumper(Dumper):
    """Sends lists of integers and of strings to their own dumpers; any other list goes as psycopg does it."""

    def __init__(self, cls: type, context: AdaptContext | None = None) -> None:
        """Write lists of class `cls`."""
        super().__init__(cls, context)
        self._context = context
        self._usual = ListDumper(cls, context)

    def get_key(self, obj: list[Any], format: PyFormat) -> DumperKey:  # noqa: A002 - psycopg's name
        """Tell lists apart by their first item, where that is enough."""
        own = _OWN.get(_first(obj))
        return self._usual.get_key(obj, format) if own is None else (self.cls, own)

    def upgrade(self, obj: list[Any], format: PyFormat) -> Dumper:  # noqa: A002 - psycopg's name
        """Choose by the first item."""
        own = _OWN.get(_first(obj))
        return self._usual.upgrade(obj, format) if own is None else own(self.cls, self._context)

    def dump(self, obj: list[Any]) -> Buffer | None:
        """Write an empty list."""
        return self._usual.dump(obj)


_OWN: dict[type, type[Dumper]] = {int: BigintsDumper, str: TextsDumper}


def _first(items: list[Any]) -> type[Any]:
    first: object = items[0] if items else None
    return type(first)


ADAPTERS = AdaptersMap(psycopg.adapters)
ADAPTERS.register_dumper(int, Int8Dumper)
ADAPTERS.register_dumper(list, AnyListDumper)
set_json_loads(from_json, ADAPTERS)
