"""Steps of `sancho up` that are programs of their own, because they load the code of every feature."""

import subprocess
import sys
from collections.abc import Sequence

from sancho.local.errors import LocalError
from sancho.local.programs import child_environment


class StepFailed(LocalError):
    """{step} failed: {words}"""

    code = "step_failed"

    def __init__(self, *, step: str, words: str) -> None:
        super().__init__(step=step, words=words.strip())


def verb(*words: str) -> tuple[str, ...]:
    """Return the command that runs a verb of ours with this Python."""
    return (sys.executable, "-m", "sancho", *words)


def run(step: str, command: Sequence[str], told: str, *, settings: dict[str, str] | None = None) -> str:
    """Run a program to its end, tell it something on its standard input, and return what it writes.

    Raises `StepFailed` with the end of its words when it fails.
    """
    done = subprocess.run(
        command, input=told, capture_output=True, text=True, cwd="/", env=child_environment(settings or {}), check=False
    )
    if done.returncode != 0:
        raise StepFailed(step=step, words=(done.stderr or done.stdout)[-2000:])
    return done.stdout
