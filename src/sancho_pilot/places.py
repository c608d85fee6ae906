"""Where the files of one attempt are, and what its payload finds around itself.

work/     the payload's folder: its input sandbox is unpacked here, its outputs are looked for here
inputs/   SCOPE/NAME of each input
home/ tmp/ stdout stderr
token     what the payload may show to the server in its job's name
"""

from __future__ import annotations

import json
import os
import shutil
from typing import Dict, Optional, Tuple

from sancho_pilot.config import Config
from sancho_pilot.files import inside, make_private_folder, write_whole
from sancho_pilot.model import Input, Work
from sancho_pilot.payload import Command
from sancho_pilot.tail import Tail
from sancho_pilot.wire import Access

PATH = "/usr/local/bin:/usr/bin:/bin"
LARGEST_LOG = 2 * 1024**3


class CannotRun(Exception):
    """The payload's command cannot be run here; the message says why."""

    def __init__(self, exit_code: int, detail: str) -> None:
        """`exit_code` is what a shell would say: 127 not found, 126 not executable."""
        super().__init__(detail)
        self.exit_code = exit_code


class Places:
    """The folder of one attempt."""

    def __init__(self, folder: str) -> None:
        """Nothing is made until it is needed."""
        self.folder = folder
        self.work = os.path.join(folder, "work")
        self.stdout = os.path.join(folder, "stdout")
        self.stderr = os.path.join(folder, "stderr")
        self.input_sandbox = os.path.join(folder, "input-sandbox.tar.gz")
        self.output_sandbox = os.path.join(folder, "output-sandbox.tar.gz")
        self.token_file = os.path.join(folder, "token")
        self.inputs_file = os.path.join(folder, "inputs.json")
        self.home = os.path.join(folder, "home")
        self.temporary = os.path.join(folder, "tmp")
        self._inputs = os.path.join(folder, "inputs")

    @property
    def logs(self) -> Dict[str, str]:
        """What the payload said, by name in the sandbox."""
        return {"stdout": self.stdout, "stderr": self.stderr}

    def make(self) -> None:
        """Make the folders."""
        for folder in (self.folder, self.work, self.home, self.temporary, self._inputs):
            make_private_folder(folder)

    def tail(self) -> Tail:
        """Return the last part of what the payload said."""
        return Tail(self.stdout, self.stderr)

    def input(self, wanted: Input) -> Optional[str]:
        """Return where an input is, or will be; None if its name would lead elsewhere.

        That is `SCOPE/NAME`; `@VO/SCOPE/NAME` for one that another VO shares, as no scope begins with `@`.
        """
        owner, slash, scope = wanted.did.partition(":")[0].rpartition("/")
        folders = [f"@{owner}", scope] if slash else [scope]
        base: Optional[str] = self._inputs
        for folder in folders:
            base = None if base is None or os.sep in folder else inside(base, folder)
        return None if base is None else inside(base, wanted.name)

    def write_inputs(self, work: Work) -> None:
        """Tell the payload where its inputs are."""
        inputs = [
            {"did": one.did, "name": one.name, "path": self.input(one), "size": one.size, "adler32": one.adler32}
            for one in work.inputs
        ]
        with open(self.inputs_file, "w", encoding="utf-8") as file:
            json.dump(inputs, file, indent=1)

    def write_token(self, token: str) -> None:
        """Give the payload the token of its job, in a file that only our user can read."""
        write_whole(self.token_file, token.encode())


def mark(stamp: str) -> str:
    """Return the variable that every process of our payloads has."""
    return f"SANCHO_PILOT={stamp}"


def command(config: Config, places: Places, work: Work, access: Access) -> Command:
    """Return what to run and in what surroundings; raises `CannotRun`. Nothing of the pilot's own is in them."""
    variables = _variables(config, places, work, access)
    return Command(
        words=access.command,
        program=_find(access.command[0], variables["PATH"], places.work),
        environment=variables,
        folder=places.work,
        stdout=places.stdout,
        stderr=places.stderr,
        memory=work.memory,
        log=LARGEST_LOG,
    )


def _variables(config: Config, places: Places, work: Work, access: Access) -> Dict[str, str]:
    cores = str(access.cores or config.slot.cores)
    variables = {
        "HOME": places.home,
        "TMPDIR": places.temporary,
        "LANG": "C.UTF-8",
        "PATH": PATH,
        "OMP_NUM_THREADS": cores,
    }
    first: Tuple[str, ...] = ()
    for name in access.environments:
        if name not in config.environments:
            raise CannotRun(127, f"This site does not offer the environment {name}.")
        first += config.environments[name].path
        variables.update(config.environments[name].variables)
    variables.update(access.environment)
    variables["PATH"] = os.pathsep.join([*first, variables["PATH"]])
    stamp_name, _, stamp = mark(config.stamp).partition("=")
    variables.update(
        {
            stamp_name: stamp,
            "SANCHO_JOB_ID": str(work.job_id),
            "SANCHO_ATTEMPT_ID": str(work.attempt_id),
            "SANCHO_ATTEMPT": str(work.number),
            "SANCHO_SITE": config.site,
            "SANCHO_CORES": cores,
            "SANCHO_WALLTIME": str(int(work.walltime)),
            "SANCHO_INPUTS": places.inputs_file,
        }
    )
    if access.token:
        variables["SANCHO_TOKEN_FILE"] = places.token_file
    if access.traceparent:
        variables["TRACEPARENT"] = access.traceparent
    return variables


def _find(word: str, path: str, folder: str) -> str:
    """Look a program up as a shell would, in the payload's own PATH."""
    if os.sep in word:
        program = os.path.join(folder, word)
        if os.path.exists(program) and not os.access(program, os.X_OK):
            raise CannotRun(126, f"{word} is not executable.")
        found = program if os.path.isfile(program) else None
    else:
        found = shutil.which(word, path=path)
    if found is None:
        raise CannotRun(127, f"There is no program {word} here; PATH is {path}")
    return found
