"""What can go wrong with replicas; each class is one `code` of the native API."""

from sancho.kit.errors import Conflict, Invalid, NotFound


class ReplicaNotFound(NotFound):
    """There is no replica of {did} on {rse}."""

    code = "replica_not_found"

    def __init__(self, *, did: str, rse: str) -> None:
        """Name the file and the RSE."""
        super().__init__(did=did, rse=rse, field="did")


class ReplicaExists(Conflict):
    """There is a replica of {did} on {rse} already."""

    code = "replica_exists"

    def __init__(self, *, did: str, rse: str) -> None:
        """Name the file and the RSE."""
        super().__init__(did=did, rse=rse, field="did")


class ReplicaBeingDeleted(Conflict):
    """The replica of {did} on {rse} is being deleted; it cannot be held any more."""

    code = "replica_being_deleted"

    def __init__(self, *, did: str, rse: str) -> None:
        """Name the file and the RSE."""
        super().__init__(did=did, rse=rse, field="did", hint="Ask again when it is gone, in a minute or so.")


class ReplicaDiffers(Conflict):
    """{did} exists, with {size} B and checksum {checksum}, which this replica does not have."""

    code = "replica_differs"

    def __init__(self, *, did: str, size: int, checksum: str | None, field: str = "did") -> None:
        """Say what the file is known to be."""
        super().__init__(
            did=did, size=size, checksum=checksum or "unknown", field=field,
            hint="All replicas of a file are equal; another content needs another name.",
        )  # fmt: skip


class PathTaken(Conflict):
    """{did} cannot lie at {path}: another file does."""

    code = "path_taken"

    def __init__(self, *, did: str, path: str, field: str = "path") -> None:
        """Name the file and the path."""
        super().__init__(did=did, path=path[:500], field=field)


class ReplicaNotCopying(Conflict):
    """The replica of {did} on {rse} is not being put there: it is {state}."""

    code = "replica_not_copying"

    def __init__(self, *, did: str, rse: str, state: str) -> None:
        """Name the file and the RSE, and say what it is."""
        super().__init__(did=did, rse=rse, state=state, field="did")


class ReplicaHeld(Conflict):
    """The replica of {did} on {rse} is held: a rule or an upload needs it."""

    code = "replica_held"

    def __init__(self, *, did: str, rse: str) -> None:
        """Name the file and the RSE."""
        super().__init__(did=did, rse=rse, field="did", hint="It goes by itself once the rules on it are withdrawn.")


class PathNotInArea(Invalid):
    """{path} is not the path of a file in the area of VO {vo} on {rse}."""

    code = "path_not_in_area"

    def __init__(self, *, path: str, vo: str, rse: str) -> None:
        """Name all three."""
        super().__init__(path=path, vo=vo, rse=rse, field="files")


class UrlNotSigned(Conflict):
    """A URL of {rse} cannot be signed to {operation} {url}."""

    code = "url_not_signed"

    def __init__(self, *, rse: str, operation: str, url: str) -> None:
        """Name the storage, what was to be done and where."""
        super().__init__(
            rse=rse, operation=operation, url=url[:500], field="urls",
            hint="It is of none of its protocols, or of one that does not sign: `signed_urls` in its settings.",
        )  # fmt: skip


class FileKnown(Conflict):
    """At {url} lies, or would lie, {did}: the catalogue knows it."""

    code = "file_known"

    def __init__(self, *, url: str, did: str) -> None:
        """Name the place and the file."""
        super().__init__(url=url, did=did, field="files", hint="Declare its replica bad, or withdraw the rules on it.")


class TimeNotForThis(Invalid):
    """Replicas are unavailable until a time; for nothing else that is said of them a time can be given."""

    code = "time_not_for_this"

    def __init__(self) -> None:
        """Blame the field."""
        super().__init__(field="until")
