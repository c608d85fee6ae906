"""What the house holds by test: each check looks at a source tree and returns what it objects to."""

import ast
import re
import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from tests.architecture.source import AnyFunction, Finding, Module, modules, place, without_comments

DOORS = {"service", "model", "errors"}
RANKS = {"api": 5, "kinds": 5, "personal": 5, "tasks": 5, "service": 4, "plan": 3, "store": 3, "errors": 1, "model": 0}
RANK_OF_OTHERS = 2
COMPAT_RANKS = {
    "api": 6, "caller": 4, "streams": 4, "answers": 4, "body": 4, "translate": 3, "columns": 2.4, "attributes": 2.3,
    "parameters": 2.2, "grammar": 2.1, "errors": 2, "wire": 1, "endpoints": 1,
}  # fmt: skip
PURE = {"model", "plan"}
IMPURE_PACKAGES = {"asyncio", "anyio", "fastapi", "httpx2", "procrastinate", "psycopg", "psycopg_pool", "pydantic"}
ENTERS_ALL = {"app", "cli", "explain", "local", "parts"}
READS_ENVIRONMENT = {"os.environ", "os.environb", "os.getenv", "os.getenvb"}
STATEMENTS = {"execute", "fetch", "fetch_rows", "fetch_value", "fetch_values", "find", "stream", "stream_as"}

MODULE_LINES = 400
FUNCTION_LINES = 60
PARAMETERS = 6
FEATURE_IMPORTS = 6

TABLE = r'(?:ONLY )?(?:sancho\.)?"?([a-z_][a-z0-9_]*)"?'
UPDATE = r"(?<!\bFOR )(?<!\bKEY )(?<!\bDO )(?<!\bTHEN )\bUPDATE"
WRITE = re.compile(rf"(?:\bINSERT INTO|\bDELETE FROM|\bMERGE INTO|\bTRUNCATE(?: TABLE)?|\bCOPY|{UPDATE}) {TABLE}")
TEMPORARY = re.compile(rf"\bCREATE TEMP(?:ORARY)? TABLE (?:IF NOT EXISTS )?{TABLE}")
ANY_SQL = re.compile(r"\b(?:SELECT\b.+\bFROM|INSERT INTO|DELETE FROM|UPDATE \w+ SET)\b")
HEADING = re.compile(r"^-{12,} *(?P<feature>\S.*?) *$")
CREATE = re.compile(
    r"^ *CREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?(?P<table>[a-z_][a-z0-9_]*)(?! PARTITION OF)\b", re.IGNORECASE
)
GONE_FROM_STDLIB = {
    "asynchat",
    "asyncore",
    "cgi",
    "cgitb",
    "crypt",
    "distutils",
    "imghdr",
    "imp",
    "pipes",
    "telnetlib",
    "uu",
}
"""What somebody might still reach for; current Pythons do not have it."""


# ---- doors and order


def doors(src: Path) -> Iterator[Finding]:
    """Another feature is entered by its service, model or errors; `app` and `parts` also enter the rest."""
    for module in modules(src):
        allowed = DOORS | {"api", "kinds", "personal", "tasks"} if module.area in {"app", "parts"} else DOORS
        for name, line in module.imports:
            feature, part = place(name)
            if module.package == "sancho" and feature not in {None, module.feature} and part not in allowed:
                yield Finding(
                    module.name, f"line {line} enters {feature} by {part or 'its folder'}, not by {sorted(allowed)}"
                )


def parts(src: Path) -> Iterator[Finding]:
    """Inside a feature the names never vary, and `__init__` is prose."""
    for module in modules(src):
        if module.feature is None:
            continue
        if module.part == "" and any(
            id(getattr(node, "value", None)) not in module.docstrings for node in module.tree.body
        ):
            yield Finding(module.name, "holds code; the folder of a feature says what it is, and no more")
        elif module.part not in {"", *RANKS} and not module.feature.startswith("compat."):
            yield Finding(f"sancho.{module.feature}.{module.part}", f"is not one of {', '.join(RANKS)}")


def order(src: Path) -> Iterator[Finding]:
    """api, kinds, personal, tasks ▸ service ▸ plan, store ▸ others ▸ errors ▸ model; `plan` and `model` are pure."""
    for module in modules(src):
        if module.feature is None or module.part == "":
            continue
        in_compat = module.feature.startswith("compat.")
        for name, line in module.imports:
            feature, part = place(name)
            if (
                feature == module.feature
                and part != module.part
                and _rank(part, in_compat=in_compat) >= _rank(module.part, in_compat=in_compat)
            ):
                yield Finding(
                    module.name, f"line {line} imports {part or 'the folder'}, which is not below {module.part}"
                )
            if module.part in PURE and name.split(".")[0] in IMPURE_PACKAGES:
                yield Finding(module.name, f"line {line} imports {name.split('.')[0]}; {module.part} is pure")


