"""Why a demonstration does not succeed."""

from pathlib import Path

from sancho.local.errors import LocalError


class PythonUnfit(LocalError):
    """{python} cannot run the payloads: {why}"""

    code = "python_unfit"

    def __init__(self, *, python: Path, why: str) -> None:
        super().__init__(
            python=python,
            why=why,
            hint="Name an interpreter that has numpy, uproot and matplotlib; `make .venv-demo` makes one.",
        )


class NothingMoves(LocalError):
    """Nothing has changed for {seconds} seconds."""

    code = "nothing_moves"

    def __init__(self, *, seconds: int) -> None:
        super().__init__(seconds=seconds)


class JobsFailed(LocalError):
    """{number} of the jobs of {vo} did not get done."""

    code = "jobs_failed"

    def __init__(self, *, number: int, vo: str) -> None:
        super().__init__(number=number, vo=vo)


class NotAsItShouldBe(LocalError):
    """The work is done, but not all is as it should be: {faults}"""

    code = "not_as_it_should_be"

    def __init__(self, *, faults: str) -> None:
        super().__init__(faults=faults)
