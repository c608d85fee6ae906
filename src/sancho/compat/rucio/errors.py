"""What can go wrong at Rucio's wire, and what each error of ours is called there."""

from collections.abc import Mapping
from typing import cast

from fastapi import Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from sancho.compat.rucio.wire import Said
from sancho.dids.errors import (
    AttachedAlready,
    ChecksumMalformed,
    DidExists,
    DidMalformed,
    DidNotFound,
    FileAttachedAlready,
    FileDiffers,
    NotAttached,
    ScopeExists,
    ScopeMalformed,
    ScopeNotFound,
)
from sancho.identity.errors import (
    AccountNotFound,
    AccountSuspended,
    CodeRefused,
    LoginDenied,
    LoginEnded,
    LoginOver,
    LoginPending,
    LoginRefused,
    LoginTooEager,
    TokenExpired,
    TokenInvalid,
    TokenRevoked,
)
from sancho.kit.db import DatabaseAway
from sancho.kit.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    SanchoError,
    TooLarge,
    TooMany,
    Unauthorized,
    Unavailable,
)
from sancho.replicas.errors import ReplicaDiffers, ReplicaExists, ReplicaHeld, ReplicaNotFound
from sancho.rses.errors import RseExpressionEmpty, RseExpressionInvalid, RseNotFound
from sancho.rules.errors import QuotaExceeded, RuleNotFound, TooFewRses
from sancho.vos.errors import VoNotFound

LONGEST_HEADER = 125
NO_GOOD = "Cannot authenticate with given credentials"
REFUSALS = (LoginEnded, LoginRefused, TokenExpired, TokenInvalid, TokenRevoked)
"""What Rucio says in these words: those of ours are about `sancho login`."""


class TokenMissing(BadRequest):
    """Token must be set."""

    code = "rucio_token_missing"


class NotServed(Conflict):
    """{method} {path} of Rucio is not served here."""

    code = "rucio_not_served"

    def __init__(self, *, method: str, path: str) -> None:
        """Name what was asked for."""
        super().__init__(method=method, path=path)


class PathUnknown(NotFound):
    """Rucio has no {method} {path}."""

    code = "rucio_path_unknown"

    def __init__(self, *, method: str, path: str) -> None:
        """Name what was asked for."""
        super().__init__(method=method, path=path)


class NotAcceptable(BadRequest):
    """This resource is only to be had as {media_type}."""

    status, code = 406, "rucio_not_acceptable"

    def __init__(self, *, media_type: str) -> None:
        """Name what there is."""
        super().__init__(media_type=media_type)


class VoUnclear(VoNotFound):
    """No VO {vo} is here; say one by its name or its alias."""

    code = "rucio_vo_unclear"


class AccountDiffers(Unauthorized):
    """These credentials are not those of account {account}."""

    code = "rucio_account_differs"

    def __init__(self, *, account: str) -> None:
        """Name the account that was asked for."""
        super().__init__(account=account)


class CannotGetDn(Unauthorized):
    """Cannot get DN"""

    code = "rucio_cannot_get_dn"


class NoKerberos(Unauthorized):
    """There is no Kerberos here: log in by userpass, ssh, x509 or oidc."""

    code = "rucio_no_kerberos"


class BodyNotJson(BadRequest):
    """The body cannot be read: {fault}."""

    code = "rucio_body_not_json"

    def __init__(self, *, fault: str) -> None:
        """Say where it goes wrong."""
        super().__init__(fault=fault, field="body")


class PartNotServed(Conflict):
    """{part} of {what} is not served here."""

    code = "rucio_part_not_served"

    def __init__(self, *, part: str, what: str) -> None:
        """Name what was asked for, and of what."""
        super().__init__(part=part, what=what)


class FilterMalformed(BadRequest):
    """These filters are not understood: {reason}"""

    code = "rucio_filter_malformed"

    def __init__(self, *, reason: str) -> None:
        """Say what is wrong with them."""
        super().__init__(reason=reason, field="filters")


class StatusUnknown(BadRequest):
    """A DID has no status {status} here; it has: open."""

    code = "rucio_status_unknown"

    def __init__(self, *, status: str) -> None:
        """Name what was to be set."""
        super().__init__(status=status)


class PluginUnknown(BadRequest):
    """There is no metadata of {plugin} here; there is that of DID_COLUMN."""

    code = "rucio_plugin_unknown"

    def __init__(self, *, plugin: str) -> None:
        """Name what was asked for."""
        super().__init__(plugin=plugin)


class PfnUnfit(Invalid):
    """{did} cannot lie at {pfn}: where files lie on {rse} is chosen here."""

    code = "rucio_pfn_unfit"

    def __init__(self, *, did: str, pfn: str, rse: str) -> None:
        """Name the file, the URL and the RSE."""
        super().__init__(did=did, pfn=pfn, rse=rse)


class MetaNotKept(Conflict):
    """Metadata is not kept with replicas: {key} of {did}."""

    code = "rucio_meta_not_kept"

    def __init__(self, *, did: str, key: str) -> None:
        """Name the file and the key."""
        super().__init__(did=did, key=key)


class NothingToFollow(NotFound):
    """There is no replica of {did} that a browser can read."""

    code = "rucio_nothing_to_follow"

    def __init__(self, *, did: str) -> None:
        """Name the DID."""
        super().__init__(did=did)


