"""The command line as a process: what goes where, and with which exit code."""

import json
import os
import pty
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import typer

from sancho.cli import main, options, reference
from tests.stubs import sancho_stub

ROOT = Path(__file__).parents[2]
NOWHERE = "http://127.0.0.1:1"
SANCHO = [sys.executable, "-m", "sancho.cli.main"]
INSTALLED = str(Path(sys.executable).with_name("sancho"))
WITHOUT_SERVER = """
import sys
SERVER = {"fastapi", "psycopg", "procrastinate", "uvicorn", "starlette", "argon2", "structlog"}
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in SERVER:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
sys.argv = ["sancho", *sys.argv[1:]]
from sancho.cli.main import main
main()
"""


def sancho(
    *words: str, tmp_path: Path, command: list[str] | None = None, variables: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SANCHO_")}
    environment |= {"SANCHO_CONFIG_HOME": str(tmp_path / "config"), "COLUMNS": "200"} | (variables or {})
    return subprocess.run(
        [*(command or [sancho_stub()]), *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def commands() -> list[tuple[str, Any]]:
    """Every user verb and its command."""
    found: list[tuple[str, Any]] = []

    def walk(command: Any, path: str) -> None:
        below: dict[str, Any] = getattr(command, "commands", {})
        found.extend([] if below else [(path, command)])
        for name, inside in below.items():
            if path or name not in main.SERVER_VERBS:
                walk(inside, f"{path} {name}".strip())

    walk(typer.main.get_command(main.command_line()), "")
    return found


@pytest.mark.parametrize(("path", "command"), commands(), ids=[path for path, _ in commands()])
def test_every_verb_has_help_an_example_and_the_common_options(path: str, command: Any) -> None:
    assert command.help
    assert f"sancho {path}" in command.epilog
    assert {"as_json", "use_vo", "use_url"} <= {p.name for p in command.params}
    assert all(p.help for p in command.params if p.name != "help")


def test_the_bare_install_has_the_user_verbs(tmp_path: Path) -> None:
    bare = [sys.executable, "-c", WITHOUT_SERVER]

    helped = sancho("job", "submit", "--help", tmp_path=tmp_path, command=bare)
    away = sancho("serve", tmp_path=tmp_path, command=bare)

    assert "sancho job submit simulate.yaml" in helped.stdout
    assert away.returncode == 1
    assert "needs the server's packages" in away.stderr
    assert "pip install 'sancho-grid[server]'" in away.stderr
    assert "Traceback" not in away.stderr


@pytest.mark.parametrize(
    ("words", "variables", "code", "said"),
    [
        (["whoami"], {}, 1, "No server is known"),
        (["whoami"], {"SANCHO_URL": NOWHERE}, 4, "not logged in"),
        (["job", "lst"], {}, 2, "Did you mean 'list'"),
        (["job", "show"], {}, 2, "JOB"),
        (["job", "wait"], {"SANCHO_URL": NOWHERE}, 2, "--submission"),
        (["job", "submit", "missing.yaml"], {"SANCHO_URL": NOWHERE}, 1, "cannot be read"),
        (["data", "put", "/etc"], {"SANCHO_URL": NOWHERE}, 2, "--scope"),
        (["rule", "rm", "1"], {"SANCHO_URL": NOWHERE}, 4, "not logged in"),
        (["login", "--url", NOWHERE, "--vo", "belle", "--account", "a"], {}, 1, "--password-stdin"),
    ],
)
def test_trouble_has_a_message_and_an_exit_code(
    tmp_path: Path, words: list[str], variables: dict[str, str], code: int, said: str
) -> None:
    ended = sancho(*words, tmp_path=tmp_path, variables=variables)

    assert (ended.returncode, ended.stdout) == (code, "")
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_errors_are_json_when_json_is_wanted(tmp_path: Path) -> None:
    ended = sancho("whoami", "--json", tmp_path=tmp_path, variables={"SANCHO_URL": NOWHERE})

    assert ended.stdout == ""
    assert json.loads(ended.stderr)["hint"] == "Run `sancho login --vo VO`."


@pytest.mark.parametrize(
    ("words", "code", "error", "said"),
    [
        (["status", "--home", "/nowhere"], 1, "no_grid", "There is no grid in /nowhere."),
        (["env", "--home", "/nowhere"], 1, "no_grid", "There is no grid in /nowhere."),
        (["down", "--home", "/nowhere"], 1, "no_grid", "There is no grid in /nowhere."),
        (["rotate-keys", "--home", "/nowhere"], 1, "no_grid", "There is no grid in /nowhere."),
        (["restore", "/etc/hostname", "--home", "/nowhere"], 1, "not_a_backup", "is not a backup"),
        (["status", "--hom"], 2, "usage", "--hom"),
        (["restore", "/no/such.tar"], 2, "usage", "/no/such.tar"),
        (["job", "lst"], 2, "usage", "Did you mean 'list'"),
        (["migrate", "--phase", "mid"], 2, "usage", "must be pre, post or all"),
    ],
)
def test_errors_of_the_server_and_of_usage_are_json_too(
    tmp_path: Path, words: list[str], code: int, error: str, said: str
) -> None:
    ended = sancho(*words, "--json", tmp_path=tmp_path)

    assert (ended.returncode, ended.stdout) == (code, "")
    told = json.loads(ended.stderr)
    assert told["code"] == error
    assert said in told["error"]


def test_what_stands_after_two_dashes_is_no_wish_for_json() -> None:
    assert main.wants_json(["job", "list", "--json"])
    assert not main.wants_json(["job", "list", "--", "--json"])


def test_the_plugins_that_are_installed_are_listed(tmp_path: Path) -> None:
    found = json.loads(sancho("plugins", "--json", tmp_path=tmp_path).stdout)

    ours = {(one["group"], one["name"]) for one in found if one["built_in"]}
    assert {("sancho.compute", "local"), ("sancho.storage", "webdav"), ("sancho.transfer", "streamed")} <= ours
    assert {one["distribution"] for one in found if one["built_in"]} == {"sancho-grid"}
    assert {one["version"] for one in found if one["built_in"]} == {version("sancho-grid")}
    lines = sancho("plugins", tmp_path=tmp_path).stdout.splitlines()
    assert f"sancho.compute\tlocal\tsancho-grid\t{version('sancho-grid')}\tyes" in lines


def test_vos_are_named_after_their_option_with_spaces_or_commas(tmp_path: Path) -> None:
    assert options.named_vos(["a", "b,c"], ["d", "a"]) == ("a", "b", "c", "d")
    assert options.named_vos(None, None) == ()
    refused = sancho("up", "belle", tmp_path=tmp_path)
    assert refused.returncode == 2
    assert "VOs are named after --vo" in refused.stderr


def test_a_server_that_is_away_has_an_exit_code(tmp_path: Path) -> None:
    script = "import sancho_client.cli.verbs as v; v.PATIENCE = 0.1; from sancho.cli.main import main; main()"

    command, variables = [sys.executable, "-c", script], {"SANCHO_URL": NOWHERE, "SANCHO_TOKEN": "t"}
    ended = sancho("whoami", tmp_path=tmp_path, command=command, variables=variables)

    assert ended.returncode == 5
    assert "does not answer" in ended.stderr


def test_a_wait_bears_a_server_that_is_away_until_it_is_stopped(tmp_path: Path) -> None:
    script = "import sancho_client.cli.verbs as v; v.PATIENCE = 0.1; from sancho.cli.main import main; main()"
    variables = {"SANCHO_CONFIG_HOME": str(tmp_path), "SANCHO_URL": NOWHERE, "SANCHO_TOKEN": "t"}

    with subprocess.Popen(
        [sys.executable, "-c", script, "job", "wait", "1"],
        env=os.environ | variables,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert "waiting for it to come back" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stderr.read().endswith("Stopped.\n")


def on_a_terminal(tmp_path: Path, **more: str) -> str:
    """What a failing verb says on a terminal."""
    ours, theirs = pty.openpty()
    environment = {"SANCHO_CONFIG_HOME": str(tmp_path), "PATH": os.environ["PATH"], "TERM": "xterm-256color"} | more
    try:
        subprocess.run([*SANCHO, "whoami"], env=environment, stdout=theirs, stderr=theirs, check=False)
        return os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(theirs)


def test_colour_is_for_terminals_and_can_be_turned_off(tmp_path: Path) -> None:
    assert "\x1b[1;31mError" in on_a_terminal(tmp_path)
    assert "\x1b[31" not in on_a_terminal(tmp_path, NO_COLOR="1")
    assert "\x1b" not in sancho("whoami", tmp_path=tmp_path).stderr


def test_the_shell_can_be_taught_the_verbs(tmp_path: Path) -> None:
    variables = {"_SANCHO_COMPLETE": "complete_bash", "COMP_WORDS": "sancho job su", "COMP_CWORD": "2"}

    ended = sancho(tmp_path=tmp_path, command=[INSTALLED], variables=variables)

    assert "submit" in ended.stdout


def test_every_verb_of_the_server_can_be_loaded() -> None:
    for name, verb in main.SERVER_VERBS.items():
        assert main.load(name, verb).help, name


def test_the_reference_page_is_up_to_date() -> None:
    page = ROOT / reference.PAGE

    assert page.exists(), "run python -m sancho.cli.reference"
    assert page.read_text() == reference.render(), f"{page} is stale: run python -m sancho.cli.reference"
