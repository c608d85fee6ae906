r"""JDL, in which DIRAC's users describe jobs: read a text into attributes, and write attributes as text. Pure.

    [                                  brackets around all of it may be left out
      Executable = "/bin/sh";          names are the same in capitals and small letters, and stand once
      Arguments = "-c \"echo %n\"";    \" and \\ stand for themselves, any other backslash for a backslash
      InputData = {"LFN:/a", "/b"};    lists, of lists as well
      Environment = [A = "1"];         records
      CPUTime = 3600;                  bare words are a text, as are numbers and booleans: 007 stays 007
      # to the end of the line; so does //, and what stands between /* and */
    ]

Nothing in it is ever evaluated. The text's size, how deep it nests and how many values it has are looked at before it
is read, so that reading ends soon whatever it is given.
"""

import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any, TypeAlias, cast

from lark import Lark, Token, Transformer, UnexpectedInput

from sancho.compat.diracx.errors import JdlMalformed, JdlUnfit
from sancho.kit.grammar import fault_of, mark

LONGEST = 4_000_000
"""Characters of one JDL, and of all that are sent together."""
DEEPEST = 10
MOST_PARTS = 100_000
"""Names, values and signs of all JDLs that are sent together; values of all jobs, where they are spread out."""
Value: TypeAlias = str | list["Value"] | dict[str, "Value"]
Attributes: TypeAlias = dict[str, Value]
"""What a JDL says, by the names as they are spelled there."""

_PARTS = re.compile(
    r"""
    (?P<said> "(?:\\.|[^"\\])*" | (?!//|/\*)[^\s"{}\[\];,=\#][^\s"{}\[\];,\#]* )
    | \#[^\n]* | //[^\n]* | /\*.*?\*/
    | (?P<sign> [{}\[\];,=] | " | /\* )
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r'\\(["\\])')
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_SAID = {
    "NAME": "the name of an attribute", "QUOTED": "a value", "WORD": "a value", "EQUAL": "=", "SEMICOLON": ";",
    "COMMA": ",", "LBRACE": "{", "RBRACE": "}", "LSQB": "[", "RSQB": "]", "$END": "the end",
}  # fmt: skip


class _Build(Transformer[Token, Any]):
    """Makes attributes of what the parser finds, from the inside out."""

    def quoted(self, found: list[Token]) -> str:
        return _ESCAPED.sub(r"\1", str(found[0])[1:-1])

    def bare(self, found: list[Token]) -> str:
        if found[-1].line != found[0].line:
            raise _BuildError(next(word for word in found if word.line != found[0].line), "there should be ; before it")
        return " ".join(map(str, found))

    def several(self, found: list[Value]) -> list[Value]:
        return found

    def attribute(self, found: list[Any]) -> tuple[Token, Value]:
        return found[0], found[1]

    def record(self, found: Sequence[tuple[Token, Value]]) -> Attributes:
        seen: set[str] = set()
        for name, _ in found:
            if name.lower() in seen:
                raise _BuildError(name, "stands there a second time")
            seen.add(name.lower())
        return {str(name): value for name, value in found}

    jdl = record


class _BuildError(Exception):
    def __init__(self, token: Token, reason: str) -> None:
        self.token = token
        self.reason = reason


_parser: Any = Lark(
    files("sancho.compat.diracx").joinpath("jdl.lark").read_text("utf-8"),
    start="jdl", parser="lalr", lexer="contextual", transformer=_Build(),
)  # fmt: skip


def parse(text: str) -> Attributes:
    """Read a JDL; raises `JdlMalformed`, which names line and column, and nothing else whatever the text."""
    if len(text) > LONGEST:
        raise _malformed(text, LONGEST, f"it is longer than {LONGEST} characters")
    count_parts(text)
    try:
        return cast(Attributes, _parser.parse(text))
    except UnexpectedInput as e:
        at, expected = fault_of(text, e, _SAID)
        reason = f"there should be {expected}"
    except _BuildError as e:
        at, reason = e.token.start_pos or 0, e.reason
    raise _malformed(text, at, reason)


def count_parts(text: str) -> int:
    """The names, values and signs in a text, by which the time goes that it takes to read; as the grammar has them.

    Raises `JdlMalformed` when they are too many, nest too deeply or never end.
    """
    depth = parts = 0
    for found in _PARTS.finditer(text):
        parts += found.lastgroup is not None
        match found["sign"]:
            case '"' | "/*":
                raise _malformed(text, found.start(), "what begins there is never closed")
            case "{" | "[":
                depth += 1
            case "}" | "]":
                depth -= 1
            case _:
                pass
        if depth > DEEPEST:
            raise _malformed(text, found.start(), f"it nests deeper than {DEEPEST} brackets")
        if parts > MOST_PARTS:
            raise _malformed(text, found.start(), f"it has more than {MOST_PARTS} names, values and signs")
    return parts


def _malformed(text: str, at: int, reason: str) -> JdlMalformed:
    before = text[:at]
    column = at - (before.rfind("\n") + 1) + 1
    return JdlMalformed(
        line=before.count("\n") + 1, column=column, near=" ".join(mark(text, at).split()), reason=reason
    )


def render(attributes: Mapping[str, Value]) -> str:
    """Write attributes as JDL: what `parse` reads back. Raises `JdlUnfit` for what can be no name."""
    lines = [f"    {_name(name)} = {_rendered(value)};\n" for name, value in attributes.items()]
    return f"[\n{''.join(lines)}]"


def _rendered(value: Value) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, list):
        return "{" + ", ".join(map(_rendered, value)) + "}"
    return "[" + "; ".join(f"{_name(name)} = {_rendered(one)}" for name, one in value.items()) + "]"


def _name(name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise JdlUnfit(attribute=name[:100], reason="cannot be the name of an attribute")
    return name
