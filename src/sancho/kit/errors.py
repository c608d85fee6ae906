"""The root of everything that can go wrong on purpose.

An error class is one kind of trouble: its docstring is the message, filled in with the facts it was raised with;
its `status` and `code` are what the API answers. Features derive from the kinds below, never from `SanchoError`.

    SanchoError
    ├── BadRequest     400  the request makes no sense
    ├── Unauthorized   401  we do not know who you are
    ├── Forbidden      403  we know, and you may not
    ├── NotFound       404  no such thing, or none that you may see
    ├── Conflict       409  it makes sense, but not in this state
    ├── TooLarge       413  over a published limit
    ├── Invalid        422  a field of the request is wrong
    ├── TooMany        429  come back later
    └── Unavailable    503  somebody we depend on is away
"""

import inspect
from typing import ClassVar


class SanchoError(Exception):
    """Something went wrong."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "error"
    oauth: ClassVar[str | None] = None
    """OAuth's word for it (RFC 6749 §5.2 and its kin), where OAuth clients must understand it too."""

    def __init__(self, *, field: str | None = None, hint: str | None = None, **facts: object) -> None:
        """Fill the docstring with `facts`; `field` names what to blame in the request, `hint` what to do next."""
        self.facts = facts
        self.field = field
        self.hint = hint
        super().__init__(inspect.cleandoc(type(self).__doc__ or "").format(**facts))


class BadRequest(SanchoError):
    """{reason}"""

    status, code = 400, "bad_request"


class Unauthorized(SanchoError):
    """{reason}"""

    status, code = 401, "unauthorized"


class Forbidden(SanchoError):
    """{reason}"""

    status, code = 403, "forbidden"


class NotFound(SanchoError):
    """{what} does not exist."""

    status, code = 404, "not_found"


class Conflict(SanchoError):
    """{reason}"""

    status, code = 409, "conflict"


class TooLarge(SanchoError):
    """{what} is over the limit of {limit}."""

    status, code = 413, "too_large"


class Invalid(SanchoError):
    """{reason}"""

    status, code = 422, "invalid"


class TooMany(SanchoError):
    """{reason}"""

    status, code = 429, "too_many"

    def __init__(
        self, *, retry_after: int = 1, field: str | None = None, hint: str | None = None, **facts: object
    ) -> None:
        """Say after how many seconds to try again."""
        self.retry_after = retry_after
        super().__init__(field=field, hint=hint, **facts)


class Unavailable(SanchoError):
    """{reason}"""

    status, code = 503, "unavailable"

    def __init__(
        self, *, retry_after: int = 5, field: str | None = None, hint: str | None = None, **facts: object
    ) -> None:
        """Say after how many seconds to try again."""
        self.retry_after = retry_after
        super().__init__(field=field, hint=hint, **facts)


class PermissionMissing(Forbidden):
    """Account {account} of VO {vo} lacks the permission {permission}."""

    code = "permission_missing"

    def __init__(self, *, account: str, vo: str, permission: str) -> None:
        """Name who lacks what; the hint says who can give it."""
        super().__init__(
            account=account, vo=vo, permission=permission, hint=f"Ask an administrator of {vo} for a group that has it."
        )
