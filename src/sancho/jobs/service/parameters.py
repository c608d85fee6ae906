"""What owners, jobs, pilots and the system say of jobs: typed values by name, which jobs are searched by."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from sancho.jobs.errors import ParameterUnfit, TooManyParameters
from sancho.jobs.model import LARGEST_OBJECT, LONGEST_WORD, MAX_ROWS, MOST_PARAMETERS, PARAMETER_NAME, SaidBy
from sancho.jobs.service.reporting import require_reporter
from sancho.jobs.store import parameters
from sancho.jobs.store.parameters import Said
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.kit.search import read_text
from sancho.kit.units import LARGEST, LONGEST_TEXT

NAME = re.compile(PARAMETER_NAME, re.ASCII)
_ZERO = re.compile(r"(?<!\\)(\\\\)*\\u0000")
Document = Mapping[str, Any]
"""Values by name: a text, a number, a boolean, a small object or list; None takes a parameter away."""


def said_of(job_id: int, name: str, value: Any) -> Said:
    """A parameter as it is kept; raises `ParameterUnfit`. Pure."""
    if not NAME.fullmatch(name):
        raise ParameterUnfit(job_id=job_id, name=name, reason="has a name that does not match [A-Za-z][A-Za-z0-9_.-]*")
    try:
        # Escaped: what a database cannot hold, a lone surrogate or a zero, is found by its escape.
        text = json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError) as e:
        raise ParameterUnfit(job_id=job_id, name=name, reason="is not a value of JSON") from e
    if (reason := _unfit(value, text)) is not None:
        raise ParameterUnfit(job_id=job_id, name=name, reason=reason)
    word = value if isinstance(value, str) and len(value) <= LONGEST_WORD else None
    number = float(value) if isinstance(value, bool | int | float) else None
    return Said(job_id=job_id, name=name, value=text, word=word, number=number)


def _unfit(value: Any, text: str) -> str | None:
    if isinstance(value, str):
        if len(value) > LONGEST_TEXT:
            return f"is a text of more than {LONGEST_TEXT} characters"
        return None if read_text(value) is not None else "has characters that are none"
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return None if math.isfinite(value) and (isinstance(value, float) or abs(value) <= LARGEST) else "is too large"
    if len(text) > LARGEST_OBJECT:
        return f"has more than {LARGEST_OBJECT} bytes"
    return "has characters that are none" if _ZERO.search(text) or _has_surrogate(value) else None


def _has_surrogate(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeError:
        return True
    return False


async def set_parameters(conn: Connection, caller: Principal, said: Mapping[int, Document]) -> None:
    """Let jobs say something, all or none. For their owners, who manages jobs, and who reports for pilots.

    What they say by other names stays. Raises `JobNotFound`, `NotYours`, `ParameterUnfit`, `TooManyParameters`.
    """
    by = await require_reporter(conn, caller, list(said), field="parameters")
    await _write(conn, caller.vo, said, by)


async def say(conn: Connection, vo: int, said: Mapping[int, Document], by: SaidBy) -> None:
    """Let jobs say something for a job or pilot that has shown that it is theirs, or for the system.

    Raises `ParameterUnfit` and `TooManyParameters`.
    """
    await _write(conn, vo, said, by)


async def of_jobs(conn: Connection, vo: int, job_ids: Sequence[int]) -> dict[int, Document]:
    """All that these jobs say."""
    return await parameters.of_jobs(conn, vo, job_ids)


async def _write(conn: Connection, vo: int, said: Mapping[int, Document], by: SaidBy) -> None:
    if (number := sum(len(document) for document in said.values())) > MAX_ROWS:
        raise TooManyParameters(what=f"A request with {number} parameters", limit=MAX_ROWS)
    kept = [
        said_of(job_id, name, value)
        for job_id, document in said.items()
        for name, value in document.items()
        if value is not None
    ]
    gone = [(job_id, name) for job_id, document in said.items() for name, value in document.items() if value is None]
    if gone:
        await parameters.remove(conn, vo, gone)
    if not kept:
        return
    await parameters.put(conn, vo, kept, by)
    full = await parameters.find_full(conn, vo, sorted({one.job_id for one in kept}), MOST_PARAMETERS)
    if full is not None:
        raise TooManyParameters(what=f"Job {full} with what was said before", limit=MOST_PARAMETERS)
