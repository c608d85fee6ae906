"""How numbers and lists go to PostgreSQL.

psycopg picks the type of an integer by its value, so that one statement has several types of parameters and is
prepared and planned for each. Here every integer is a bigint and a list of them a bigint[]: one statement, one plan.
Lists of integers and of strings are long (1000s of ids and names in a bulk call), so they are written in one piece.
"""

from typing import Any

import psycopg
from psycopg.abc import Buffer, DumperKey, PyFormat
from psycopg.adapt import AdaptersMap
from psycopg.types.array import BaseListDumper, ListDumper
from psycopg.types.numeric import Int8Dumper

_QUOTE, _COMMA = '"', '","'


class PlainListDumper(ListDumper):
    """Writes a list of only integers or only strings at once; any other list as psycopg does."""

    def get_key(self, obj: list[Any], format: PyFormat) -> DumperKey:  # noqa: A002 - psycopg's name
        """Tell lists apart; by their first item, where that is an integer or a string."""
        return super().get_key(_sample(obj), format)

    def upgrade(self, obj: list[Any], format: PyFormat) -> BaseListDumper:  # noqa: A002 - psycopg's name
        """Choose how items are written."""
        return super().upgrade(_sample(obj), format)

    def dump(self, obj: list[Any]) -> Buffer | None:
        """Write the list as PostgreSQL's array literal."""
        return _plain(obj) or super().dump(obj)


def _sample(items: list[Any]) -> list[Any]:
    """As much of a list as says what it is a list of."""
    return items[:1] if items and type(items[0]) in (int, str) else items


def _plain(items: list[Any]) -> bytes | None:
    """The literal of a list that needs no escapes; None for any other list."""
    if not items:
        return None
    first = items[0]
    try:
        if type(first) is int:
            return ("{" + ",".join(map(int.__repr__, items)) + "}").encode()
        if type(first) is str:
            text = _COMMA.join(items)
            if "\\" not in text and "\0" not in text and text.count(_QUOTE) == 2 * (len(items) - 1):
                return ('{"' + text + '"}').encode()
    except TypeError:  # an item of another kind, or None
        return None
    return None


ADAPTERS = AdaptersMap(psycopg.adapters)
ADAPTERS.register_dumper(int, Int8Dumper)
ADAPTERS.register_dumper(list, PlainListDumper)
