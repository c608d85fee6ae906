"""What can go wrong with accounts, groups, passwords, tokens and keys."""

from sancho.kit.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Unauthorized,
)


class TokenRevoked(Unauthorized):
    """The password of account {account} was changed after this token was issued."""

    code = "token_revoked"

    def __init__(self, *, account: str) -> None:
        """Name the account."""
        super().__init__(account=account, hint="Run `sancho login` for a new one.")


class MachineEnded(Unauthorized):
    """The token of {who} is good no more: what held it has ended, or has logged in again since."""

    code = "machine_ended"

    def __init__(self, *, who: str) -> None:
        """Name the pilot or job."""
        super().__init__(who=who, hint="A pilot logs in again; a job's token ends with its attempt.")


class LoginEnded(Unauthorized):
    """This login of account {account} was ended."""

    code = "login_ended"

    def __init__(self, *, account: str) -> None:
        """Name the account."""
        super().__init__(account=account, hint="Run `sancho login` again.")


class AccountSuspended(Forbidden):
    """Account {account} of VO {vo} is suspended."""

    code = "account_suspended"

    def __init__(self, *, account: str, vo: str) -> None:
        """Name the account."""
        super().__init__(account=account, vo=vo, hint=f"Ask an administrator of {vo}.")


class AccountNotFound(NotFound):
    """Account {account} does not exist."""

    code = "account_not_found"

    def __init__(self, *, account: str, field: str | None = None) -> None:
        """Name the account that was asked for."""
        super().__init__(account=account, field=field)


class GroupNotFound(NotFound):
    """Group {group} does not exist."""

    code = "group_not_found"

    def __init__(self, *, group: str, field: str | None = None) -> None:
        """Name the group that was asked for."""
        super().__init__(group=group, field=field)


class NotInGroup(Forbidden):
    """Account {account} is not in group {group}; it is in: {groups}."""

    code = "not_in_group"

    def __init__(self, *, account: str, group: str, groups: str, field: str | None = "group") -> None:
        """Name the group that was asked for, and those there are."""
        super().__init__(account=account, group=group, groups=groups, field=field)


class NoGroup(Conflict):
    """Account {account} is in no group."""

    code = "no_group"

    def __init__(self, *, account: str) -> None:
        """Say who can help."""
        super().__init__(account=account, hint="Ask an administrator of your VO to put it into one.")


class BeyondYours(Forbidden):
    """{what} has permissions that account {account} does not hold: {permissions}."""

    code = "beyond_yours"

    def __init__(self, *, what: str, account: str, permissions: str, field: str | None = None) -> None:
        """Nobody gives, or takes over, what they do not have."""
        super().__init__(
            what=what, account=account, permissions=permissions, field=field, hint="Ask somebody who holds them."
        )


class PasswordWrong(Forbidden):
    """The current password is not right."""

    code = "password_wrong"

    def __init__(self) -> None:
        """Blame the field."""
        super().__init__(field="current_password")


class PasswordUnfit(Invalid):
    """A password has {shortest} to {longest} characters."""

    code = "password_unfit"

    def __init__(self, *, shortest: int, longest: int) -> None:
        """Say what would do."""
        super().__init__(shortest=shortest, longest=longest, field="password")


class PasswordFrequent(Invalid):
    """This password is one of those that are tried first."""

    code = "password_frequent"

    def __init__(self) -> None:
        """Say what would do."""
        super().__init__(field="password", hint="Take several words at random, or let a program draw a password.")


class PasswordObvious(Invalid):
    """Too little is left of this password without the words that anybody would try here: {words}."""

    code = "password_obvious"

    def __init__(self, *, words: str, shortest: int) -> None:
        """Name the words, and say what would do."""
        hint = f"They count for nothing: the rest must be a good password of {shortest} characters by itself."
        super().__init__(words=words, field="password", hint=hint)


class PasswordBreached(Invalid):
    """This password was stolen somewhere: it is in the list of breached passwords."""

    code = "password_breached"

    def __init__(self) -> None:
        """Say what to do, here and elsewhere."""
        super().__init__(field="password", hint="Take another, and change it wherever else you use it.")


class NotAService(Forbidden):
    """Account {account} is not a service: only those have secrets."""

    code = "not_a_service"

    def __init__(self, *, account: str) -> None:
        """Say how to make one."""
        super().__init__(account=account, hint="Apply an Account document with `kind: service`.")


class CertificateNotAccepted(Unauthorized):
    """{detail}"""

    code = "certificate_not_accepted"
    oauth = "invalid_client"

    def __init__(self, *, detail: str) -> None:
        """Say what is wrong with the certificate."""
        super().__init__(detail=detail, hint="Run `sancho login`, or make a new proxy.")


class NoCertificate(Unauthorized):
    """No client certificate came with this request."""

    code = "no_certificate"
    oauth = "invalid_client"

    def __init__(self) -> None:
        """Say where certificates are taken."""
        super().__init__(
            hint="Connect with a certificate or a proxy to the address that takes them, or log in otherwise."
        )


class NameInvalid(Invalid):
    """This is no name of a certificate as grids write it."""

    code = "name_invalid"

    def __init__(self) -> None:
        """Show one."""
        super().__init__(field="subject", hint="It looks like /DC=org/DC=example/CN=Jane Doe.")


class IdentityTaken(Conflict):
    """This proves another account of the VO already."""

    code = "identity_taken"

    def __init__(self) -> None:
        """Do not say whose it is."""
        super().__init__(field="subject", hint="Ask an administrator of your VO, if it is yours.")


class TooManyIdentities(Conflict):
    """Account {account} has {most} ways to log in already."""

    code = "too_many_identities"

    def __init__(self, *, account: str, most: int) -> None:
        """Each is tried where somebody logs in."""
        super().__init__(account=account, most=most, hint="Remove one that is not needed any more.")


class IdentityNotFound(NotFound):
    """Account {account} is not proven by {subject}."""

    code = "identity_not_found"

    def __init__(self, *, account: str, subject: str) -> None:
        """Name both."""
        super().__init__(account=account, subject=subject, field="subject")


class SshKeyInvalid(Invalid):
    """This is no SSH public key that can be used here: {reason}."""

    code = "ssh_key_invalid"

    def __init__(self, *, reason: str) -> None:
        """Say what is wrong with it."""
        super().__init__(reason=reason, hint="Make one with: ssh-keygen -t ed25519")


class AlreadyErased(Conflict):
    """Account {account} has been erased already."""

    code = "already_erased"

    def __init__(self, *, account: str) -> None:
        """Name the account, by its pseudonym."""
        super().__init__(account=account, hint="Nothing of the person is left to erase.", field="name")
