"""Runs programs in a Python that has read DiracX's packages already; for the interpreter of the client's environment.

Reading them takes longer than what most programs do. Each program is a fork, so none sees what another did. A line of
JSON in is (path of its output, environment, program, arguments), a line out its exit code.
"""

import json
import os
import sys
import traceback

import diracx.api.jobs  # pyright: ignore[reportMissingImports]
import diracx.client.aio  # pyright: ignore[reportMissingImports]
import diracx.client.sync  # noqa: F401 - read for the programs  # pyright: ignore[reportMissingImports]


def main() -> None:
    """Run what is asked, one after the other."""
    for line in sys.stdin:
        output, environment, program, arguments = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os._exit(_run(output, environment, program, arguments))
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def _run(output: str, environment: dict[str, str], program: str, arguments: list[str]) -> int:
    said = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(said, 1)
    os.dup2(said, 2)
    os.chdir(environment["HOME"])
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["-c", *arguments]
    try:
        exec(compile(program, "<program>", "exec"), {"__name__": "__main__"})
        return 0
    except SystemExit as e:
        return e.code if isinstance(e.code, int) else int(e.code is not None)
    except BaseException:  # noqa: BLE001 - whatever a program ends with is told
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


main()
