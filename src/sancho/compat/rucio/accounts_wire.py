"""Rucio's words for accounts, what proves them and what they may use: what clients send."""

import math
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field

from sancho.compat.rucio.wire import Bytes


def _upper(said: object) -> object:
    return said.upper() if isinstance(said, str) else said


Type = Annotated[Literal["USER", "GROUP", "SERVICE"], BeforeValidator(_upper)]
Email = Annotated[str, Field(max_length=254)]
AuthType = Annotated[Literal["X509", "GSS", "USERPASS", "SSH", "SAML", "OIDC"], BeforeValidator(_upper)]


class AccountIn(BaseModel, extra="forbid"):
    """An account to be."""

    type: Type
    email: Email | None = None


class AccountChange(BaseModel, extra="forbid"):
    """What is to change about an account."""

    status: Annotated[Literal["ACTIVE", "SUSPENDED", "DELETED"], BeforeValidator(_upper)] | None = None
    account_type: Type | None = None
    email: Email | None = None


class AccountAttributeIn(BaseModel, extra="forbid"):
    """What an attribute shall be; which one, the path says too."""

    key: Annotated[str, Field(max_length=100)] | None = None
    value: bool | int | float | Annotated[str, Field(max_length=1000)]


class IdentityNamed(BaseModel, extra="forbid"):
    """What proves an account: a name in a certificate, a key, a user's name."""

    identity: Annotated[str, Field(max_length=16_384)]
    authtype: AuthType


class IdentityIn(IdentityNamed):
    """What shall prove an account."""

    email: Email | None = None
    default: bool = False
    password: Annotated[str | None, Field(max_length=1024)] = None


class VoSaid(BaseModel, extra="forbid"):
    """What is said of a VO."""

    description: Annotated[str, Field(max_length=1000)] | None = None
    email: Email | None = None

    @property
    def said(self) -> dict[str, str]:
        """As its document says it, as far as it is said."""
        return {key: value for key, value in self.model_dump().items() if value is not None}


class LimitIn(BaseModel, extra="forbid"):
    """How many bytes an account may use."""

    bytes: Bytes

    @property
    def size(self) -> int | None:
        """The bytes; None: as many as there are."""
        return None if self.bytes in (-1, math.inf) else int(self.bytes)
