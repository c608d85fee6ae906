"""Drives the steps of a call without input or output: answers in, requests and pauses out."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from httpx2 import Request, Response, TransportError

from sancho_client.exchange import Steps, Wait

T = TypeVar("T")


@dataclass
class Played(Generic[T]):
    """What came out: requests that were sent, pauses in seconds, and the result or the error."""

    requests: list[Request] = field(default_factory=list[Request])
    pauses: list[float] = field(default_factory=list[float])
    result: T | None = None
    error: Exception | None = None


def play(steps: Steps[T], answers: Iterable[Response | TransportError]) -> Played[T]:
    """Answer each request with the next answer, and pass over the pauses; of a list, all answers are needed."""
    played: Played[T] = Played()
    left = iter(answers)
    try:
        step = next(steps)
        while True:
            if isinstance(step, Wait):
                played.pauses.append(step.seconds)
                step = steps.send(None)
                continue
            played.requests.append(step.request)
            answer = next(left, None)
            assert answer is not None, "more answers were asked for"
            step = steps.throw(answer) if isinstance(answer, TransportError) else steps.send(answer)
    except StopIteration as stop:
        played.result = stop.value
    except Exception as e:  # noqa: BLE001 - the error is what came out
        played.error = e
    if isinstance(answers, list):
        assert not list(left), "some answers were not asked for"
    return played
