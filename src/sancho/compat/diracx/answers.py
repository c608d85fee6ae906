"""Answers that follow from the configuration of a VO: made once for each state of it, and kept.

Whether an answer is still right is asked of the database each time, in one short exchange, so any number of processes
tell the same at any moment; what is kept only spares making it anew.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from sancho.compat.diracx.config_translate import Edition
from sancho.identity import service as identity
from sancho.identity.model import Roll
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.kit.deployment import Deployment

MOST_BYTES = 16_000_000
"""All answers that one process keeps; of those that were not asked for the longest, the first go."""
Made = tuple[Edition, Any]
"""An answer, and what names it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was told when the VO was in a state."""

    roll: Roll
    edition: Edition
    body: bytes


class Answers:
    """The newest answer of each route to each VO, as far as there is room; never one of a VO to another."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        """Keep so many bytes at most."""
        self._most = most
        self._bytes = 0
        self._kept: OrderedDict[tuple[int, str], Answer] = OrderedDict()

    def find(self, vo: int, path: str, roll: Roll) -> Answer | None:
        """What is told on a path to a VO in this state; None when that was not kept."""
        found = self._kept.get((vo, path))
        if found is None or found.roll != roll:
            return None
        self._kept.move_to_end((vo, path))
        return found

    def keep(self, vo: int, path: str, answer: Answer) -> None:
        """Keep it in place of the one before, unless it is too large to be kept at all."""
        self._drop((vo, path))
        if len(answer.body) > self._most:
            return
        self._kept[vo, path] = answer
        self._bytes += len(answer.body)
        while self._bytes > self._most:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: tuple[int, str]) -> None:
        gone = self._kept.pop(key, None)
        self._bytes -= 0 if gone is None else len(gone.body)


async def told(
    request: Request, caller: Principal, deployment: Deployment,
    made: Callable[[Connection, Roll], Awaitable[Made]], named: Callable[[Roll], Edition] | None = None,
) -> Response:  # fmt: skip
    """Tell the caller's VO what is `made` of its state, or 304 to whom knows it.

    It is made in one moment of the database, which shows what the VO may see; and not at all where the answer is known
    already by what it is `named`, if its name follows from the state alone.
    """
    kept, path = cast(Answers, request.app.state.diracx_answers), request.url.path
    roll = await identity.roll_now(deployment, caller.vo)
    answer = kept.find(caller.vo, path, roll)
    if answer is None and named is not None and (edition := named(roll)).is_known(request.headers):
        return Response(status_code=304, headers=edition.headers)
    if answer is None:
        answer = await _anew(caller, deployment, made)
        kept.keep(caller.vo, path, answer)
    if answer.edition.is_known(request.headers):
        return Response(status_code=304, headers=answer.edition.headers)
    return Response(answer.body, headers=answer.edition.headers, media_type="application/json")


async def _anew(
    caller: Principal, deployment: Deployment, made: Callable[[Connection, Roll], Awaitable[Made]]
) -> Answer:  # fmt: skip
    async with deployment.database.snapshot([caller.vo]) as conn:
        roll = await identity.roll(conn, caller.vo)
        edition, content = await made(conn, roll)
    return Answer(roll, edition, bytes(JSONResponse(content).body))
