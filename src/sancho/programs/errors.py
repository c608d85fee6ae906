"""What can go wrong with programs."""

from sancho.kit.errors import Conflict


class TooManyPrograms(Conflict):
    """VO {vo} has {limit} programs that were heard of in the last day, and no more are kept."""

    code = "too_many_programs"

    def __init__(self, *, vo: str, limit: int) -> None:
        """Name the VO and how many there may be."""
        super().__init__(vo=vo, limit=limit, hint="A service that is started anew may report under its old pid.")
