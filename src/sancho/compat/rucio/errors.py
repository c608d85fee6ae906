"""What can go wrong at Rucio's wire alone."""

from sancho.kit.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Unauthorized,
)
from sancho.vos.errors import VoNotFound


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
    """A DID has no such status {status} here; it has: open, monotonic (true) and lifetime."""

    code = "rucio_status_unknown"

    def __init__(self, *, status: str) -> None:
        """Name what was to be set."""
        super().__init__(status=status)


class BytesMissing(Invalid):
    """{did} cannot be registered where it lies without its bytes."""

    code = "rucio_bytes_missing"

    def __init__(self, *, did: str) -> None:
        """Name the file."""
        super().__init__(did=did)


class PluginUnknown(BadRequest):
    """There is no metadata of {plugin} here; there is that of DID_COLUMN, JSON and ALL."""

    code = "rucio_plugin_unknown"

    def __init__(self, *, plugin: str) -> None:
        """Name what was asked for."""
        super().__init__(plugin=plugin)


class FileReplicaExists(Conflict):
    """There is a replica of {did} on {rse} already."""

    code = "rucio_file_replica_exists"

    def __init__(self, *, did: str, rse: str) -> None:
        """Name the file and the RSE, as DIRAC wants it."""
        super().__init__(did=did, rse=rse, field="lfns")


class NothingRequested(NotFound):
    """Nobody asks for {did} to be brought to {rse}, or it has arrived."""

    code = "rucio_nothing_requested"

    def __init__(self, *, did: str, rse: str) -> None:
        """Name the file and the RSE."""
        super().__init__(did=did, rse=rse)


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
    """{what} belongs to the account that makes it, not to {account}."""

    code = "rucio_not_for_others"

    def __init__(self, *, account: str, what: str = "A rule") -> None:
        """Name what it is, and whom it was meant for."""
        super().__init__(account=account, what=what)


class AccountExists(Conflict):
    """Account {account} exists already."""

    code = "rucio_account_exists"

    def __init__(self, *, account: str) -> None:
        """Name the account."""
        super().__init__(account=account, field="account")


class SectionNotFound(NotFound):
    """The configuration has no section {section}."""

    code = "rucio_section_not_found"

    def __init__(self, *, section: str) -> None:
        """Name the section."""
        super().__init__(section=section)


class OptionNotFound(NotFound):
    """Section {section} of the configuration has no option {option}."""

    code = "rucio_option_not_found"

    def __init__(self, *, section: str, option: str) -> None:
        """Name both."""
        super().__init__(section=section, option=option)


class AccountAttributeNotFound(NotFound):
    """Account {account} has no attribute {key} that could be removed."""

    code = "rucio_account_attribute_not_found"

    def __init__(self, *, account: str, key: str) -> None:
        """Name both."""
        super().__init__(account=account, key=key)


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


class KeyExists(Conflict):
    """Key {key} exists already."""

    code = "rucio_key_exists"

    def __init__(self, *, key: str) -> None:
        """Name the key."""
        super().__init__(key=key)


class KeyNotFound(NotFound):
    """There is no key {key}."""

    code = "rucio_key_not_found"

    def __init__(self, *, key: str) -> None:
        """Name the key."""
        super().__init__(key=key[:100])


class ValueExists(Conflict):
    """Key {key} may say {value} already."""

    code = "rucio_value_exists"

    def __init__(self, *, key: str, value: str) -> None:
        """Name both."""
        super().__init__(key=key, value=value)


class ConventionUnfit(Invalid):
    """Key {key} cannot have the {what} {said}; there are: {known}."""

    code = "rucio_convention_unfit"

    def __init__(self, *, key: str, what: str, said: str, known: str) -> None:
        """Name the key, what it was to have, and what there is."""
        super().__init__(key=key[:100], what=what, said=said, known=known, field=what)
