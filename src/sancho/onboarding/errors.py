"""What can go wrong when a VO comes in."""

from sancho.kit.errors import Conflict


class VoExists(Conflict):
    """There is a VO {vo} already."""

    code = "vo_exists"

    def __init__(self, *, vo: str) -> None:
        """Name the VO; the hint says how it is changed."""
        super().__init__(vo=vo, field="name", hint="Change what it has with `sancho apply`.")
