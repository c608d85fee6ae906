"""DiracX's words: its models, and every operation of its API with what we make of it."""

from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any

from pydantic import BaseModel, Field

CLIENT = "myDIRACClientID"
"""The one client that DiracX knows."""
Word = Annotated[str | None, Field(max_length=2000)]
LongWord = Annotated[str | None, Field(max_length=16_384)]


class DeviceFlow(BaseModel):
    """What a device shows, and with what it asks."""

    user_code: str
    device_code: str
    verification_uri_complete: str
    verification_uri: str
    expires_in: int


class AuthorizeQuery(BaseModel):
    """What a program sends a browser with."""

    response_type: Word = None
    code_challenge: Word = None
    code_challenge_method: Word = None
    client_id: Word = None
    redirect_uri: Word = None
    scope: Annotated[str, Field(max_length=2000)]
    state: Word = None


class TokenForm(BaseModel):
    """What is sent to get tokens."""

    grant_type: Annotated[str, Field(max_length=200)]
    client_id: Word = None
    device_code: Word = None
    code: Word = None
    redirect_uri: Word = None
    code_verifier: Word = None
    refresh_token: LongWord = None


class RevokeForm(BaseModel):
    """What is sent to void a token."""

    token: Annotated[str, Field(max_length=16_384)]
    token_type_hint: Word = None
    client_id: Word = None


class TokenResponse(BaseModel):
    """Tokens."""

    access_token: str
    expires_in: int
    token_type: str = "Bearer"  # noqa: S105 - OAuth's word
    refresh_token: str | None = None


class UserInfo(BaseModel):
    """Who a token stands for; we have no policies that a token would carry."""

    sub: str
    vo: str
    dirac_group: str
    policies: dict[str, Any] = {}
    properties: list[str]
    preferred_username: str


class RefreshToken(BaseModel):
    """A login that can still be renewed."""

    jti: str
    status: str = "CREATED"
    scope: str
    sub: str


class GroupInfo(BaseModel):
    """What comes with a group."""

    properties: list[str]


class SupportInfo(BaseModel):
    """Whom to ask."""

    message: str
    webpage: str
    email: str


class VOInfo(BaseModel):
    """What somebody who logs in must know of a VO."""

    groups: dict[str, GroupInfo]
    support: SupportInfo
    default_group: str


class Metadata(BaseModel):
    """What `dirac login` looks at first."""

    virtual_organizations: dict[str, VOInfo]


class Status(BaseModel):
    """What a probe says."""

    status: str


# ---- every operation


class Support(Enum):
    """What we make of an operation."""

    SERVED = "served"
    PARTIAL = "partial"
    REFUSED = "refused"


@dataclass(frozen=True)
class Operation:
    """One operation of DiracX 0.7."""

    method: str
    path: str
    support: Support
    note: str = ""
    """What differs, or why it is refused."""


def _operations(support: Support, *said: str) -> list[Operation]:
    found: list[Operation] = []
    for each in said:
        route, _, note = each.partition("  ")
        method, path = route.split(" ")
        found.append(Operation(method, path, support, note))
    return found


NOT_YET = "501: not served yet"
OPERATIONS: tuple[Operation, ...] = (
    *_operations(
        Support.SERVED,
        "GET /.well-known/openid-configuration  The one document of this server; its endpoints are those under /v1.",
        "GET /.well-known/jwks.json",
        "GET /.well-known/dirac-metadata  Every VO but `instance`; its default group is the oldest.",
        "GET /.well-known/security.txt  A JSON string for clients that ask for JSON, else text as RFC 9116 wants it; "
        "404 when no contact is set.",
        "POST /api/auth/device",
        "GET /api/auth/device  Leads to the login page of this server, where people may use a password as well.",
        "GET /api/auth/device/complete/finished",
        "GET /api/auth/authorize  Leads to the login page of this server.",
        "POST /api/auth/token  A device that asks too often is told to wait like any other.",
        "POST /api/auth/revoke",
        "GET /api/auth/userinfo  Properties are those that the permissions of the token amount to; policies are none.",
        "GET /api/health/live",
        "GET /api/health/ready",
        "GET /api/health/startup",
    ),
    *_operations(
        Support.PARTIAL,
        "GET /api/auth/device/complete  Identity providers send browsers to /v1/auth/callback; this leads there.",
        "GET /api/auth/authorize/complete  Identity providers send browsers to /v1/auth/callback; this leads there.",
        "GET /api/auth/refresh-tokens  One row a login, which is one family of refresh tokens; those that were revoked "
        "are not listed.",
        "DELETE /api/auth/refresh-tokens/{jti}  Ends the login, its access tokens too; 404 for one of somebody else.",
        "GET /api/auth/legacy-exchange  A key is good for the VO it was given for; access tokens only, which live "
        "`expires_minutes`, at most a week.",
    ),
    *_operations(
        Support.REFUSED,
        *(
            f"{route}  {NOT_YET}"
            for route in (
                "GET /api/config/", "POST /api/jobs/jdl", "POST /api/jobs/search", "POST /api/jobs/summary",
                "PATCH /api/jobs/status", "PATCH /api/jobs/heartbeat", "PATCH /api/jobs/metadata",
                "POST /api/jobs/reschedule", "POST /api/jobs/sandbox", "GET /api/jobs/sandbox",
                "GET /api/jobs/{job_id}/sandbox", "GET /api/jobs/{job_id}/sandbox/{sandbox_type}",
                "PATCH /api/jobs/{job_id}/sandbox/output", "DELETE /api/jobs/{job_id}/sandbox",
                "POST /api/jobs/sandbox/unassign", "POST /api/pilots/", "PATCH /api/pilots/metadata",
                "POST /api/pilots/search", "POST /api/pilots/summary", "GET /api/rss/storage", "GET /api/rss/compute",
                "GET /api/rss/site", "GET /api/rss/fts",
            )
        ),
    ),
)  # fmt: skip
"""All 42 operations of DiracX 0.7, the four hidden ones among them."""
