"""Sends requests that were encoded beforehand over a few kept connections, and takes the time.

A client library would be slower than the server. This one does per answer what it must: one `send`, one or two
`recv`, a look at the status line and at where the body ends. Each connection has one request under way; so what is
measured as latency is what a client waits for.
"""

import gc
import json
import re
import selectors
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
LAST_CHUNK = b"\r\n0\r\n\r\n"


class AnswerRefused(Exception):
    """The server did not answer as it must for a measurement to count."""


@dataclass(frozen=True)
class Round:
    """One round of one side: things done, seconds in all, milliseconds of each call."""

    items: int
    seconds: float
    latencies: list[float]

    @property
    def per_second(self) -> float:
        """Things done in a second."""
        return self.items / self.seconds


@dataclass
class _Connection:
    socket: socket.socket
    began: float = 0.0
    data: bytearray = field(default_factory=bytearray)


def encode(method: str, path: str, token: str, body: Any = None) -> bytes:
    """A request, ready to be sent."""
    content = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
    head = f"{method} {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n"
    if content:
        head += f"content-type: application/json\r\ncontent-length: {len(content)}\r\n"
    return head.encode() + b"\r\n" + content


class Driver:
    """A client of one server. Answers that are no 2xx, or a 304, raise `AnswerRefused`."""

    def __init__(self, port: int, connections: int) -> None:
        """Talk to this machine's `port`, over so many connections."""
        self._port = port
        self._number = connections

    def run(self, requests: Sequence[bytes], *, items: int, answers: list[bytes] | None = None) -> Round:
        """Send all requests, each connection its next one when it has its answer; `items` are done by all of them.

        Bodies of answers are kept in `answers`, in the order in which they came.
        """
        with selectors.DefaultSelector() as selector, ExitStack() as opened:
            connections = [self._connect(opened) for _ in range(min(self._number, len(requests)))]
            for one in connections:
                selector.register(one.socket, selectors.EVENT_READ, one)
            gc.collect()
            gc.disable()
            try:
                return Round(items, *_exchange(selector, connections, requests, answers))
            finally:
                gc.enable()

    def _connect(self, opened: ExitStack) -> _Connection:
        made = opened.enter_context(socket.create_connection(("127.0.0.1", self._port)))
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return _Connection(made)


def _exchange(
    selector: selectors.BaseSelector, connections: Sequence[_Connection], requests: Sequence[bytes],
    answers: list[bytes] | None,
) -> tuple[float, list[float]]:  # fmt: skip
    """Seconds in all, and milliseconds of each call."""
    left = iter(requests)
    latencies: list[float] = []
    began = time.perf_counter()
    for one in connections:
        _send(one, next(left))
    while len(latencies) < len(requests):
        for key, _ in selector.select():
            one: _Connection = key.data
            one.data += one.socket.recv(1 << 18)
            body = _body(one.data)
            if body is None:
                continue
            latencies.append((time.perf_counter() - one.began) * 1000)
            if answers is not None:
                answers.append(body)
            one.data.clear()
            if (request := next(left, None)) is not None:
                _send(one, request)
            else:  # a server closes what is idle for long
                selector.unregister(one.socket)
    return time.perf_counter() - began, latencies


def _send(one: _Connection, request: bytes) -> None:
    one.began = time.perf_counter()
    one.socket.sendall(request)


def _body(data: bytearray) -> bytes | None:
    """The body of an answer that is complete; None when more is to come."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        if not data:
            raise AnswerRefused("the server closed the connection")
        return None
    head = bytes(data[: end + 2])
    if CHUNKED.search(head):
        if not data.endswith(LAST_CHUNK):
            return None
    else:
        length = LENGTH.search(head)
        if len(data) < end + 4 + (int(length[1]) if length else 0):
            return None
    body = bytes(data[end + 4 :])
    if not head.startswith((b"HTTP/1.1 2", b"HTTP/1.1 304")):
        raise AnswerRefused(f"{head.splitlines()[0].decode()}: {body[:1000].decode(errors='replace')}")
    return body
