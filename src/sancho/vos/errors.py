"""What can go wrong with VOs and their configuration."""

from sancho.kit.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge


class VoNotFound(NotFound):
    """VO {vo} does not exist."""

    code = "vo_not_found"

    def __init__(self, *, vo: str, field: str | None = None) -> None:
        """Name the VO that was asked for."""
        super().__init__(vo=vo, field=field)


class KindUnknown(Invalid):
    """There is no kind {kind}; the kinds are: {known}."""

    code = "kind_unknown"

    def __init__(self, *, kind: str, known: str, field: str | None = None) -> None:
        """Name the kind that was asked for, and those there are."""
        super().__init__(kind=kind, known=known, field=field)


class DocumentInvalid(Invalid):
    """{kind} {name}: {problems}"""

    code = "document_invalid"

    def __init__(self, *, kind: str, name: str, problems: str, field: str) -> None:
        """Say what is wrong with which document; `field` is the first thing to blame."""
        hint = "Correct it and apply again; nothing was changed."
        super().__init__(kind=kind, name=name, problems=problems, field=field, hint=hint)


class DocumentTwice(Invalid):
    """{kind} {name} stands twice among these documents."""

    code = "document_twice"

    def __init__(self, *, kind: str, name: str, field: str) -> None:
        """Point to the second one."""
        super().__init__(kind=kind, name=name, field=field)


class OwnerMissing(Invalid):
    """{kind} {name} does not say which VO it belongs to."""

    code = "owner_missing"

    def __init__(self, *, kind: str, name: str, field: str) -> None:
        """Say where to add it."""
        super().__init__(kind=kind, name=name, field=field, hint="Add `vo: NAME` to the document.")


class NotYourConfiguration(Forbidden):
    """Account {account} may not configure {kind} {name} of VO {vo}."""

    code = "not_your_configuration"

    def __init__(self, *, account: str, kind: str, name: str, vo: str, field: str) -> None:
        """Name what was reached for; the hint says who may."""
        super().__init__(
            account=account, kind=kind, name=name, vo=vo, field=field,
            hint="A VO's administrators configure what their own VO owns; the rest is for those of the VO instance.",
        )  # fmt: skip


class ReferenceUnknown(Invalid):
    """{kind} {name} refers to what is not there: {reason}"""

    code = "reference_unknown"

    def __init__(self, *, kind: str, name: str, reason: str, field: str | None) -> None:
        """Name the document, and what it names in vain."""
        super().__init__(kind=kind, name=name, reason=reason, field=field, hint="Nothing was changed.")


class DocumentUnknown(Invalid):
    """{kind} {name} cannot be removed: no version has it."""

    code = "document_unknown"

    def __init__(self, *, kind: str, name: str, field: str) -> None:
        """Name what was to be removed."""
        super().__init__(kind=kind, name=name, field=field)


class DocumentPermanent(Conflict):
    """{kind} {name} cannot be removed: what it made may hold data."""

    code = "document_permanent"

    def __init__(self, *, kind: str, name: str, field: str | None = None) -> None:
        """Name what was to be removed."""
        super().__init__(kind=kind, name=name, field=field)


USERS = {
    "attempt": ("jobs", "They end by themselves, or with `sancho job kill`."),
    "did": ("files and datasets", "A name that was used stays; switch off or give away what you do not need any more."),
    "intent": ("uploads under way", "They end when they are committed or cancelled, or an hour after they were begun."),
    "job": ("jobs", "They end by themselves, or with `sancho job kill`."),
    "lock": ("rules", "Delete the rules first; `sancho rule list` shows them."),
    "pilot": ("pilots", "They end by themselves; `sancho pilot list` shows them."),
    "replica": ("files that lie there", "Let rules move them elsewhere first, and what nothing holds be deleted."),
    "rule": ("rules", "Delete the rules first; `sancho rule list` shows them."),
    "transfer_request": ("transfers under way", "`sancho rule transfers` shows them; they end with their rules."),
}
"""What people call the rows that keep a document from being removed, by table, and what to do about them."""


class DocumentInUse(Conflict):
    """{kind} {names} cannot be removed: {users} still need it."""

    code = "document_in_use"

    def __init__(self, *, kind: str, names: str, table: str) -> None:
        """Name what was to be removed and what holds it, a table of the database in the words of people."""
        users, hint = USERS.get(table, (f"things of kind {table.replace('_', ' ')}", "Remove first what uses it."))
        super().__init__(kind=kind, names=names, users=users, hint=hint)


class VersionNotFound(NotFound):
    """Configuration version {version} does not exist."""

    code = "version_not_found"

    def __init__(self, *, version: int) -> None:
        """Name the number that was asked for."""
        super().__init__(version=version, field="version")


class VersionOfOthers(NotFound):
    """Configuration version {version} changed nothing that VO {vo} owns."""

    code = "version_of_others"

    def __init__(self, *, version: int, vo: str) -> None:
        """Name the number that was asked for, and for whom."""
        hint = "It changed what the VO instance shares with all; its administrators can look at it."
        super().__init__(version=version, vo=vo, field="version", hint=hint)


class TooManyDocuments(TooLarge):
    """{what} is over the limit of {limit}."""

    code = "too_many_documents"

    def __init__(self, *, count: int, limit: int) -> None:
        """Say how many there were and may be."""
        what = f"An apply of {count} documents"
        super().__init__(what=what, limit=limit, field="documents", hint="Apply them in parts.")
