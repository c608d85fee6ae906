"""Run a server verb that dies, by SIGKILL, the first time it passes each of a set of named fault points.

    python faulty_server.py FOLDER VERB…

FOLDER holds a file `NAME.armed` for each point that is still to be hit. Whoever passes the point renames it to
`NAME.hit`, which only one process can, and dies: so each point kills exactly once, in whichever process comes first.
"""

import os
import signal
import sys
from pathlib import Path

from sancho.cli.main import main
from sancho.kit import faults

FOLDER = Path(sys.argv[1])


def die(name: str) -> None:
    """End this process if the point is armed."""
    try:
        (FOLDER / f"{name}.armed").rename(FOLDER / f"{name}.hit")
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    faults.install(die)
    sys.argv = ["sancho", *sys.argv[2:]]
    main()
