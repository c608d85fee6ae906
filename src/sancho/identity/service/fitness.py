"""Which new passwords are refused: those that are tried first, made of words that are near, or stolen elsewhere.

Nothing is asked of capitals or digits: that makes passwords harder to remember, not to guess.
"""

import math
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from zxcvbn import zxcvbn
from zxcvbn.frequency_lists import FREQUENCY_LISTS
from zxcvbn.matching import L33T_TABLE

from sancho.identity.errors import PasswordBreached, PasswordFrequent, PasswordObvious
from sancho.identity.model import SHORTEST_PASSWORD
from sancho.kit.breached import BreachedPasswords
from sancho.kit.deployment import Deployment

ALWAYS_NEAR = ("sancho", "password")
SHORTEST_WORD = 3
FEWEST_GUESSES = 10**6
"""A password that takes fewer guesses is refused; zxcvbn calls them very guessable."""
PIECE, MOST_PIECES = 16, 2
"""How much of a password is estimated at once, which takes as long as a hash at worst, and how often."""
FREQUENT = frozenset(word for words in FREQUENCY_LISTS.values() for word in words if len(word) >= SHORTEST_PASSWORD)
"""Frequent passwords, words and names: zxcvbn has each of them in the list in which it stands highest."""

_estimating = threading.Lock()  # zxcvbn changes a global as it goes, and hashes are computed in several threads


@dataclass(frozen=True, kw_only=True)
class Fitness:
    """What a new password is held against: names of what is near, and those that were stolen elsewhere."""

    names: tuple[str, ...] = ()
    breached: BreachedPasswords | None = None

    def beside(self, *names: str) -> "Fitness":
        """The same, with more names that are near."""
        return replace(self, names=(*self.names, *names))

    @property
    def words(self) -> list[str]:
        """The words that count for nothing in a password, in order; a name may hold several."""
        parts = {part for name in self.names for part in re.split(r"[^a-z0-9]+", name.lower())}
        return sorted({*ALWAYS_NEAR, *(p for p in parts if len(p) >= SHORTEST_WORD and not p.isdigit())})


def fitness_at(public_url: str, breached: BreachedPasswords | None) -> Fitness:
    """What every new password of an installation is held against."""
    return Fitness(names=(urlsplit(public_url).hostname or "",), breached=breached)


def fitness_in(deployment: Deployment, *names: str) -> Fitness:
    """What a new password is held against in a deployment; `names` are those of the VO and the account."""
    return fitness_at(deployment.public_url, deployment.breached).beside(*names)


def check(password: str, against: Fitness) -> None:
    """Raise `PasswordFrequent`, `PasswordObvious` or `PasswordBreached`; takes a while, so call it beside the loop."""
    if _is_frequent(password):
        raise PasswordFrequent
    rest = without(password, against.words)
    if len(rest) < SHORTEST_PASSWORD or (rest != password and _is_frequent(rest)):
        raise PasswordObvious(words=", ".join(against.words), shortest=SHORTEST_PASSWORD)
    if against.breached is not None and against.breached.has(password):
        raise PasswordBreached


def without(password: str, words: Iterable[str]) -> str:
    """What is left of a password when words are taken out, written with other signs for letters too."""
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    pattern = "|".join("".join(_alike(letter) for letter in word) for word in longest_first)
    return re.sub(pattern, "", password, flags=re.IGNORECASE) if pattern else password


def _alike(letter: str) -> str:
    return f"[{re.escape(''.join([letter, *L33T_TABLE.get(letter, [])]))}]"


def _is_frequent(password: str) -> bool:
    if password.lower() in FREQUENT:
        return True
    pieces = [password[i : i + PIECE] for i in range(0, len(password), PIECE)]
    if len(pieces) > MOST_PIECES:
        return False
    with _estimating:
        return math.prod(zxcvbn(piece)["guesses"] for piece in pieces) < FEWEST_GUESSES
