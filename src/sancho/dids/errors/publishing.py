"""What can go wrong with publications."""

from sancho.kit.errors import Conflict, Invalid, NotFound


class PublicationNotFound(NotFound):
    """{did} is not published."""

    code = "publication_not_found"

    def __init__(self, *, did: str) -> None:
        """Name the DID."""
        super().__init__(did=did[:300], field="did")


class PublicationExists(Conflict):
    """{did} is being published already."""

    code = "publication_exists"

    def __init__(self, *, did: str) -> None:
        """Name the DID."""
        super().__init__(did=did, field="did", hint="Change the publication that there is.")


class PublicationStateUnfit(Conflict):
    """The publication of {did} is {state}, so it cannot become {wanted}."""

    code = "publication_state_unfit"

    def __init__(self, *, did: str, state: str, wanted: str) -> None:
        """Name the DID, how it is and how it was to be."""
        super().__init__(
            did=did, state=state, wanted=wanted, field="state",
            hint="A draft becomes public, what is public can be suspended, and public again.",
        )  # fmt: skip


class PublicationOpen(Conflict):
    """{did} is open: what everybody may read must not change."""

    code = "publication_open"

    def __init__(self, *, did: str) -> None:
        """Name the collection."""
        super().__init__(did=did, field="state", hint="Close it first.")


class IsPublic(Conflict):
    """{did} is public, so it cannot be {what}."""

    code = "is_public"

    def __init__(self, *, did: str, what: str) -> None:
        """Name the DID and what was to happen to it."""
        super().__init__(did=did, what=what, field="did", hint="Have its publication suspended first.")


class DoiTaken(Conflict):
    """Another DID is published as {doi}."""

    code = "doi_taken"

    def __init__(self, *, doi: str) -> None:
        """Name the DOI."""
        super().__init__(doi=doi, field="doi")


class RecordTaken(Conflict):
    """Another DID is published as record {record_id}."""

    code = "record_taken"

    def __init__(self, *, record_id: int) -> None:
        """Name the record."""
        super().__init__(record_id=record_id, field="record_id")


class DoiMalformed(Invalid):
    """{doi!r} is not a DOI."""

    code = "doi_malformed"

    def __init__(self, *, doi: str) -> None:
        """Say what one looks like."""
        super().__init__(doi=doi[:300], field="doi", hint="A DOI is 10.PREFIX/SUFFIX, for example 10.1234/foo.bar.")


class AboutUnfit(Invalid):
    """What is said about {did} cannot be kept: {reason}."""

    code = "about_unfit"

    def __init__(self, *, did: str, reason: str) -> None:
        """Name the DID, and say why."""
        super().__init__(did=did, reason=reason, field="about")
