"""How the system learns from a community's identity provider who somebody is, and which groups they are in."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import BaseModel, JsonValue

OPERATOR_ONLY: dict[str, JsonValue] = {"operator_only": True}
"""`json_schema_extra` of a setting that reaches into the operator's machine or network, such as a file's name: only
administrators of the installation may say it, or change anything of a document that does."""


class IdentityRefused(Exception):
    """The provider does not vouch for this person, or what it says cannot be trusted; trying again does not help.

    The text says why, for the person to read and for the log; it holds no code, token or secret.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class ProviderUnavailable(Exception):
    """The provider cannot be reached or is out of order; the same may succeed later. The text holds no secret."""

    def __init__(self, detail: str, *, retry_after: float | None = None) -> None:
        """`retry_after`: in so many seconds, if the provider said so."""
        super().__init__(detail)
        self.detail = detail
        self.retry_after = retry_after


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody an issuer vouches for. All text is as the issuer says it: whoever shows or stores it treats it as plain.

    Text can be stored as it is: it is valid Unicode without NUL.
    """

    issuer: str
    subject: str
    """Who they are, for ever, within the issuer; 1 to 255 characters. Nothing else identifies anybody."""
    name: str | None = None
    """The user name they prefer; another person may have had it before."""
    email: str | None = None
    """None too when the issuer says that it has not seen that the address is theirs."""
    groups: tuple[str, ...] = ()
    """Paths of their groups, `/belle/production`, each once; a role in one is `/belle/Role=production`, as in VOMS."""
    client: bool = False
    """The subject is a program that the issuer knows as a client, and nobody logged in."""
    claims: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    """Everything the issuer said, for policies."""


@dataclass(frozen=True, kw_only=True)
class Member:
    """An entry of the provider's list of people: what `Person` says, without anybody logging in."""

    subject: str
    """The subject that their tokens have."""
    active: bool
    """False: suspended; they are not to do anything until they are active again."""
    name: str | None = None
    email: str | None = None
    groups: tuple[str, ...] = ()


class IdentityProvider(Protocol):
    """One issuer, as one client of it that belongs to one VO; entry points in `sancho.identity`.

    Made as `Plugin(settings, secret)`, with a `SecretReader` of the VO. It
    remembers nothing of a login: the caller keeps `state`, `nonce` and the
    code verifier between the two halves, checks `state`, and lets each be
    used once. What an implementation may keep is what the issuer publishes
    (its metadata and keys, which go on working while the issuer is away, and
    are fetched again when a token names a key that is not among them) and
    connections, which `aclose` closes. Many calls may run at once. Nothing is
    retried inside.

    Every method but `aclose` raises `IdentityRefused` or `ProviderUnavailable`.
    """

    Settings: type[BaseModel]

    issuer: str
    """Whose people these are: exactly the `iss` of its tokens. Known without asking anybody."""
    lists_members: bool
    """May `members` be called? The provider has such a list, and the settings say that it is to be followed."""

    async def login_url(self, *, redirect_uri: str, state: str, nonce: str, code_challenge: str) -> str:
        """Return where to send a browser so that somebody logs in.

        `code_challenge` is the S256 of a fresh verifier (RFC 7636). An issuer
        that knows only lesser methods is refused.
        """
        ...

    async def person(
        self, *, code: str, redirect_uri: str, code_verifier: str, nonce: str, issuer: str | None
    ) -> Person:
        """Say who came back to `redirect_uri` with this code.

        `issuer` is the parameter `iss` that came along (RFC 9207), None if
        none did; another issuer's, or none from an issuer that promises one,
        is refused before the code is shown to anybody. The ID token must have
        this nonce, be for this client, and be valid now.
        """
        ...

    async def person_of_token(self, token: str) -> Person:
        """Say whom a token of this issuer is about, which somebody shows to exchange it for ours (RFC 8693).

        An access or ID token, signed, valid now, and meant for this client or
        for an audience that the settings allow: a token that was given to
        another service opens nothing here.
        """
        ...

    def members(self) -> AsyncGenerator[Member, None]:
        """Yield everybody on the provider's list, in no order; only with `lists_members`.

        Whoever has not come by the *end* is not on the list. When this raises
        in the middle, nothing may be concluded about those who had not come.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections. Nothing may be called afterwards; closing twice is not an error."""
        ...
