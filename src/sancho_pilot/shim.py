"""The shim of a payload: a process that runs it and adopts whatever it leaves, so that payloads are told apart.

The pilot runs the text of this file with `python -c`. The order comes as JSON
on standard input; on standard output one line of JSON says that the payload
runs (`pid`) or cannot (`errno`, `text`), one that it has ended (`code`), and one
that nothing of it runs any more; `cpu` (seconds) and `memory` (the most that one
process had, in bytes) are what was used until then.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import Any

PR_SET_CHILD_SUBREAPER = 36
STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main() -> None:
    """Run what is ordered, and stay until nothing of it is left."""
    order = json.load(sys.stdin)
    with suppress(OSError, AttributeError):  # not on this kernel: what the payload leaves goes to others
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        with open(order["stdout"], "ab") as stdout, open(order["stderr"], "ab") as stderr:
            payload = subprocess.Popen(
                order["words"],
                executable=order["program"],
                cwd=order["folder"],
                env=order["environment"],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
    except (OSError, ValueError) as problem:
        _say(errno=getattr(problem, "errno", None) or 0, text=str(problem))
        return
    for number in STOPS:  # not before: what is ignored here would be ignored by the payload
        signal.signal(number, signal.SIG_IGN)
    _say(pid=payload.pid)
    _keep(payload.pid)


def _keep(payload: int) -> None:
    cpu, memory = 0.0, 0
    while True:
        try:
            pid, state, used = os.wait4(-1, 0)
        except ChildProcessError:
            _say(cpu=cpu, memory=memory)
            return
        cpu += used.ru_utime + used.ru_stime
        memory = max(memory, used.ru_maxrss * 1024)
        if pid == payload:
            code = 128 + os.WTERMSIG(state) if os.WIFSIGNALED(state) else os.WEXITSTATUS(state)
            _say(code=code, cpu=cpu, memory=memory)


def _say(**words: Any) -> None:
    with suppress(OSError):  # the pilot is gone: the next one looks for what is left
        sys.stdout.write(json.dumps(words) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
