"""How one call is carried out, without doing any input or output: when to send, when to wait, when to give up.

The logic is a generator of steps (`Send` a request, `Wait` some seconds); the sync and the async client drive it, so
retries, tokens and problems are written once. A call is tried again

- when the connection was refused or the server said 429: nothing has happened yet, so any call may be repeated;
- when the server said 503, or the connection broke on the way: only calls that do no harm when carried out twice.

Pauses double, with jitter so that many clients do not come back together; the server's `Retry-After` is respected.
"""

import random
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from httpx2 import ConnectError, ConnectTimeout, Request, Response, TransportError
from pydantic import ValidationError

from sancho_client.call import Call
from sancho_client.errors import AnswerUnclear, Problem, ServerAway, retry_after

T = TypeVar("T")
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 8.0


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request; answered with the response, or a `TransportError` is thrown in."""

    request: Request
    stream: bool = False
    """Leave the body of a successful answer unread."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait some seconds; answered with None."""

    seconds: float


Steps = Generator[Send | Wait, Response | None, T]
Builder = Callable[[str | None], Request]
"""Makes the request of a call, given the token to send with it."""


@dataclass(kw_only=True)
class Patience:
    """How long one call may wait in all, and what it has waited."""

    seconds: float
    tries: int = 0
    waited: float = 0.0

    def pause(self, asked: float | None) -> float | None:
        """Seconds until the next try, None when patience has run out."""
        self.tries += 1
        backoff = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (self.tries - 1))
        pause = backoff * random.uniform(0.5, 1.0) if asked is None else asked + random.uniform(0.0, 0.3)  # noqa: S311
        if self.waited + pause > self.seconds:
            return None
        self.waited += pause
        return pause


class TokenSource(Protocol):
    """Where tokens come from."""

    def token(self, rejected: str | None, /) -> Steps[str | None]:
        """A token to send; `rejected` is one that the server did not take, so another is wanted."""
        ...


def send(request: Request, *, stream: bool = False) -> Steps[Response]:
    """Send one request, once."""
    response = yield Send(request, stream)
    assert response is not None
    return response


def carry(call: Call[T], build: Builder, tokens: TokenSource, patience: Patience) -> Steps[T]:
    """Carry out a call and read its answer."""
    response = yield from exchange(call, build, tokens, patience)
    try:
        return call.parse(response.content)
    except ValidationError as e:
        raise AnswerUnclear(
            f"The answer to {call.method} {call.path} is not what this client expects: {_first(e)}",
            hint="Client and server may be of different versions; compare `sancho --version` with the server's.",
        ) from e


def exchange(
    call: Call[T], build: Builder, tokens: TokenSource, patience: Patience, *, stream: bool = False
) -> Steps[Response]:
    """Send a call until it is answered with success; raises `Problem` or `ServerAway`."""
    token = None if call.public else (yield from tokens.token(None))
    renewed = False
    while True:
        request = build(token)
        try:
            response = yield from send(request, stream=stream)
        except TransportError as e:
            refused = isinstance(e, ConnectError | ConnectTimeout)
            pause = patience.pause(None) if refused or call.may_repeat else None
            if pause is None:
                raise away(request, e) from e
            yield Wait(pause)
            continue
        if response.status_code < 400:
            return response
        if response.status_code == 401 and not call.public and not renewed:
            renewed = True
            fresh = yield from tokens.token(token)
            if fresh != token:
                token = fresh
                continue
        pause = _pause(call, response, patience)
        if pause is None:
            raise Problem.of(response)
        yield Wait(pause)


def away(request: Request, error: TransportError) -> ServerAway:
    """Say that nobody answered at the place a request went to."""
    place = f"{request.url.scheme}://{request.url.netloc.decode()}"
    reason = str(error) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        return ServerAway(
            f"The certificate of {place} is not trusted.", hint="Set SANCHO_CA_FILE to its authority's certificate."
        )
    return ServerAway(f"{place} does not answer: {reason}", hint="Check SANCHO_URL, and that the server runs.")


def _pause(call: Call[T], response: Response, patience: Patience) -> float | None:
    if response.status_code == 429 or (response.status_code == 503 and call.may_repeat):
        return patience.pause(retry_after(response))
    return None


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    return f"{'.'.join(str(p) for p in first['loc']) or 'body'}: {first['msg']}"
