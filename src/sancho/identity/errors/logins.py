"""What can go wrong with logins, and with who vouches for whom."""

from sancho.kit.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    TooMany,
    Unauthorized,
    Unavailable,
)


class GrantUnknown(BadRequest):
    """Tokens are not given for what this request offers."""

    code = "unsupported_grant_type"
    oauth = "unsupported_grant_type"

    def __init__(self) -> None:
        """Do not repeat what was offered: it may be a secret in the wrong field."""
        super().__init__(field="grant_type", hint="/.well-known/openid-configuration lists what they are given for.")


class GrantIncomplete(BadRequest):
    """This request for tokens lacks {what}."""

    code = "grant_incomplete"
    oauth = "invalid_request"

    def __init__(self, *, what: str) -> None:
        """Name the form's field."""
        super().__init__(what=what, field=what)


class LoginRefused(Unauthorized):
    """VO, account and password do not fit together."""

    code = "login_refused"
    oauth = "invalid_grant"

    def __init__(self, *, hint: str = "Check all three; an administrator of your VO can set a new password.") -> None:
        """Say nothing of which of the three is wrong."""
        super().__init__(hint=hint)


class CertificateUnknown(LoginRefused):
    """The name in this certificate opens no account of that VO."""

    code = "certificate_unknown"
    oauth = "invalid_client"

    def __init__(self) -> None:
        """Say who can change that, and nothing of whether there is a VO, or an account that may not act."""
        super().__init__(
            hint="An administrator of the VO can add it: `sancho identity add --x509 NAME --account ACCOUNT`."
        )


class PasswordsOff(Forbidden):
    """Accounts of VO {vo} have no passwords."""

    code = "passwords_off"
    oauth = "unauthorized_client"

    def __init__(self, *, vo: str, field: str | None = None) -> None:
        """Say how one logs in instead."""
        hint = "Log in by the VO's identity provider, for example with `sancho login --device`."
        super().__init__(vo=vo, field=field, hint=hint)


class TooManyLogins(TooMany):
    """Too many logins for this account have failed."""

    code = "too_many_logins"

    def __init__(self, *, retry_after: int) -> None:
        """Say after how many seconds to try again."""
        super().__init__(retry_after=retry_after, hint=f"Try again in {retry_after} s.")


class LoginsBusy(Unavailable):
    """Too many logins are being checked at this moment."""

    code = "logins_busy"

    def __init__(self) -> None:
        """Ask to come back in a moment."""
        super().__init__(retry_after=1)


class RefreshRefused(Unauthorized):
    """This refresh token is not valid any more."""

    code = "refresh_refused"
    oauth = "invalid_grant"

    def __init__(self) -> None:
        """Say nothing of why."""
        super().__init__(hint="Run `sancho login` again.")


class ClientUnknown(BadRequest):
    """No client is known here by the id {client}."""

    code = "client_unknown"
    oauth = "invalid_client"

    def __init__(self, *, client: str) -> None:
        """Name it."""
        super().__init__(client=client, field="client_id", hint="Programs of people log in as `sancho`.")


class ClientRefused(Unauthorized):
    """This client and its secret do not fit together."""

    code = "client_refused"
    oauth = "invalid_client"

    def __init__(self) -> None:
        """Say nothing of which of the two is wrong."""
        super().__init__(hint="`sancho account secret ACCOUNT` makes a new one.")


class RedirectRefused(BadRequest):
    """Client {client} may not have its users sent to this address."""

    code = "redirect_refused"
    oauth = "invalid_request"

    def __init__(self, *, client: str) -> None:
        """Do not send the browser there."""
        super().__init__(client=client, field="redirect_uri", hint="http://127.0.0.1:PORT/… is good for programs.")


class PkceMissing(BadRequest):
    """This login lacks a code challenge by S256."""

    code = "pkce_missing"
    oauth = "invalid_request"

    def __init__(self) -> None:
        """There is no weaker way (RFC 7636, RFC 9700)."""
        super().__init__(field="code_challenge", hint="Send `code_challenge` and `code_challenge_method=S256`.")


class ScopeRefused(BadRequest):
    """A token cannot be for {word}."""

    code = "scope_refused"
    oauth = "invalid_scope"

    def __init__(self, *, word: str) -> None:
        """Name the word of the scope."""
        super().__init__(
            word=word, field="scope", hint="Ask for `sancho`, for permissions such as `jobs:create`, `group:NAME`."
        )


class CodeRefused(BadRequest):
    """This code is not valid any more."""

    code = "code_refused"
    oauth = "invalid_grant"

    def __init__(self) -> None:
        """Say nothing of why."""
        super().__init__(hint="Begin the login again.")


