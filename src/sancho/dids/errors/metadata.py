"""What can go wrong with metadata, and with searching by it."""

from collections.abc import Sequence

from sancho.kit.errors import Conflict, Invalid, NotFound


class MetadataKeyUnknown(Invalid):
    """{did} cannot say {key}: there is no such key{near}."""

    code = "metadata_key_unknown"

    def __init__(self, *, did: str, key: str, near: Sequence[str] = (), field: str = "metadata") -> None:
        """Name both, and the keys that may be meant."""
        meant = ", ".join(near)
        super().__init__(
            did=did, key=key[:100], near=f"; did you mean {meant}?" if meant else "", field=field,
            hint="`sancho data meta keys` lists them; who administers your VO applies documents of kind MetadataKey.",
        )  # fmt: skip


class MetadataUnfit(Invalid):
    """{key} of {did} cannot be {value}: {reason}."""

    code = "metadata_unfit"

    def __init__(self, *, did: str, key: str, value: str, reason: str, field: str = "metadata") -> None:
        """Name the DID, the key, and what was to be said."""
        super().__init__(did=did, key=key, value=value[:100], reason=reason, field=field)


class MetadataMissing(NotFound):
    """{did} says nothing of {key}."""

    code = "metadata_missing"

    def __init__(self, *, did: str, key: str) -> None:
        """Name both."""
        super().__init__(did=did, key=key[:100], field="key")


class MetadataKeyInvalid(Invalid):
    """Key {key} cannot be like this: {reason}."""

    code = "metadata_key_invalid"

    def __init__(self, *, key: str, reason: str, field: str) -> None:
        """Name the key, and what is wrong with it."""
        super().__init__(key=key, reason=reason, field=field)


class MetadataKeyInUse(Conflict):
    """Key {key} cannot be {what}: DIDs carry it."""

    code = "metadata_key_in_use"

    def __init__(self, *, key: str, what: str, field: str | None = None) -> None:
        """Name the key, and what was to happen to it."""
        super().__init__(key=key, what=what, field=field, hint="Remove it from those DIDs first, or use another key.")


class MetadataKeyNotIndexed(Invalid):
    """{key} is not indexed, so it is only searched for in a scope or collection, and never inherited."""

    code = "metadata_key_not_indexed"

    def __init__(self, *, key: str) -> None:
        """Name the key."""
        super().__init__(
            key=key, field="where",
            hint="Say `scope` or `within`. A VO can index 8 keys of texts and 8 of others; `indexed: false` in the "
            "document of another key makes room for this one.",
        )  # fmt: skip


class WhereMissing(Invalid):
    """This list needs to know where to look."""

    code = "where_missing"

    def __init__(self) -> None:
        """Say what helps."""
        super().__init__(field="scope", hint="Say `scope`, or `where`, or `within`.")


class NotSmart(Conflict):
    """{did} follows no search."""

    code = "not_smart"

    def __init__(self, *, did: str) -> None:
        """Name the dataset."""
        super().__init__(did=did, field="did")
