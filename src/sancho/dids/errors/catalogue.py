"""What can go wrong with DIDs, scopes, and what lies in what."""

from sancho.kit.errors import Conflict, Forbidden, Invalid, NotFound


class DidNotFound(NotFound):
    """DID {did} does not exist."""

    code = "did_not_found"

    def __init__(self, *, did: str, field: str = "did") -> None:
        """Name the DID and the field that asked for it."""
        super().__init__(did=did, field=field)


class PathNotFound(NotFound):
    """There is nothing at {path}."""

    code = "path_not_found"

    def __init__(self, *, path: str, field: str = "path") -> None:
        """Name the path."""
        super().__init__(path=path[:300], field=field, hint="Paths are /VO/SCOPE/NAME; you see those of your own VO.")


class DidExists(Conflict):
    """DID {did} exists already."""

    code = "did_exists"

    def __init__(self, *, did: str, field: str = "did") -> None:
        """Name the DID that is taken."""
        super().__init__(did=did, field=field, hint="A name is used once, even if it was erased; choose another.")


class ScopeNotFound(NotFound):
    """Scope {scope} does not exist."""

    code = "scope_not_found"

    def __init__(self, *, scope: str, field: str = "scope") -> None:
        """Name the scope and the field that asked for it."""
        super().__init__(scope=scope, field=field, hint="An administrator of your VO makes scopes.")


class ScopeNotYours(Forbidden):
    """Scope {scope} belongs to account {owner}; you cannot make DIDs in it."""

    code = "scope_not_yours"

    def __init__(self, *, scope: str, owner: str, field: str = "did") -> None:
        """Name the scope, its owner and the field that asked for it."""
        super().__init__(
            scope=scope, owner=owner, field=field,
            hint="Use a scope of yours, or have an administrator of your VO share this one; see `sancho data ls`.",
        )  # fmt: skip


class ScopeExists(Conflict):
    """Scope {scope} exists already."""

    code = "scope_exists"

    def __init__(self, *, scope: str) -> None:
        """Name the scope."""
        super().__init__(scope=scope, field="name")


class ScopeMalformed(Invalid):
    """{scope!r} is not the name of a scope: {reason}."""

    code = "scope_malformed"

    def __init__(
        self, *, scope: str, reason: str = "it needs 1 to 30 of A-Z, a-z, 0-9, '.', '_' and '-'", field: str = "name"
    ) -> None:
        """Name what was given."""
        super().__init__(scope=scope[:100], reason=reason, field=field)


class ScopeOwnerMissing(Invalid):
    """Account {account}, to whom scope {scope} is to belong, does not exist."""

    code = "scope_owner_missing"

    def __init__(self, *, scope: str, account: str, field: str) -> None:
        """Name both and the field that asked for it."""
        super().__init__(scope=scope, account=account, field=field, hint="Apply the account with the scope.")


class ChecksumMalformed(Invalid):
    """The checksum of {did}, {checksum!r}, is not {digits} lower-case hex digits."""

    code = "checksum_malformed"

    def __init__(self, *, did: str, checksum: str, digits: int = 8, field: str = "adler32") -> None:
        """Name the file and what was given for it."""
        super().__init__(did=did, checksum=checksum[:40], digits=digits, field=field)


class GuidMalformed(Invalid):
    """The GUID of {did}, {guid!r}, is not 32 hex digits, with hyphens or without."""

    code = "guid_malformed"

    def __init__(self, *, did: str, guid: str, field: str = "guid") -> None:
        """Name the file and what was given for it."""
        super().__init__(did=did, guid=guid[:60], field=field)


class GuidTaken(Conflict):
    """{did} cannot have GUID {guid}: another file has, or had."""

    code = "guid_taken"

    def __init__(self, *, did: str, guid: str, field: str = "guid") -> None:
        """Name the file and the GUID."""
        super().__init__(did=did, guid=guid, field=field)


class GuidUnknown(NotFound):
    """There is no file with GUID {guid}."""

    code = "guid_unknown"

    def __init__(self, *, guid: str) -> None:
        """Name the GUID."""
        super().__init__(guid=guid[:60], field="guid")


