"""Sends requests at a given rate, whatever the server makes of them: a VO that asks as often as it likes.

Unlike `bench.driver`, which waits for each answer, it keeps to its timetable, and a call's latency counts from when
it was due. As a program of its own (`python -m bench.pacing`, told on standard input) it is the noise for others.
"""

import json
import selectors
import socket
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from bench.driver import LENGTH


@dataclass
class _Line:
    socket: socket.socket
    due: float = 0.0
    data: bytearray = field(default_factory=bytearray)


@dataclass(frozen=True)
class Told:
    """What came of it: answers by status, milliseconds of each call, and seconds in all."""

    statuses: Counter[int]
    latencies: list[float]
    seconds: float


def send(port: int, requests: Sequence[bytes], *, rate: float, seconds: float, lines: int) -> Told:
    """Send requests, over and over, `rate` a second, over so many connections; one too few makes calls late."""
    with selectors.DefaultSelector() as selector, ExitStack() as opened:
        idle: deque[_Line] = deque()
        for _ in range(lines):
            made = opened.enter_context(socket.create_connection(("127.0.0.1", port)))
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            idle.append(line := _Line(made))
            selector.register(made, selectors.EVENT_READ, line)
        statuses: Counter[int] = Counter()
        latencies: list[float] = []
        sent, total = 0, int(rate * seconds)
        began = time.perf_counter()
        while len(latencies) < total:
            now = time.perf_counter()
            while sent < total and idle and (due := began + sent / rate) <= now:
                line = idle.popleft()
                line.due = due
                line.socket.sendall(requests[sent % len(requests)])
                sent += 1
            wait = max(0.0, began + sent / rate - now) if sent < total and idle else None
            for key, _ in selector.select(wait):
                line = key.data
                line.data += line.socket.recv(1 << 16)
                status = _status(line.data)
                if status:
                    statuses[status] += 1
                    latencies.append((time.perf_counter() - line.due) * 1000)
                    line.data.clear()
                    idle.append(line)
        return Told(statuses, latencies, time.perf_counter() - began)


def _status(data: bytearray) -> int:
    """The status of an answer that is complete; 0 when more is to come."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        if not data:
            raise ConnectionError("the server closed the connection")
        return 0
    length = LENGTH.search(bytes(data[: end + 2]))
    return int(data[9:12]) if len(data) >= end + 4 + (int(length[1]) if length else 0) else 0


@contextmanager
def noise(port: int, requests: Sequence[bytes], *, rate: float, seconds: float, lines: int) -> Iterator[Counter[int]]:
    """Send in a process of its own meanwhile; the answers by status are filled in at the end.

    It stands for clients on other machines, so it yields the processor to whoever else wants it.
    """
    said = {"port": port, "requests": [r.decode("latin-1") for r in requests], "rate": rate, "seconds": seconds, "lines": lines}  # fmt: skip
    found: Counter[int] = Counter()
    with subprocess.Popen(
        ["nice", "-n", "19", sys.executable, "-m", "bench.pacing"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        other.stdin.write(json.dumps(said) + "\n")
        other.stdin.flush()
        other.stdout.readline()  # it has begun
        yield found
        found.update({int(status): number for status, number in json.loads(other.stdout.readline()).items()})


def main() -> None:
    """Be the noise that standard input describes."""
    said = json.loads(sys.stdin.readline())
    requests = [r.encode("latin-1") for r in said.pop("requests")]
    print("begun", flush=True)
    print(json.dumps(send(said.pop("port"), requests, **said).statuses), flush=True)


if __name__ == "__main__":
    main()
