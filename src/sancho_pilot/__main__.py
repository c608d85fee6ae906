"""`python3 -I -S sancho-pilot.pyz CONFIG.json`: run one pilot. `machine` names the exit codes; 2 is a bad start."""

from __future__ import annotations

import os
import resource
import sys

from sancho_pilot.config import BadConfiguration, load
from sancho_pilot.journal import Journal
from sancho_pilot.loop import Loop
from sancho_pilot.machine import BROKEN
from sancho_pilot.spool import WorkFolderBusy

CANNOT_START = 2


def main(words: "list[str]") -> int:
    """Run one pilot, from its configuration; return the exit code of the process."""
    journal = Journal()
    if len(words) != 1:
        journal.say("usage: sancho-pilot.pyz CONFIG.json")
        return CANNOT_START
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    try:
        config = load(words[0])
        loop = Loop(config, journal)
    except (BadConfiguration, WorkFolderBusy, OSError) as problem:
        journal.say("the pilot cannot start", detail=f"{type(problem).__name__}: {problem}")
        return CANNOT_START
    journal.say(
        "the pilot begins", stamp=config.stamp, site=config.site, python=sys.version.split()[0], pid=os.getpid()
    )
    code = BROKEN
    try:
        code = loop.run()
    finally:
        loop.close()
        journal.say("the pilot ends", code=code)
    return code


def run() -> None:
    """Be the process: the outermost frame. A defect of ours ends it with the place where it happened."""
    try:
        code = main(sys.argv[1:])
    except Exception as problem:
        frame = problem.__traceback__
        while frame is not None and frame.tb_next is not None:
            frame = frame.tb_next
        where = "" if frame is None else f"{frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}"
        Journal().say("the pilot broke", detail=type(problem).__name__, where=where)
        code = BROKEN
    sys.stderr.flush()
    os._exit(code)  # threads that hang in a network call must not keep the process


if __name__ == "__main__":
    run()
