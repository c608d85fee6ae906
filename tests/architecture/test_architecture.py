"""The house, held by test: what import-linter and the linter cannot say. Exceptions have a file, and a reason each."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.architecture import checks, exceptions
from tests.architecture.source import Finding

pytestmark = pytest.mark.xdist_group("house")  # what has been read is read once

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"
VERMIN = Path(sys.executable).with_name("vermin")

Check = Callable[[Path], Iterator[Finding]]

EVERYWHERE = ["src", "tests", "bench", "docs"]
CHECKS: list[tuple[Check, list[str], Mapping[str, str]]] = [
    (checks.doors, ["src"], exceptions.DOORS),
    (checks.parts, ["src"], exceptions.PARTS),
    (checks.order, ["src"], exceptions.ORDER),
    (checks.lazy_imports, EVERYWHERE, {}),
    (checks.client_users, ["src"], exceptions.CLIENT),
    (checks.ownerless_tables, ["src"], {}),
    (checks.writes, ["src"], exceptions.WRITES),
    (checks.sql_outside_stores, ["src"], exceptions.SQL),
    (checks.long_modules, EVERYWHERE, exceptions.MODULE_LINES),
    (checks.long_functions, EVERYWHERE, exceptions.FUNCTION_LINES),
    (checks.many_parameters, ["src", "bench"], exceptions.PARAMETERS),
    (checks.many_features, ["src"], exceptions.FEATURE_IMPORTS),
    (checks.deferred_tasks, ["src"], {}),
    (checks.broad_excepts, ["src", "bench"], exceptions.BROAD_EXCEPT),
    (checks.environment_readers, ["src"], exceptions.ENVIRONMENT),
    (checks.foreign_imports, ["src"], {}),
    (checks.sleeps, ["tests"], exceptions.SLEEPS),
]


@pytest.mark.parametrize(("check", "folders", "excused"), CHECKS, ids=[check.__name__ for check, _, _ in CHECKS])
def test_the_house_is_as_it_was_drawn(check: Check, folders: list[str], excused: Mapping[str, str]) -> None:
    findings = [finding for folder in folders for finding in check(ROOT / folder)]

    if objections := checks.unexcused(findings, excused):
        pytest.fail("\n  ".join([str(check.__doc__), *objections]), pytrace=False)


def test_every_exception_has_a_reason() -> None:
    for _, _, excused in CHECKS:
        assert all(len(reason) > 15 for reason in excused.values()), excused


def test_the_pilot_runs_on_python_3_8() -> None:
    report = subprocess.run(
        [VERMIN, "--target=3.8-", "--processes=1", "--violations", "--no-tips", SRC / "sancho_pilot"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert report.returncode == 0, report.stdout + report.stderr


def test_the_user_verbs_start_without_the_server() -> None:
    server = {"fastapi", "psycopg", "procrastinate", "uvicorn", "sancho.app", "sancho.kit"}
    program = "import sys, sancho.cli.main; print(*sys.modules)"

    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()

    assert not server & set(loaded)