class NotAnArchive(Conflict):
    """{did} is no archive, in which files lie: {reason}."""

    code = "not_an_archive"

    def __init__(self, *, did: str, reason: str, field: str = "archive") -> None:
        """Name it and say why."""
        super().__init__(did=did, reason=reason, field=field)


class ArchiveNested(Conflict):
    """{did} cannot lie in {archive}: {reason}."""

    code = "archive_nested"

    def __init__(self, *, did: str, archive: str, reason: str, field: str = "files") -> None:
        """Name both and say why."""
        super().__init__(
            did=did, archive=archive, reason=reason, field=field, hint="Files lie in archives one level deep."
        )


class SizeMissing(Invalid):
    """{did} is not known yet, so its size has to be said."""

    code = "size_missing"

    def __init__(self, *, did: str, field: str = "files") -> None:
        """Name the file."""
        super().__init__(did=did, field=field)


class NotACollection(Conflict):
    """{did} is a file; it holds nothing."""

    code = "not_a_collection"

    def __init__(self, *, did: str, field: str = "did") -> None:
        """Name the file."""
        super().__init__(did=did, field=field)


class NotADataset(Conflict):
    """{did} is a {kind}, not a dataset."""

    code = "not_a_dataset"

    def __init__(self, *, did: str, kind: str, field: str = "dataset") -> None:
        """Name the DID and what it is."""
        super().__init__(did=did, kind=kind, field=field)


class CollectionClosed(Conflict):
    """{did} is closed; what it holds cannot change."""

    code = "collection_closed"

    def __init__(self, *, did: str, field: str = "did") -> None:
        """Name the collection."""
        super().__init__(did=did, field=field, hint="Its owner may open it again.")


class CollectionMonotonic(Conflict):
    """{did} only grows; nothing can be taken out of it."""

    code = "collection_monotonic"

    def __init__(self, *, did: str, field: str = "did") -> None:
        """Name the collection."""
        super().__init__(did=did, field=field)


class ErasureBegun(Conflict):
    """{did} is being erased; it is too late to restore it."""

    code = "erasure_begun"

    def __init__(self, *, did: str, field: str = "did") -> None:
        """Name the DID."""
        super().__init__(did=did, field=field)


class KindsMismatch(Conflict):
    """{child} is a {child_kind}; a {parent_kind} such as {parent} cannot hold it."""

    code = "kinds_mismatch"

    def __init__(self, *, parent: str, parent_kind: str, child: str, child_kind: str) -> None:
        """Name both and what they are."""
        super().__init__(
            parent=parent, parent_kind=parent_kind, child=child, child_kind=child_kind, field="children",
            hint="Datasets hold files; containers hold datasets and containers.",
        )  # fmt: skip


class Cycle(Conflict):
    """{child} already holds {parent}, or is it; attaching it would make a circle."""

    code = "cycle"

    def __init__(self, *, parent: str, child: str) -> None:
        """Name both ends."""
        super().__init__(parent=parent, child=child, field="children")


class AttachedAlready(Conflict):
    """{child} is in {parent} already, or was named twice."""

    code = "attached_already"

    def __init__(self, *, parent: str, child: str) -> None:
        """Name both."""
        super().__init__(parent=parent, child=child, field="children")


class FileAttachedAlready(AttachedAlready):
    """File {child} is in {parent} already, or was named twice."""

    code = "file_attached_already"


class NotAttached(NotFound):
    """{child} is not in {parent}."""

    code = "not_attached"

    def __init__(self, *, parent: str, child: str) -> None:
        """Name both."""
        super().__init__(parent=parent, child=child, field="children")


class FileDiffers(Conflict):
    """The {what} of {did} is {known}, not {said}."""

    code = "file_differs"

    def __init__(self, *, did: str, what: str, known: str, said: str, field: str = "children") -> None:
        """Name the file, what is known of it and what was said."""
        super().__init__(did=did, what=what, known=known, said=said[:40], field=field)
