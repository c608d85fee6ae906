"""Passwords: hashed by argon2id beside the event loop, a bounded number at once, and guarded against guessing.

Those that are to be hashed wait in turns of the addresses they came from, so that a flood from a few leaves the
others their turn; an address from which somebody has logged in counts for more, so that a flood from very many does.
"""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cache
from typing import TypeVar

import argon2
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from sancho.identity.errors import LoginsBusy, PasswordUnfit, TooManyLogins
from sancho.identity.model import LONGEST_PASSWORD, SHORTEST_PASSWORD
from sancho.identity.service.fitness import Fitness, check
from sancho.kit.fair import Crowded, Party, Turns, asking

T = TypeVar("T")

AT_ONCE = 2
"""Hashes computed at once; each takes 64 MiB and some 50 ms of a core."""
MOST_WAITING = 30
"""Passwords that wait to be hashed."""
KNOWN, MOST_KNOWN = 8.0, 10_000
"""What an address counts from which a password was right, and how many such are remembered."""
ANY = Fitness()
"""Nothing is near, and no list of breached passwords is there."""
_hasher = PasswordHasher()
_threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="argon2")
_known: OrderedDict[Party, None] = OrderedDict()


def _weigh(address: Party) -> float:
    return KNOWN if address in _known else 1.0


_turns = Turns(AT_ONCE, room=MOST_WAITING, weigh=_weigh)


@cache
def _nobodys_hash() -> str:
    return _hasher.hash("a password that nobody has")


async def _beside(function: Callable[[], T]) -> T:
    try:
        async with _turns.turn(asking.get()):
            return await asyncio.get_running_loop().run_in_executor(_threads, function)
    except Crowded as e:
        raise LoginsBusy from e


def check_room() -> None:
    """Raise `LoginsBusy` when so many passwords wait to be hashed that this address's would not even be let wait."""
    try:
        _turns.check_room(asking.get())
    except Crowded as e:
        raise LoginsBusy from e


def _remember(address: Party) -> None:
    _known[address] = None
    _known.move_to_end(address)
    if len(_known) > MOST_KNOWN:
        _known.popitem(last=False)


async def make_hash(password: str, against: Fitness = ANY) -> str:
    """Hash a new password.

    Raises `PasswordUnfit`, `PasswordFrequent`, `PasswordObvious` or `PasswordBreached` when it is no good one.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD or not _is_text(password):
        raise PasswordUnfit(shortest=SHORTEST_PASSWORD, longest=LONGEST_PASSWORD)

    def checked() -> str:
        check(password, against)
        return _hasher.hash(password)

    return await _beside(checked)


async def fits(secret_hash: str | None, password: str) -> bool:
    """Say whether a password is right; without a hash it is wrong, and that takes as long to say."""
    if len(password) > LONGEST_PASSWORD or not _is_text(password):
        password, secret_hash = "", None

    def verify() -> bool:
        nobodys = _nobodys_hash()
        try:
            return _hasher.verify(secret_hash or nobodys, password) and secret_hash is not None
        except (VerificationError, InvalidHashError):
            return False

    right = await _beside(verify)
    if right:
        _remember(asking.get())
    return right


def is_hash(text: str) -> bool:
    """Say whether a text is an argon2id hash that costs no more than a login may."""
    try:
        cost = argon2.extract_parameters(text)
    except InvalidHashError:
        return False
    return cost.type is argon2.Type.ID and cost.memory_cost <= 2**18 and cost.time_cost <= 10 and cost.parallelism <= 16


def _is_text(password: str) -> bool:
    try:
        password.encode()
    except UnicodeEncodeError:
        return False
    return True


class Guard:
    """Counts the logins of each account that were not right; forgets the oldest when there are too many accounts.

    Each account has `burst` tries, and gets one back every `seconds`. A try counts from its beginning, so that
    many at once are no way round.
    """

    def __init__(self, *, burst: int = 20, seconds: float = 6.0, most: int = 10_000) -> None:
        """Start with nobody under suspicion."""
        self._burst, self._seconds, self._most = burst, seconds, most
        self._spent: OrderedDict[tuple[str, str], tuple[float, datetime]] = OrderedDict()

    def begin(self, who: tuple[str, str], now: datetime) -> None:
        """Count a try; raises `TooManyLogins` when there were too many."""
        spent, since = self._spent.pop(who, (0.0, now))
        spent = max(0.0, spent - max(0.0, (now - since).total_seconds()) / self._seconds)
        if spent + 1 > self._burst:
            self._spent[who] = (spent, now)
            raise TooManyLogins(retry_after=max(1, math.ceil((spent + 1 - self._burst) * self._seconds)))
        self._spent[who] = (spent + 1, now)
        if len(self._spent) > self._most:
            self._spent.popitem(last=False)

    def forgive(self, who: tuple[str, str]) -> None:
        """Forget the tries of somebody who has proven to be right."""
        self._spent.pop(who, None)
