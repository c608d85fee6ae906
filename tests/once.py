"""What all processes of a test run share, made by the first that asks."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path


def once(name: str, make: Callable[[], str]) -> str:
    """A text that takes long to make: the first process of this run makes it, the others wait and read it."""
    folder = os.environ.get("SANCHO_TEST_CLUSTER")
    if folder is None:  # nothing runs: tests are only collected
        return make()
    path = Path(folder) / f"once-{name}"
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not path.stat().st_size:
            file.write(make())
    return path.read_text()
