"""Rucio's words for accounts, what proves them and what they may use: what clients send."""

import math
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field


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


class IdentityNamed(BaseModel, extra="forbid"):
    """What proves an account: a name in a certificate, a key, a user's name."""

    identity: Annotated[str, Field(max_length=16_384)]
    authtype: AuthType


class IdentityIn(IdentityNamed):
    """What shall prove an account."""

    email: Email | None = None
    default: bool = False
    password: Annotated[str | None, Field(max_length=1024)] = None


def _known(said: float) -> float:
    if said != -1 and not (said == math.inf or (said >= 0 and said < 2**62 and said == int(said))):
        raise ValueError("should be a number of bytes, or -1 or Infinity for as many as there are")
    return said


class LimitIn(BaseModel, extra="forbid"):
    """How many bytes an account may use."""

    bytes: Annotated[int | float, AfterValidator(_known)]

    @property
    def size(self) -> int | None:
        """The bytes; None: as many as there are."""
        return None if self.bytes in (-1, math.inf) else int(self.bytes)
