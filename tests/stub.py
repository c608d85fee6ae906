"""Stands in for a program that runs as a fork elsewhere: `python -I -S stub.py SOCKET PROGRAM ARGUMENTS…`.

It has the program's standard streams and folder, hands signals on, and ends as the program does: by its exit code or
by the same signal. When it is killed, so is the program.
"""

import json
import os
import signal
import socket
import sys

HANDED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGQUIT)


def main(path: str, program: str, *arguments: str) -> None:
    """Ask for the program and stay until its end."""
    signal.pthread_sigmask(signal.SIG_BLOCK, HANDED_ON)
    with open(program, encoding="utf-8") as file:  # noqa: PTH123 - pathlib takes longer to read than all else here
        line = json.dumps([dict(os.environ), program, file.read(), arguments, os.getcwd()]) + "\n"  # noqa: PTH109
    with socket.socket(socket.AF_UNIX) as asked:
        asked.connect(path)
        said = line.encode()
        socket.send_fds(asked, [said[:1]], [0, 1, 2])
        asked.sendall(said[1:])
        answers = asked.makefile()
        pid = int(answers.readline())
        for number in HANDED_ON:
            signal.signal(number, lambda number, _frame: os.kill(pid, number))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDED_ON)
        code = int(answers.readline() or -signal.SIGKILL)
    if code >= 0:
        os._exit(code)
    signal.signal(-code, signal.SIG_DFL) if -code not in (signal.SIGKILL, signal.SIGSTOP) else None
    os.kill(os.getpid(), -code)


main(*sys.argv[1:])
