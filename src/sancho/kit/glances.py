"""Queries that `kit.db` runs as one message, in a transaction of their own."""

import re
from functools import cache
from itertools import count
from typing import LiteralString, NamedTuple

GREETING = "SET LOCAL sancho.vo = %(_vos)s; SET LOCAL plan_cache_mode = force_generic_plan"
PARAMETER = re.compile(r"%\((\w+)\)s")


class Glance(NamedTuple):
    """A query as a statement that the database prepares, and the message that runs it, which is one transaction."""

    name: str
    prepare: bytes
    run: bytes


_numbers = count(1)


@cache
def glance_of(query: LiteralString) -> Glance:
    """The glance of a query, always the same one."""
    names = list(dict.fromkeys(PARAMETER.findall(query)))
    statement = query % {name: f"${n}" for n, name in enumerate(names, 1)}
    name = f"glance_{next(_numbers)}"
    given = f"({', '.join(f'%({name})s' for name in names)})" if names else ""
    return Glance(name, f"PREPARE {name} AS {statement}".encode(), f"{GREETING}; EXECUTE {name}{given}".encode())
