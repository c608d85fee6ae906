"""Runs a pilot that dies, as by `kill -9`, when it first passes a point: `driver.py PILOT.pyz POINT CONFIG.json`."""

import os
import signal
import sys

pilot, point = sys.argv[1:3]
sys.argv[1:3] = []
sys.path.insert(0, pilot)

from sancho_pilot import faults  # noqa: E402 - found in the zipapp
from sancho_pilot.__main__ import run  # noqa: E402


def die(passed: str) -> None:
    if passed == point:
        os.kill(os.getpid(), signal.SIGKILL)


faults.install(die)
run()
