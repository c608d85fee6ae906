"""The pilot's log: one JSON object a line, and every thought of the machine so that it can be thought again.

A line has `at` (UTC) and either `said` and facts, or `event` and the `instructions` it led to. No line holds a
token, a secret, a presigned URL, the payload's environment or its output.
"""

from __future__ import annotations

import json
import sys
import threading
from datetime import datetime, timezone
from typing import Any, Iterable, Iterator, List, Optional, TextIO, Tuple

from sancho_pilot.codec import decode, encode
from sancho_pilot.events import Event
from sancho_pilot.instructions import Instruction
from sancho_pilot.machine import Machine


class Journal:
    """Writes the log; may be used by several threads at once."""

    def __init__(self, stream: Optional[TextIO] = None) -> None:
        """Write to `stream`, or to the standard error of this process."""
        self._stream = stream or sys.stderr
        self._lock = threading.Lock()

    def say(self, said: str, **facts: Any) -> None:
        """Write a line for people."""
        self._write({"said": said, **facts})

    def thought(self, event: Event, instructions: Iterable[Instruction]) -> None:
        """Write an event with the instructions it led to."""
        self._write({"event": encode(event), "instructions": [encode(one) for one in instructions]})

    def _write(self, line: Any) -> None:
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        text = json.dumps({"at": now, **line}, separators=(",", ":"), default=str) + "\n"
        with self._lock:
            try:
                self._stream.write(text)
                self._stream.flush()
            except (OSError, ValueError):  # a full disk or a closed terminal must not end a payload
                return


def replay(lines: Iterable[str]) -> Iterator[Tuple[Event, List[Instruction], List[Instruction]]]:
    """Think the thoughts of a log again: each event, what it led to then, and what it leads to now.

    A log may hold several lives of a pilot, one after the other; lines cut
    short by the death of one are left out.
    """
    machine = Machine()
    for line in lines:
        try:
            read = json.loads(line)
        except ValueError:
            continue
        if not isinstance(read, dict) or "event" not in read:
            continue
        event = decode(read["event"])
        if type(event).__name__ == "Began":
            machine = Machine()
        yield event, list(decode(read["instructions"])), machine.handle(event)
