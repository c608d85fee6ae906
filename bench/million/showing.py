"""A request or a task is made, and what it took is said."""

import asyncio
import http.client
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self
from urllib.parse import quote

import psycopg
from rich.console import Console

from bench.ground import Ground
from bench.workloads.catalogue import Memory
from sancho.kit.deployment import Deployment
from sancho.kit.worker import make_app, work
from sancho.local.postgres import ADMIN, SERVER
from sancho.parts import TASKS

CARRIED_OUT = {"dids", "replicas", "rules"}
"""Whose tasks are done: nothing is copied, for there are no storages."""
LONGEST = timedelta(hours=2)
"""How long a task may go on when no other waits."""
PIECE = 1 << 18
POLL = 0.1
"""Seconds between two looks at how old transactions are."""
AGE = """
SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)
  FROM pg_stat_activity WHERE usename = %s AND datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'
"""


@dataclass(frozen=True)
class Asked:
    """A request, natively or on Rucio's wire."""

    what: str
    method: str
    path: str
    body: Any = None

    @property
    def by_rucio(self) -> bool:
        """Whether it goes to Rucio's routes."""
        return self.path.startswith("/rucio/")


class Ages:
    """How old the oldest transaction of the server's role was, seen from beside."""

    def __init__(self, url: str) -> None:
        """Look at the database at this URL."""
        self._url = url
        self._stop = threading.Event()
        self.oldest = 0.0

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        with psycopg.connect(self._url, autocommit=True) as conn:
            while not self._stop.wait(POLL):
                row = conn.execute(AGE, [SERVER]).fetchone()
                self.oldest = max(self.oldest, float(row[0]) if row else 0.0)


class Show:
    """What is asked and done, and what is said of it."""

    def __init__(self, ground: Ground, deployment: Deployment, files: int, only: str) -> None:
        """Ask this server; `only` what has a word in it."""
        self.ground, self.deployment, self.files, self.only = ground, deployment, files, only
        self.console = Console(width=160)
        self.token = ground.token()
        logging.getLogger("procrastinate").setLevel(logging.CRITICAL)  # it complains of tasks that are left out
        self._loop = asyncio.Runner()
        self._loop.run(deployment.database.open())

    def close(self) -> None:
        """Nothing more is done."""
        self._loop.run(self.deployment.database.close())
        self._loop.close()

    def ask(self, asked: Asked) -> Any:
        """Send it, and read what comes without keeping more than its beginning; return that, if it is JSON."""
        if self.only not in asked.what:
            return None
        begun: list[bytes] = []
        with self._measured(asked.what, self.ground.server) as said:
            said["answer"] = self._send(asked, begun)
        try:
            return json.loads(b"".join(begun))
        except ValueError:
            return None

    def ask_all(self, what: str, many: Iterable[Asked]) -> None:
        """Send requests one after the other, measured as one."""
        if self.only in what:
            with self._measured(what, self.ground.server) as said:
                answers = [self._send(asked, []) for asked in many]
                said["answer"] = f"{len(answers)} requests, the last: {answers[-1]}"

    def _send(self, asked: Asked, begun: list[bytes]) -> str:
        began, first = time.perf_counter(), 0.0
        with closing(http.client.HTTPConnection("127.0.0.1", self.ground.port, timeout=1200)) as connection:
            name = "x-rucio-auth-token" if asked.by_rucio else "authorization"
            headers = {name: self.token if asked.by_rucio else f"Bearer {self.token}"}
            body = None if asked.body is None else json.dumps(asked.body)
            if body is not None:
                headers["content-type"] = "application/json"
            connection.request(asked.method, quote(asked.path, safe="/:?&=%"), body, headers)
            answer = connection.getresponse()
            size = 0
            while piece := answer.read1(PIECE):
                size += len(piece)
                if not begun:
                    first = time.perf_counter() - began
                    begun.append(piece)
            told = f"{answer.status} {size / 1e6:.1f} MB"
            if answer.status >= 400:
                return f"{told} {b''.join(begun)[:150].decode(errors='replace')}"
            return f"{told}, the first after {first:.2f} s" if size > PIECE else told

    def tasks(self, what: str) -> None:
        """Have all tasks done that wait."""
        self.run(f"{what}: the tasks", self._work)

    def run(self, what: str, doing: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Do something in this process."""
        if self.only in what:
            with self._measured(what, os.getpid()) as said:
                done = self._loop.run(doing())
                said["answer"] = "" if done is None else str(done)

    async def _work(self) -> None:
        some = [tasks for tasks in TASKS if tasks.feature in CARRIED_OUT]
        app = make_app(self.ground.cluster.url(SERVER), some)
        await work(app, self.deployment, concurrency=4, wait=False, grace=LONGEST)

    @contextmanager
    def _measured(self, what: str, process: int) -> Iterator[dict[str, str]]:
        memory, said = Memory(process), {"answer": ""}
        began = time.perf_counter()
        with Ages(self.ground.cluster.url(ADMIN)) as ages:
            try:
                yield said
            except (OSError, http.client.HTTPException, psycopg.Error) as e:
                said["answer"] = f"{type(e).__name__}: {e}"[:150]
        seconds = time.perf_counter() - began
        self.console.print(
            f"{what:<46} {seconds:8.2f} s  grew {memory.grown() / 1e6:7.1f} MB  transaction {ages.oldest:7.2f} s  "
            f"{said['answer']}",
            markup=False, highlight=False, soft_wrap=True,
        )  # fmt: skip
