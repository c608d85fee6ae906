"""The supervisor, with real programs that are really killed."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psycopg
import pytest

from sancho.local import control
from sancho.local.postgres import OWNER, Cluster
from sancho.local.processes import Process, find_process, session_of, wait_until
from sancho.local.programs import MARK, Program, ProgramState, State, read_state
from sancho.local.supervisor import ALREADY_RUNNING

PILOT = """
import os, signal, subprocess, sys, pathlib
folder = pathlib.Path(sys.argv[1])
ask = "import signal,sys,pathlib; signal.signal(15, lambda *_: pathlib.Path(sys.argv[1]).touch()); "
payload = subprocess.Popen([sys.executable, "-c", ask + "print(flush=True)\\nwhile True: signal.pause()",
                            str(folder / "payload-asked")], start_new_session=True, stdout=subprocess.PIPE)
payload.stdout.readline()
def end(*_):
    (folder / "pilot-asked").touch()
    payload.kill()
    os._exit(0)
signal.signal(signal.SIGTERM, end)
(folder / "pids.new").write_text(f"{os.getpid()} {payload.pid}")
(folder / "pids.new").rename(folder / "pids")
while True: signal.pause()
"""
WORKER = """
import pathlib, signal, subprocess, sys
if not (pathlib.Path(sys.argv[1]) / "pids").exists():
    shell = ["sh", "-c", 'trap "" TERM; "$@"; true', "sh"]  # as CEs do, to write down how the pilot ended
    subprocess.Popen([*shell, sys.executable, "-c", sys.argv[2], sys.argv[1]], start_new_session=True)
