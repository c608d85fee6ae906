"""What can go wrong here, and how DiracX says it: as `detail`; for a login on a device, as OAuth's `error`."""

import json

from fastapi import Response
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from sancho.identity.errors import (
    AccountNotFound,
    LoginDenied,
    LoginEnded,
    LoginOver,
    LoginPending,
    LoginTooEager,
    RefreshRefused,
    ScopeRefused,
    TokenRevoked,
)
from sancho.jobs.errors import ParameterUnfit, SandboxBroken, SandboxDiffers, SandboxMissing
from sancho.kit.archives import ArchiveRefused
from sancho.kit.db import TooSlow
from sancho.kit.errors import BadRequest, Forbidden, NotFound, SanchoError, TooMany, Unauthorized, Unavailable
from sancho.kit.issuer import TokenExpired, TokenInvalid
from sancho.kit.search import PatternUnfit, SearchValueUnfit
from sancho.kit.web import NoToken
from sancho.vos.errors import VoNotFound


class ScopeUnrecognised(BadRequest):
    """Unrecognised scopes: {words}"""

    code = "diracx_scope_unrecognised"

    def __init__(self, *, words: list[str]) -> None:
        """Name them."""
        super().__init__(words=words)


class ScopeUnfit(BadRequest):
    """{reason}"""

    code = "diracx_scope_unfit"

    def __init__(self, *, reason: str) -> None:
        """Say what is wrong with the scope."""
        super().__init__(reason=reason, field="scope")


class PropertyNotHeld(Forbidden):
    """No group of this server gives the property {name}."""

    code = "diracx_property_not_held"

    def __init__(self, *, name: str) -> None:
        """Name it."""
        super().__init__(name=name, field="scope")


class FieldMissing(BadRequest):
    """{name} is missing."""

    code = "diracx_field_missing"

    def __init__(self, *, name: str) -> None:
        """Name the form's field."""
        super().__init__(name=name, field=name)


class LegacyOff(Unavailable):
    """Legacy exchange is not enabled."""

    code = "diracx_legacy_off"

    def __init__(self) -> None:
        """It does not come by itself."""
        super().__init__(retry_after=3600)


class LegacyHeaderInvalid(BadRequest):
    """Invalid authorization header."""

    code = "diracx_legacy_header_invalid"


class LegacyRefused(Unauthorized):
    """This key is not that of the VO."""

    code = "diracx_legacy_refused"


class NoContact(NotFound):
    """This server names no contact for reports of security."""

    code = "diracx_no_contact"


class NotServed(SanchoError):
    """Sancho does not serve {method} {path} of DiracX."""

    status = 501
    code = "diracx_not_served"

    def __init__(self, *, method: str, path: str) -> None:
        """Name the operation."""
        super().__init__(method=method, path=path)


class JdlFault(BadRequest):
    """{reason}"""

    code = "diracx_jdl_unfit"
    number: int | None = None
    """Which of several JDLs it is, from 1."""

    def __str__(self) -> str:
        """Name the JDL when there are several."""
        return super().__str__() if self.number is None else f"JDL {self.number}: {super().__str__()}"


class JdlMalformed(JdlFault):
    """JDL syntax error at line {line}, column {column}: {near} {reason}."""

    code = "diracx_jdl_malformed"

    def __init__(self, *, line: int, column: int, near: str, reason: str) -> None:
        """Lines and columns count from 1; `near` is the part around the fault, which stands between ▶ and ◀."""
        super().__init__(line=line, column=column, near=near, reason=reason)


class JdlEmpty(JdlFault):
    """JDL syntax error: there is no JDL."""

    code = "diracx_jdl_malformed"


class JdlUnfit(JdlFault):
    """{attribute} {reason}."""

    def __init__(self, *, attribute: str, reason: str, hint: str | None = None) -> None:
        """Name the attribute, and why it cannot be taken."""
        super().__init__(attribute=attribute, reason=reason, field=attribute, hint=hint)


class JdlRefused(JdlFault):
    """{reason}"""

    code = "diracx_jdl_refused"

    def __init__(self, *, reason: str, field: str | None, hint: str | None) -> None:
        """Say what our jobs have to say about what the JDL asks for."""
        super().__init__(reason=reason, field=field, hint=hint)


class JdlMixed(BadRequest):
    """You cannot submit parametric jobs in a bulk fashion"""

    code = "diracx_jdl_mixed"


class TooManyJobs(BadRequest):
    """You cannot submit more than {limit} jobs at once; these are {count}."""

    code = "diracx_too_many_jobs"

    def __init__(self, *, count: int, limit: int) -> None:
        """Say how many they are, and may be."""
        super().__init__(count=count, limit=limit, hint="Submit them in parts.")


class TooDifferent(BadRequest):
    """These jobs need more than {limit} different descriptions."""

    code = "diracx_too_different"

    def __init__(self, *, limit: int) -> None:
        """Say how many there may be."""
        super().__init__(
            limit=limit,
            hint="Jobs of a parametric JDL share one if they differ in Arguments, Environment and outputs alone.",
        )  # fmt: skip


class ColumnUnknown(BadRequest):
    """Unknown column {name}"""

    code = "diracx_column_unknown"

    def __init__(self, *, name: str) -> None:
        """Name it."""
        super().__init__(name=name[:100])


