"""Twenty thousand logins at once: refused before a password is hashed, while others log in."""

import asyncio
import threading
from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Literal
from urllib.parse import urlencode

import argon2
import pytest
from anyio.lowlevel import checkpoint
from starlette.types import Message

from sancho.identity import service as identity
from sancho.identity import store
from sancho.identity.service import passwords
from sancho.kit.fair import Turns
from tests.served import Served

PASSWORD = "correct horse"
FLOOD, TOGETHER = 20_000, 10_000


class Counting(argon2.PasswordHasher):
    """Argon2 at a hundredth of its price, and how many hashes were computed, and how many at once."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=1_024)
        self.lock = threading.Lock()
        self.computed = self.now = self.most = 0

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - argon2's name
        with self.lock:
            self.computed += 1
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            return super().verify(hash, password)
        finally:
            with self.lock:
                self.now -= 1


@pytest.fixture
def hasher(monkeypatch: pytest.MonkeyPatch) -> Counting:
    made = Counting()
    monkeypatch.setattr(passwords, "_hasher", made)
    monkeypatch.setattr(passwords, "_nobodys_hash", cache(lambda: made.hash("a password that nobody has")))
    monkeypatch.setattr(passwords, "_known", type(passwords._known)())
    room = Turns(passwords.AT_ONCE, room=passwords.MOST_WAITING, weigh=passwords._weigh)
    monkeypatch.setattr(passwords, "_turns", room)
    return made


async def given_password(served: Served, account: str) -> None:
    secret_hash = await passwords.make_hash(PASSWORD)
    async with served.deployment.database.transaction([1]) as conn:
        ids = [(await identity.get_account(conn, 1, account)).account_id]
        now = served.deployment.clock.now()
        await store.put_passwords(conn, 1, account_ids=ids, names=[account], hashes=[secret_hash], now=now)


async def log_in(served: Served, address: str, account: str, password: str = "wrong horse") -> tuple[int, int]:
    """Status and Retry-After of one login; past any client, of which so many would take minutes."""
    form = {"grant_type": "password", "vo": "belle", "username": account, "password": password}
    body = urlencode(form).encode()
    headers = {"content-type": "application/x-www-form-urlencoded", "content-length": str(len(body))}
    answer: dict[str, tuple[int, Mapping[bytes, bytes]]] = {}
    scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "path": "/v1/auth/token",
        "raw_path": b"/v1/auth/token", "query_string": b"", "root_path": "", "scheme": "http",
        "server": ("testserver", 80), "client": (address, 1),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip

    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer["start"] = message["status"], dict(message["headers"])

    await served.app(scope, receive, send)
    status, sent = answer["start"]
    return status, int(sent.get(b"retry-after", b"0"))


async def flood(served: Served, attempts: int, *, addresses: int, accounts: int) -> Counter[int]:
    """Wrong logins, many at once; the answers by status."""
    found: Counter[int] = Counter()
    for start in range(0, attempts, TOGETHER):
        tries = [
            log_in(served, f"192.0.{n % addresses // 250}.{n % addresses % 250}", f"account{n % accounts}")
            for n in range(start, min(start + TOGETHER, attempts))
        ]
        for status, retry_after in await asyncio.gather(*tries):
            found[status] += 1
            assert status == 401 or retry_after >= 1
    return found


async def until_in(served: Served, address: str, account: str) -> int:
    """Log in as a client would that comes back when it was told that the server is busy; how often it had to try."""
    for tried in range(1, 100):
        status, _ = await log_in(served, address, account, PASSWORD)
        if status == 200:
            return tried
        assert status == 503
        await checkpoint()
    raise AssertionError("never let in")


async def test_a_flood_from_a_few_addresses_is_refused_before_a_hash_and_others_log_in(
    served: Served, hasher: Counting
) -> None:
    await given_password(served, "alice")

    flooding = asyncio.create_task(flood(served, FLOOD, addresses=5, accounts=10_000))
    tries = 0
    while not flooding.done():
        tries = max(tries, await until_in(served, "198.51.100.7", "alice"))
        await asyncio.wait([flooding], timeout=0.5)

    answers = await flooding
    assert tries == 1
    assert {401, 429} <= answers.keys() <= {401, 429, 503}
    assert answers[429] > 0.75 * FLOOD
    assert hasher.most <= passwords.AT_ONCE
    assert answers[401] <= hasher.computed < 0.25 * FLOOD


async def test_a_flood_on_one_account_from_anywhere_stops_before_a_hash(served: Served, hasher: Counting) -> None:
    await given_password(served, "alice")

    answers = await flood(served, 5_000, addresses=5_000, accounts=1)

    assert answers[401] <= 40
    assert hasher.computed <= 40
    assert await until_in(served, "198.51.100.7", "alice") == 1


async def test_whoever_has_logged_in_from_an_address_does_so_again_in_a_flood_from_very_many(
    served: Served, hasher: Counting
) -> None:
    await given_password(served, "alice")
    assert (await log_in(served, "198.51.100.7", "alice", PASSWORD))[0] == 200

    flooding = asyncio.create_task(flood(served, 1_500, addresses=1_500, accounts=1_500))
    tries: list[int] = []
    while not flooding.done():
        tries.append(await until_in(served, "198.51.100.7", "alice"))
        await checkpoint()

    await flooding
    assert set(tries) == {1}
    assert hasher.most <= passwords.AT_ONCE
