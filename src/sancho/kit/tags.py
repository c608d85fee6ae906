"""The language in which a job says what tags a slot must have. Pure; one look at each name of a text answers it.

    cvmfs:lhcb & (os:el9 | os:ubuntu26) & ~site:X

A slot has the tags of its CE, and besides them `site:NAME`, `arch:x86_64` and `system:linux` where these are known.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, TypeAlias, cast

from lark import Lark, Token, Transformer, UnexpectedInput

from sancho.kit.errors import Invalid
from sancho.kit.grammar import fault_of, mark

LONGEST = 2000
DEEPEST = 20
NEGATED = 2
"""How many `~` may stand in a row."""
_SAID = {"TAG": "a tag", "LPAR": "(", "RPAR": ")", "VBAR": "|", "TILDE": "~", "AMPERSAND": "&", "$END": "the end"}


class TagsMalformed(Invalid):
    """This wish for tags is not well-formed at position {position}: {wish} {reason}."""

    code = "tags_malformed"

    def __init__(self, *, wish: str, position: int, reason: str, field: str | None = "tags") -> None:
        """`wish` is the part around the fault, which stands between ▶ and ◀; positions count from 1."""
        super().__init__(
            wish=wish, position=position, reason=reason, field=field,
            hint="Write for example: cvmfs:lhcb & (os:el9 | os:ubuntu26) & ~site:X",
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Each:
    """Met when all of these are."""

    terms: "tuple[Wish, ...]"


@dataclass(frozen=True, slots=True)
class OneOf:
    """Met when one of these is."""

    terms: "tuple[Wish, ...]"


@dataclass(frozen=True, slots=True)
class No:
    """Met when its term is not."""

    term: "Wish"


Wish: TypeAlias = str | Each | OneOf | No
"""A tag, or something about tags."""


class _Build(Transformer[Token, Any]):
    def negated(self, found: list[Any]) -> No:
        return No(_plain(found[0]))

    def all(self, found: list[Any]) -> Wish:
        return _plain(found[0]) if len(found) == 1 else Each(tuple(map(_plain, found)))

    def either(self, found: list[Any]) -> Wish:
        return found[0] if len(found) == 1 else OneOf(tuple(found))


def _plain(found: Any) -> Wish:
    return str(found) if isinstance(found, Token) else found


_parser: Any = Lark(
    files("sancho.kit").joinpath("tags.lark").read_text("utf-8"), start="wish", parser="lalr", transformer=_Build()
)


@lru_cache(maxsize=4096)
def parse(text: str) -> Wish:
    """Read a wish; raises `TagsMalformed`, which shows where it cannot be read."""
    if len(text) > LONGEST:
        raise TagsMalformed(wish=mark(text, LONGEST), position=LONGEST + 1, reason=f"is longer than {LONGEST}")
    depth = denied = 0
    for at, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        denied = denied + 1 if character == "~" else denied if character.isspace() else 0
        if depth > DEEPEST or denied > NEGATED:
            raise TagsMalformed(wish=mark(text, at), position=at + 1, reason="is nested too deep")
    try:
        return cast(Wish, _parser.parse(text))
    except UnexpectedInput as e:
        at, expected = fault_of(text, e, _SAID)
    raise TagsMalformed(wish=mark(text, at), position=at + 1, reason=f"should have {expected} there")


def holds(wish: Wish, tags: Collection[str]) -> bool:
    """Say whether these tags are what was wished for."""
    if isinstance(wish, str):
        return wish in tags
    if isinstance(wish, No):
        return not holds(wish.term, tags)
    each = (holds(term, tags) for term in wish.terms)
    return all(each) if isinstance(wish, Each) else any(each)


def wanted(wish: Wish) -> list[str]:
    """The tags that a wish names as good ones, in order: not those that it refuses."""
    if isinstance(wish, str):
        return [wish]
    return [] if isinstance(wish, No) else [tag for term in wish.terms for tag in wanted(term)]
