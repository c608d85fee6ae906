"""What each error of ours is called by Rucio, and how it is said there."""

from collections.abc import Mapping
from typing import cast

from fastapi import Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from sancho.compat.rucio.errors import (
    AccountAttributeNotFound,
    AccountExists,
    BodyNotJson,
    FileReplicaExists,
    KeyExists,
    KeyNotFound,
    NotAcceptable,
    NothingRequested,
    NothingToFollow,
    NotServed,
    OptionNotFound,
    PasswordExists,
    PasswordLacking,
    PfnUnknown,
    PluginUnknown,
    SectionNotFound,
    StatusUnknown,
    TokenMissing,
    ValueExists,
)
from sancho.compat.rucio.rses_errors import (
    AttributeNotFound,
    DistanceExists,
    ProtocolExists,
    ProtocolNotThere,
    QosTaken,
    RseBlocked,
    RseExists,
)
from sancho.compat.rucio.wire import Said
from sancho.dids.errors import (
    AttachedAlready,
    ChecksumMalformed,
    DidExists,
    DidMalformed,
    DidNotFound,
    DoiTaken,
    FileAttachedAlready,
    FileDiffers,
    GuidTaken,
    GuidUnknown,
    IsPublic,
    LifetimeExceptionNotFound,
    MetadataKeyNotIndexed,
    MetadataKeyUnknown,
    MetadataMissing,
    MetadataUnfit,
    NotAttached,
    PublicationExists,
    PublicationNotFound,
    PublicationOpen,
    PublicationStateUnfit,
    RecordTaken,
    ScopeExists,
    ScopeMalformed,
    ScopeNotFound,
)
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
from sancho.kit.issuer import TokenExpired, TokenInvalid
from sancho.kit.search import SearchOperatorUnfit, SearchValueUnfit
from sancho.onboarding.errors import VoExists
from sancho.replicas.errors import (
    PathNotInArea,
    PathTaken,
    ReplicaDiffers,
    ReplicaExists,
    ReplicaHeld,
    ReplicaNotFound,
    UrlNotSigned,
)
from sancho.rses.errors import PathUnfit, RseExpressionEmpty, RseExpressionInvalid, RseNotFound
from sancho.rules.errors import NotFewerCopies, QuotaExceeded, RuleMoving, RuleNotFound, RuleNotInForce, TooFewRses
from sancho.uploads.errors import NoRseForUpload, UploadIncomplete
from sancho.vos.errors import DocumentInUse, VoNotFound

LONGEST_HEADER = 125
NO_GOOD = "Cannot authenticate with given credentials"
REFUSALS = (LoginEnded, LoginRefused, TokenExpired, TokenInvalid, TokenRevoked)
"""What Rucio says in these words: those of ours are about `sancho login`."""


NAMES: Mapping[type[SanchoError], tuple[int, str]] = {
    TokenMissing: (400, "ValueError"),
    NotServed: (409, "UnsupportedOperation"),
    NotAcceptable: (406, "UnsupportedRequestedContentType"),
    AccountNotFound: (404, "AccountNotFound"),
    AccountExists: (409, "Duplicate"),
    AccountAttributeNotFound: (404, "AccountNotFound"),
    IdentityTaken: (409, "Duplicate"),
    PasswordExists: (409, "Duplicate"),
    PasswordLacking: (400, "IdentityError"),
    IdentityNotFound: (404, "IdentityError"),
    VoNotFound: (404, "VONotFound"),
    VoExists: (409, "Duplicate"),
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
    PathNotInArea: (400, "InvalidPath"),
    PfnUnknown: (404, "ReplicaNotFound"),
    UploadIncomplete: (409, "FileConsistencyMismatch"),
    UrlNotSigned: (409, "RSEOperationNotSupported"),
    PathUnfit: (400, "InvalidPath"),
    PathTaken: (409, "Duplicate"),
    RseBlocked: (409, "RSEWriteBlocked"),
    NoRseForUpload: (409, "RSEWriteBlocked"),
    FileReplicaExists: (409, "FileReplicaAlreadyExists"),
    RuleNotFound: (404, "RuleNotFound"),
    LifetimeExceptionNotFound: (404, "LifetimeExceptionNotFound"),
    PublicationNotFound: (404, "OpenDataDataIdentifierNotFound"),
    PublicationExists: (409, "OpenDataDataIdentifierAlreadyExists"),
    PublicationStateUnfit: (409, "OpenDataInvalidStateUpdate"),
    PublicationOpen: (409, "OpenDataInvalidState"),
    IsPublic: (409, "OpenDataInvalidState"),
    DoiTaken: (409, "OpenDataDuplicateDOI"),
    RecordTaken: (409, "OpenDataDuplicateRecordID"),
    RuleMoving: (409, "RuleReplaceFailed"),
    RuleNotInForce: (409, "RuleReplaceFailed"),
    NotFewerCopies: (409, "RuleReplaceFailed"),
    TooFewRses: (409, "InsufficientTargetRSEs"),
    QuotaExceeded: (409, "InsufficientAccountLimit"),
    NothingRequested: (404, "RequestNotFound"),
    NothingToFollow: (404, "ReplicaNotFound"),
    ProtocolExists: (409, "Duplicate"),
    RseExists: (409, "Duplicate"),
    QosTaken: (409, "Duplicate"),
    DocumentInUse: (409, "RSEOperationNotSupported"),
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
    BodyNotJson: (400, "ValueError"),
    ScopeExists: (409, "Duplicate"),
    ScopeMalformed: (400, "InvalidObject"),
    AttachedAlready: (409, "DuplicateContent"),
    FileAttachedAlready: (409, "FileAlreadyExists"),
    NotAttached: (404, "DataIdentifierNotFound"),
    FileDiffers: (412, "FileConsistencyMismatch"),
    GuidTaken: (409, "Duplicate"),
    GuidUnknown: (404, "DataIdentifierNotFound"),
    StatusUnknown: (400, "UnsupportedStatus"),
    PluginUnknown: (400, "UnsupportedMetadataPlugin"),
    MetadataKeyUnknown: (400, "InvalidMetadata"),
    MetadataUnfit: (400, "InvalidValueForKey"),
    MetadataMissing: (404, "KeyNotFound"),
    MetadataKeyNotIndexed: (400, "InvalidObject"),
    SearchOperatorUnfit: (400, "InvalidObject"),
    SearchValueUnfit: (400, "InvalidObject"),
    KeyExists: (409, "Duplicate"),
    ValueExists: (409, "Duplicate"),
    KeyNotFound: (404, "KeyNotFound"),
    SectionNotFound: (404, "ConfigNotFound"),
    OptionNotFound: (404, "ConfigNotFound"),
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
