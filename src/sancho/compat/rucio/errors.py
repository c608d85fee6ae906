"""What can go wrong at Rucio's wire, and what each error of ours is called there."""

from collections.abc import Mapping
from typing import cast

from fastapi import Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from sancho.compat.rucio.wire import Said
from sancho.dids.errors import DidMalformed, DidNotFound
from sancho.identity.errors import (
    AccountNotFound,
    AccountSuspended,
    CodeRefused,
    IdentityNotFound,
    IdentityTaken,
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
from sancho.rses.errors import RseExpressionEmpty, RseExpressionInvalid, RseNotFound
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


class AccountExists(Conflict):
    """Account {account} exists already."""

    code = "rucio_account_exists"

    def __init__(self, *, account: str) -> None:
        """Name the account."""
        super().__init__(account=account, field="account")


class ProtocolNotThere(NotFound):
    """RSE {rse} is not reached by {scheme}."""

    code = "rucio_protocol_not_there"

    def __init__(self, *, rse: str, scheme: str) -> None:
        """Name the RSE, and the scheme that was asked for."""
        super().__init__(rse=rse, scheme=scheme, field="scheme")


class AttributeNotFound(NotFound):
    """RSE {rse} has no attribute {key} that could be removed."""

    code = "rucio_attribute_not_found"

    def __init__(self, *, rse: str, key: str) -> None:
        """Name both."""
        super().__init__(rse=rse, key=key)


class DistanceExists(Conflict):
    """A link leads from {source} to {destination} already."""

    code = "rucio_distance_exists"

    def __init__(self, *, source: str, destination: str) -> None:
        """Name both RSEs."""
        super().__init__(source=source, destination=destination)


class DistanceNotFound(NotFound):
    """No link leads from {source} to {destination}."""

    code = "rucio_distance_not_found"

    def __init__(self, *, source: str, destination: str) -> None:
        """Name both RSEs."""
        super().__init__(source=source, destination=destination)


class SaidTogether(Invalid):
    """Change {name} by itself, for it is done or refused by itself."""

    code = "rucio_said_together"

    def __init__(self, *, name: str) -> None:
        """Name what cannot be changed with anything else."""
        super().__init__(name=name, field=name)


class NoSuchProof(Conflict):
    """An identity of type {kind} cannot be {what} here: {instead}."""

    code = "rucio_no_such_proof"

    def __init__(self, *, kind: str, what: str, instead: str) -> None:
        """Name the type as Rucio does, what was asked to happen to it, and what to do instead."""
        super().__init__(kind=kind, what=what, instead=instead)


class PasswordExists(Conflict):
    """Account {account} has a password already; whoever manages accounts can set another."""

    code = "rucio_password_exists"

    def __init__(self, *, account: str) -> None:
        """Name the account."""
        super().__init__(account=account)


class PasswordLacking(Invalid):
    """An identity of type USERPASS needs a password."""

    code = "rucio_password_lacking"

    def __init__(self) -> None:
        """Say which field it goes into."""
        super().__init__(field="password")


class UserNameDiffers(Invalid):
    """The user name {name} is not {account}: passwords are those of accounts here."""

    code = "rucio_user_name_differs"

    def __init__(self, *, name: str, account: str) -> None:
        """Name both."""
        super().__init__(name=name, account=account, field="identity")


class LimitNotFound(NotFound):
    """Account {account} has no limit on {rse_expression}."""

    code = "rucio_limit_not_found"

    def __init__(self, *, account: str, rse_expression: str) -> None:
        """Name the account, and the RSE or the expression."""
        super().__init__(account=account, rse_expression=rse_expression)


NAMES: Mapping[type[SanchoError], tuple[int, str]] = {
    TokenMissing: (400, "ValueError"),
    NotServed: (409, "UnsupportedOperation"),
    NotAcceptable: (406, "UnsupportedRequestedContentType"),
    AccountNotFound: (404, "AccountNotFound"),
    AccountExists: (409, "Duplicate"),
    IdentityTaken: (409, "Duplicate"),
    PasswordExists: (409, "Duplicate"),
    PasswordLacking: (400, "IdentityError"),
    IdentityNotFound: (404, "IdentityError"),
    VoNotFound: (404, "VONotFound"),
    DidNotFound: (404, "DataIdentifierNotFound"),
    DidMalformed: (400, "InvalidObject"),
    RseNotFound: (404, "RSENotFound"),
    RseExpressionInvalid: (400, "InvalidRSEExpression"),
    RseExpressionEmpty: (400, "InvalidRSEExpression"),
    AttributeNotFound: (404, "RSEAttributeNotFound"),
    DistanceExists: (409, "Duplicate"),
    ProtocolNotThere: (404, "RSEProtocolNotSupported"),
    DatabaseAway: (503, "DatabaseException"),
    AccountSuspended: (401, "CannotAuthenticate"),
    LoginPending: (401, "CannotAuthenticate"),
    LoginTooEager: (401, "CannotAuthenticate"),
    LoginDenied: (401, "CannotAuthenticate"),
    LoginOver: (401, "CannotAuthenticate"),
    CodeRefused: (401, "CannotAuthenticate"),
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
        return 400, "InputValidationError", f"{fault['loc'][-1]}: {fault['msg']}"
    if isinstance(error, HTTPException):
        return error.status_code, "UnsupportedOperation" if error.status_code == 405 else "RucioException", error.detail
    return 500, "RucioException", "This is a bug in Sancho."
