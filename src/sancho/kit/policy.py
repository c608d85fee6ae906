"""Policies: what a VO allows or denies beyond the permissions of its groups, and what it does so about.

A *thing* is what a permission is used on, as a text that begins with its kind: `did:mc:run7/f.root`, `site:LYON`,
`tag:gpu`, `job:17`. A *pattern* means a thing and all that is below it: `did:mc:run7` is `run7` and `run7/…`,
`did:mc:` a whole scope, and `did:mc:run*` whatever begins so. Texts without a kind mean DIDs, and so do paths of the
VO, `/belle/mc/run7`.
"""

from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache

from sancho.kit.errors import Invalid
from sancho_contract.policy import Answer, Opinion, PolicyPlugin, Question

KINDS = ("account", "did", "group", "job", "login", "pilot", "plugin", "policy", "quota", "rule", "site", "tag", "vo")


class Effect(Enum):
    """What a policy does, or who says so."""

    ALLOW = "A"
    DENY = "D"
    PLUGIN = "P"

    @property
    def word(self) -> str:
        """How it is said outside."""
        return self.name.lower()


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """One policy of a VO. Without groups and accounts it is about everybody, without patterns about everything."""

    vo: int
    name: str
    effect: Effect
    permissions: frozenset[str]
    """`*` is all of them."""
    groups: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    on: tuple[str, ...] = ()
    """Patterns, spelled out."""
    reason: str
    plugin: PolicyPlugin | None = field(default=None, compare=False)

    def concerns(self, permission: str, account: str, groups: tuple[str, ...]) -> bool:
        """Say whether it is about this account's use of a permission, on some thing."""
        if permission not in self.permissions and "*" not in self.permissions:
            return False
        return not (self.groups or self.accounts) or account in self.accounts or not self.groups.isdisjoint(groups)

    def touches(self, thing: str | None) -> bool:
        """Say whether it is about a thing; None is nothing in particular."""
        return not self.on or any_covers(self.on, thing)

    def answer(self, question: Question) -> Answer:
        """Allow, deny, or what the plugin says."""
        if self.effect is Effect.PLUGIN and self.plugin is not None:
            return self.plugin.judge(question)
        return Answer(Opinion.ALLOW if self.effect is Effect.ALLOW else Opinion.DENY, self.reason)


class PathUnfit(Invalid):
    """{path} is not a path of VO {vo}: {reason}."""

    code = "path_elsewhere"

    def __init__(self, *, path: str, vo: str, reason: str, field: str) -> None:
        """Say what is wrong with the path."""
        super().__init__(path=path[:300], vo=vo, reason=reason, field=field, hint="Paths are /VO/SCOPE/NAME.")


def spell(text: str) -> str:
    """A thing or pattern with its kind: `mc:run7` is `did:mc:run7`, and so is `mc:/run7`."""
    kind, colon, _ = text.partition(":")
    full = text if colon and kind in KINDS else f"did:{text}"
    if full.startswith("did:"):
        scope, _, name = full.removeprefix("did:").partition(":")
        return f"did:{scope}:{name.lstrip('/')}" if ":" in full[4:] else full
    return full


def spell_in(vo: str, text: str, *, field: str = "on") -> str:
    """A thing or pattern with its kind, that may be a path of a VO: `/belle/mc/run7` is `did:mc:run7`.

    A path that ends with `/` means only what lies in that directory. Raises `PathUnfit`, which blames `field`.
    """
    if not text.startswith("/"):
        return spell(text)
    if "//" in text or {".", ".."} & set(text.split("/")):
        raise PathUnfit(path=text, vo=vo, reason="it has '//', '.' or '..' in it", field=field)
    own, _, rest = text[1:].partition("/")
    if own != vo:
        raise PathUnfit(path=text, vo=vo, reason="it begins with another name", field=field)
    scope, slash, name = rest.partition("/")
    if not scope:
        return "did:*"
    return f"did:{scope}" if scope.endswith("*") and not slash else f"did:{scope}:{name}"


def did(name: str) -> str:
    """The thing that a DID is, whatever its scope is called."""
    return f"did:{name}"


def covers(pattern: str, thing: str) -> bool:
    """Say whether a pattern means a thing; both are spelled out."""
    if pattern.endswith("*"):
        return thing.startswith(pattern[:-1])
    return thing == pattern or thing.startswith(pattern if pattern.endswith((":", "/")) else f"{pattern}/")


def any_covers(patterns: tuple[str, ...], thing: str | None) -> bool:
    """Say whether one of these patterns means a thing; quick, for thousands of things."""
    exact, beginnings = _sorted_out(patterns)
    return thing is not None and (thing in exact or thing.startswith(beginnings))


@lru_cache(maxsize=10_000)
def _sorted_out(patterns: tuple[str, ...]) -> tuple[frozenset[str], tuple[str, ...]]:
    """The same as whole names, and as how names begin."""
    exact = frozenset(p for p in patterns if not p.endswith("*"))
    beginnings = tuple(p[:-1] if p.endswith("*") else p if p.endswith((":", "/")) else f"{p}/" for p in patterns)
    return exact, beginnings


def contains(wide: str, narrow: str) -> bool:
    """Say whether everything that one pattern means, another means too."""
    return wide.endswith("*") and narrow.startswith(wide[:-1]) if narrow.endswith("*") else covers(wide, narrow)


def meet(one: str, other: str) -> bool:
    """Say whether two patterns may mean the same thing."""
    a, b = one.rstrip("*"), other.rstrip("*")
    return a.startswith(b) or b.startswith(a)
