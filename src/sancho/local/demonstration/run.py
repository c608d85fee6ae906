"""The whole demonstration: from nothing to pictures, and back to nothing."""

import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from sancho.local import access, grid, topology
from sancho.local.demonstration import findings, trouble, watching, workload
from sancho.local.demonstration.errors import JobsFailed, NotAsItShouldBe, NothingMoves, PythonUnfit
from sancho.local.demonstration.findings import Found, Refusal
from sancho.local.demonstration.view import View
from sancho.local.demonstration.workload import PEOPLE, PICTURE, Work
from sancho.local.home import Home
from sancho_client.calls import configuration
from sancho_client.client import Client
from sancho_client.data import download
from sancho_client.models.configuration import Document

PROBE = "import numpy, uproot, matplotlib"


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What is wanted of a demonstration."""

    python: Path
    """The interpreter that the sites offer to payloads."""
    out: Path
    """The folder for the pictures."""
    home: Path | None = None
    """Where the grid lives; None: in a temporary folder."""
    keep: bool = False
    """Leave the grid running."""
    jobs: int = 10
    """Simulation jobs for each VO."""


class Outcome(BaseModel, frozen=True):
    """What came of it."""

    seconds: float
    home: Path | None
    """Where the grid still runs."""
    url: str
    picture: Path
    vos: tuple[Found, ...]
    refusals: tuple[Refusal, ...]


def run(wishes: Wishes, view: View) -> Outcome:
    """Run the demonstration; nothing that it started is left, unless it shall be kept.

    Raises `PythonUnfit` before anything is started; `JobsFailed`, `NothingMoves` or `NotAsItShouldBe`, after `view`
    has heard what is stuck; and whatever brings a grid up or a call to the server may raise.
    """
    python = _check(wishes.python)
    wishes.out.mkdir(parents=True, exist_ok=True)
    with _grid(wishes, view) as (home, url), ExitStack() as clients:
        config = home.config()
        administrator = clients.enter_context(access.client(home, config))
        ces = [one for one in topology.documents(home, config) if one["kind"] == "ComputeElement"]
        _apply(administrator, [*workload.people_and_quotas(), *workload.offer_environment(ces, python)])
        works: list[Work] = []
        try:
            for vo, person in PEOPLE.items():
                client = clients.enter_context(workload.log_in(administrator, vo, person))
                works.append(workload.submit_all(client, vo, wishes.jobs))
            view.say(f"submitted {wishes.jobs} simulations and an analysis for each of {' and '.join(PEOPLE)}")
            with view.following():
                watching.follow(works, view.show)
            found, refusals = _look(works, view)
        except (JobsFailed, NothingMoves, NotAsItShouldBe):
            for line in trouble.describe(home, administrator, works):
                view.say(line)
            raise
        picture = _fetch(works, wishes.out)
        view.say(f"wrote {picture}")
    return Outcome(
        seconds=round(view.seconds, 1), home=home.folder if wishes.keep else None, url=url, picture=picture,
        vos=tuple(found), refusals=tuple(refusals),
    )  # fmt: skip


def _check(python: Path) -> Path:
    path = python.absolute()  # not resolved: what makes a virtual environment one is the link
    try:
        done = subprocess.run([path, "-c", PROBE], capture_output=True, text=True, check=False, cwd="/")
    except OSError as e:
        raise PythonUnfit(python=python, why=e.strerror or str(e)) from e
    if done.returncode != 0:
        raise PythonUnfit(python=python, why=done.stderr.strip().rpartition("\n")[2])
    return path


@contextmanager
def _grid(wishes: Wishes, view: View) -> Iterator[tuple[Home, str]]:
    """A grid within; afterwards it is gone, or what was there before is as it was."""
    folder = wishes.home or Path(tempfile.mkdtemp(prefix="sancho-demo-"))
    home = Home(folder)
    try:
        port = None if home.exists else _any_port()
        ready = grid.up(home, grid.Wishes(port=port, vos=tuple(PEOPLE)), view.say)
        view.say(f"a grid runs at {ready.url}, its home is {folder}")
        yield home, ready.url
    except BaseException:
        _end(home, view, temporary=wishes.home is None)
        raise
    if not wishes.keep:
        _end(home, view, temporary=wishes.home is None)


def _any_port() -> int:
    """A port that the system gives to nobody else for a while: the usual ones are for grids that stay."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _end(home: Home, view: View, *, temporary: bool) -> None:
    """Stop the grid; an impatient second Ctrl-C does not keep us from it."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        if home.exists:
            view.say("stopping the grid")
            grid.down(home)
            if temporary:
                grid.purge(home)
        if temporary:
            shutil.rmtree(home.folder, ignore_errors=True)
    finally:
        signal.signal(signal.SIGINT, before)


def _apply(administrator: Client, documents: Sequence[Document]) -> None:
    administrator.send(configuration.apply(documents, comment="sancho demo"))


def _look(works: Sequence[Work], view: View) -> tuple[list[Found], list[Refusal]]:
    view.say("all jobs are done and all rules are kept; looking at what there is")
    found = [findings.gather(work) for work in works]
    refusals = findings.trespass(works)
    view.tell(found, refusals)
    if wrong := list(findings.faults(found, refusals, {work.jobs for work in works}.pop())):
        raise NotAsItShouldBe(faults="; ".join(wrong))
    return found, refusals


def _fetch(works: Sequence[Work], out: Path) -> Path:
    """Download the picture of each VO by its DID; the first one lies in `out` itself too."""
    pictures: list[Path] = []
    for work in works:
        for got in download.get(work.client, [PICTURE], out / work.vo):
            if got.error is not None:
                raise got.error
            pictures.append(got.path)
    shutil.copyfile(pictures[0], out / pictures[0].name)
    return out / pictures[0].name
