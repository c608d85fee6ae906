"""What can be wrong with a DiracX configuration that is to be brought here."""

from sancho.kit.errors import Invalid

UNTOUCHED = "Correct it and try again; nothing was changed."


class RepositoryUnfit(Invalid):
    """{file}: {place}: {problem}"""

    code = "diracx_repository_unfit"

    def __init__(self, *, file: str, place: str, problem: str) -> None:
        """Name the file, where in it, and what is wrong there."""
        super().__init__(file=file, place=place, problem=problem, field=place, hint=UNTOUCHED)