def _rank(part: str, *, in_compat: bool) -> float:
    """How high a module stands in its feature; in `compat`, `rules_wire` stands right above `wire`."""
    if in_compat:
        resource, _, word = part.rpartition("_")
        return COMPAT_RANKS[word] + 0.5 * bool(resource) if word in COMPAT_RANKS else RANKS["api"]
    return RANKS.get(part, RANK_OF_OTHERS)


def lazy_imports(src: Path) -> Iterator[Finding]:
    """Nothing is imported inside a function."""
    for module in modules(src):
        for name, function in module.functions:
            for node in ast.walk(function):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    yield Finding(f"{module.name}:{name}", f"line {node.lineno} imports inside a function")


def client_users(src: Path) -> Iterator[Finding]:
    """Of the server only the command line and the local grid use the client."""
    for module in modules(src):
        for name, line in module.imports:
            if (
                module.package == "sancho"
                and module.area not in {"cli", "local"}
                and name.split(".")[0] == "sancho_client"
            ):
                yield Finding(module.name, f"line {line} imports the client")


# ---- SQL


def tables(migrations: Path) -> dict[str, str]:
    """The owner of each table: the feature in the heading under which a migration creates it, '' without one."""
    owners: dict[str, str] = {}
    for path in sorted(migrations.glob("*.sql")):
        owner = ""
        for line in path.read_text().splitlines():
            if heading := HEADING.match(line):
                owner = heading["feature"] if re.fullmatch("[a-z.]+", heading["feature"]) else ""
            elif found := CREATE.match(line):
                owners[found["table"]] = owner
    return owners


def ownerless_tables(src: Path) -> Iterator[Finding]:
    """Every table is created below the heading of the feature that owns it."""
    for table, owner in tables(src / "sancho" / "migrations").items():
        if place(f"sancho.{owner}")[0] is None or not owner:
            yield Finding(table, "is created without a heading above it that names its feature: -------------- rules")


def writes(src: Path) -> Iterator[Finding]:
    """A store reads down and writes its own: it inserts into, updates and deletes from its feature's tables alone."""
    owners = tables(src / "sancho" / "migrations")
    for module in modules(src):
        if module.feature is None or module.part != "store":
            continue
        beside = module.path.parent.glob("*.sql") if module.path.name in {"store.py", "__init__.py"} else ()
        statements = [without_comments(text) for text, _ in module.strings()]
        statements += [without_comments(path.read_text()) for path in beside]
        own = {found for text in statements for found in TEMPORARY.findall(text)}
        own |= {table for table, owner in owners.items() if owner == module.feature}
        for table in sorted({found for text in statements for found in WRITE.findall(text)} - own):
            yield Finding(f"{module.name}:{table}", f"writes {table}, which belongs to {owners.get(table) or 'nobody'}")


def sql_outside_stores(src: Path) -> Iterator[Finding]:
    """In a feature, SQL is in the store and nowhere else."""
    for module in modules(src):
        if module.feature is None or module.part == "store":
            continue
        for name, line in module.imports:
            if name.startswith("sancho.kit.db.") and name.rsplit(".", 1)[1] in STATEMENTS:
                yield Finding(module.name, f"line {line} imports {name}, which is the store's")
        for text, line in module.strings():
            if ANY_SQL.search(without_comments(text)):
                yield Finding(module.name, f"line {line} holds SQL")


# ---- limits


def long_modules(src: Path) -> Iterator[Finding]:
    """A module has at most 400 lines."""
    for module in modules(src):
        if (lines := len(module.text.splitlines())) > MODULE_LINES:
            yield Finding(module.name, f"has {lines} lines, the limit is {MODULE_LINES}")


def long_functions(src: Path) -> Iterator[Finding]:
    """A function has at most 60 lines, texts of several lines (SQL) not counted."""
    for module in modules(src):
        for name, function in module.functions:
            if (lines := _lines(module, function)) > FUNCTION_LINES:
                yield Finding(f"{module.name}:{name}", f"has {lines} lines, the limit is {FUNCTION_LINES}")


def _lines(module: Module, function: AnyFunction) -> int:
    covered: set[int] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            last = node.end_lineno or node.lineno
            if last > node.lineno and id(node) not in module.docstrings:
                covered |= set(range(node.lineno, last + 1))
    return (function.end_lineno or function.lineno) - function.lineno + 1 - len(covered)


def many_parameters(src: Path) -> Iterator[Finding]:
    """A function has at most 6 parameters; a command of the command line has as many as its user may say."""
    for module in modules(src):
        for name, function in module.functions:
            if (count := _parameters(function)) > PARAMETERS and not _is_command(function):
                yield Finding(f"{module.name}:{name}", f"has {count} parameters, the limit is {PARAMETERS}")


