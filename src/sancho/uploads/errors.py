"""What can go wrong with an upload; each class is one `code` of the native API."""

from sancho.kit.errors import Conflict, Invalid, NotFound, Unavailable


class IntentNotFound(NotFound):
    """Upload {intent_id} does not exist."""

    code = "intent_not_found"

    def __init__(self, *, intent_id: int) -> None:
        """Name the intent; another account's does not exist either."""
        super().__init__(intent_id=intent_id, field="intents")


class IntentGivenUp(Conflict):
    """The upload of {did} was cancelled or has expired."""

    code = "intent_given_up"

    def __init__(self, *, did: str) -> None:
        """Nothing was registered."""
        super().__init__(did=did, hint="Start the upload again.")


class UploadIncomplete(Conflict):
    """{did} is not on {rse} as announced: {why}."""

    code = "upload_incomplete"

    def __init__(self, *, did: str, rse: str, why: str) -> None:
        """Say what the storage has instead."""
        super().__init__(did=did, rse=rse, why=why, hint="Upload the file again, then commit.")


class StorageAway(Unavailable):
    """{rse} does not answer: {why}."""

    code = "storage_away"

    def __init__(self, *, rse: str, why: str) -> None:
        """The intent stays; commit again later."""
        super().__init__(rse=rse, why=why, retry_after=5)


class NoRseForUpload(Invalid):
    """There is no writable RSE for this upload."""

    code = "no_rse_for_upload"

    def __init__(self, *, field: str = "rse") -> None:
        """Say where to look."""
        super().__init__(field=field, hint="See `sancho rse list`; name one that is writable.")