class PfnUnknown(NotFound):
    """No file lies at {pfn}."""

    code = "rucio_pfn_unknown"

    def __init__(self, *, pfn: str) -> None:
        """Show the URL."""
        super().__init__(pfn=pfn)


class RuleIdMalformed(Invalid):
    """Badly formatted rule id ({rule_id})"""

    code = "rucio_rule_id_malformed"

    def __init__(self, *, rule_id: str) -> None:
        """Show what was given."""
        super().__init__(rule_id=rule_id[:100])


class NotForOthers(Forbidden):
    """A rule belongs to the account that makes it, not to {account}."""

    code = "rucio_not_for_others"

    def __init__(self, *, account: str) -> None:
        """Name whom it was meant for."""
        super().__init__(account=account)


NAMES: Mapping[type[SanchoError], tuple[int, str]] = {
    TokenMissing: (400, "ValueError"),
    NotServed: (409, "UnsupportedOperation"),
    NotAcceptable: (406, "UnsupportedRequestedContentType"),
    AccountNotFound: (404, "AccountNotFound"),
    VoNotFound: (404, "VONotFound"),
    DidNotFound: (404, "DataIdentifierNotFound"),
    DidExists: (409, "DataIdentifierAlreadyExists"),
    DidMalformed: (400, "InvalidObject"),
    ChecksumMalformed: (400, "InvalidObject"),
    ScopeNotFound: (404, "ScopeNotFound"),
    RseNotFound: (404, "RSENotFound"),
    RseExpressionInvalid: (400, "InvalidRSEExpression"),
    RseExpressionEmpty: (400, "InvalidRSEExpression"),
    ReplicaNotFound: (404, "ReplicaNotFound"),
    ReplicaExists: (409, "Duplicate"),
    ReplicaDiffers: (409, "FileConsistencyMismatch"),
    ReplicaHeld: (409, "ReplicaIsLocked"),
    PfnUnknown: (404, "ReplicaNotFound"),
    PfnUnfit: (400, "InvalidPath"),
    RuleNotFound: (404, "RuleNotFound"),
    TooFewRses: (409, "InsufficientTargetRSEs"),
    QuotaExceeded: (409, "InsufficientAccountLimit"),
    NothingToFollow: (404, "ReplicaNotFound"),
    DatabaseAway: (503, "DatabaseException"),
    AccountSuspended: (401, "CannotAuthenticate"),
    LoginPending: (401, "CannotAuthenticate"),
    LoginTooEager: (401, "CannotAuthenticate"),
    LoginDenied: (401, "CannotAuthenticate"),
    LoginOver: (401, "CannotAuthenticate"),
    CodeRefused: (401, "CannotAuthenticate"),
    BodyNotJson: (400, "ValueError"),
    ScopeExists: (409, "Duplicate"),
    ScopeMalformed: (400, "InvalidObject"),
    AttachedAlready: (409, "DuplicateContent"),
    FileAttachedAlready: (409, "FileAlreadyExists"),
    NotAttached: (404, "DataIdentifierNotFound"),
    FileDiffers: (412, "FileConsistencyMismatch"),
    StatusUnknown: (400, "UnsupportedStatus"),
    PluginUnknown: (400, "UnsupportedMetadataPlugin"),
    BadRequest: (400, "InvalidObject"),
    Unauthorized: (401, "CannotAuthenticate"),
    Forbidden: (401, "AccessDenied"),
    NotFound: (404, "RucioException"),
    Conflict: (409, "UnsupportedOperation"),
    TooLarge: (413, "InvalidObject"),
    Invalid: (400, "InputValidationError"),
    TooMany: (429, "ResourceTemporaryUnavailable"),
    Unavailable: (503, "ResourceTemporaryUnavailable"),
    SanchoError: (500, "RucioException"),
}
"""Status and `ExceptionClass` of an error of ours, or else of the nearest kind that it is one of."""


def render(error: Exception) -> Response:
    """Say an error as Rucio says it: in headers and, whole, in the body; a `kit.problem.Dialect`."""
    status, name, message = _said(error)
    short = " ".join(message.split())
    short = f"{short[:LONGEST_HEADER]}..." if len(short) > LONGEST_HEADER else short
    headers = {"ExceptionClass": name, "ExceptionMessage": short.encode("ascii", "replace").decode()}
    if isinstance(error, TooMany | Unavailable):
        headers["Retry-After"] = str(error.retry_after)
    body = Said(ExceptionClass=name, ExceptionMessage=message).model_dump_json()
    return Response(body, status, headers, media_type="application/octet-stream")


def _said(error: Exception) -> tuple[int, str, str]:
    if isinstance(error, SanchoError):
        status, name = next(NAMES[kind] for kind in type(error).__mro__ if kind in NAMES)
        return status, name, NO_GOOD if isinstance(error, REFUSALS) else str(error)
    if isinstance(error, RequestValidationError):
        fault = cast(dict[str, str], error.errors()[0])
        where = ".".join(map(str, fault["loc"][1:])) or fault["loc"][0]
        name = "InvalidObject" if fault["type"] == "too_long" else "InputValidationError"
        return 400, name, f"{where}: {fault['msg']}"
    if isinstance(error, HTTPException):
        return error.status_code, "UnsupportedOperation" if error.status_code == 405 else "RucioException", error.detail
    return 500, "RucioException", "This is a bug in Sancho."