def _parameters(function: AnyFunction) -> int:
    a = function.args
    named = [arg.arg for arg in (*a.posonlyargs, *a.args, *a.kwonlyargs)]
    named += [arg.arg for arg in (a.vararg, a.kwarg) if arg is not None]
    return len(named) - (named[:1] in (["self"], ["cls"]))


def _is_command(function: AnyFunction) -> bool:
    names = (d.func if isinstance(d, ast.Call) else d for d in function.decorator_list)
    return any(isinstance(n, ast.Attribute) and n.attr in {"command", "callback"} for n in names)


def many_features(src: Path) -> Iterator[Finding]:
    """A module imports at most 6 other features, `vos` and `identity` not counted."""
    for module in modules(src):
        if module.area in ENTERS_ALL:
            continue
        features = {place(name)[0] for name, _ in module.imports} - {None, module.feature, "vos", "identity"}
        if len(features) > FEATURE_IMPORTS:
            yield Finding(module.name, f"imports {len(features)} features, the limit is {FEATURE_IMPORTS}")


# ---- tasks, exceptions, environment


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _argument(call: ast.Call, position: int, keyword: str) -> ast.expr | None:
    named = [k.value for k in call.keywords if k.arg == keyword]
    return named[0] if named else call.args[position] if len(call.args) > position else None


def registered_tasks(src: Path) -> set[str]:
    """The full name of every task that a feature declares in its `tasks.py`."""
    return {
        f"{module.feature}:{_text(_argument(node, 0, 'name'))}"
        for module in modules(src)
        if module.part == "tasks" and module.feature is not None
        for _, function in module.functions
        for node in function.decorator_list
        if isinstance(node, ast.Call) and _called(node) == "task"
    }


def deferred_tasks(src: Path) -> Iterator[Finding]:
    """Every task that is deferred by name is registered under it."""
    known = registered_tasks(src)
    for module in modules(src):
        for node in module.nodes:
            if not isinstance(node, ast.Call) or module.package != "sancho":
                continue
            if (
                module.part == "tasks"
                and _called(node) == "Tasks"
                and _text(_argument(node, 0, "feature")) != module.feature
            ):
                yield Finding(module.name, f"line {node.lineno} gives its tasks another name than its feature's")
            if _called(node) == "defer" and module.area != "kit":
                name = _text(_argument(node, 1, "name"))
                if name is None:
                    yield Finding(module.name, f"line {node.lineno} defers a task whose name is not a plain text")
                elif name not in known:
                    yield Finding(module.name, f"line {node.lineno} defers {name}, which no feature registers")


def broad_excepts(src: Path) -> Iterator[Finding]:
    """Only the worker loop and the pilot's outermost frame end every exception; raising it again is no end."""
    for module in modules(src):
        inside = {id(n): f"{module.name}:{name}" for name, function in module.functions for n in ast.walk(function)}
        for node in module.nodes:
            if isinstance(node, ast.ExceptHandler) and _is_broad(node.type) and not _raises_again(node):
                yield Finding(inside.get(id(node), module.name), f"line {node.lineno} catches every exception")


def _is_broad(caught: ast.expr | None) -> bool:
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(
        name is None or (isinstance(name, ast.Name) and name.id in {"Exception", "BaseException"}) for name in names
    )


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def environment_readers(src: Path) -> Iterator[Finding]:
    """The environment is read in `settings` alone."""
    for module in modules(src):
        if module.name == "sancho.settings":
            continue
        for node in module.nodes:
            if isinstance(node, ast.Attribute) and ast.unparse(node) in READS_ENVIRONMENT:
                yield Finding(module.name, f"line {node.lineno} reads the environment")
        for name, line in module.imports:
            if name in READS_ENVIRONMENT:
                yield Finding(module.name, f"line {line} reads the environment")


# ---- the pilot, and tests


def foreign_imports(src: Path) -> Iterator[Finding]:
    """The pilot imports the standard library, as all Python versions from 3.8 have it, and itself."""
    allowed = sys.stdlib_module_names - GONE_FROM_STDLIB | {"sancho_pilot"}
    for module in modules(src):
        if module.package == "sancho_pilot":
            for name, line in module.imports:
                if name.split(".")[0] not in allowed:
                    yield Finding(module.name, f"line {line} imports {name}")


def sleeps(tests: Path) -> Iterator[Finding]:
    """No test sleeps: it waits for a condition, with a deadline."""
    for module in modules(tests):
        for node in module.nodes:
            if isinstance(node, ast.Call) and _called(node) == "sleep":
                yield Finding(module.name, f"line {node.lineno} sleeps")


# ---- exceptions


def unexcused(findings: Iterable[Finding], excused: Collection[str]) -> list[str]:
    """The findings that nobody has excused, and the excuses that nothing needs any more."""
    found = list(findings)
    stale = set(excused) - {finding.subject for finding in found}
    return [str(f) for f in found if f.subject not in excused] + [
        f"{s}: needs no exception any more" for s in sorted(stale)
    ]