class LoginPending(BadRequest):
    """Nobody has approved this login yet."""

    code = "login_pending"
    oauth = "authorization_pending"

    def __init__(self) -> None:
        """The device asks again."""
        super().__init__(hint="Ask again in a moment.")


class LoginTooEager(BadRequest):
    """This device asks too often."""

    code = "login_too_eager"
    oauth = "slow_down"

    def __init__(self) -> None:
        """The device asks less often."""
        super().__init__(hint="Wait five seconds more between two questions.")


class LoginDenied(BadRequest):
    """This login was denied."""

    code = "login_denied"
    oauth = "access_denied"

    def __init__(self) -> None:
        """Somebody said no."""
        super().__init__(hint="Begin the login again, if that was a mistake.")


class LoginOver(BadRequest):
    """This login took too long, or was done already."""

    code = "login_over"
    oauth = "expired_token"

    def __init__(self) -> None:
        """Say how to go on."""
        super().__init__(hint="Begin the login again.")


class LoginNotFound(NotFound):
    """There is no such login of yours: {login_id}."""

    code = "login_not_found"

    def __init__(self, *, login_id: str) -> None:
        """Name what was asked for."""
        super().__init__(login_id=login_id, field="login_id")


class BrowserDiffers(Forbidden):
    """This login was begun in another browser."""

    code = "browser_differs"

    def __init__(self) -> None:
        """A link that somebody else has sent must not end in their login."""
        super().__init__(hint="Begin the login again in this browser, with cookies allowed.")


class NotAMember(Forbidden):
    """{provider} does not say that you are a member of {vo}."""

    code = "not_a_member"
    oauth = "access_denied"

    def __init__(self, *, provider: str, vo: str) -> None:
        """Name both."""
        super().__init__(provider=provider, vo=vo, hint=f"Ask for membership of {vo} there.")


class ProviderRefused(Forbidden):
    """{provider} did not vouch for you: {detail}."""

    code = "provider_refused"
    oauth = "invalid_grant"

    def __init__(self, *, provider: str, detail: str) -> None:
        """Name the provider, and what it said."""
        super().__init__(provider=provider, detail=detail, hint="Try again; if it stays so, tell its operators.")


class ProviderAway(Unavailable):
    """{provider} does not answer: {detail}."""

    code = "provider_away"
    oauth = "temporarily_unavailable"

    def __init__(self, *, provider: str, detail: str, retry_after: int = 10) -> None:
        """Name the provider, and what happened."""
        super().__init__(provider=provider, detail=detail, retry_after=retry_after)


class ProviderNotFound(NotFound):
    """There is no identity provider {provider} in {vo}."""

    code = "provider_not_found"

    def __init__(self, *, provider: str, vo: str, field: str | None = "provider") -> None:
        """Name what was asked for."""
        super().__init__(provider=provider, vo=vo, field=field)


class IssuerTaken(Conflict):
    """The issuer {issuer} vouches for another VO."""

    code = "issuer_taken"

    def __init__(self, *, issuer: str, field: str | None = None) -> None:
        """Say how one issuer serves several VOs."""
        super().__init__(
            issuer=issuer, field=field,
            hint="An administrator of the installation can share it: an IdentityProvider of VO `instance`, and "
            "`members` in each VO's own.",
        )  # fmt: skip


class ListUnbelievable(Conflict):
    """The list of people of {provider}, {listed} of them, would suspend {out} of {known} accounts at once."""

    code = "list_unbelievable"

    def __init__(self, *, provider: str, out: int, known: int, listed: int) -> None:
        """Say what would have happened."""
        super().__init__(
            provider=provider, out=out, known=known, listed=listed,
            hint="Nothing was done. If it is right, suspend them yourself; else ask the provider's operators.",
        )  # fmt: skip


class OperatorOnly(Forbidden):
    """Only administrators of the installation say {setting}, or change a provider that says it."""

    code = "operator_only"

    def __init__(self, *, setting: str, field: str | None = None) -> None:
        """Name the setting."""
        super().__init__(setting=setting, field=field, hint="Ask whoever runs this installation to apply it.")


class ExchangeRefused(BadRequest):
    """This token cannot be exchanged: {reason}."""

    code = "exchange_refused"
    oauth = "invalid_grant"

    def __init__(self, *, reason: str) -> None:
        """Say what is wrong with it."""
        super().__init__(reason=reason, field="subject_token")


class TargetUnknown(BadRequest):
    """Tokens for {audience} are not given here."""

    code = "target_unknown"
    oauth = "invalid_target"

    def __init__(self, *, audience: str) -> None:
        """Name it."""
        super().__init__(
            audience=audience, field="audience", hint="Name this server, or the audience of one of its RSEs."
        )