while True: signal.pause()
"""


def until(condition: Callable[[], bool]) -> None:
    assert wait_until(condition, timeout=30), "the condition did not come true in time"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def server(name: str = "web", *, after: tuple[str, ...] = ()) -> Program:
    port = free_port()
    command = (sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port))
    return Program(name=name, command=command, after=after, ready_url=f"http://127.0.0.1:{port}/")


def python(name: str, code: str, *arguments: str, **more: object) -> Program:
    return Program.model_validate({"name": name, "command": (sys.executable, "-c", code, *arguments), **more})


def start(home: Path, *programs: Program) -> None:
    control.write_plan(home, programs)
    control.start(home)


def fares(home: Path, name: str) -> ProgramState:
    state = read_state(home)
    assert state is not None
    return next(one for one in state.programs if one.name == name)


def process(home: Path, name: str) -> Process:
    until(lambda: fares(home, name).state is State.READY)
    found = fares(home, name).process
    assert found is not None
    return found


def test_what_dies_is_started_again_and_is_ready_again(home: Path) -> None:
    start(home, server())
    control.wait_ready(home)
    for restarts in (1, 2):
        before = process(home, "web")
        os.kill(before.pid, signal.SIGKILL)
        until(lambda before=before: fares(home, "web").process not in {None, before})
        assert process(home, "web") != before
        assert fares(home, "web").restarts == restarts
    assert fares(home, "web").last_exit == "signal 9"


def test_a_program_starts_once_those_it_needs_are_ready(home: Path) -> None:
    gate = home / "gate"
    os.mkfifo(gate)
    first = server("first")
    late = f"import os; open({str(gate)!r}).read(); os.execv({sys.executable!r}, {list(first.command)})"
    first = first.model_copy(update={"command": (sys.executable, "-c", late)})
    start(home, first, python("second", "import signal; signal.pause()", after=("first",)), server("third"))
    process(home, "third")
    assert fares(home, "first").state is State.STARTING
    assert fares(home, "second").state is State.WAITING
    gate.write_text("open")
    process(home, "second")
    diary = (home / "logs" / "supervisor.log").read_text()
    assert diary.index("first: ready") < diary.index("second: started")


def test_a_program_is_not_ready_because_another_answers_on_its_port(home: Path) -> None:
    asked: list[str] = []

    class Stranger(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name there)
            pass

    gate, web = home / "gate", server()
    os.mkfifo(gate)
    port = int(web.command[-1])
    late = f"import os; open({str(gate)!r}).read(); os.execv({sys.executable!r}, {list(web.command)})"
    with ThreadingHTTPServer(("127.0.0.1", port), Stranger) as stranger:
        threading.Thread(target=stranger.serve_forever).start()
        start(home, web.model_copy(update={"command": (sys.executable, "-c", late)}))
        until(lambda: len(asked) >= 3)
        assert fares(home, "web").state is State.STARTING
        stranger.shutdown()
    gate.write_text("open")
    assert process(home, "web").alive


def test_pauses_grow_while_a_program_keeps_dying_and_others_do_not_mind(home: Path) -> None:
    start(home, server(), python("bad", "import sys; sys.exit('no luck')"))
    until(lambda: fares(home, "bad").restarts >= 3)
    diary = (home / "logs" / "supervisor.log").read_text().splitlines()
    pauses = [float(line.split()[-2]) for line in diary if "bad: ended" in line]
    assert pauses == sorted(set(pauses))
    assert fares(home, "bad").last_exit == "exit code 1"
    assert "no luck" in (home / "logs" / "bad.log").read_text()
    assert process(home, "web").alive
    with pytest.raises(control.NotReady, match="bad does not get ready") as caught:
        control.wait_ready(home)
    assert "no luck" in str(caught.value.hint)


def test_a_program_that_cannot_be_started_at_all_is_tried_again(home: Path) -> None:
    late = home / "late"
    start(home, Program(name="late", command=(str(late),)))
    until(lambda: fares(home, "late").last_exit is not None)
    assert "No such file" in str(fares(home, "late").last_exit)
    late.symlink_to(shutil.which("cat") or "")
    until(lambda: fares(home, "late").last_exit == "exit code 0")


def test_a_killed_database_comes_back_with_its_data(home: Path) -> None:
    cluster = Cluster(home / "pg")
    cluster.start(ends_with_us=True)
    with psycopg.connect(cluster.url(OWNER)) as conn:
        conn.execute("CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)")
    cluster.stop()
    start(
        home,
        Program(
            name="postgres",
            command=tuple(cluster.prepare()),
            inherits=False,
            user=cluster.user,
            ready_cluster=cluster.folder,
            stop_signal=signal.SIGINT,
        ),
    )
    control.wait_ready(home)
    before = process(home, "postgres")
    assert before == cluster.postmaster()
    with psycopg.connect(cluster.url(OWNER)) as conn:
        conn.execute("UPDATE kept SET n = 8")
    os.kill(before.pid, signal.SIGKILL)
    until(lambda: fares(home, "postgres").process not in {None, before})
    process(home, "postgres")
    with psycopg.connect(cluster.url(OWNER)) as conn:
        assert conn.execute("SELECT n FROM kept").fetchone() == (8,)
    assert control.stop(home)
    assert cluster.postmaster() is None
    assert "database system is shut down" in (home / "logs" / "postgres.log").read_text().splitlines()[-1]


def test_stopping_is_in_reverse_order_and_leaves_no_process(home: Path) -> None:
    start(home, server("a"), server("b", after=("a",)), server("c", after=("b",)))
    control.wait_ready(home)
    running = [process(home, name) for name in "abc"]
    supervisor = control.find_supervisor(home)
    assert supervisor is not None
    assert control.stop(home)
    assert not any(one.alive for one in (*running, supervisor))
    diary = (home / "logs" / "supervisor.log").read_text()
    assert diary.index("c: stopped") < diary.index("b: stopped") < diary.index("a: stopped")
    assert not control.stop(home)


def test_who_does_not_listen_is_killed_with_its_whole_group(home: Path) -> None:
    code = (
        "import os, pathlib, signal, sys\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = os.fork()\n"
        "if child: pathlib.Path(sys.argv[1]).write_text(str(child))\n"
        "while True: signal.pause()\n"
    )
    start(home, python("deaf", code, str(home / "child"), grace=0.2))
    until(lambda: (home / "child").exists() and (home / "child").read_text() != "")
    child = find_process(int((home / "child").read_text()))
    deaf = process(home, "deaf")
    assert child is not None
    control.stop(home)
    until(lambda: not child.alive)
    assert not deaf.alive


def test_pilots_outlive_their_worker_and_are_asked_first_when_everything_stops(home: Path) -> None:
    start(home, server(), python("worker", WORKER, str(home), PILOT, after=("web",), has_guests=True))
    until((home / "pids").exists)
    pilot, payload = (find_process(int(pid)) for pid in (home / "pids").read_text().split())
    assert pilot is not None
    assert payload is not None
    before = process(home, "worker")
    os.kill(before.pid, signal.SIGKILL)
    until(lambda: fares(home, "worker").process not in {None, before})
    assert pilot.alive
    assert payload.alive
    control.stop(home)
    assert not pilot.alive
    assert not payload.alive
    assert (home / "pilot-asked").exists()
    assert not (home / "payload-asked").exists()
    diary = (home / "logs" / "supervisor.log").read_text()
    assert diary.index("worker: stopped") < diary.index("ended 1 pilots") < diary.index("web: stopped")


def test_after_the_supervisor_is_killed_nothing_keeps_the_next_one_from_starting(home: Path) -> None:
    start(home, server(), python("worker", WORKER, str(home), PILOT, has_guests=True))
    control.wait_ready(home)
    until((home / "pids").exists)
    pilot = find_process(int((home / "pids").read_text().split()[0]))
    before, supervisor = process(home, "web"), control.find_supervisor(home)
    assert pilot is not None
    assert supervisor is not None
    os.kill(supervisor.pid, signal.SIGKILL)
    until(lambda: not supervisor.alive)
    assert control.find_supervisor(home) is None
    until(lambda: not before.alive)
    assert pilot.alive

    control.end_programs(home)
    control.start(home)
    control.wait_ready(home)
    assert process(home, "web") != before
    control.stop(home)
    assert not pilot.alive


def test_there_is_one_supervisor_for_a_home(home: Path) -> None:
    start(home, server())
    control.wait_ready(home)
    before = control.find_supervisor(home)
    control.start(home)
    assert control.find_supervisor(home) == before
    second = subprocess.run(control.supervise_command(home), check=False)
    assert second.returncode == ALREADY_RUNNING


def test_the_supervisor_has_no_terminal_to_lose_and_tells_others_nothing(home: Path) -> None:
    start(home, server())
    control.wait_ready(home)
    supervisor = control.find_supervisor(home)
    assert supervisor is not None
    assert session_of(supervisor.pid) not in {None, os.getsid(0)}
    os.kill(supervisor.pid, signal.SIGHUP)
    assert process(home, "web").alive
    assert supervisor.alive
    for path in [*(home / "run").iterdir(), *(home / "logs").glob("*.log")]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_programs_do_not_see_what_users_set_for_their_clients(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANCHO_TOKEN", "secret")
    monkeypatch.setenv("PGHOST", "elsewhere")
    monkeypatch.setenv("KEPT", "yes")
    code = "import os; print('seen', *(k for k in sorted(os.environ) if k[:3] in 'SAN PGH KEP GIV'), flush=True)"
    start(home, python("curious", code, environment={"GIVEN": "1"}))
    log = home / "logs" / "curious.log"
    until(lambda: log.exists() and "seen" in log.read_text())
    assert log.read_text().splitlines()[0] == f"seen GIVEN KEPT {MARK}"