class SearchUnfit(BadRequest):
    """{reason}"""

    code = "diracx_search_unfit"

    def __init__(self, *, reason: str) -> None:
        """Say what is wrong."""
        super().__init__(reason=reason, field="search")


class TooManyPages(BadRequest):
    """No page is looked for behind {last} jobs."""

    code = "diracx_too_many_pages"

    def __init__(self, *, last: int) -> None:
        """Say where it ends."""
        super().__init__(last=last, field="page")


class AttributeFixed(BadRequest):
    """{name} of a job cannot be set here."""

    code = "diracx_attribute_fixed"

    def __init__(self, *, name: str) -> None:
        """Name it."""
        super().__init__(name=name)


class SandboxNameUnfit(BadRequest):
    """{pfn!r} is no name of a sandbox."""

    code = "diracx_sandbox_name_unfit"

    def __init__(self, *, pfn: str) -> None:
        """Show what was said."""
        super().__init__(
            pfn=pfn[:200], field="pfn", hint="It is SB:SandboxSE|/S3/BUCKET/VO/GROUP/ACCOUNT/sha256:HEX.tar.zst."
        )


class SandboxNotYours(Forbidden):
    """This is no name of a sandbox of {account} in VO {vo}."""

    code = "diracx_sandbox_not_yours"

    def __init__(self, *, vo: str, account: str) -> None:
        """Say whose it would have to be."""
        super().__init__(vo=vo, account=account, field="pfn")


class SandboxTooLarge(BadRequest):
    """A sandbox of {size} bytes is over the limit of {limit}."""

    code = "diracx_sandbox_too_large"

    def __init__(self, *, size: int, limit: int) -> None:
        """Say how large it may be."""
        super().__init__(size=size, limit=limit, field="size", hint="Bring large files as input data.")


class TimeNaive(BadRequest):
    """The time {at} of an update of job {job_id} has no time zone."""

    code = "diracx_time_naive"

    def __init__(self, *, job_id: int, at: str) -> None:
        """Name the job and the time."""
        super().__init__(job_id=job_id, at=at)


class TimeOutside(BadRequest):
    """The time {at} of an update of job {job_id} is not between the years 1970 and 9000."""

    code = "diracx_time_outside"

    def __init__(self, *, job_id: int, at: str) -> None:
        """Name the job and the time."""
        super().__init__(job_id=job_id, at=at)


class TooManyUpdates(BadRequest):
    """No more than {limit} updates can be sent at once."""

    code = "diracx_too_many_updates"

    def __init__(self, *, limit: int) -> None:
        """Say how many there may be."""
        super().__init__(limit=limit)


class PilotOfOtherVo(Forbidden):
    """A pilot of VO {vo} is not registered with a token of {own}."""

    code = "diracx_pilot_of_other_vo"

    def __init__(self, *, vo: str, own: str) -> None:
        """Name both."""
        super().__init__(vo=vo[:100], own=own, field="vo")


class NotAllYours(Forbidden):
    """Not all of these jobs are yours."""

    code = "diracx_not_all_yours"


STATUS: dict[type[SanchoError], int] = {
    AccountNotFound: 400, ScopeRefused: 403, VoNotFound: 400, SearchValueUnfit: 400, PatternUnfit: 400, TooSlow: 400,
    ParameterUnfit: 400, SandboxMissing: 404, SandboxBroken: 400, ArchiveRefused: 400, SandboxDiffers: 400,
}  # fmt: skip
"""Where DiracX's status differs from ours."""
DETAIL: dict[type[SanchoError], str] = {
    NoToken: "Authorization header is missing", TokenExpired: "Invalid JWT", TokenInvalid: "Invalid JWT",
    TokenRevoked: "Invalid JWT", LoginEnded: "Invalid JWT", RefreshRefused: "Invalid refresh token",
}  # fmt: skip
"""Where DiracX has a text of its own."""
DEVICE: dict[type[SanchoError], str] = {
    LoginPending: "authorization_pending", LoginTooEager: "authorization_pending", LoginDenied: "access_denied",
    LoginOver: "expired_token",
}  # fmt: skip
"""What a device is told; its programs know no word for being too eager, and give up at one they do not know."""


def render(error: Exception) -> Response:
    """Say any error as DiracX would."""
    if isinstance(error, RequestValidationError):
        # What is echoed may be no number of JSON: it is then said as a text, as DiracX does.
        detail = json.loads(json.dumps(jsonable_encoder(error.errors())), parse_constant=str)
        return JSONResponse({"detail": detail}, 422)
    if isinstance(error, HTTPException):
        return JSONResponse({"detail": error.detail}, error.status_code, error.headers)
    if not isinstance(error, SanchoError):
        return JSONResponse({"detail": "Internal Server Error"}, 500)
    kind = type(error)
    if kind in DEVICE:
        return JSONResponse({"error": DEVICE[kind]}, error.status, {"cache-control": "no-store"})
    status = STATUS.get(kind, error.status)
    headers = {"www-authenticate": "Bearer"} if status == 401 else {}
    if isinstance(error, TooMany | Unavailable):
        headers["retry-after"] = str(error.retry_after)
    detail = DETAIL.get(kind, str(error))
    if isinstance(error, JdlFault | TooManyJobs | TooDifferent) and error.hint is not None:
        detail = f"{detail} {error.hint}"  # nothing but this text reaches who wrote the JDL
    return JSONResponse({"detail": detail}, status, headers)
