"""Runs programs in a Python that has read what they import already; `forking` and `stubs` ask it.

Reading it takes longer than what most programs do. Each program is a fork, so none sees what another did. `zygote.py
SOCKET MODULE…` takes connections on a Unix socket until its standard input ends: a line of JSON (environment, name of
the program, its text, arguments, folder) with three file descriptors is a program with these as its standard streams;
answers are lines, its pid, and at its end its exit code. Who hangs up before that ends the program.
"""

import atexit
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import traceback
from contextlib import suppress


def main(path: str, *modules: str) -> None:
    """Run what is asked, any number at once."""
    for module in modules:
        importlib.import_module(module)
    serve(path)


def serve(path: str) -> None:
    """Run what is asked, with what this interpreter has read until now."""
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        print("ready", flush=True)
        while sys.stdin not in select.select([sys.stdin, listening], [], [])[0]:
            asked, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                _serve(asked)
                os._exit(0)
            asked.close()


def _serve(asked: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    said, streams, _, _ = socket.recv_fds(asked, 1 << 16, 3)
    while not said.endswith(b"\n"):
        said += asked.recv(1 << 16)
    pid = os.fork()
    if pid == 0:
        asked.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        os.closerange(3, max(streams) + 1)
        os._exit(_run(*json.loads(said)))
    for stream in streams:
        os.close(stream)
    asked.sendall(f"{pid}\n".encode())
    ending = os.pidfd_open(pid)
    if ending not in select.select([asked, ending], [], [])[0]:
        os.kill(pid, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with suppress(OSError):
        asked.sendall(f"{code}\n".encode())


def _run(environment: dict[str, str], name: str, program: str, arguments: list[str], folder: str) -> int:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.path[0] = os.path.dirname(name)  # noqa: PTH120 - as a script has it
    sys.argv = [name, *arguments]
    sys.stdin, sys.stdout = open(0), open(1, "w", 1, closefd=False)  # noqa: SIM115  for as long as it runs
    sys.stderr = open(2, "w", 1, closefd=False)  # noqa: SIM115
    try:
        exec(compile(program, name, "exec"), {"__name__": "__main__", "__file__": name})
        code = 0
    except SystemExit as e:
        code = e.code if isinstance(e.code, int) else int(e.code is not None)
        if isinstance(e.code, str):
            print(e.code, file=sys.stderr)
    except BaseException:  # noqa: BLE001 - whatever a program ends with is told
        traceback.print_exc()
        code = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    main(*sys.argv[1:])
