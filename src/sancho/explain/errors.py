"""What can go wrong when something is to be explained."""

from sancho.kit.errors import Conflict


class NotAFile(Conflict):
    """{did} is a {kind}; it is files that are explained."""

    code = "not_a_file"

    def __init__(self, *, did: str, kind: str) -> None:
        """Name the collection; the hint says what to ask instead."""
        hint = "Ask about one of its files (`sancho data ls`), or about a rule on it (`sancho rule list --did DID`)."
        super().__init__(did=did, kind=kind, field="did", hint=hint)
