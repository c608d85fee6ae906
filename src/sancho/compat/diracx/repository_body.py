"""The text of a DiracX configuration, read within limits: YAML of mappings, lists and scalars, and no more."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.constructor import ConstructorError, SafeConstructor
from yaml.resolver import Resolver

from sancho.compat.diracx.repository_errors import RepositoryUnfit

LARGEST = 8_000_000
"""Bytes of a text."""
MOST_NODES = 500_000
"""Scalars, lists and mappings in it, counted as often as aliases repeat them."""
DEEPEST = 40
"""Mappings and lists in each other."""
LONGEST_NAME = 1000
PLAIN = "tag:yaml.org,2002:"
KEPT_AS_TEXT = frozenset({f"{PLAIN}timestamp"})
KNOWN = frozenset({f"{PLAIN}{kind}" for kind in ("null", "bool", "int", "float", "str")})

RESOLVER: Any = Resolver()
CONSTRUCTOR: Any = SafeConstructor()
"""Makes scalars one by one; it is never given anything else."""


def parse(text: bytes, file: str) -> dict[str, Any]:
    """Read a text, which makes nothing but dictionaries, lists, texts, numbers, booleans and None.

    Raises `RepositoryUnfit`, naming the line or the path, for what is too large, too deep, repeats itself by aliases,
    says a name twice, or wants to be anything else. Dates stay the texts that they are.
    """
    if len(text) > LARGEST:
        raise RepositoryUnfit(file=file, place="all of it", problem=f"is longer than {LARGEST} bytes")
    try:
        # Events, not nodes: what is put together of nodes is put together by recursion, without a limit.
        return _Reading(file, yaml.parse(text.decode(), Loader=yaml.CSafeLoader)).document()
    except UnicodeDecodeError as e:
        raise RepositoryUnfit(file=file, place=f"byte {e.start + 1}", problem="is not UTF-8") from e
    except yaml.MarkedYAMLError as e:
        place = "all of it" if e.problem_mark is None else f"line {e.problem_mark.line + 1}"
        raise RepositoryUnfit(file=file, place=place, problem=e.problem or "is not YAML") from e
    except yaml.YAMLError as e:
        raise RepositoryUnfit(file=file, place="all of it", problem=f"is not YAML: {str(e)[:200]}") from e


@dataclass
class _Reading:
    """One text on its way."""

    file: str
    events: Iterator[yaml.Event]
    path: list[str] = field(default_factory=list[str])
    nodes: int = 0
    anchors: dict[str, tuple[Any, int]] = field(default_factory=dict[str, tuple[Any, int]])
    """What aliases stand for, and of how many nodes that is made."""

    def document(self) -> dict[str, Any]:
        """Read the only document, a mapping."""
        event = next(e for e in self.events if not isinstance(e, yaml.StreamStartEvent | yaml.DocumentStartEvent))
        if not isinstance(event, yaml.MappingStartEvent):
            raise self._unfit(event, "is not a mapping of sections")
        made: dict[str, Any] = self._value(event)
        rest = [e for e in self.events if not isinstance(e, yaml.DocumentEndEvent | yaml.StreamEndEvent)]
        if rest:
            raise self._unfit(rest[0], "begins a second document")
        return made

    def _value(self, event: yaml.Event) -> Any:
        before = self.nodes
        self._count(event, 1)
        if isinstance(event, yaml.AliasEvent):
            value, nodes = self.anchors.get(event.anchor or "", (None, 0))
            if not nodes:
                raise self._unfit(event, "is an alias of what is not said before it")
            self._count(event, nodes)
            return value
        if len(self.path) > DEEPEST:
            raise self._unfit(event, f"is deeper than {DEEPEST} levels")
        if isinstance(event, yaml.MappingStartEvent) and event.tag in {None, f"{PLAIN}map"}:
            value = self._mapping()
        elif isinstance(event, yaml.SequenceStartEvent) and event.tag in {None, f"{PLAIN}seq"}:
            value = self._list()
        elif isinstance(event, yaml.ScalarEvent):
            value = self._scalar(event)
        else:
            raise self._unfit(event, f"is a {getattr(event, 'tag', None)}, which no configuration has")
        if (anchor := getattr(event, "anchor", None)) is not None:
            self.anchors[anchor] = value, self.nodes - before
        return value

    def _mapping(self) -> dict[str, Any]:
        """Read a mapping; its names are texts, whatever they look like."""
        made: dict[str, Any] = {}
        while not isinstance(key := next(self.events), yaml.MappingEndEvent):
            if not isinstance(key, yaml.ScalarEvent) or (key.value == "<<" and not key.style):
                raise self._unfit(key, "has a name that is no plain text")
            if not key.value.isprintable() or len(key.value) > LONGEST_NAME:
                raise self._unfit(key, f"has a name that is no plain text of {LONGEST_NAME} characters at most")
            self.path.append(key.value)
            if key.value in made:
                raise self._unfit(key, "is said twice")
            made[key.value] = self._value(next(self.events))
            self.path.pop()
        return made

    def _list(self) -> list[Any]:
        made: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            self.path.append(str(len(made)))
            made.append(self._value(event))
            self.path.pop()
        return made

    def _scalar(self, event: yaml.ScalarEvent) -> Any:
        self._check(event)
        said = None if event.tag in {None, "!"} else str(event.tag)
        tag: str = said or RESOLVER.resolve(yaml.ScalarNode, event.value, event.implicit)
        if tag in KEPT_AS_TEXT:
            return event.value
        if tag not in KNOWN:
            raise self._unfit(event, f"is a {tag[:100]}, which no configuration has")
        try:
            value = CONSTRUCTOR.construct_object(yaml.ScalarNode(tag, event.value))
        except (ConstructorError, ValueError, OverflowError, KeyError) as e:
            raise self._unfit(event, "is not what it looks like") from e
        if isinstance(value, float) and not math.isfinite(value):
            raise self._unfit(event, "is no number that can be kept")
        return value

    def _check(self, event: yaml.ScalarEvent) -> None:
        if "\0" in event.value or _is_half(event.value):
            raise self._unfit(event, "is no text that can be kept")

    def _count(self, event: yaml.Event, nodes: int) -> None:
        self.nodes += nodes
        if self.nodes > MOST_NODES:
            raise self._unfit(event, f"is beyond the {MOST_NODES} values that a configuration may have")

    def _unfit(self, event: yaml.Event, problem: str) -> RepositoryUnfit:
        line = 0 if event.start_mark is None else event.start_mark.line + 1
        where = "/".join(name[:100] for name in self.path)[-300:] or "the top"
        return RepositoryUnfit(file=self.file, place=f"line {line}: {where}", problem=problem)


def _is_half(text: str) -> bool:
    """Whether it holds half of a character."""
    return not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)
