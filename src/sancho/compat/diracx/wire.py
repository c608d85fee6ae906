"""DiracX's words: its models."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

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


class InsertedJob(BaseModel):
    """A job that was submitted."""

    job_id: Annotated[int, Field(serialization_alias="JobID")]
    status: Annotated[str, Field(serialization_alias="Status")]
    minor_status: Annotated[str, Field(serialization_alias="MinorStatus")]
    time_stamp: Annotated[datetime, Field(serialization_alias="TimeStamp")]


class Status(BaseModel):
    """What a probe says."""

    status: str
