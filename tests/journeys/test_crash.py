"""Kill -9 of every program at every named point, the database too, while a grid works: nothing is lost or doubled.

One grid of real processes (PostgreSQL, API, worker, two storages, pilots) works through jobs of two VOs. Every fault
point of the server and of the pilot is armed once: the first process that passes it dies there by SIGKILL, and the
supervisor, the leases and the queue have to make up for it. The database is killed in between. At the end every job
is done, every promised output is in the catalogue exactly once with two good copies, and all counters equal counts.
"""

import os
import signal
import socket
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
import yaml

from sancho import app
from sancho.kit import faults
from sancho.local import access, control, grid
from sancho.local.database import open_database
from sancho.local.grid import Wishes
from sancho.local.home import Home
from sancho.local.programs import Plan, Program, read_state
from sancho_client.calls import configuration, data, identity, jobs, lives, rules
from sancho_client.client import Client
from sancho_client.data.upload import LocalFile, put
from sancho_client.errors import Problem, ServerAway
from sancho_client.models.configuration import Document
from sancho_client.models.jobs import JobDescription
from sancho_pilot import faults as pilot_faults
from sancho_pilot import loop as pilot
from tests.journeys.test_killed import POINTS as ELSEWHERE
from tests.storage_site import wait_for
from tests.stubs import write_stub

HERE = Path(__file__).parent
SERVER, PILOT = HERE / "faulty_server.py", HERE / "faulty_pilot.py"
SERVER_READS = ("sancho.cli.serve", "sancho.cli.server")
"""Read once, for a server that dies at each point is started as often."""
DECLARE = (app, pilot)
"""Importing them declares the points of the server and of the pilot."""
VOS = ("belle", "gridpp")
JOBS = 6
DELETING = ("replicas.deletion-claimed", "replicas.deleted-on-storage", "replicas.deletion-removed")
POINTS = sorted((faults.declared() - ELSEWHERE) | pilot_faults.declared())
"""Those of `test_killed` are passed there."""


@pytest.fixture
def home() -> Iterator[Home]:
    with tempfile.TemporaryDirectory(prefix="sancho-crash-", dir="/tmp") as scratch:
        Path(scratch).chmod(0o711)
        made = Home(Path(scratch) / "grid")
        yield made
        if made.exists:
            control.stop(made.folder)


@pytest.fixture
def armed(tmp_path: Path) -> Path:
    """A folder for what says which points kill."""
    folder = tmp_path / "points"
    folder.mkdir()
    return folder


def start_faulty(home: Home, armed: Path) -> dict[str, Client]:
    """Bring a grid up whose API, worker and pilots die at the armed points."""
    config = grid.prepare(home, Wishes(vos=VOS, port=free_port()), say)
    server = armed.parent / "server"
    write_stub(server, python=Path(sys.executable), modules=SERVER_READS, program=SERVER)
    plan = Plan.model_validate_json((home.folder / "run" / "programs.json").read_text())
    control.write_plan(home.folder, [faulty(p, server, armed) for p in plan.programs])
    control.start(home.folder)
    control.wait_ready(home.folder)
    with access.client(home, config) as client:
        wait("the API", lambda: bool(client.send(identity.whoami())), 60)
    for point in POINTS:
        (armed / f"{point}.armed").touch()
    config = grid._grant(home, config, say)
    python = armed.parent / "python"
    python.write_text(f'#!/bin/sh\nshift 2\nexec {sys.executable} -I -S {PILOT} {armed} "$@"\n')
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    documents = [d for d in yaml.safe_load_all(home.topology_file.read_text()) if d["kind"] == "ComputeElement"]
    for document in documents:
        document["spec"]["settings"]["python"] = str(python)
    with access.client(home, config) as client:
        client.send(configuration.apply([Document.model_validate(d) for d in documents]))
    return {vo: access.client(home, config, vo) for vo in VOS}


def say(_words: str) -> None:
    """Hear what is being done, and keep quiet."""


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def faulty(program: Program, server: Path, armed: Path) -> Program:
    if program.name not in ("api", "worker"):
        return program
    verb = program.command[program.command.index("sancho") + 1 :]
    # It listens in a process that the supervisor does not know.
    return program.model_copy(update={"command": (str(server), str(armed), *verb), "ready_url": None})


def description(vo: str) -> JobDescription:
    return JobDescription.model_validate(
        {
            "name": f"work of {vo}",
            "command": ["/bin/sh", "-c", "echo job {number} of %s > out.txt; echo done" % vo],  # noqa: UP031
            "outputs": [
                {
                    "path": "out.txt", "did": "user.admin:out_{number}", "dataset": "user.admin:all",
                    "rule": {"copies": 2, "rse_expression": "*"},
                }
            ],
            "close_datasets": True,
            "requirements": {"memory": 50_000_000, "walltime": 600},
            "max_attempts": 50,
        }
    )  # fmt: skip


def wait(what: str, condition: Callable[[], bool], within: float) -> None:
    wait_for(lambda: asked(condition), what, within)


def asked(condition: Callable[[], bool]) -> bool:
    """Ask, though the server may have been killed a moment ago."""
    try:
        return condition()
    except (ServerAway, Problem):
        return False


