"""The source tree as the architecture tests see it: modules, what they import, their strings and functions."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef

NO_FEATURES = {"app", "cli", "kit", "local", "migrations", "parts", "settings"}
"""What lies in `sancho` beside the features."""


@dataclass(frozen=True)
class Finding:
    """Something a check objects to; `subject` is what an exception would name."""

    subject: str
    text: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.text}"


@dataclass(frozen=True)
class Module:
    """One Python file below a source root."""

    name: str
    path: Path

    @cached_property
    def text(self) -> str:
        """The file as it is."""
        return self.path.read_text()

    @cached_property
    def tree(self) -> ast.Module:
        """The file, parsed."""
        return ast.parse(self.text, self.path)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Everything in the file, for walking over it takes long and each check does."""
        return list(ast.walk(self.tree))

    @property
    def package(self) -> str:
        """The top-level package, `sancho_client` for example."""
        return self.name.split(".")[0]

    @property
    def feature(self) -> str | None:
        """The feature this module belongs to: `rules`, `compat.rucio`; None outside of features."""
        return place(self.name)[0]

    @property
    def area(self) -> str:
        """The feature, or what stands beside the features: `kit`, `cli`; '' outside of `sancho`."""
        return self.feature or place(self.name)[1]

    @property
    def part(self) -> str:
        """The module's name inside its feature: `store` for `sancho.rules.store.locks` as well."""
        return place(self.name)[1]

    @cached_property
    def imports(self) -> list[tuple[str, int]]:
        """Every imported dotted name with its line; `from a import b` is `a.b`."""
        found: list[tuple[str, int]] = []
        for node in self.nodes:
            if isinstance(node, ast.Import):
                found += [(alias.name, node.lineno) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                found += [(f"{node.module}.{alias.name}", node.lineno) for alias in node.names]
        return found

    @cached_property
    def docstrings(self) -> set[int]:
        """The `id` of each node that is a docstring, or a note below an attribute."""
        return {
            id(statement.value)
            for node in self.nodes
            if isinstance(node, ast.Module | ast.ClassDef | AnyFunction)
            for statement in node.body
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        }

    def strings(self) -> Iterator[tuple[str, int]]:
        """Every string that is not a docstring, with its line."""
        for node in self.nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in self.docstrings:
                yield node.value, node.lineno

    @cached_property
    def functions(self) -> list[tuple[str, AnyFunction]]:
        """Every function and method with its qualified name."""
        return list(_functions(self.tree, ""))


def _functions(parent: ast.AST, prefix: str) -> Iterator[tuple[str, AnyFunction]]:
    for node in ast.iter_child_nodes(parent):
        if isinstance(node, AnyFunction):
            yield prefix + node.name, node
            yield from _functions(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{prefix}{node.name}.")
        elif not isinstance(node, ast.expr):
            yield from _functions(node, prefix)


def place(name: str) -> tuple[str | None, str]:
    """Split a dotted name into feature and part: `sancho.rules.store.locks` is in `rules`, part `store`."""
    words = name.split(".")
    if words[0] != "sancho" or len(words) < 2:
        return None, ""
    if words[1] in NO_FEATURES or words[1] == "__main__":
        return None, words[1]
    depth = 2 if words[1] == "compat" else 1
    return ".".join(words[1 : depth + 1]), words[depth + 1] if len(words) > depth + 1 else ""


@cache
def modules(folder: Path) -> list[Module]:
    """Every module below a folder; those of `src` are named as they are imported, others from the folder on."""
    root = folder if folder.name == "src" else folder.parent
    return [Module(_dotted(path.relative_to(root)), path) for path in sorted(folder.rglob("*.py"))]


def _dotted(path: Path) -> str:
    words = path.with_suffix("").parts
    return ".".join(words[:-1] if words[-1] == "__init__" and len(words) > 1 else words)


def without_comments(sql: str) -> str:
    """SQL without its comments, on one line."""
    return re.sub(r"\s+", " ", re.sub(r"--[^\n]*", " ", sql))
