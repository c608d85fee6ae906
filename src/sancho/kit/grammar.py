"""What is wrong with a text that a grammar does not know, as people are told."""

from collections.abc import Mapping
from typing import Any

from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken


def fault_of(text: str, e: UnexpectedInput, words: Mapping[str, str]) -> tuple[int, str]:
    """Where in a text reading stopped, from 0, and what was expected there; `words` say the grammar's terminals."""
    fault: Any = e
    at, terminals = len(text.rstrip()), getattr(fault, "expected", set[str]())
    if isinstance(e, UnexpectedToken) and fault.token.type != "$END":
        at, terminals = fault.token.start_pos, e.accepts or e.expected
    elif isinstance(e, UnexpectedCharacters):
        at, terminals = fault.pos_in_stream, e.allowed or set()
    said = sorted({words.get(str(terminal), str(terminal)) for terminal in terminals})
    return at, " or ".join(said) or "something else"


def mark(text: str, at: int) -> str:
    """The text around a place, with what stands there between ▶ and ◀."""
    return text[max(0, at - 20) : at] + "▶" + text[at : at + 1] + "◀" + text[at + 1 : at + 20]
