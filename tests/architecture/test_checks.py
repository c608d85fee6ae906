"""Each check objects to a small tree that breaks its rule, and to nothing in one that keeps it."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.architecture import checks
from tests.architecture.source import Finding

Check = Callable[[Path], Iterator[Finding]]

MIGRATION = """
------------------------------------------------ rules
CREATE TABLE rule (id int);
CREATE TABLE lock (            -- insert and delete only
--------------------------------------------- replicas
CREATE TABLE replica (id int);
CREATE TABLE replica_rest PARTITION OF replica DEFAULT;
"""
STORE = "async def f(conn):\n    await execute(conn, '''\n        {sql}\n    ''')\n"
MANY_PARAMETERS = "a, b, c, d, e, f, g"
LONG_SQL = "'''\n" + "\n" * 90 + "'''"
SIX = "".join(
    f"from sancho.{name} import service as {name}\n"
    for name in ("dids", "rses", "sites", "events", "rules", "replicas")
)

BAD: list[tuple[Check, Mapping[str, str]]] = [
    (checks.doors, {"sancho/rules/service.py": "from sancho.replicas import store"}),
    (checks.doors, {"sancho/rules/service.py": "from sancho.replicas.store import hold"}),
    (checks.doors, {"sancho/rules/service.py": "import sancho.replicas.tasks"}),
    (checks.doors, {"sancho/rules/service.py": "from sancho import replicas"}),
    (checks.doors, {"sancho/compat/rucio/rules.py": "from sancho.rules.plan import place"}),
    (checks.doors, {"sancho/app.py": "from sancho.rules import store"}),
    (checks.doors, {"sancho/cli/apply.py": "from sancho.vos import api"}),
    (checks.parts, {"sancho/rules/helpers.py": ""}),
    (checks.parts, {"sancho/rules/__init__.py": '"""Rules."""\nfrom sancho.rules.service import create\n'}),
    (checks.order, {"sancho/rules/store.py": "from sancho.rules import service"}),
    (checks.order, {"sancho/rules/plan.py": "from sancho.rules.store import settle"}),
    (checks.order, {"sancho/rules/api.py": "from sancho.rules import tasks"}),
    (checks.order, {"sancho/rules/store/locks.py": "from sancho.rules.service import create"}),
    (checks.order, {"sancho/rules/plan.py": "import asyncio"}),
    (checks.order, {"sancho/rules/model.py": "from pydantic import BaseModel"}),
    (checks.order, {"sancho/compat/rucio/wire.py": "from sancho.compat.rucio.rules import router"}),
    (checks.order, {"sancho/compat/rucio/rules_wire.py": "from sancho.compat.rucio import rules_translate"}),
    (checks.lazy_imports, {"sancho/kit/db.py": "def f():\n    import json\n"}),
    (
        checks.lazy_imports,
        {"sancho_pilot/main.py": "class A:\n    async def f(self):\n        from json import loads\n"},
    ),
    (checks.client_users, {"sancho/rules/service.py": "from sancho_client import Client"}),
    (checks.ownerless_tables, {"sancho/migrations/0001_pre_x.sql": "CREATE TABLE orphan (id int);"}),
    (
        checks.ownerless_tables,
        {"sancho/migrations/0001_pre_x.sql": "------------- rules\n------------- two words\nCREATE TABLE orphan ("},
    ),
    (
        checks.ownerless_tables,
        {"sancho/migrations/0001_pre_x.sql": "-------------- kit\nCREATE UNLOGGED TABLE orphan (id int);"},
    ),
    (checks.writes, {"sancho/rules/store.py": STORE.format(sql="UPDATE replica SET lock_count = 0")}),
    (
        checks.writes,
        {"sancho/rules/store.py": STORE.format(sql="WITH x AS (DELETE FROM\n ONLY replica RETURNING 1) SELECT 1")},
    ),
    (
        checks.writes,
        {"sancho/rules/store.py": STORE.format(sql="INSERT INTO rule SELECT 1; INSERT INTO sancho.replica VALUES (1)")},
    ),
    (checks.writes, {"sancho/rules/store/locks.py": STORE.format(sql="COPY replica (id) FROM STDIN")}),
    (checks.writes, {"sancho/rules/store.py": "", "sancho/rules/place.sql": "INSERT INTO replica VALUES (1)"}),
    (checks.writes, {"sancho/rules/store.py": STORE.format(sql="INSERT INTO unheard_of VALUES (1)")}),
    (checks.sql_outside_stores, {"sancho/rules/service.py": STORE.format(sql="SELECT 1 FROM rule")}),
    (checks.sql_outside_stores, {"sancho/rules/tasks.py": "from sancho.kit.db import fetch"}),
    (checks.long_modules, {"sancho/rules/plan.py": "\n" * 401}),
    (checks.long_functions, {"sancho/rules/plan.py": "def f():\n" + "    1\n" * 60}),
    (checks.long_functions, {"sancho/rules/plan.py": "class A:\n    async def f(self):\n" + "        1\n" * 60}),
    (checks.long_functions, {"sancho/rules/plan.py": f"def f():\n    x = {LONG_SQL}\n" + "    1\n" * 60}),
    (checks.many_parameters, {"sancho/rules/plan.py": f"def f({MANY_PARAMETERS}): ..."}),
    (checks.many_parameters, {"sancho/rules/plan.py": f"class A:\n    def f(self, *, {MANY_PARAMETERS}): ..."}),
    (checks.many_parameters, {"sancho/rules/plan.py": "def f(a, b, c, d, e, *f, **g): ..."}),
    (checks.many_features, {"sancho/jobs/service.py": SIX + "from sancho.uploads import service"}),
    (checks.deferred_tasks, {"sancho/rules/service.py": "async def f(conn): await defer(conn, 'rules:place')"}),
    (checks.deferred_tasks, {"sancho/rules/service.py": "async def f(conn, name): await tasks.defer(conn, name)"}),
    (checks.deferred_tasks, {"sancho/rules/tasks.py": "tasks = Tasks('replicas')"}),
    (checks.broad_excepts, {"sancho/rules/tasks.py": "try: ...\nexcept Exception: ..."}),
    (checks.broad_excepts, {"sancho/rules/tasks.py": "def f():\n    try: ...\n    except: ..."}),
    (checks.broad_excepts, {"sancho/rules/tasks.py": "try: ...\nexcept (KeyError, BaseException) as e: ..."}),
    (checks.environment_readers, {"sancho/kit/db.py": "import os\nx = os.environ['HOME']"}),
    (checks.environment_readers, {"sancho_client/a.py": "from os import getenv"}),
    (checks.foreign_imports, {"sancho_pilot/main.py": "import requests"}),
    (checks.foreign_imports, {"sancho_pilot/main.py": "from sancho.kit import clock"}),
    (checks.foreign_imports, {"sancho_pilot/main.py": "import cgi"}),
    (checks.sleeps, {"rules/test_x.py": "async def test_x():\n    await asyncio.sleep(1)"}),
    (checks.sleeps, {"rules/test_x.py": "from time import sleep\nsleep(1)"}),
]

GOOD: list[tuple[Check, Mapping[str, str]]] = [
    (
        checks.doors,
        {"sancho/rules/service.py": "from sancho.replicas import model, service\nfrom sancho.dids.errors import Lost"},
    ),
    (checks.doors, {"sancho/rules/service.py": "from sancho.kit.access import Caller\nfrom sancho.rules import store"}),
    (checks.doors, {"sancho/app.py": "from sancho.rules import api, tasks"}),
    (
        checks.parts,
        {"sancho/rules/__init__.py": '"""Rules."""', "sancho/rules/store/locks.py": "", "sancho/rules/model.py": ""},
    ),
    (
        checks.parts,
        {"sancho/compat/rucio/wire.py": "", "sancho/kit/anything.py": "x = 1", "sancho_client/__init__.py": "x = 1"},
    ),
    (
        checks.order,
        {"sancho/rules/service.py": "from sancho.rules import plan, store\nfrom sancho.rules.model import Rule"},
    ),
    (checks.order, {"sancho/rules/errors.py": "from sancho.rules.model import RuleState"}),
    (checks.order, {"sancho/rules/store/__init__.py": "from sancho.rules.store.locks import lock"}),
    (
        checks.order,
        {"sancho/rules/grammar.py": "import lark", "sancho/rules/plan.py": "from sancho.rules.grammar import parse"},
    ),
    (checks.order, {"sancho/compat/rucio/rules.py": "from sancho.compat.rucio import rules_translate, wire"}),
    (checks.lazy_imports, {"sancho/kit/db.py": "import json\ndef f(): ..."}),
    (
        checks.client_users,
        {"sancho/cli/main.py": "import sancho_client", "sancho_client/cli/a.py": "from sancho_client import Client"},
    ),
    (checks.ownerless_tables, {}),
    (
        checks.writes,
        {
            "sancho/rules/store.py": STORE.format(
                sql="INSERT INTO rule SELECT id FROM replica ON CONFLICT DO UPDATE SET a = 1"
            )
        },
    ),
    (checks.writes, {"sancho/rules/store.py": STORE.format(sql="SELECT 1 FROM replica FOR UPDATE; -- UPDATE replica")}),
    (checks.writes, {"sancho/rules/store.py": STORE.format(sql="SELECT 1 FROM replica FOR NO KEY UPDATE SKIP LOCKED")}),
    (
        checks.writes,
        {"sancho/rules/store.py": STORE.format(sql="CREATE TEMP TABLE wish (id int); COPY wish FROM STDIN")},
    ),
    (checks.writes, {"sancho/rules/store.py": '"""INSERT INTO replica is not ours."""'}),
    (
        checks.sql_outside_stores,
        {
            "sancho/rules/service.py": "x = 'Select an account from the list'",
            "sancho/kit/db.py": "x = 'SELECT 1 FROM rule'",
        },
    ),
    (checks.long_modules, {"sancho/rules/plan.py": "\n" * 400}),
    (checks.long_functions, {"sancho/rules/store.py": f"def f():\n    x = {LONG_SQL}\n" + "    1\n" * 58}),
    (checks.many_parameters, {"sancho/rules/plan.py": "class A:\n    def f(self, a, b, c, d, *, e, f): ..."}),
    (checks.many_parameters, {"sancho/cli/a.py": f"@app.command('up')\ndef f({MANY_PARAMETERS}): ..."}),
    (
        checks.many_features,
        {"sancho/jobs/service.py": SIX + "from sancho.vos import service\nfrom sancho.identity import service"},
    ),
    (
        checks.many_features,
        {
            "sancho/app.py": SIX + "from sancho.uploads import api",
            "sancho/jobs/plan.py": "from sancho.jobs import model",
        },
    ),
    (
        checks.deferred_tasks,
        {
            "sancho/replicas/service.py": "async def f(conn): await defer(conn, 'rules:place', vo=1)",
            "sancho/rules/tasks.py": "tasks = Tasks('rules')\n@tasks.task('place')\nasync def place(): ...",
        },
    ),
    (checks.broad_excepts, {"sancho/rules/tasks.py": "try: ...\nexcept (KeyError, OSError): ..."}),
    (checks.broad_excepts, {"sancho/rules/tasks.py": "try: ...\nexcept BaseException:\n    clean()\n    raise"}),
    (
        checks.environment_readers,
        {"sancho/settings.py": "import os\nx = os.environ['HOME']", "sancho/kit/db.py": "import os\nos.getpid()"},
    ),
    (
        checks.foreign_imports,
        {"sancho_pilot/main.py": "import json, urllib.request\nfrom sancho_pilot.machine import step"},
    ),
    (checks.sleeps, {"rules/test_x.py": "async def test_x():\n    await until(arrived)"}),
]


def plant(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in {"sancho/migrations/0000_pre_tables.sql": MIGRATION, **files}.items():
        path = root / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root / "src"


@pytest.mark.parametrize(("check", "files"), BAD)
def test_a_broken_rule_is_found(check: Check, files: Mapping[str, str], tmp_path: Path) -> None:
    assert list(check(plant(tmp_path, files)))


@pytest.mark.parametrize(("check", "files"), GOOD)
def test_what_keeps_the_rule_is_let_pass(check: Check, files: Mapping[str, str], tmp_path: Path) -> None:
    assert list(check(plant(tmp_path, files))) == []


@pytest.mark.parametrize("check", dict.fromkeys(check for check, _ in BAD))
def test_an_empty_tree_breaks_no_rule(check: Check, tmp_path: Path) -> None:
    assert list(check(tmp_path / "src")) == []


def test_an_exception_excuses_its_subject_and_no_other() -> None:
    findings = [Finding("sancho.rules.plan", "too long"), Finding("sancho.rules.store", "too long")]

    assert checks.unexcused(findings, {"sancho.rules.plan"}) == ["sancho.rules.store: too long"]


def test_an_exception_that_nothing_needs_is_reported() -> None:
    assert checks.unexcused([], {"sancho.rules.plan"}) == ["sancho.rules.plan: needs no exception any more"]
