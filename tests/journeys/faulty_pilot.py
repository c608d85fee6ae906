"""Run a pilot that dies at fault points, as `faulty_server` does: `python -I -S faulty_pilot.py FOLDER PYZ CONFIG`."""

import os
import signal
import sys

FOLDER, PYZ, CONFIG = sys.argv[1:]
sys.path.insert(0, PYZ)

from sancho_pilot import __main__, faults  # noqa: E402 - from the pilot's own file, nothing else is there


def die(name: str) -> None:
    """End this process if the point is armed."""
    try:
        os.rename(f"{FOLDER}/{name}.armed", f"{FOLDER}/{name}.hit")  # noqa: PTH104 - as little as can be
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    faults.install(die)
    sys.argv = [PYZ, CONFIG]
    __main__.run()