def kill_database(home: Home) -> None:
    state = read_state(home.folder)
    assert state is not None
    process = next(p.process for p in state.programs if p.name == "postgres")
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)


def test_every_point_and_the_database_may_be_killed_and_nothing_is_lost_or_doubled(home: Home, armed: Path) -> None:
    assert len(POINTS) >= 12
    clients = start_faulty(home, armed)
    for vo, client in clients.items():
        client.send(jobs.submit(description(vo), count=JOBS))
        passing = client.send(rules.create("user.admin:all", copies=1, rse_expression="disk-a", lifetime=1))
        assert passing.rule_id
        client.send(data.create("user.admin:passing", "dataset"))
        client.send(lives.erase(["user.admin:passing"], after=1))

    def states(vo: str) -> dict[str, int]:
        return {s.state: s.count for s in clients[vo].send(jobs.summary())}

    wait("the first jobs", lambda: any(states(vo).get("done", 0) for vo in VOS), 240)
    kill_database(home)
    wait("all jobs", lambda: all(states(vo) == {"done": JOBS} for vo in VOS), 240)
    wait("two copies", lambda: all(settled(clients[vo]) for vo in VOS), 120)
    for client in clients.values():
        check_copies(client)
    wait(
        "every point but those of deletion",
        lambda: all(p.stem in DELETING or p.stem == "rules.removed" for p in armed.glob("*.armed")),
        240,
    )
    for n, point in enumerate(DELETING, start=1):
        # A file of its own for each: what a killed reaper had claimed is leased for minutes.
        leave_something_to_delete(clients["belle"], armed.parent / "passing", f"user.admin:passing_{n}")
        wait(point, lambda point=point: not (armed / f"{point}.armed").exists(), 240)
    assert not list(armed.glob("*.armed"))
    for vo in VOS:
        check_outputs(clients[vo])
        clients[vo].close()
    check_counters(home)


def settled(client: Client) -> bool:
    return all(rule.state == "ok" for rule in client.pages(rules.list_rules()))


def check_copies(client: Client) -> None:
    """Every output has two good copies, and the bytes of each are those of one job."""
    copies = {f.did: f.replicas for f in client.lines(data.replicas("user.admin:all"))}
    assert len(copies) == JOBS
    assert all(sorted(r.state for r in replicas) == ["available", "available"] for replicas in copies.values())


def leave_something_to_delete(client: Client, path: Path, did: str) -> None:
    """Put a file, then delete the rule that holds it: its replica is reaped."""
    path.write_text("not for long")
    list(put(client, [LocalFile(path=path, did=did)]))
    for rule in list(client.pages(rules.list_rules(did=did))):
        client.send(rules.delete(rule.rule_id))


def check_outputs(client: Client) -> None:
    files = sorted(c.did for c in client.pages(data.contents("user.admin:all")))
    assert files == sorted(f"user.admin:out_{n}" for n in range(1, JOBS + 1))
    assert sorted(client.send(jobs.producers(files)).values()) == sorted(
        j.job_id for j in client.pages(jobs.list_jobs())
    )


COUNTERS: dict[str, LiteralString] = {
    "jobs that are not done": "SELECT count(*) FROM job WHERE state <> 'D'",
    "attempts still open": "SELECT count(*) FROM attempt WHERE ended_at IS NULL",
    "jobs with more than one finished attempt": """
        SELECT count(*) FROM (SELECT job_id FROM attempt WHERE state = 'D' GROUP BY 1 HAVING count(*) <> 1) x""",
    "outputs without exactly one producer": """
        SELECT count(*) FROM did d WHERE kind = 'F' AND name LIKE 'out%'
           AND (SELECT count(*) FROM provenance p WHERE p.did_id = d.did_id) <> 1""",
    "waiting jobs that only a counter knows": "SELECT sum(waiting) FROM task_queue_slot",
    "locks that a replica does not know": """
        SELECT count(*) FROM replica r WHERE lock_count <>
               (SELECT count(*) FROM lock l WHERE (l.did_id, l.vo, l.rse_id) = (r.did_id, r.vo, r.rse_id))""",
    "rules with wrong counters": """
        SELECT count(*) FROM rule WHERE ok + replicating + stuck <>
               (SELECT count(*) FROM lock l WHERE l.rule_id = rule.rule_id AND l.vo = rule.vo)""",
    "wrong tallies": """
        SELECT count(*) FROM (SELECT did_id, sum(files) AS n FROM collection_tally GROUP BY 1) t
         WHERE n <> (SELECT count(*) FROM attachment a WHERE a.parent_id = t.did_id)""",
    "quota still held": "SELECT count(*) FROM intent WHERE held AND state <> 'O'",
}


def check_counters(home: Home) -> None:
    """All counters equal counts, as the owner sees them: without row-level security."""
    url = open_database(home.config(), home).owner_url
    with psycopg.connect(url, options="-c search_path=sancho") as conn:
        counted = {what: conn.execute(query).fetchone() for what, query in COUNTERS.items()}
        wrong = {what: row for what, row in counted.items() if row and row[0]}
    assert wrong == {}
