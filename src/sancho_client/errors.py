"""What can go wrong between a program and the server; all of it derives from `ClientError`.

ClientError
├── Problem          the server answered, and said what is wrong
│   └── Refused      … because of who is asking: not logged in, or not allowed (401, 403)
├── NotLoggedIn      there is no token to send
├── ServerAway       nobody answered, for as long as we were willing to wait
├── AnswerUnclear    an answer that this version of the client does not understand
├── Damaged          bytes that are not the ones they should be
└── BadInput         a file or an argument that cannot be used
"""

from collections.abc import Mapping
from typing import Any, Self

from httpx2 import Response
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError


class ClientError(Exception):
    """Something went wrong; `hint` says what to do next, `field` what to blame in the request."""

    def __init__(self, message: str, *, field: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.hint = hint


class NotLoggedIn(ClientError):
    """There is no token to send."""


class ServerAway(ClientError):
    """Nobody answered, for as long as we were willing to wait."""


class AnswerUnclear(ClientError):
    """An answer that this version of the client does not understand."""


class Damaged(ClientError):
    """Bytes that are not the ones they should be."""


class BadInput(ClientError):
    """A file or an argument that cannot be used."""


class FieldFault(BaseModel):
    """One field of a request that is wrong, and why."""

    field: str
    reason: str


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore")

    code: str = "error"
    detail: str = ""
    title: str = ""
    field: str | None = None
    hint: str | None = None
    trace_id: str | None = None
    facts: Mapping[str, Any] = {}
    errors: list[FieldFault] = []


_BODY = TypeAdapter(_Body)


class Problem(ClientError):
    """The server answered, and said what is wrong (`application/problem+json`, RFC 9457).

    `code` is stable and made for programs, `message` for people; `retry_after` is in seconds, `trace_id` is what to
    quote when asking for help, `faults` are all the fields that are wrong, and `facts` what the message was made of.
    """

    def __init__(self, status: int, body: _Body, *, retry_after: float | None = None) -> None:
        super().__init__(
            body.detail or body.title or f"The server answered {status}.", field=body.field, hint=body.hint
        )
        self.status = status
        self.code = body.code
        self.trace_id = body.trace_id
        self.facts = body.facts
        self.faults = body.errors
        self.retry_after = retry_after

    @classmethod
    def of(cls, response: Response) -> Self:
        """Read a problem from an answer whose body has been read; anything else than a problem is described."""
        try:
            body = _BODY.validate_json(response.content)
        except ValidationError:
            said = response.text.strip().splitlines()
            detail = f"The server answered {response.status_code} {response.reason_phrase}".strip()
            body = _Body(code="http_error", detail=f"{detail}: {said[0][:200]}" if said else f"{detail}.")
        kind = Refused if response.status_code in {401, 403} else cls
        return kind(response.status_code, body, retry_after=retry_after(response))  # pyright: ignore[reportReturnType]


class Refused(Problem):
    """The server does not know who is asking (401), or does not allow it (403)."""


def retry_after(response: Response) -> float | None:
    """Seconds that an answer asks to wait, if it does."""
    try:
        return max(0.0, float(response.headers.get("retry-after", "")))
    except ValueError:
        return None
